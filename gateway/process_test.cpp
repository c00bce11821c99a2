// The program from outside: what a client, a next hop and the journal see.
#include <csignal>
#include <filesystem>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

using ::testing::PrintToString;

bool said(const std::vector<std::string>& heard, const std::string& start) {
  for (const auto& line : heard) {
    if (line.rfind(start, 0) == 0) return true;
  }
  return false;
}

TEST_F(ProcessTest, SigtermEndsWithZeroAndALastLine) {
  Program program(configure("", ""));
  Wire idle = Wire::connect(program.port());
  EXPECT_EQ(idle.reply().substr(0, 4), "220 ");
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"\"event\":\"stopped\",\"queued\":0"}), 1U);
  EXPECT_EQ(program.lines({"\"ended\":\"shutdown\""}), 1U);
  EXPECT_EQ(idle.reply().substr(0, 9), "421 4.3.2");
  EXPECT_EQ(idle.line(), "EOF");
}

// What is in hand when the time to stop is over is told so where it can be, and is the gateway's
// own end on record, not a connection that was lost.
TEST_F(ProcessTest, WhatTheEndCutsShortIsAShutdown) {
  Program program(
      configure("", "<limits shutdown-time=\"50ms\"/><route domain=\"*\" folder=\"out\"/>"));
  const Context context = client_context(bench_);
  const auto greeted = [&] {
    Wire client = Wire::connect(program.port());
    client.reply();
    client.ask("EHLO c.test");
    return client;
  };
  const auto stalled = [](Wire& client) {
    client.ask("MAIL FROM:<a@a.test>");
    client.ask("RCPT TO:<x@b.test>");
    client.ask("DATA");
    client.say("Subject: x\r\n");
  };
  Wire clear = greeted();
  stalled(clear);
  Wire secured = greeted();
  secured.ask("STARTTLS");
  ASSERT_TRUE(secured.start_tls(context.get(), false));
  secured.ask("EHLO c.test");
  stalled(secured);
  Wire handshake = greeted();
  handshake.ask("STARTTLS");
  EXPECT_EQ(program.terminate(), 0);
  for (Wire* client : {&clear, &secured}) {
    EXPECT_EQ(client->reply().substr(0, 9), "421 4.3.2");
    EXPECT_EQ(client->line(), "EOF");
  }
  EXPECT_EQ(handshake.line(), "EOF");
  EXPECT_EQ(program.lines({"session-end", "\"ended\":\"shutdown\""}), 3U);
}

TEST_F(ProcessTest, AReplyThatNobodyReadsIsCutByTheEnd) {
  Program program(configure("", "<limits shutdown-time=\"50ms\"/>"));
  Wire client = Wire::connect(program.port());
  client.reply();
  client.choke();
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"session-end", "\"ended\":\"shutdown\""}), 1U);
}

TEST_F(ProcessTest, BadConfigurationsEndWithTwoAndSayWhy) {
  const std::string file = configure("server-level=\"none\" client-certificate=\"require\"", "");
  Result result = run_to_end({file});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("gateway.xml:3:"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("SET-2"), std::string::npos) << result.err;
  EXPECT_EQ(run_to_end({"--check", file}).code, 2);
  EXPECT_EQ(run_to_end({"--check", configure("", "")}).code, 0);
  EXPECT_EQ(run_to_end({"--nonsense"}).code, 2);
  EXPECT_EQ(run_to_end({bench_.path("absent.xml")}).code, 2);
}

TEST_F(ProcessTest, CommandLinesThatCannotBeMeantEndWithTwoAndSayWhy) {
  for (const char* option : {"--check", "--queue"}) {
    const Result result = run_to_end({option});
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.err.find("FILE"), std::string::npos) << result.err;
  }
  // An unset variable of a script. What starts all the same ends with its stdin.
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{""}, {"--check", ""}, {"--queue", ""}}) {
    std::vector<std::string> arguments = {"--die-with-parent"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const Result result = run_to_end(arguments);
    EXPECT_EQ(result.code, 2) << PrintToString(words);
    EXPECT_NE(result.err.find("FILE: found an empty name"), std::string::npos) << result.err;
  }
  const Result closed = run_to_end({"--ready-fd", "999", configure("", "")});
  EXPECT_EQ(closed.code, 2);
  EXPECT_NE(closed.err.find("999, which is not open"), std::string::npos) << closed.err;
}

