// Delivery under changed settings, with a backlog, and at the end of the program.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

// greet answers as far as the reply to EHLO.
void greet(Wire& wire) {
  wire.say("220 mx.b.test ESMTP\r\n");
  wire.line();
  wire.say("250 mx.b.test\r\n");
}

// take takes one message, after greet.
void take(Wire& wire) {
  for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go on\r\n"}) {
    wire.line();
    wire.say(reply);
  }
  while (wire.line() != ".") {
  }
  wire.say("250 got it\r\n");
}

const char kOneAtATime[] = R"(<limits deliveries="1" deliveries-per-next-hop="1"/>)";

TEST_F(ProcessTest, ABacklogIsSentAgainUnderNewSettings) {
  constexpr std::size_t kSenders = 8;
  constexpr std::size_t kEach = 50;
  constexpr std::size_t kMessages = kSenders * kEach;
  const Listener slow;
  NextHop quick(bench_, NextHop::Kind::plain);
  // A small stack: whatever nests once a message shows.
  Program program(configure("client-level=\"none\"", slow.route() + kOneAtATime),
                  {find_program("prlimit"), "--stack=262144"});
  const auto send_all = [&program] {
    Wire client = Wire::connect(program.port());
    client.reply();
    client.ask("EHLO client.test");
    for (std::size_t i = 0; i < kEach; ++i) {
      client.ask("MAIL FROM:<a@a.test>");
      client.ask("RCPT TO:<x@b.test>");
      client.ask("DATA");
      EXPECT_EQ(client.ask("Subject: x\r\n\r\nx\r\n.").substr(0, 3), "250");
    }
    client.ask("QUIT");
  };
  std::vector<std::thread> senders;
  for (std::size_t i = 0; i < kSenders; ++i) senders.emplace_back(send_all);
  Wire first = slow.accept();
  program.wait_for_count({"\"event\":\"received\""}, kMessages);
  for (auto& sender : senders) sender.join();
  greet(first);
  first.line();  // MAIL: this attempt is beyond being sent again
  configure("client-level=\"none\"", route(quick));
  program.signal(SIGHUP);
  program.wait_for({"settings-applied", "\"generation\":2"});
  first.say("450 4.2.1 later\r\n");
  program.wait_for_count({"\"event\":\"relayed\""}, kMessages - 1);
  EXPECT_EQ(quick.messages().size(), kMessages - 1);
  EXPECT_EQ(program.terminate(), 0);
}

TEST_F(ProcessTest, NewSettingsHoldForTheNextHopAfterThisOne) {
  const Listener first;
  const Listener second;
  const std::string routes = first.route() + second.route();
  Program program(configure("client-level=\"none\"", routes));
  send(program.port(), "x@b.test");
  Wire wire = first.accept();
  greet(wire);
  EXPECT_EQ(wire.line().substr(0, 4), "MAIL");
  configure("client-level=\"require\"", routes);
  program.signal(SIGHUP);
  program.wait_for({"settings-applied", "\"generation\":2"});
  wire.say("451 4.3.0 later\r\n");
  wire.line();
  wire.say("221 bye\r\n");
  // It is due again at once, from the first hop on, and with what the new level wants.
  Wire again = first.accept();
  greet(again);
  EXPECT_EQ(again.line(), "QUIT");
  again.say("221 bye\r\n");
  Wire other = second.accept();
  greet(other);
  EXPECT_EQ(other.line(), "QUIT");
  program.wait_for({"\"event\":\"deferred\"", "\"enhanced\":\"4.7.4\""});
}

TEST_F(ProcessTest, AnAttemptThatHasNotSaidMailIsBegunAgainUnderNewSettings) {
  const Listener hop;
  Program program(configure("client-level=\"none\"", hop.route()));
  send(program.port(), "x@b.test");
  Wire silent = hop.accept();
  configure("client-level=\"require\"", hop.route());
  program.signal(SIGHUP);
  program.wait_for({"settings-applied"});
  EXPECT_EQ(silent.line(), "EOF");
  program.wait_for(
      {"\"event\":\"deferred\"", "\"attempt\":1,", "\"enhanced\":\"4.3.2\"", "settings"});
  Wire again = hop.accept();
  greet(again);
  EXPECT_EQ(again.line(), "QUIT");
  program.wait_for({"\"event\":\"deferred\"", "\"attempt\":1,", "\"enhanced\":\"4.7.4\""});
}

