#include "first_difference.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sample_results.hpp"

namespace postern::reports {
namespace {

// The text of the event that is marked; "" for none.
std::string marked(const CaseResult& result) {
  const auto index = first_difference(result);
  if (!index) return "";
  std::vector<Line> events = result.events;
  std::stable_sort(events.begin(), events.end(),
                   [](const Line& a, const Line& b) { return a.at < b.at; });
  return events.at(*index).text;
}

CaseResult without_leak() {
  CaseResult result = sample_failure();
  std::erase_if(result.events, [](const Line& line) { return line.kind == "leak"; });
  return result;
}

TEST(FirstDifference, IsWhatCameFirst) {
  EXPECT_EQ(marked(sample_failure()), "MAIL FROM:<from-q7d2mzk5xw3b6tnc4hvj@sender.test>\r\n");
  CaseResult early = sample_failure();
  early.events.push_back({320, 1, "server", "", "tls", "leak", "where it does not belong"});
  EXPECT_EQ(marked(early), "where it does not belong");
  CaseResult taken = sample_failure();
  taken.inbound.broken = taken.outbound.broken = "outcome";
  EXPECT_EQ(marked(taken), "250 2.0.0 Queued as 7A41\r\n");
}

TEST(FirstDifference, IsTheLeakWhereTheOutcomeIsAsExpected) {
  CaseResult leaked = sample_failure();
  leaked.outbound.grade = "form";
  leaked.demands = {{"LEAK-4", "", "", "outbound", true}};
  EXPECT_EQ(marked(leaked), "the token of this message, where LEAK-4 allows nothing");
}

TEST(FirstDifference, IsNoneWhereSomethingElseThanTheOutcomeIsWrong) {
  CaseResult changed = without_leak();
  changed.outbound.grade = "form";
  changed.outbound.broken = "other";
  EXPECT_EQ(marked(changed), "");
}

TEST(FirstDifference, IsOnTheLegThatReachedLess) {
  CaseResult wider = without_leak();
  wider.outbound.grade = "policy";
  EXPECT_EQ(marked(wider), "MAIL FROM:<from-q7d2mzk5xw3b6tnc4hvj@sender.test>\r\n");
}

TEST(FirstDifference, IsTheEnvelopeThatWasDisclosed) {
  EXPECT_EQ(marked(without_leak()), "MAIL FROM:<from-q7d2mzk5xw3b6tnc4hvj@sender.test>\r\n");
}

TEST(FirstDifference, IsTheStepOfAStoryThatGotSomethingElse) {
  CaseResult result = without_leak();
  result.events.push_back({700, 1, "client", "", "clear", "differs", "expected 250, got 451"});
  EXPECT_EQ(marked(result), "expected 250, got 451");
}

TEST(FirstDifference, IsTheReplyThatTookTheMessage) {
  CaseResult result = without_leak();
  std::swap(result.inbound.grade, result.outbound.grade);
  EXPECT_EQ(marked(result), "250 2.0.0 Queued as 7A41\r\n");
  result.inbound.observed = {"drop", {{"reply", "354"}}};
  EXPECT_EQ(marked(result), "354 End data with <CR><LF>.<CR><LF>\r\n");
  result.inbound.observed = {"lost", {}};
  EXPECT_EQ(marked(result), "closed after close_notify");
}

TEST(FirstDifference, IsTheHandshakeThatBroke) {
  CaseResult result = without_leak();
  std::swap(result.inbound.grade, result.outbound.grade);
  result.inbound.observed = {"broken", {}};
  result.events.push_back({2481, 1, "client", "gateway", "handshake", "alert", "unknown_ca"});
  EXPECT_EQ(marked(result), "unknown_ca");
}

TEST(FirstDifference, IsNowhereInACaseThatPassed) {
  EXPECT_EQ(marked(sample_pass()), "");
}

TEST(FirstDifference, IsNowhereWhereNothingHappened) {
  CaseResult result = without_leak();
  std::erase_if(result.events, [](const Line& line) { return line.side == "server"; });
  result.outbound.observed = {"nothing", {}};
  EXPECT_EQ(marked(result), "");
}

}  // namespace
}  // namespace postern::reports
