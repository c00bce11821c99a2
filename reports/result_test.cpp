#include "result.hpp"

#include <gtest/gtest.h>

namespace postern::reports {
namespace {

CaseResult with(Verdict verdict, bool control = false) {
  CaseResult result;
  result.verdict = verdict;
  result.control = control;
  return result;
}

Tally tally_of(std::initializer_list<Verdict> verdicts) {
  Tally tally;
  for (const Verdict verdict : verdicts) tally.count(with(verdict));
  return tally;
}

TEST(Outcome, TextIsTheWordAndItsFactsInOrder) {
  EXPECT_EQ((Outcome{"drop", {{"reply", "530"}, {"closed", "clean"}}}.text()),
            "drop reply=530 closed=clean");
  EXPECT_EQ((Outcome{"nothing", {}}.text()), "nothing");
}

TEST(Tally, ControlsAreCountedApart) {
  Tally tally;
  tally.count(with(Verdict::kPass));
  tally.count(with(Verdict::kFail, true));
  EXPECT_EQ(tally.pass, 1);
  EXPECT_EQ(tally.fail, 0);
  EXPECT_EQ(tally.controls, 1);
  EXPECT_EQ(tally.chosen(), 1);
}

TEST(Tally, ExitCodesFollowTheTable) {
  using V = Verdict;
  EXPECT_EQ(tally_of({V::kPass, V::kSkip}).exit_code(0), 0);
  EXPECT_EQ(tally_of({V::kPass, V::kFail, V::kError}).exit_code(0), 1);
  EXPECT_EQ(tally_of({V::kPass, V::kError}).exit_code(0), 3);
  EXPECT_EQ(tally_of({V::kPass, V::kInconclusive}).exit_code(0), 3);
  EXPECT_EQ(tally_of({V::kPass, V::kInvalid}).exit_code(0), 3);
}

TEST(Tally, FewerCasesThanTheMinimumAreNoPass) {
  EXPECT_EQ(tally_of({Verdict::kPass, Verdict::kPass}).exit_code(2), 0);
  EXPECT_EQ(tally_of({Verdict::kPass, Verdict::kPass}).exit_code(3), 3);
  EXPECT_EQ(tally_of({Verdict::kFail}).exit_code(3), 1);
}

/// A case that failed although both legs reached something.
CaseResult failed(const std::string& inbound, const std::string& outbound) {
  CaseResult result = with(Verdict::kFail);
  result.inbound.requirement = "IN-5";
  result.inbound.grade = inbound;
  result.outbound.requirement = "OUT-5";
  result.outbound.grade = outbound;
  return result;
}

// "in", "out", "in out" or "": the legs that are to blame.
std::string blamed(const CaseResult& result) {
  std::string text;
  if (blames(result, result.inbound, result.outbound)) text = "in";
  if (blames(result, result.outbound, result.inbound)) text += text.empty() ? "out" : " out";
  return text;
}

TEST(Blame, IsOnTheLegThatReachedLess) {
  EXPECT_EQ(blamed(failed("form", "")), "out");
  EXPECT_EQ(blamed(failed("form", "policy")), "out");
  EXPECT_EQ(blamed(failed("policy", "letter")), "in");
  EXPECT_EQ(blamed(failed("form", "form")), "in out");
}

TEST(Blame, IsOnWhatTheResultSaysIsBroken) {
  CaseResult changed = failed("form", "form");
  changed.outbound.broken = "other";
  EXPECT_EQ(blamed(changed), "out");
  CaseResult leak = failed("form", "form");
  leak.demands = {{"LEAK-4", "inside TLS only", "", "outbound", true}};
  EXPECT_EQ(blamed(leak), "");
  EXPECT_FALSE(troubles(leak, leak.inbound, leak.outbound));
  EXPECT_TRUE(troubles(leak, leak.outbound, leak.inbound));
  CaseResult warned = failed("form", "form");
  warned.demands = {{"SET-3", "a warning", "", "", true}};
  EXPECT_EQ(blamed(warned), "");
  EXPECT_TRUE(troubles(warned, warned.inbound, warned.outbound));
}

TEST(Blame, IsOnTheOnlyLegThatIsJudged) {
  CaseResult story = failed("form", "");
  story.outbound = {};
  EXPECT_EQ(broken_by(story), (std::vector<Requirement>{{"IN-5", ""}}));
  EXPECT_TRUE(blames(story, story.inbound, story.outbound));
}

TEST(Blame, NamesEachRequirementOnceTheLegsFirst) {
  CaseResult result = failed("form", "policy");
  result.demands = {{"OUT-5", "", "", "outbound", true},
                    {"LEAK-4", "", "", "outbound", false},
                    {"SET-3", "a warning", "", "", true}};
  EXPECT_EQ(broken_by(result), (std::vector<Requirement>{{"OUT-5", ""}, {"SET-3", "a warning"}}));
}

}  // namespace
}  // namespace postern::reports