TEST_F(ProcessTest, AConnectionThatNobodyAnswersDoesNotHoldTheEndUp) {
  // The kernel answers one connection more than the backlog, and no other.
  const Listener deaf(0);
  const Wire filler = Wire::connect(deaf.port());
  Program program(configure("client-level=\"none\"",
                            deaf.route() + R"(<limits shutdown-time="50ms" connect-time="60s"/>)"));
  send(program.port(), "x@b.test");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  // It is ended in good order, not left behind: its fate is on record.
  program.wait_for({"\"event\":\"deferred\"", "\"enhanced\":\"4.3.2\"", "stopping"});
  program.wait_for({"\"event\":\"stopped\",\"queued\":1"});
}

TEST_F(ProcessTest, NoHopIsTriedAfterTheEndHasBegun) {
  const Listener first;
  NextHop second(bench_, NextHop::Kind::plain);
  Program program(configure("client-level=\"none\"",
                            first.route() + route(second) + R"(<limits shutdown-time="50ms"/>)"));
  send(program.port(), "x@b.test");
  Wire wire = first.accept();
  greet(wire);
  wire.line();
  wire.say("451 4.3.0 later\r\n");
  EXPECT_EQ(wire.line(), "QUIT");  // which nobody answers
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(second.connections(), 0U);
  program.wait_for({"\"event\":\"deferred\"", "451 4.3.0 later"});
}

TEST_F(ProcessTest, AReplyNobodyAskedForBeforeStarttlsIsNotFailedTls) {
  const Listener hop;
  Program program(configure("client-level=\"attempt\" clear-fallback-delay=\"0\"", hop.route()));
  send(program.port(), "x@b.test");
  Wire wire = hop.accept();
  wire.say("220 mx.b.test ESMTP\r\n");
  wire.line();
  wire.say("250-mx.b.test\r\n250 STARTTLS\r\n250 and more\r\n");
  program.wait_for({"\"event\":\"deferred\"", "\"connection\":1,", "\"enhanced\":\"4.4.2\"",
                    "a reply nobody asked for"});
}

TEST_F(ProcessTest, WhoGoesWithoutReadingThe250HasSentAMessage) {
  const Listener hop;
  Program program(configure("client-level=\"none\"", hop.route()));
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO client.test");
  client.ask("MAIL FROM:<a@a.test>");
  client.ask("RCPT TO:<x@b.test>");
  client.ask("DATA");
  // Nobody reads the 250, and the connection is gone with it: the message is delivered all the
  // same.
  client.say("Subject: x\r\n\r\nhello\r\n.\r\n");
  { const Wire gone = std::move(client); }
  Wire wire = hop.accept();
  greet(wire);
  take(wire);
  program.wait_for({"\"event\":\"relayed\""});
}

TEST_F(ProcessTest, TheClientHasIts250BeforeTheNextHopIsTried) {
  if (std::system("strace -f -e trace=none true >/dev/null 2>&1") != 0) {
    const char* ci = std::getenv("CI");
    if (ci && std::string(ci) == "true") FAIL() << "strace does not work here";
    GTEST_SKIP() << "strace does not work here";
  }
  NextHop hop(bench_, NextHop::Kind::plain);
  const std::string trace = bench_.path("trace");
  {
    Program program(configure("client-level=\"none\"", route(hop)),
                    {find_program("strace"), "-E", "ASAN_OPTIONS=detect_leaks=0", "-D", "-f", "-o",
                     trace, "-s", "40", "-e", "trace=connect,write,sendto,sendmsg"});
    EXPECT_EQ(send(program.port(), "x@b.test").substr(0, 3), "250");
    program.wait_for({"\"event\":\"relayed\""});
    EXPECT_EQ(program.terminate(), 0);
  }
  std::ifstream in(trace);
  const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto acknowledged = all.find("\"250 2.0.0 Ok: queued");
  const auto tried = all.find("htons(" + std::to_string(hop.port()) + ")");
  ASSERT_NE(acknowledged, std::string::npos) << all;
  ASSERT_NE(tried, std::string::npos) << all;
  EXPECT_LT(acknowledged, tried) << all;
}

