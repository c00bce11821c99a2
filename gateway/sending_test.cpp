// What else is said of sending: totals of clear text.
#include <csignal>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

TEST_F(ProcessTest, ClearTextIsTotalledByNextHopAndCause) {
  NextHop plain(bench_, NextHop::Kind::plain);
  NextHop refusing(bench_, NextHop::Kind::refuses_starttls);
  NextHop strict(bench_, NextHop::Kind::tls);
  const std::string routes =
      route(plain) + "<route domain=\"c.test\" host=\"mx.c.test\" address=\"127.0.0.1\" port=\"" +
      std::to_string(refusing.port()) + "\"/>" + route(strict, "d.test");
  Program program(configure("", routes));
  for (const char* recipient : {"1@b.test", "2@b.test", "3@c.test", "4@d.test"}) {
    send(program.port(), recipient);
  }
  program.wait_for_count({"\"event\":\"relayed\""}, 4);
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\""});
  const auto total = [&program](const std::string& host, const std::string& cause, int count) {
    return program.lines({"\"event\":\"clear-text-total\",\"host\":\"" + host + "\",\"cause\":\"" +
                          cause + "\",\"count\":" + std::to_string(count) + "}"});
  };
  EXPECT_EQ(total("mx.b.test", "starttls-not-supported", 2), 1U);
  EXPECT_EQ(total("mx.c.test", "starttls-refused", 1), 1U);
  send(program.port(), "5@b.test");
  program.wait_for_count({"\"event\":\"relayed\""}, 5);
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(total("mx.b.test", "starttls-not-supported", 3), 1U);
  EXPECT_EQ(total("mx.c.test", "starttls-refused", 1), 2U);
  EXPECT_EQ(program.lines({"clear-text-total"}), 4U);
}

}  // namespace
}  // namespace gateway::test
