#include "recent_sessions.hpp"

#include <gtest/gtest.h>

namespace gateway {
namespace {

SessionFacts session(std::size_t number, std::uint64_t messages = 0) {
  SessionFacts facts;
  facts.id = "S" + std::to_string(number);
  facts.messages = messages;
  return facts;
}

TEST(RecentSessions, OneThatIsNoLongerKeptDoesNotComeBack) {
  RecentSessions recent;
  for (std::size_t i = 0; i <= RecentSessions::kMost; ++i) recent.begin(session(i));
  recent.note(session(1, 7));
  EXPECT_EQ(recent.all().back().messages, 7U);
  recent.note(session(0, 7));
  EXPECT_EQ(recent.all().size(), RecentSessions::kMost);
  EXPECT_EQ(recent.all().front().id, "S" + std::to_string(RecentSessions::kMost));
}

}  // namespace
}  // namespace gateway