// Busy holds the only delivery slot with a message to another next hop, so that what is sent
// meanwhile waits.
class Busy {
 public:
  explicit Busy(const Program& program, const Listener& hop) : wire_(begin(program, hop)) {}

  void end() {
    wire_.say("450 4.2.1 later\r\n");
    wire_.line();
    wire_.say("221 bye\r\n");
  }

 private:
  static Wire begin(const Program& program, const Listener& hop) {
    Wire client = Wire::connect(program.port());
    client.reply();
    client.ask("EHLO client.test");
    client.ask("MAIL FROM:<a@a.test>");
    client.ask("RCPT TO:<x@busy.test>");
    client.ask("DATA");
    client.ask("Subject: x\r\n\r\nx\r\n.");
    Wire wire = hop.accept();
    greet(wire);
    wire.line();  // MAIL: not answered yet
    return wire;
  }

  Wire wire_;
};

class Reuse : public ProcessTest {
 protected:
  static std::string busy_route(const Listener& hop) {
    return "<route domain=\"busy.test\" address=\"127.0.0.1\" port=\"" +
           std::to_string(hop.port()) + "\"/><retry schedule=\"1h\"/>";
  }
  static void send_some(const Program& program, int count, const std::string& domain = "b.test") {
    for (int i = 1; i <= count; ++i) send(program.port(), std::to_string(i) + "@" + domain);
  }

  const Listener busy_;
};

TEST_F(Reuse, WhatWaitsGoesOnTheSameConnectionUnderTls) {
  NextHop hop(bench_, NextHop::Kind::tls);
  Program program(configure("client-level=\"verify\"",
                            route(hop) +
                                "<route domain=\"busy.test\" "
                                "client-level=\"none\" address=\"127.0.0.1\" port=\"" +
                                std::to_string(busy_.port()) + "\"/>" + kOneAtATime));
  Busy busy(program, busy_);
  send_some(program, 3);
  busy.end();
  program.wait_for_count({"\"event\":\"relayed\""}, 3);
  EXPECT_EQ(program.lines({"\"recipient\":\"1@b.test\"", "\"connection\":1,", "\"reused\":1"}), 1U);
  EXPECT_EQ(program.lines({"\"recipient\":\"3@b.test\"", "\"attempt\":1,", "\"connection\":1,",
                           "\"tls\":\"TLSv1.3\"", "\"certificate\":\"verified\"",
                           "\"level\":\"verify\"", "\"reused\":3"}),
            1U);
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(hop.connections(), 1U);
  EXPECT_EQ(hop.messages().size(), 3U);
  const auto heard = hop.heard();
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "tls:EHLO gw.test"), 1);
  EXPECT_EQ(heard.back(), "tls:QUIT");
}

TEST_F(Reuse, AConnectionCarriesSoManyMessages) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(configure(
      "client-level=\"none\"",
      route(hop) + busy_route(busy_) + "<limits deliveries=\"1\" messages-per-connection=\"2\"/>"));
  Busy busy(program, busy_);
  send_some(program, 5);
  busy.end();
  program.wait_for_count({"\"event\":\"relayed\""}, 5);
  EXPECT_EQ(program.lines({"relayed", "\"reused\":1"}), 3U);
  EXPECT_EQ(program.lines({"relayed", "\"reused\":2"}), 2U);
  EXPECT_EQ(hop.connections(), 3U);
}

TEST_F(Reuse, AnotherNameOrLevelIsAnotherNextHop) {
  NextHop hop(bench_, NextHop::Kind::plain);
  const std::string place = "address=\"127.0.0.1\" port=\"" + std::to_string(hop.port()) + "\"";
  Program program(
      configure("client-level=\"none\"",
                "<route domain=\"b.test\" host=\"mx.b.test\" " + place + "/>" +
                    "<route domain=\"name.test\" host=\"mx.name.test\" " + place + "/>" +
                    "<route domain=\"level.test\" host=\"mx.b.test\" client-level=\"attempt\" " +
                    place + "/>" + busy_route(busy_) + kOneAtATime));
  Busy busy(program, busy_);
  for (const char* domain : {"b.test", "name.test", "b.test", "level.test"}) {
    send_some(program, 1, domain);
  }
  busy.end();
  program.wait_for_count({"\"event\":\"relayed\"", "\"reused\":1"}, 4);
  EXPECT_EQ(hop.connections(), 4U);
}

