#include "dialogue.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace gateway {
namespace {

Config config_for(ServerLevel level, ClientCertificate certificate = ClientCertificate::none) {
  Config config;
  config.name = "gw.test";
  config.tls.receiving = {level, certificate};
  config.relay_domains = {"b.test"};
  config.routes = {{"b.test", {"mx.b.test", "127.0.0.1", 25, ""}}};
  return config;
}

// play reads a dialogue as text: "C: " sends a line, "S: " is the start of the reply expected,
// "TLS" and "TLS verified" start TLS, a trailing "!" expects the gateway to close.
void play(const Config& config, const std::string& script) {
  Dialogue dialogue(config, *IpAddress::parse("192.0.2.1"));
  Answer answer;
  std::istringstream in(script);
  for (std::string line; std::getline(in, line);) {
    line.erase(0, line.find_first_not_of(' '));
    if (line.rfind("C: ", 0) == 0) {
      Line said;
      said.text = line.substr(3);
      answer = dialogue.on_line(said);
    } else if (line.rfind("TLS", 0) == 0) {
      TlsFacts facts;
      facts.active = true;
      facts.verified = line == "TLS verified";
      EXPECT_EQ(answer.next, Next::start_tls);
      dialogue.tls_started(facts);
    } else if (line.rfind("S: ", 0) == 0) {
      const bool drop = line.back() == '!';
      const std::string expected = line.substr(3, line.size() - 3 - (drop ? 1 : 0));
      const std::string got = answer.reply.wire();
      EXPECT_EQ(got.substr(0, expected.size()), expected);
      EXPECT_EQ(answer.next == Next::drop, drop) << got;
    }
  }
}

TEST(Dialogue, AMessageInClear) {
  play(config_for(ServerLevel::none), R"(
    C: MAIL FROM:<a@a.test>
    S: 503 5.5.1
    C: EHLO client.test
    S: 250-gw.test
    C: RCPT TO:<x@b.test>
    S: 503 5.5.1
    C: MAIL FROM:<a@a.test> SIZE=100 BODY=8BITMIME
    S: 250 2.1.0
    C: MAIL FROM:<a@a.test>
    S: 503 5.5.1
    C: DATA
    S: 554 5.5.1
    C: RCPT TO:<x@c.test>
    S: 550 5.7.1
    C: RCPT TO:<x@b.test>
    S: 250 2.1.5
    C: DATA now
    S: 501 5.5.4
    C: DATA
    S: 354 End
    C: RSET
    S: 250 2.0.0
    C: DATA
    S: 503 5.5.1
    C: VRFY x
    S: 252
    C: HELP
    S: 214
    C: NOOP what ever
    S: 250
    C: EXPN list
    S: 502 5.5.1
    C: XYZZY
    S: 500 5.5.2
    C: STARTTLS
    S: 502 5.5.1
    C: QUIT
    S: 221 2.0.0)");
}

TEST(Dialogue, ParametersAreChecked) {
  Config config = config_for(ServerLevel::none);
  config.limits.message = 1000;
  play(config, R"(
    C: EHLO
    S: 501 EHLO
    C: HELO c.test
    S: 250 gw.test
    C: MAIL FROM:<a@a.test> SIZE=100
    S: 555 5.5.4
    C: EHLO c.test
    S: 250-gw.test
    C: MAIL FROM:<a@a.test> SIZE=1001
    S: 552 5.3.4
    C: MAIL FROM:<a@a.test> SMTPUTF8=YES
    S: 501 5.5.4
    C: MAIL FROM:<a@a.test> BODY=BINARY
    S: 501 5.5.4
    C: MAIL FROM:a@a.test
    S: 501 5.5.4
    C: MAIL FROM:<nobody>
    S: 553 5.1.7
    C: MAIL FROM:<>
    S: 250 2.1.0
    C: RCPT TO:<x@b.test> NOTIFY=NEVER
    S: 555 5.5.4
    C: RCPT TO:<>
    S: 553 5.1.3)");
}

TEST(Dialogue, Utf8NeedsItsParameter) {
  play(config_for(ServerLevel::none),
       "C: HELO c.test\nS: 250\n"
       "C: MAIL FROM:<a@a.test> SMTPUTF8\nS: 555 5.5.4\n"
       "C: EHLO c.test\nS: 250-\n"
       "C: MAIL FROM:<\xc3\xa4@a.test>\nS: 553 5.1.7\n"
       "C: MAIL FROM:<\xc3@a.test> SMTPUTF8\nS: 553 5.1.7\n"
       "C: MAIL FROM:<a@a.test>\nS: 250 2.1.0\n"
       "C: RCPT TO:<\xc3\xa4@b.test>\nS: 553 5.1.3\n"
       "C: RSET\nS: 250\n"
       "C: MAIL FROM:<\xc3\xa4@a.test> smtputf8\nS: 250 2.1.0\n"
       "C: RCPT TO:<\xed\xa0\x80@b.test>\nS: 553 5.1.3\n"
       "C: RCPT TO:<\"\xc3\xa4 b\"@b.test>\nS: 250 2.1.5\n"
       "C: RCPT TO:<\xc3\xa4@b.test>\nS: 250 2.1.5");
  const Config config = config_for(ServerLevel::none);
  Dialogue dialogue(config, *IpAddress::parse("192.0.2.1"));
  Line line;
  line.text = "EHLO c.test";
  EXPECT_NE(dialogue.on_line(line).reply.wire().find("250-SMTPUTF8\r\n"), std::string::npos);
  line.text = "MAIL FROM:<a@a.test> SMTPUTF8";
  dialogue.on_line(line);
  EXPECT_TRUE(dialogue.transaction().smtputf8);
}

TEST(Dialogue, StarttlsIsAnsweredByTheLevelFirst) {
  play(config_for(ServerLevel::none), "C: STARTTLS\nS: 502 5.5.1");
  play(config_for(ServerLevel::attempt), "C: STARTTLS\nS: 503 5.5.1");
}

TEST(Dialogue, HttpIsDropped) {
  for (const char* line : {"GET / HTTP/1.1", "post / HTTP/1.1", "CONNECT gw.test:25 HTTP/1.1",
                           "Host: gw.test", "X-Any:"}) {
    play(config_for(ServerLevel::none), std::string("C: ") + line + "\nS: 500 5.5.2!");
    play(config_for(ServerLevel::require), std::string("C: ") + line + "\nS: 500 5.5.2!");
  }
  play(config_for(ServerLevel::none), "C: GETS\nS: 500 5.5.2");
}

TEST(Dialogue, PostmasterIsTakenFromAnybody) {
  Config config = config_for(ServerLevel::none);
  config.routes.push_back({"gw.test", {"mx.b.test", "127.0.0.1", 25, ""}});
  play(config, R"(
    C: EHLO client.test
    C: MAIL FROM:<a@a.test>
    C: RCPT TO:<x@gw.test>
    S: 550 5.7.1
    C: RCPT TO:<Postmaster>
    S: 250 2.1.5)");
}

TEST(Dialogue, RejectedRecipientsAreNoBadCommands) {
  Config config = config_for(ServerLevel::none);
  config.limits.bad_commands = 2;
  config.limits.rejections = 4;
  std::string script = "C: EHLO client.test\nC: MAIL FROM:<a@a.test>\n";
  for (int i = 0; i < 4; ++i) script += "C: RCPT TO:<x@c.test>\nS: 550 5.7.1\n";
  play(config, script + "C: RCPT TO:<x@b.test>\nS: 250");
  play(config, script + "C: RCPT TO:<x@c.test>\nS: 421 4.7.0!");
}

TEST(Dialogue, RepliesDoNotRepeatWhatWasSaid) {
  play(config_for(ServerLevel::none), R"(
    C: EHLO client.test
    C: MAIL FROM:<a@a.test> ODD=1
    S: 555 5.5.4 Unknown parameter
    C: MAIL FROM:<a@a.test>
    C: RCPT TO:<x@b.test> ODD=1
    S: 555 5.5.4 Unknown parameter)");
}

TEST(Dialogue, StarttlsForgetsWhatWasSaid) {
  play(config_for(ServerLevel::attempt), R"(
    C: STARTTLS
    S: 503 5.5.1
    C: EHLO client.test
    S: 250-gw.test
    C: MAIL FROM:<a@a.test>
    S: 250
    C: STARTTLS now
    S: 501 5.5.4
    C: starttls
    S: 220 2.0.0 Ready to start TLS
    TLS
    C: MAIL FROM:<a@a.test>
    S: 503 5.5.1
    C: RCPT TO:<x@b.test>
    S: 503 5.5.1
    C: EHLO client.test
    S: 250-gw.test
    C: RCPT TO:<x@b.test>
    S: 503 5.5.1
    C: STARTTLS
    S: 503 5.5.1)");
}

TEST(Dialogue, EhloOffersStarttlsOnlyInClear) {
  const Config config = config_for(ServerLevel::attempt);
  Dialogue dialogue(config, *IpAddress::parse("192.0.2.1"));
  Line ehlo;
  ehlo.text = "EHLO c.test";
  EXPECT_NE(dialogue.on_line(ehlo).reply.wire().find("250-STARTTLS"), std::string::npos);
  TlsFacts facts;
  facts.active = true;
  dialogue.tls_started(facts);
  EXPECT_EQ(dialogue.on_line(ehlo).reply.wire().find("STARTTLS"), std::string::npos);
}

TEST(Dialogue, RequireDropsWhoGoesOnInClear) {
  play(config_for(ServerLevel::require), R"(
    C: EHLO c.test
    S: 250-
    C: NOOP
    S: 250
    C: RSET
    S: 530 5.7.0
    C: XYZZY
    S: 500 5.5.2
    C: MAIL FROM:<a@a.test>
    S: 530 5.7.0!)");
}

TEST(Dialogue, RequireEndsAfterTwentyCommands) {
  std::string script;
  for (int i = 0; i < 20; ++i) script += "C: NOOP\nS: 250\n";
  play(config_for(ServerLevel::require), script + "C: QUIT\nS: 221");
  play(config_for(ServerLevel::require), script + "C: NOOP\nS: 421 4.7.0!");
}

TEST(Dialogue, RequiredCertificate) {
  const Config config = config_for(ServerLevel::require, ClientCertificate::require);
  const std::string start = "C: EHLO c.test\nS: 250-\nC: STARTTLS\nS: 220\n";
  play(config, start + "TLS\nC: EHLO c.test\nS: 554 5.7.1!");
  play(config, start + "TLS\nC: XYZZY\nS: 554 5.7.1!");
  play(config, start + "TLS\nC: QUIT\nS: 221");
  play(config, start + "TLS verified\nC: EHLO c.test\nS: 250-");
}

TEST(Dialogue, FaultyLinesAreAnsweredOnce) {
  const Config config = config_for(ServerLevel::none);
  Dialogue dialogue(config, *IpAddress::parse("192.0.2.1"));
  Line bare;
  bare.fault = Line::Fault::bare_line_ending;
  EXPECT_EQ(dialogue.on_line(bare).reply.wire().substr(0, 10), "500 5.5.2 ");
  Line long_line;
  long_line.fault = Line::Fault::too_long;
  EXPECT_EQ(dialogue.on_line(long_line).reply.wire().substr(0, 10), "500 5.5.2 ");
}

TEST(Dialogue, TooManyErrorsEndTheSession) {
  Config config = config_for(ServerLevel::none);
  config.limits.bad_commands = 2;
  play(config, "C: X\nS: 500\nC: X\nS: 500\nC: X\nS: 421 4.7.0!");
}

TEST(Dialogue, RecipientsAreLimitedAndCountedOnce) {
  Config config = config_for(ServerLevel::none);
  config.limits.recipients = 2;
  Dialogue dialogue(config, *IpAddress::parse("192.0.2.1"));
  for (const char* text : {"EHLO c", "MAIL FROM:<>", "RCPT TO:<a@b.test>", "RCPT TO:<a@b.test>",
                           "RCPT TO:<b@b.test>"}) {
    Line line;
    line.text = text;
    EXPECT_EQ(dialogue.on_line(line).reply.code, 250) << text;
  }
  Line third;
  third.text = "RCPT TO:<c@b.test>";
  EXPECT_EQ(dialogue.on_line(third).reply.code, 452);
  EXPECT_EQ(dialogue.transaction().recipients.size(), 2U);
}

TEST(Dialogue, DataThatCannotBeAccepted) {
  const Config config = config_for(ServerLevel::none);
  const Dialogue dialogue(config, *IpAddress::parse("192.0.2.1"));
  DataResult result;
  EXPECT_EQ(dialogue.refuse_data(result).code, 0);
  result.came_back = true;
  EXPECT_EQ(dialogue.refuse_data(result).wire().substr(0, 9), "554 5.4.6");
  result.loops = true;
  EXPECT_EQ(dialogue.refuse_data(result).enhanced, "5.4.6");
  result.too_large = true;
  EXPECT_EQ(dialogue.refuse_data(result).code, 552);
  result.bare_line_ending = true;
  EXPECT_EQ(dialogue.refuse_data(result).wire().substr(0, 9), "550 5.6.0");
}

}  // namespace
}  // namespace gateway