// What the gateway does not start with is not good to --check.
TEST_F(ProcessTest, WhatTheGatewayCannotWriteToIsFoundByCheck) {
  bench_.write("file", "");
  std::filesystem::create_directory(bench_.path("folder"));
  const auto refused = [&](const std::string& journal, const std::string& why) {
    const std::string file = configure("", "<journal file=\"" + journal + "\"/>");
    for (const auto& arguments : {std::vector<std::string>{"--check", file}, {file}}) {
      const Result result = run_to_end(arguments);
      EXPECT_EQ(result.code, 2) << PrintToString(arguments);
      EXPECT_EQ(result.err, bench_.path(journal) + ": cannot write the journal: " + why + "\n");
    }
  };
  refused("folder", "Is a directory");
  refused("absent/journal", "No such file or directory");
  refused("file/journal", "Not a directory");
  // What is good is left as it is, and nothing is made.
  EXPECT_EQ(run_to_end({"--check", configure("", "<journal file=\"new\"/>")}).code, 0);
  EXPECT_FALSE(std::filesystem::exists(bench_.path("new")));
  EXPECT_EQ(run_to_end({"--check", configure("", "<journal file=\"file\"/>")}).code, 0);
}

TEST_F(ProcessTest, UnusableKeyMaterialIsRefused) {
  const std::string file = configure("", "");
  bench_.write_pair("gw", bench_.mint().issue("gw.test", "serverAuth", -30, -1));
  EXPECT_NE(run_to_end({"--check", file}).err.find("expired"), std::string::npos);
  bench_.write_pair("gw", bench_.mint().issue("gw.test", "serverAuth", 1, 30));
  EXPECT_NE(run_to_end({"--check", file}).err.find("not valid yet"), std::string::npos);
  PemPair mixed = bench_.mint().issue("gw.test", "serverAuth");
  mixed.key = bench_.mint().issue("gw.test", "serverAuth").key;
  bench_.write_pair("gw", mixed);
  EXPECT_EQ(run_to_end({"--check", file}).code, 2);
}

TEST_F(ProcessTest, RelaysTheSameContentOverTls) {
  NextHop hop(bench_, NextHop::Kind::tls);
  Program program(configure("client-level=\"verify\"", route(hop)));
  const std::string content = "Subject: x\r\n\r\n..dots\r\n...\r\nend\r\n";
  EXPECT_EQ(send(program.port(), "x@b.test", content).substr(0, 23), "250 2.0.0 Ok: queued as");
  const std::string relayed = program.wait_for({"\"event\":\"relayed\""});
  EXPECT_NE(relayed.find("\"tls\":\"TLSv1.3\""), std::string::npos) << relayed;
  EXPECT_NE(relayed.find("\"certificate\":\"verified\""), std::string::npos) << relayed;
  const std::string message = hop.messages().at(0);
  EXPECT_EQ(message.rfind("Received: from client.test ([127.0.0.1])\r\n\tby gw.test with ESMTP", 0),
            0U);
  // The client's dots are undone once on the way in and once by the next hop.
  EXPECT_EQ(message.substr(message.find("Subject")), "Subject: x\r\n\r\n.dots\r\n..\r\nend\r\n");
  EXPECT_FALSE(said(hop.heard(), "MAIL"));
  EXPECT_TRUE(said(hop.heard(), "tls:MAIL FROM:<a@a.test>"));
}

