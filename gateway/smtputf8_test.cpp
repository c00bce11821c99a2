// SMTPUTF8 carried through: RFC 6531, and bounces after RFC 6533.
#include <algorithm>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

const std::string kSender = "\xc3\xa4@a.test";
const std::string kRecipient = "\xc3\xb6@b.test";
const std::string kPlain = "Subject: x\r\n\r\nhello\r\n";
const std::string kUtf8Header = "Subject: \xc3\xbc\r\n\r\nhello\r\n";
const char kParameter[] = " SMTPUTF8";

bool heard(const NextHop& hop, const std::string& line) {
  const auto all = hop.heard();
  return std::find(all.begin(), all.end(), line) != all.end();
}

class SmtpUtf8 : public ProcessTest {};

TEST_F(SmtpUtf8, GoesOnAsItCame) {
  NextHop hop(bench_, NextHop::Kind::smtputf8);
  Program program(configure("", route(hop)));
  EXPECT_EQ(send(program.port(), kRecipient, kUtf8Header, kSender, kParameter).substr(0, 3), "250");
  program.wait_for({"\"event\":\"received\"", "\"sender\":\"" + kSender + "\""});
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"" + kRecipient + "\""});
  EXPECT_TRUE(heard(hop, "MAIL FROM:<" + kSender + "> BODY=8BITMIME SMTPUTF8"))
      << ::testing::PrintToString(hop.heard());
  EXPECT_TRUE(heard(hop, "RCPT TO:<" + kRecipient + ">"));
  const std::string message = hop.messages().at(0);
  EXPECT_NE(message.find("by gw.test with UTF8SMTP id"), std::string::npos) << message;
  EXPECT_EQ(message.find(" for <"), std::string::npos) << message;
  EXPECT_EQ(message.substr(message.find("Subject")), kUtf8Header);
}

TEST_F(SmtpUtf8, WhatNeedsItBouncesWhereItIsNotOffered) {
  NextHop hop(bench_, NextHop::Kind::plain);
  NextHop home(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop) + route(home, "a.test")));
  send(program.port(), "x@b.test", kUtf8Header, "a@a.test", kParameter);
  program.wait_for(
      {"\"event\":\"bounced\"", "\"recipient\":\"x@b.test\"", "\"enhanced\":\"5.6.7\""});
  send(program.port(), kRecipient, kPlain, "a@a.test", kParameter);
  program.wait_for(
      {"\"event\":\"bounced\"", "\"recipient\":\"" + kRecipient + "\"", "\"enhanced\":\"5.6.7\""});
  program.wait_for_count({"\"event\":\"relayed\"", "\"recipient\":\"a@a.test\""}, 2);
  const std::string bounces = home.messages().at(0) + home.messages().at(1);
  EXPECT_NE(bounces.find("message/global-delivery-status"), std::string::npos) << bounces;
  EXPECT_NE(bounces.find("Final-Recipient: utf-8; " + kRecipient), std::string::npos) << bounces;
  EXPECT_TRUE(hop.messages().empty());
}

TEST_F(SmtpUtf8, TheParameterAloneNeedsNothing) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop)));
  send(program.port(), "x@b.test", "Subject: x\r\n\r\n\xc3\xbc\r\n", "a@a.test", kParameter);
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"x@b.test\""});
  EXPECT_TRUE(heard(hop, "MAIL FROM:<a@a.test> BODY=8BITMIME"));
}

TEST_F(SmtpUtf8, EachRecipientIsJudgedAlone) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(configure("", route(hop)));
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO c.test");
  client.ask("MAIL FROM:<a@a.test> SMTPUTF8");
  client.ask("RCPT TO:<x@b.test>");
  client.ask("RCPT TO:<" + kRecipient + ">");
  client.ask("DATA");
  client.ask(kPlain + ".");
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"x@b.test\""});
  program.wait_for(
      {"\"event\":\"bounced\"", "\"recipient\":\"" + kRecipient + "\"", "\"enhanced\":\"5.6.7\""});
}

TEST_F(SmtpUtf8, IsRememberedInTheQueue) {
  NextHop hop(bench_, NextHop::Kind::smtputf8);
  const std::string lax = route(hop) + "<retry schedule=\"20ms\"/>";
  {
    Program program(configure("client-level=\"require\"", lax));
    send(program.port(), kRecipient, kPlain, kSender, kParameter);
    program.wait_for({"\"event\":\"deferred\"", "\"enhanced\":\"4.7.4\""});
    EXPECT_EQ(program.terminate(), 0);
  }
  Program program(configure("client-level=\"none\"", lax));
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"" + kRecipient + "\""});
  EXPECT_TRUE(heard(hop, "MAIL FROM:<" + kSender + "> SMTPUTF8"));
}

TEST_F(SmtpUtf8, OverTlsItIsNamedSo) {
  NextHop hop(bench_, NextHop::Kind::smtputf8);
  Program program(configure("", route(hop)));
  const Context context = client_context(bench_);
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO c.test");
  client.ask("STARTTLS");
  ASSERT_TRUE(client.start_tls(context.get(), false));
  client.ask("EHLO c.test");
  client.ask("MAIL FROM:<a@a.test> SMTPUTF8");
  client.ask("RCPT TO:<x@b.test>");
  client.ask("DATA");
  client.ask(kPlain + ".");
  program.wait_for({"\"event\":\"relayed\""});
  EXPECT_NE(hop.messages().at(0).find("with UTF8SMTPS id"), std::string::npos);
}

}  // namespace
}  // namespace gateway::test
