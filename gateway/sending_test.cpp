// What else is said of sending: totals of clear text, loops, next hops on IPv6.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

TEST_F(ProcessTest, AMessageThatWasHereTooOftenIsRefused) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop) + "<limits own-received-headers=\"2\"/>"));
  const std::string ours =
      "Received: from a ([192.0.2.1])\r\n\tby gw.test with ESMTP id 1; date\r\n";
  const std::string others = "Received: from a by other.test; date\r\n";
  EXPECT_EQ(send(program.port(), "x@b.test", others + ours + ours + "\r\nx\r\n").substr(0, 3),
            "250");
  EXPECT_EQ(
      send(program.port(), "x@b.test", ours + ours + others + ours + "\r\nx\r\n").substr(0, 9),
      "554 5.4.6");
  program.wait_for({"\"event\":\"refused\"", "\"reply\":554", "\"enhanced\":\"5.4.6\""});
}

TEST_F(ProcessTest, AGatewayThatIsItsOwnNextHopIsNotOneForLong) {
  // The port is known only once it listens, so the loop is closed by new settings.
  NextHop nobody(bench_, NextHop::Kind::defers);
  const std::string rest = "<retry schedule=\"20ms\"/>";
  Program program(configure("client-level=\"none\"", route(nobody) + rest));
  send(program.port(), "x@b.test", "Subject: x\r\n\r\nhello\r\n", "");
  program.wait_for({"\"event\":\"deferred\""});
  configure("client-level=\"none\"", "<route domain=\"b.test\" address=\"127.0.0.1\" port=\"" +
                                         std::to_string(program.port()) + "\"/>" + rest);
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"discarded\"", "\"enhanced\":\"5.4.6\""});
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"\"event\":\"received\""}), 5U);
  EXPECT_EQ(program.lines({"\"event\":\"stopped\",\"queued\":0"}), 1U);
}

bool has_ipv6() {
  const int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool has =
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return has;
}

class OverIpv6 : public ProcessTest {
 protected:
  void SetUp() override {
    if (!has_ipv6()) GTEST_SKIP() << "there is no ::1 here";
    bench_.write_pair("literal", bench_.mint().issue("::1", "serverAuth"));
  }
  static std::string literal_route(const NextHop& hop) {
    return "<route domain=\"b.test\" address=\"::1\" port=\"" + std::to_string(hop.port()) + "\"/>";
  }
};

TEST_F(OverIpv6, ALiteralIsVerifiedByItsAddress) {
  NextHop hop(bench_, NextHop::Kind::tls, "literal", "::1");
  Program program(configure("client-level=\"verify\"", literal_route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"host\":\"::1\",\"address\":\"::1\"",
                    "\"certificate\":\"verified\"", "\"level\":\"verify\""});
}

TEST_F(OverIpv6, ANameIsNoAddress) {
  NextHop hop(bench_, NextHop::Kind::tls, "mx", "::1");
  Program program(configure("client-level=\"verify\"", literal_route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"deferred\"", "\"enhanced\":\"4.7.5\"", "not for ::1"});
}

TEST_F(OverIpv6, ANameIsVerifiedAsEverywhere) {
  NextHop hop(bench_, NextHop::Kind::tls, "mx", "::1");
  Program program(
      configure("client-level=\"verify\"",
                "<route domain=\"b.test\" host=\"mx.b.test\" address=\"0:0:0:0:0:0:0:1\" port=\"" +
                    std::to_string(hop.port()) + "\"/>"));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"host\":\"mx.b.test\",\"address\":\"::1\"",
                    "\"certificate\":\"verified\""});
}

}  // namespace
}  // namespace gateway::test