TEST_F(ProcessTest, RequireDropsAndPipelinedInputIsNoReset) {
  Program program(configure("server-level=\"require\"", ""));
  Wire client = Wire::connect(program.port());
  client.reply();
  client.say("EHLO c.test\r\nMAIL FROM:<a@a.test>\r\n" + std::string(300'000, 'x') + "\r\n");
  EXPECT_EQ(client.reply().substr(0, 4), "250-");
  EXPECT_EQ(client.reply().substr(0, 9), "530 5.7.0");
  EXPECT_EQ(client.line(), "EOF");
  program.wait_for({"\"event\":\"dropped\"", "\"command\":\"MAIL\"", "\"reply\":530"});
  program.wait_for({"\"event\":\"session-end\"", "\"ended\":\"dropped\"", "\"messages\":0"});
}

TEST_F(ProcessTest, RequiredClientCertificate) {
  Program program(configure("server-level=\"require\" client-certificate=\"require\"", ""));
  const auto answer = [&](const std::string& pair) {
    const Context context = client_context(bench_, pair);
    Wire client = Wire::connect(program.port());
    client.reply();
    client.ask("EHLO c.test");
    EXPECT_EQ(client.ask("STARTTLS"), "220 2.0.0 Ready to start TLS");
    EXPECT_TRUE(client.start_tls(context.get(), false));
    const std::string reply = client.ask("EHLO c.test");
    if (reply.substr(0, 3) == "554") {
      EXPECT_EQ(client.line(), "EOF");
    }
    return reply.substr(0, 9);
  };
  EXPECT_EQ(answer(""), "554 5.7.1");
  EXPECT_EQ(answer("gw"), "554 5.7.1");  // serverAuth is the wrong purpose
  EXPECT_EQ(answer("client"), "250-gw.te");
  program.wait_for({"session-end", "\"client-certificate\":\"none\""});
  program.wait_for({"session-end", "\"client-certificate\":\"not-verified\"", "purpose"});
}

TEST_F(ProcessTest, BytesBehindStarttlsAreNotExecuted) {
  Program program(configure("", ""));
  const Context context = client_context(bench_);
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO c.test");
  client.say("STARTTLS\r\nEHLO injected.test\r\nMAIL FROM:<a@a.test>\r\n");
  EXPECT_EQ(client.reply(), "220 2.0.0 Ready to start TLS");
  EXPECT_EQ(client.pending(), "");
  ASSERT_TRUE(client.start_tls(context.get(), false));
  EXPECT_EQ(client.ask("XYZZY").substr(0, 9), "500 5.5.2");
  EXPECT_EQ(client.ask("MAIL FROM:<a@a.test>").substr(0, 9), "503 5.5.1");
}

TEST_F(ProcessTest, ABrokenHandshakeEndsOnlyItsConnection) {
  Program program(configure("", ""));
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO c.test");
  client.ask("STARTTLS");
  client.say("this is not a ClientHello\r\n");
  std::string line;
  while ((line = client.line()) != "EOF") ASSERT_NE(line, "TIMEOUT");
  program.wait_for({"session-end", "\"ended\":\"tls-failed\""});
  EXPECT_EQ(Wire::connect(program.port()).reply().substr(0, 3), "220");
}

TEST_F(ProcessTest, FailedTlsFallsBackOnANewConnection) {
  NextHop hop(bench_, NextHop::Kind::breaks_handshake);
  Program program(configure("clear-fallback-delay=\"0\"", route(hop)));
  send(program.port(), "x@b.test");
  const std::string relayed = program.wait_for({"\"event\":\"relayed\""});
  for (const char* part :
       {"\"attempt\":1", "\"connection\":2", "\"tls\":\"\"", "\"cause\":\"tls-failed\""}) {
    EXPECT_NE(relayed.find(part), std::string::npos) << relayed;
  }
  EXPECT_EQ(hop.connections(), 2U);
  for (const auto& line : hop.heard()) EXPECT_EQ(line.find("QUIT after"), std::string::npos);
}

TEST_F(ProcessTest, FallbackWaitsForItsDelay) {
  NextHop hop(bench_, NextHop::Kind::breaks_handshake);
  Program program(configure("clear-fallback-delay=\"200ms\"", route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"deferred\"", "\"attempt\":1", "\"enhanced\":\"4.7.5\""});
  program.wait_for({"\"event\":\"relayed\"", "\"attempt\":2", "\"cause\":\"tls-failed\""});
}

struct Held {
  const char* level;
  NextHop::Kind kind;
  const char* enhanced;
};

class Holds : public ProcessTest, public ::testing::WithParamInterface<Held> {};

TEST_P(Holds, AndDisclosesNothing) {
  NextHop hop(bench_, GetParam().kind);
  Program program(
      configure(std::string("clear-fallback-delay=\"0\" client-level=\"") + GetParam().level + "\"",
                route(hop) + "<retry schedule=\"20ms 1h\"/>"));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"deferred\"", "\"attempt\":2",
                    std::string("\"enhanced\":\"") + GetParam().enhanced + "\""});
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_FALSE(said(hop.heard(), "MAIL")) << PrintToString(hop.heard());
  EXPECT_FALSE(said(hop.heard(), "tls:MAIL")) << PrintToString(hop.heard());
  EXPECT_FALSE(said(hop.heard(), "after"));
  const Result queue = run_to_end({"--queue", bench_.path("gateway.xml")});
  EXPECT_EQ(queue.code, 0);
  EXPECT_NE(queue.out.find("\"recipient\":\"x@b.test\",\"attempts\":2"), std::string::npos)
      << queue.out;
}