TEST_F(Reuse, AfterARefusalTheTransactionIsLeftFirst) {
  NextHop hop(bench_, NextHop::Kind::refuses_recipient);
  Program program(configure("client-level=\"none\"", route(hop) + busy_route(busy_) + kOneAtATime));
  Busy busy(program, busy_);
  send(program.port(), "x@b.test", "Subject: x\r\n\r\nx\r\n", "");
  send_some(program, 2);
  busy.end();
  program.wait_for({"\"event\":\"discarded\"", "\"reused\":1"});
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"2@b.test\"", "\"reused\":3"});
  const auto heard = hop.heard();
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "RSET"), 1);
  EXPECT_EQ(hop.connections(), 1U);
}

TEST_F(Reuse, AConnectionThatIsGoneIsNoAttempt) {
  for (const std::string last_words : {"", "421 4.3.2 that was enough\r\n"}) {
    const Listener hop;
    Program program(
        configure("client-level=\"none\"", hop.route() + busy_route(busy_) + kOneAtATime));
    Busy busy(program, busy_);
    send_some(program, 2);
    busy.end();
    {
      Wire first = hop.accept();
      greet(first);
      take(first);
      EXPECT_EQ(first.line().substr(0, 4), "MAIL");
      first.say(last_words);
    }
    Wire second = hop.accept();
    greet(second);
    take(second);
    program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"2@b.test\"", "\"attempt\":1,",
                      "\"connection\":1,", "\"reused\":1"});
    EXPECT_EQ(program.lines({"\"event\":\"deferred\"", "b.test\",\"host\":\"mx.b.test"}), 0U);
    second.line();
    second.say("221 bye\r\n");
    EXPECT_EQ(program.terminate(), 0);
    std::filesystem::remove_all(bench_.path("queue"));
  }
}

TEST_F(Reuse, NoMessageFollowsUnderNewSettings) {
  const Listener hop;
  Program program(
      configure("client-level=\"none\"", hop.route() + busy_route(busy_) + kOneAtATime));
  Busy busy(program, busy_);
  send_some(program, 2);
  busy.end();
  Wire first = hop.accept();
  greet(first);
  EXPECT_EQ(first.line().substr(0, 4), "MAIL");
  program.signal(SIGHUP);
  program.wait_for({"settings-applied", "\"generation\":2"});
  first.say("250 ok\r\n");
  for (const char* reply : {"250 ok\r\n", "354 go on\r\n"}) {
    first.line();
    first.say(reply);
  }
  while (first.line() != ".") {
  }
  first.say("250 got it\r\n");
  EXPECT_EQ(first.line(), "QUIT");
  first.say("221 bye\r\n");
  Wire second = hop.accept();
  greet(second);
  take(second);
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"2@b.test\"", "\"reused\":1"});
}

TEST_F(Reuse, NobodyFollowsAMessageThatFellBackToClearText) {
  NextHop hop(bench_, NextHop::Kind::breaks_handshake);
  NextHop refusing(bench_, NextHop::Kind::refuses_starttls);
  Program program(configure("clear-fallback-delay=\"0\"", route(hop) + route(refusing, "c.test") +
                                                              busy_route(busy_) + kOneAtATime));
  Busy busy(program, busy_);
  send_some(program, 2);
  send_some(program, 2, "c.test");
  busy.end();
  program.wait_for_count({"\"cause\":\"tls-failed\"", "\"connection\":2,", "\"reused\":1"}, 2);
  program.wait_for_count({"\"cause\":\"starttls-refused\"", "\"reused\":1"}, 2);
  EXPECT_EQ(hop.connections(), 4U);
  EXPECT_EQ(refusing.connections(), 2U);
}

}  // namespace
}  // namespace gateway::test
