// Sessions with clients that are slow, early or of another protocol.
#include <csignal>
#include <thread>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

// drip sends one octet after the other to `slow` until it cannot or `most` were sent, and returns
// how many were. What passes between two octets are `turns` commands of another client.
std::size_t drip(int port, Wire& slow, std::size_t most, int turns) {
  Wire busy = Wire::connect(port);
  busy.reply();
  for (std::size_t sent = 0; sent < most; ++sent) {
    for (int i = 0; i < turns; ++i) busy.ask("NOOP");
    if (!slow.say("x")) return sent;
  }
  return most;
}

TEST_F(ProcessTest, ACommandThatDripsIsTimedOut) {
  constexpr std::size_t kMost = 60'000;
  Program program(
      configure("", R"(<limits command-time="200ms" drain-time="10ms" command-line="65536"/>)"));
  Wire slow = Wire::connect(program.port());
  slow.reply();
  EXPECT_LT(drip(program.port(), slow, kMost, 1), kMost);
  program.wait_for({"\"event\":\"session-end\"", "\"ended\":\"timeout\""});
}

TEST_F(ProcessTest, DataThatDripsIsTimedOut) {
  constexpr std::size_t kMost = 1500;
  Program program(configure("", R"(<limits data-time="1s" drain-time="10ms"/>
                       <route domain="b.test" folder="out"/>)"));
  Wire slow = Wire::connect(program.port());
  slow.reply();
  slow.ask("EHLO client.test");
  slow.ask("MAIL FROM:<a@a.test>");
  slow.ask("RCPT TO:<x@b.test>");
  EXPECT_EQ(slow.ask("DATA").substr(0, 3), "354");
  EXPECT_LT(drip(program.port(), slow, kMost, 200), kMost);
  program.wait_for({"\"event\":\"session-end\"", "\"ended\":\"timeout\"", "\"messages\":0"});
}

TEST_F(ProcessTest, WhoSpeaksBeforeTheGreetingIsTurnedAway) {
  Program program(configure("", "<route domain=\"b.test\" folder=\"out\"/>"));
  // While it stands still the octets arrive before it can greet.
  program.signal(SIGSTOP);
  Wire early = Wire::connect(program.port());
  early.say("EHLO client.test\r\nMAIL FROM:<a@a.test>\r\n");
  program.signal(SIGCONT);
  EXPECT_EQ(early.reply().substr(0, 9), "554 5.5.1");
  EXPECT_EQ(early.line(), "EOF");
  program.wait_for({"\"event\":\"dropped\"", "\"reply\":554"});
}

TEST_F(ProcessTest, AnHttpRequestIsDroppedBeforeItsBodyIsRead) {
  Program program(configure("", "<route domain=\"b.test\" folder=\"out\"/>"));
  Wire browser = Wire::connect(program.port());
  browser.reply();
  browser.say(
      "POST / HTTP/1.1\r\nHost: gw.test\r\n\r\nEHLO x\r\nMAIL FROM:<a@a.test>\r\n"
      "RCPT TO:<x@b.test>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n");
  EXPECT_EQ(browser.reply().substr(0, 9), "500 5.5.2");
  EXPECT_EQ(browser.line(), "EOF");
  program.wait_for({"\"event\":\"session-end\"", "\"ended\":\"dropped\"", "\"messages\":0"});
}

}  // namespace
}  // namespace gateway::test