INSTANTIATE_TEST_SUITE_P(
    Levels, Holds,
    ::testing::Values(Held{"require", NextHop::Kind::plain, "4.7.4"},
                      Held{"require", NextHop::Kind::refuses_starttls, "4.7.4"},
                      Held{"require", NextHop::Kind::unavailable, "4.7.5"},
                      Held{"require", NextHop::Kind::breaks_handshake, "4.7.5"},
                      Held{"verify", NextHop::Kind::plain, "4.7.4"},
                      Held{"verify", NextHop::Kind::breaks_handshake, "4.7.5"}));

TEST_F(ProcessTest, VerifyHoldsForAnotherName) {
  NextHop hop(bench_, NextHop::Kind::tls, "gw");
  Program program(configure("client-level=\"verify\"", route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"deferred\"", "\"enhanced\":\"4.7.5\"", "not for mx.b.test"});
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_FALSE(said(hop.heard(), "tls:MAIL"));
  EXPECT_TRUE(said(hop.heard(), "tls:QUIT"));
}

TEST_F(ProcessTest, RefusedStarttlsGoesOnInClearUnderAttempt) {
  NextHop hop(bench_, NextHop::Kind::refuses_starttls);
  Program program(configure("", route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"connection\":1", "\"cause\":\"starttls-refused\""});
}

TEST_F(ProcessTest, ClearTextComesOnlyAfterEveryNextHopWasTriedWithTls) {
  NextHop first(bench_, NextHop::Kind::breaks_handshake);
  NextHop second(bench_, NextHop::Kind::breaks_handshake);
  Program program(configure("clear-fallback-delay=\"0\"", route(first) + route(second)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"connection\":3",
                    "\"port\":" + std::to_string(first.port()) + ","});
  EXPECT_EQ(second.connections(), 1U);
}

TEST_F(ProcessTest, ASoftFailureGoesToTheNextHop) {
  NextHop first(bench_, NextHop::Kind::unavailable);
  NextHop second(bench_, NextHop::Kind::tls);
  Program program(configure("client-level=\"verify\"", route(first) + route(second)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"attempt\":1", "\"tls\":\"TLSv1.3\"",
                    "\"port\":" + std::to_string(second.port()) + ","});
}

TEST_F(ProcessTest, RepliesBehindThe220AreNotBelieved) {
  NextHop hop(bench_, NextHop::Kind::adds_replies);
  Program program(configure("client-level=\"verify\"", route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"tls\":\"TLSv1.3\"", "250 2.0.0 got it"});
}

TEST_F(ProcessTest, AClientCertificateIsShownOnlyWhereOneIsConfigured) {
  NextHop hop(bench_, NextHop::Kind::demands_certificate);
  const std::string more = route(hop) + "<retry schedule=\"20ms 1h\"/>";
  {
    Program program(configure("client-level=\"require\"", more));
    send(program.port(), "x@b.test");
    program.wait_for({"\"event\":\"deferred\"", "\"attempt\":2", "\"enhanced\":\"4.7.5\""});
    EXPECT_EQ(program.terminate(), 0);
  }
  EXPECT_FALSE(said(hop.heard(), "tls:"));
  Program program(configure(
      "client-level=\"require\" sending-certificate=\"client.pem\" sending-key=\"client.key\"",
      more));
  send(program.port(), "y@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"y@b.test\""});
}

TEST_F(ProcessTest, WhatTheNextHopCannotCarryBounces) {
  NextHop hop(bench_, NextHop::Kind::seven_bit);
  NextHop home(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop) + route(home, "a.test")));
  send(program.port(), "x@b.test", "Subject: x\r\n\r\n\xc3\xa9\r\n");
  program.wait_for({"\"event\":\"bounced\"", "\"enhanced\":\"5.6.3\""});
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"a@a.test\""});
  EXPECT_FALSE(said(hop.heard(), "MAIL"));
  send(program.port(), "x@b.test");
  program.wait_for(
      {"\"event\":\"relayed\"", "\"recipient\":\"x@b.test\"", "starttls-not-supported"});
}

