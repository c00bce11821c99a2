#include "peers/meetings.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <vector>

namespace asio = boost::asio;

namespace postern {
namespace {

class MeetingsTest : public testing::Test {
 protected:
  void come(const char* meeting) {
    const auto wait = [](MeetingsTest* test, std::string name) -> asio::awaitable<void> {
      const std::string trouble = co_await test->meetings_.arrive(std::move(name));
      test->answers_.push_back(trouble);
    };
    asio::co_spawn(io_, wait(this, meeting), asio::detached);
  }

  asio::io_context io_;
  Meetings meetings_{io_.get_executor(), std::chrono::milliseconds(50)};
  std::vector<std::string> answers_;
};

TEST_F(MeetingsTest, NobodyGoesOnBeforeTheLastIsThere) {
  meetings_.expect("dawn");
  meetings_.expect("dawn");
  come("dawn");
  io_.poll();
  EXPECT_TRUE(answers_.empty());
  come("dawn");
  io_.run();
  EXPECT_EQ(answers_, (std::vector<std::string>{"", ""}));
}

TEST_F(MeetingsTest, AScriptThatEndedIsNotWaitedFor) {
  meetings_.expect("dawn");
  meetings_.expect("dawn");
  come("dawn");
  io_.poll();
  meetings_.left("dawn");
  io_.run();
  EXPECT_EQ(answers_, std::vector<std::string>{"a script that ended before it"});
}

TEST_F(MeetingsTest, TheTimeLimitHolds) {
  meetings_.expect("dawn");
  meetings_.expect("dawn");
  come("dawn");
  io_.run();
  EXPECT_EQ(answers_, std::vector<std::string>{"nobody within the time limit"});
}

TEST_F(MeetingsTest, AConditionIsAskedWheneverSomethingWasSeen) {
  bool seen = false;
  std::optional<bool> came;
  const auto wait = [](Meetings* meetings, bool* seen_yet,
                       std::optional<bool>* answer) -> asio::awaitable<void> {
    std::function<bool()> holds = [seen_yet] { return *seen_yet; };
    *answer = co_await meetings->until(std::move(holds));
  };
  asio::co_spawn(io_, wait(&meetings_, &seen, &came), asio::detached);
  io_.poll();
  meetings_.wake();
  io_.poll();
  EXPECT_FALSE(came);
  seen = true;
  meetings_.wake();
  io_.run();
  EXPECT_EQ(came, true);
}

TEST_F(MeetingsTest, TheEndLetsNobodyWait) {
  meetings_.expect("dawn");
  meetings_.expect("dawn");
  come("dawn");
  io_.poll();
  meetings_.end();
  io_.run();
  EXPECT_EQ(answers_, std::vector<std::string>{"nobody within the time limit"});
}

}  // namespace
}  // namespace postern
