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

}  // namespace
}  // namespace postern::reports