TEST_F(ProcessTest, NoneNeverSendsStarttls) {
  NextHop hop(bench_, NextHop::Kind::tls);
  Program program(configure("client-level=\"none\"", route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"tls\":\"\"", "\"cause\":\"level-none\""});
  EXPECT_FALSE(said(hop.heard(), "STARTTLS"));
}

TEST_F(ProcessTest, EachRecipientHasItsOwnFate) {
  NextHop hop(bench_, NextHop::Kind::refuses_recipient);
  NextHop home(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop) + route(home, "a.test")));
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO c.test");
  client.ask("MAIL FROM:<a@a.test>");
  client.ask("RCPT TO:<x@b.test>");
  client.ask("RCPT TO:<y@b.test>");
  client.ask("DATA");
  client.ask("Subject: x\r\n\r\nsecret body\r\n.");
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"y@b.test\""});
  program.wait_for(
      {"\"event\":\"bounced\"", "\"recipient\":\"x@b.test\"", "\"enhanced\":\"5.1.1\""});
  program.wait_for({"\"event\":\"relayed\"", "\"sender\":\"\"", "\"recipient\":\"a@a.test\""});
  EXPECT_EQ(hop.messages().size(), 1U);
  const std::string bounce = home.messages().at(0);
  EXPECT_NE(bounce.find("Final-Recipient: rfc822; x@b.test"), std::string::npos) << bounce;
  EXPECT_EQ(bounce.find("secret body"), std::string::npos) << bounce;
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"\"event\":\"stopped\",\"queued\":0"}), 1U);
}

TEST_F(ProcessTest, TheEndOfTheLifetimeBouncesAndNullSendersAreDiscarded) {
  NextHop hop(bench_, NextHop::Kind::defers);
  NextHop home(bench_, NextHop::Kind::plain);
  Program program(configure(
      "", route(hop) + route(home, "a.test") + "<retry schedule=\"20ms 1h\" lifetime=\"200ms\"/>"));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"deferred\"", "\"enhanced\":\"4.2.1\"", "\"attempt\":2"});
  program.wait_for({"\"event\":\"bounced\"", "lifetime"});
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"a@a.test\""});
  send(program.port(), "x@b.test", "Subject: x\r\n\r\nhello\r\n", "");
  program.wait_for({"\"event\":\"discarded\"", "\"sender\":\"\""});
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(home.messages().size(), 1U);
}

TEST_F(ProcessTest, SighupAppliesToWhatComesAfter) {
  NextHop hop(bench_, NextHop::Kind::tls);
  const std::string hops = route(hop);
  Program program(configure("", hops));
  Wire before = Wire::connect(program.port());
  before.reply();
  configure("server-level=\"require\" client-level=\"none\"", hops);
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\",\"generation\":2"});
  before.ask("EHLO c.test");
  EXPECT_EQ(before.ask("MAIL FROM:<a@a.test>").substr(0, 3), "250");
  before.ask("RCPT TO:<x@b.test>");
  before.ask("DATA");
  EXPECT_EQ(before.ask("Subject: x\r\n\r\nhello\r\n.").substr(0, 3), "250");
  program.wait_for({"\"event\":\"relayed\"", "\"cause\":\"level-none\""});
  Wire after = Wire::connect(program.port());
  after.reply();
  after.ask("EHLO c.test");
  EXPECT_EQ(after.ask("MAIL FROM:<a@a.test>").substr(0, 3), "530");
}

TEST_F(ProcessTest, SighupWithBadSettingsKeepsTheOldOnes) {
  Program program(configure("server-level=\"require\"", ""));
  PemPair mixed = bench_.mint().issue("gw.test", "serverAuth");
  mixed.key = bench_.mint().issue("gw.test", "serverAuth").key;
  bench_.write_pair("gw", mixed);
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-refused\",\"generation\":1", "gw.key"});
  configure("server-level=\"non\"", "");
  program.signal(SIGHUP);
  program.wait_for({"settings-refused", "gateway.xml:3:", "did you mean"});
  const Context context = client_context(bench_);
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO c.test");
  EXPECT_EQ(client.ask("STARTTLS").substr(0, 3), "220");
  EXPECT_TRUE(client.start_tls(context.get(), false));
}

