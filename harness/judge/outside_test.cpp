#include "judge/outside.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace postern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A case whose client handed in its message and whose next hop saw one connection end.
class Outside : public testing::Test {
 protected:
  Outside() {
    seen_.sender = "from-token@lab.test";
    seen_.recipient = "token@lab.test";
    ConnectionFacts client;
    client.number = 1;
    client.connected = true;
    client.accepted = 1;
    client.ending = Ending::kClose;
    client.last_reply = 221;
    client.last_command = "QUIT";
    seen_.client.push_back(client);
  }

  ConnectionFacts& connection(const std::string& sender, const std::string& recipient, bool taken) {
    ConnectionFacts made;
    made.number = static_cast<int>(seen_.server.size()) + 1;
    made.connected = true;
    made.ending = Ending::kClose;
    made.mail = !sender.empty() || !recipient.empty();
    made.transaction.sender = sender;
    made.transaction.recipients = {recipient};
    if (taken) made.taken.push_back(made.transaction);
    seen_.server.push_back(made);
    seen_.events.push_back(
        {0, made.number, Side::kServer, Actor::kPeer, Phase::kClear, What::kConnect, "connection"});
    return seen_.server.back();
  }

  std::vector<std::string> told() {
    tell_from_outside(seen_);
    std::vector<std::string> kinds;
    for (const RecordFact& fact : seen_.record) kinds.push_back(fact.kind);
    return kinds;
  }

  Observation seen_;
};

TEST_F(Outside, TellsWhatThePeersSaw) {
  connection(seen_.sender, seen_.recipient, true);
  EXPECT_FALSE(sort_out(seen_));
  EXPECT_THAT(told(), ElementsAre("session-end", "delivered"));
}

TEST_F(Outside, AnAttemptIsGivenUpOnlyWhereALaterMessageCameThrough) {
  connection("", "", false).mail = false;
  EXPECT_FALSE(sort_out(seen_)) << "whose a connection without an envelope is nobody knows";
  EXPECT_THAT(told(), ElementsAre("session-end"));
  seen_.record.clear();
  seen_.canary = true;
  EXPECT_THAT(told(), ElementsAre("session-end", "deferred"));
  EXPECT_THAT(seen_.record.back().line, HasSubstr("a later message came through"));
}

TEST_F(Outside, NothingIsToldWithoutAnAttempt) {
  seen_.canary = true;
  EXPECT_THAT(told(), ElementsAre("session-end"));
  seen_.client.front().ending = Ending::kTimeout;
  seen_.record.clear();
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Outside, LeavesOutRetriesOfOtherMessages) {
  connection("from-other@lab.test", "other@lab.test", true);
  connection(seen_.sender, seen_.recipient, true);
  seen_.sightings.push_back({Side::kServer, 2, "tls", "plain", 7, 0});
  EXPECT_TRUE(sort_out(seen_));
  ASSERT_EQ(seen_.server.size(), 1U);
  EXPECT_EQ(seen_.server.front().number, 1);
  EXPECT_EQ(seen_.sightings.front().connection, 1);
  ASSERT_EQ(seen_.events.size(), 1U);
  EXPECT_EQ(seen_.events.front().connection, 1);
  EXPECT_THAT(told(), ElementsAre("session-end", "delivered"));
}

TEST_F(Outside, KeepsItsOwnAmongOthersOnOneConnection) {
  ConnectionFacts& both = connection(seen_.sender, seen_.recipient, true);
  Taken other;
  other.sender = "from-other@lab.test";
  other.recipients = {"other@lab.test"};
  both.taken.push_back(other);
  EXPECT_FALSE(sort_out(seen_));
  EXPECT_EQ(seen_.server.front().taken.size(), 1U);
}

TEST_F(Outside, GivesABounceToTheMailbox) {
  connection(seen_.sender, seen_.recipient, false);
  connection("", seen_.sender, true);
  seen_.sightings.push_back({Side::kServer, 2, "tls", "plain", 7, 0});
  EXPECT_TRUE(sort_out(seen_));
  ASSERT_EQ(seen_.mailbox.size(), 1U);
  EXPECT_EQ(seen_.server.size(), 1U);
  EXPECT_EQ(seen_.sightings.front().side, Side::kSender);
  EXPECT_THAT(told(), ElementsAre("session-end", "bounced", "bounce-delivered"));
}

TEST_F(Outside, KnowsWhenItIsBlocked) {
  EXPECT_EQ(blocked_by(seen_), "");
  ConnectionFacts& client = seen_.client.front();
  const auto after = [&](int reply, const std::string& command) {
    client.last_reply = reply;
    client.last_command = command;
    return blocked_by(seen_);
  };
  EXPECT_EQ(after(554, "connect"), "it greeted with 554");
  EXPECT_EQ(after(421, "EHLO"), "421 to EHLO");
  EXPECT_EQ(after(451, "RCPT"), "451 to RCPT (greylisting, or a limit)");
  EXPECT_EQ(after(452, "end of data"), "452 to end of data (greylisting, or a limit)");
  EXPECT_EQ(after(454, "STARTTLS"), "");
  EXPECT_EQ(after(530, "MAIL"), "");
  EXPECT_EQ(after(554, "EHLO"), "");
  client.ending = Ending::kTimeout;
  EXPECT_EQ(after(220, "connect"), "it did not greet within the time limit (a tarpit?)");
  EXPECT_EQ(after(220, "STARTTLS"), "");
  client.connected = false;
  EXPECT_EQ(blocked_by(seen_), "no connection to it was made");
}

}  // namespace
}  // namespace postern