TEST_F(ProcessTest, RequireUnderAttemptIsAcceptedWithAWarning) {
  Program program(configure("client-certificate=\"require\"", ""));
  program.wait_for({"\"event\":\"warning\",\"requirement\":\"SET-3\""});
}

TEST_F(ProcessTest, Limits) {
  Program program(configure("",
                            "<limits message=\"1k\" connections-per-address=\"2\"/>"
                            "<route domain=\"*\" folder=\"out\"/>"));
  EXPECT_EQ(send(program.port(), "x@b.test", std::string(2000, 'x') + "\r\n").substr(0, 9),
            "552 5.3.4");
  Wire first = Wire::connect(program.port(), "127.0.0.2");
  Wire second = Wire::connect(program.port(), "127.0.0.2");
  EXPECT_EQ(first.reply().substr(0, 3), "220");
  EXPECT_EQ(second.reply().substr(0, 3), "220");
  Wire third = Wire::connect(program.port(), "127.0.0.2");
  EXPECT_EQ(third.reply().substr(0, 9), "421 4.7.0");
  EXPECT_EQ(third.line(), "EOF");
  EXPECT_EQ(Wire::connect(program.port(), "127.0.0.3").reply().substr(0, 3), "220");
}

TEST_F(ProcessTest, TimeLimitsAreAnswered) {
  Program program(configure("server-level=\"require\"",
                            "<limits command-time=\"5s\" without-tls-time=\"50ms\"/>"));
  Wire client = Wire::connect(program.port());
  client.reply();
  EXPECT_EQ(client.reply().substr(0, 9), "421 4.7.0");
  EXPECT_EQ(client.line(), "EOF");
}

TEST_F(ProcessTest, BareLineEndingsAreRefusedOnceAndTheSessionGoesOn) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop)));
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO c.test");
  EXPECT_EQ(client.ask("NOOP\nNOOP").substr(0, 9), "500 5.5.2");
  client.ask("MAIL FROM:<a@a.test>");
  client.ask("RCPT TO:<x@b.test>");
  client.ask("DATA");
  EXPECT_EQ(client.ask("x\r\n\n.\r\nMAIL FROM:<evil@a.test>\r\n.").substr(0, 9), "550 5.6.0");
  EXPECT_EQ(client.ask("NOOP").substr(0, 9), "250 2.0.0");
  EXPECT_EQ(client.ask("QUIT").substr(0, 9), "221 2.0.0");
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"\"event\":\"received\""}), 0U);
}

TEST_F(ProcessTest, LargeMessagesGoThroughInChunks) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop) + "<limits large-message=\"64k\"/>"));
  std::string body = "Subject: big\r\n\r\n";
  for (int i = 0; body.size() < 3'000'000; ++i) body += "line " + std::to_string(i) + "\r\n";
  EXPECT_EQ(send(program.port(), "x@b.test", body).substr(0, 3), "250");
  program.wait_for({"\"event\":\"relayed\""});
  const std::string message = hop.messages().at(0);
  EXPECT_TRUE(message.substr(message.find("Subject: big")) == body);
}

TEST_F(ProcessTest, PipeliningIsAnsweredInOrder) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop)));
  Wire client = Wire::connect(program.port());
  std::string codes = client.reply().substr(0, 3) + " ";
  client.say(
      "EHLO c.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<x@b.test>\r\nRCPT TO:<bad>\r\nDATA\r\n"
      "Subject: x\r\n\r\nhello\r\n.\r\nRSET\r\nQUIT\r\n");
  for (int i = 0; i < 8; ++i) codes += client.reply().substr(0, 3) + " ";
  EXPECT_EQ(codes, "220 250 250 250 553 354 250 250 221 ");
  EXPECT_EQ(client.line(), "EOF");
}

TEST_F(ProcessTest, TheSimulatorNeedsNoConfiguration) {
  Program program("--die-with-parent");
  // Its stdin is empty, so it ends on its own, as it does when its parent goes.
  program.wait_for({"\"event\":\"stopped\""});
  EXPECT_EQ(program.terminate(), 0);
}

}  // namespace
}  // namespace gateway::test
