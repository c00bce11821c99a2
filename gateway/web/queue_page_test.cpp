// The pages "Queue" and "Sessions" from outside.
#include <gmock/gmock.h>

#include <optional>

#include "page_fixture.hpp"

namespace gateway::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class QueuePage : public SettingsPage {
 protected:
  // with_dead_hop is a gateway whose mail waits: nobody listens at its next hop.
  std::string with_dead_hop() {
    return with_page("",
                     "<route domain=\"b.test\" host=\"mx.b.test\" address=\"127.0.0.1\" "
                     "port=\"1\"/><retry schedule=\"1h\"/>");
  }

  // number is the id of the only message, as the forms of the page have it.
  std::string number() { return between(get("/queue").body, "name=\"id\" value=\"1", "\""); }

  Reply act(const std::string& action, const std::string& more = {}) {
    return post("/queue/" + action, "csrf=" + csrf_ + "&id=" + id_ + more);
  }

  // defer sends a message, and waits until it is held up.
  void defer(Program& program) {
    EXPECT_EQ(send(program.port(), "x@b.test").substr(0, 3), "250");
    program.wait_for({"\"event\":\"deferred\""});
    id_ = "1" + number();
  }

  // send_to sends a message to x@b.test and returns the connection on which it is tried.
  static Wire send_to(const Listener& hop, const Program& program) {
    EXPECT_EQ(send(program.port(), "x@b.test").substr(0, 3), "250");
    return hop.accept();
  }

  // send_last sends a message that acts are then about.
  void send_last(const Program& program, const std::string& recipient) {
    EXPECT_EQ(send(program.port(), recipient).substr(0, 3), "250");
    const std::string page = get("/queue").body;
    id_ = between(page.substr(page.find(recipient)), "name=\"id\" value=\"", "\"");
  }

  std::string id_;
};

TEST_F(QueuePage, ShowsWhatWaitsAndWhy) {
  Program program(with_dead_hop());
  log_in(program);
  EXPECT_THAT(get("/queue").body, HasSubstr("The queue is empty."));
  defer(program);
  const std::string page = get("/queue").body;
  for (const char* part : {"Messages that wait: 1.", "a@a.test", "x@b.test", "4.4.1 ", "<td>1</td>",
                           "Retry now", "Hold", "Delete"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
}

TEST_F(QueuePage, RetryNowTriesAtOnce) {
  Program program(with_dead_hop());
  log_in(program);
  defer(program);
  const Reply reply = act("retry");
  EXPECT_EQ(reply.status, 303) << reply.body;
  program.wait_for({"\"event\":\"queue-action\"",
                    "\"action\":\"retry\",\"by\":\"web\",\"who\":"
                    "\"127.0.0.1\""});
  program.wait_for({"\"event\":\"deferred\"", "\"attempt\":2"});
  id_ = "all";
  EXPECT_EQ(act("retry").status, 303);
  program.wait_for({"\"event\":\"deferred\"", "\"attempt\":3"});
}

TEST_F(QueuePage, AHeldMessageWaitsUntilItIsReleasedAlsoOverARestart) {
  const std::string file = with_dead_hop();
  {
    Program program(file);
    log_in(program);
    defer(program);
    EXPECT_EQ(act("hold").status, 303);
    EXPECT_THAT(get("/queue").body, HasSubstr("on hold"));
    EXPECT_EQ(program.terminate(), 0);
  }
  EXPECT_THAT(run_to_end({"--queue", file}).out, HasSubstr("\"next-attempt\":\"9999-12-31T"));
  Program program(file);
  log_in(program);
  EXPECT_THAT(get("/queue").body, HasSubstr("on hold"));
  const std::string held = id_;
  id_ = "all";
  EXPECT_EQ(act("retry").status, 303);
  EXPECT_EQ(program.lines({"queue-action"}), 0U);
  id_ = held;
  EXPECT_THAT(get("/queue").body, HasSubstr("Release"));
  EXPECT_EQ(act("release").status, 303);
  program.wait_for({"\"event\":\"queue-action\"", "\"action\":\"release\""});
  EXPECT_THAT(get("/queue?done=release").body, HasSubstr("It is released, and being tried."));
  EXPECT_THAT(get("/queue?done=retry-all").body, HasSubstr("All that are not on hold"));
  program.wait_for({"\"event\":\"deferred\"", "\"attempt\":2"});
  EXPECT_THAT(get("/queue").body, Not(HasSubstr("on hold")));
}

TEST_F(QueuePage, WhatWaitsInLineIsHeldAndDeletedToo) {
  const Listener hop;
  const std::string file =
      with_page("client-level=\"none\"",
                hop.route() + R"(<retry schedule="1h"/><limits deliveries-per-next-hop="1"/>)");
  {
    Program program(file);
    log_in(program);
    std::optional<Wire> first(send_to(hop, program));
    send_last(program, "y@b.test");
    EXPECT_EQ(act("hold").status, 303);
    EXPECT_THAT(get("/queue").body, HasSubstr("on hold"));
    send_last(program, "z@b.test");
    EXPECT_EQ(act("delete", "&sure=yes").status, 409);
    EXPECT_EQ(act("hold").status, 303);
    EXPECT_EQ(act("delete", "&sure=yes").status, 303);
    send_last(program, "last@b.test");
    first.reset();
    // Whoever stood behind them is next.
    Wire second = hop.accept();
    for (const char* reply : {"220 mx.b.test ESMTP\r\n", "250 mx.b.test\r\n"}) {
      second.say(reply);
      second.line();
    }
    second.say("250 ok\r\n");
    EXPECT_EQ(second.line(), "RCPT TO:<last@b.test>");
    program.kill_hard();
  }
  Program program(file);
  log_in(program);
  const std::string page = get("/queue").body;
  EXPECT_THAT(between(page, "y@b.test", "</tr>"), HasSubstr("on hold"));
  EXPECT_THAT(page, Not(HasSubstr("z@b.test")));
}

TEST_F(QueuePage, WhatIsBeingTriedIsOnHoldAfterACrash) {
  const Listener hop;
  const std::string file = with_page("client-level=\"none\"", hop.route());
  {
    Program program(file);
    log_in(program);
    const Wire silent = send_to(hop, program);
    id_ = "1" + number();
    EXPECT_EQ(act("hold").status, 303);
    // A reply to a message is given once all that was asked for before is on disk.
    EXPECT_EQ(send(program.port(), "y@b.test").substr(0, 3), "250");
    program.kill_hard();
  }
  Program program(file);
  log_in(program);
  EXPECT_THAT(between(get("/queue").body, "x@b.test", "</tr>"), HasSubstr("on hold"));
}

TEST_F(QueuePage, WhatIsHeldWhileItIsTriedGoesOnToNoOtherNextHop) {
  const Listener hop;
  const std::string dead = R"(<route domain="b.test" address="127.0.0.1" port="1"/>)";
  Program program(with_page("client-level=\"none\"", hop.route() + dead));
  log_in(program);
  std::optional<Wire> silent(send_to(hop, program));
  id_ = "1" + number();
  EXPECT_EQ(act("hold").status, 303);
  silent.reset();
  program.wait_for({"\"event\":\"deferred\"", "\"port\":" + std::to_string(hop.port()),
                    "\"next-attempt\":\"9999-12-31T"});
  // It goes by all next hops again once it is released.
  EXPECT_EQ(act("retry").status, 303);
  { const Wire again = hop.accept(); }
  program.wait_for({"\"event\":\"deferred\"", "\"port\":1,", "\"attempt\":1,"});
}

TEST_F(QueuePage, WhatIsHeldWhileItIsTriedDoesNotExpire) {
  const Listener hop;
  Program program(with_page("client-level=\"none\"", hop.route() + R"(<retry lifetime="1ms"/>)"));
  log_in(program);
  std::optional<Wire> silent(send_to(hop, program));
  id_ = "1" + number();
  EXPECT_EQ(act("hold").status, 303);
  silent.reset();
  program.wait_for({"\"event\":\"deferred\"", "\"next-attempt\":\"9999-12-31T"});
}

TEST_F(QueuePage, DeleteAsksFirst) {
  const std::string file = with_dead_hop();
  Program program(file);
  log_in(program);
  defer(program);
  const Reply question = act("delete");
  EXPECT_EQ(question.status, 200);
  EXPECT_THAT(question.body, HasSubstr("for good?"));
  EXPECT_THAT(get("/queue").body, HasSubstr("x@b.test"));
  EXPECT_EQ(act("delete", "&sure=yes").status, 303);
  program.wait_for({"\"event\":\"deleted\"",
                    "\"sender\":\"a@a.test\",\"recipient\":\"x@b.test\","
                    "\"by\":\"web\",\"who\":\"127.0.0.1\""});
  EXPECT_THAT(get("/queue").body, HasSubstr("The queue is empty."));
  EXPECT_EQ(run_to_end({"--queue", file}).out, "");
  // What is gone can neither be tried nor deleted again.
  EXPECT_EQ(act("retry").status, 409);
  EXPECT_EQ(act("delete", "&sure=yes").status, 409);
  EXPECT_EQ(act("nonsense").status, 400);
}

TEST_F(QueuePage, SessionsHaveTheirTlsFactsWhileTheyLast) {
  Program program(with_page("client-certificate=\"request\""));
  log_in(program);
  EXPECT_THAT(get("/sessions").body, HasSubstr("No client has connected yet."));
  Wire client = Wire::connect(program.port());
  client.reply();
  EXPECT_THAT(get("/sessions/table").body, HasSubstr("clear text"));
  client.ask("EHLO client.test");
  client.ask("STARTTLS");
  const Context context = client_context(bench_, "client");
  ASSERT_TRUE(client.start_tls(context.get(), false));
  client.ask("EHLO <b>.test");
  client.ask("EHLO client.test");
  const std::string table = get("/sessions/table").body;
  for (const char* part :
       {"TLSv1.3", "TLS_AES_256_GCM_SHA384", "verified", "client.test", "under way"}) {
    EXPECT_THAT(table, HasSubstr(part));
  }
  client.ask("QUIT");
  program.wait_for({"session-end"});
  EXPECT_THAT(get("/sessions").body, HasSubstr("QUIT"));
  EXPECT_THAT(get("/sessions").body, Not(HasSubstr("under way")));
  cookie_ = "none=none";
  EXPECT_EQ(get("/sessions/table").status, 401);
}

TEST_F(QueuePage, SessionsAreShownAsTheyGoOn) {
  Program program(with_dead_hop());
  log_in(program);
  const auto clients = [this] {
    return between(get("/sessions/table").body, "id=\"clients\"", "</table>");
  };
  Wire client = Wire::connect(program.port());
  client.reply();
  client.ask("EHLO first.test");
  EXPECT_THAT(clients(), HasSubstr("first.test"));
  client.ask("HELO second.test");
  EXPECT_THAT(clients(), HasSubstr("second.test"));
  EXPECT_THAT(clients(), HasSubstr("<td>0</td><td>under way"));
  for (const char* line : {"MAIL FROM:<a@a.test>", "RCPT TO:<x@b.test>", "DATA"}) client.ask(line);
  EXPECT_EQ(client.ask("Subject: x\r\n\r\nx\r\n.").substr(0, 3), "250");
  EXPECT_THAT(clients(), HasSubstr("<td>1</td><td>under way"));
}

TEST_F(QueuePage, WhatWasSentOnHasItsTlsFacts) {
  const NextHop good(bench_, NextHop::Kind::tls);
  const NextHop plain(bench_, NextHop::Kind::plain);
  Program program(with_page("", route(good) + route(plain, "plain.test")));
  log_in(program);
  EXPECT_THAT(get("/sessions").body, HasSubstr("No message has been sent on yet."));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "x@b.test"});
  std::string table = get("/sessions/table").body;
  for (const char* part : {"mx.b.test", "Attempt TLS Encryption", "TLSv1.3", "verified", "sent"}) {
    EXPECT_THAT(table, HasSubstr(part));
  }
  EXPECT_THAT(table, Not(HasSubstr("STARTTLS not offered")));
  send(program.port(), "x@plain.test");
  program.wait_for({"\"event\":\"relayed\"", "x@plain.test"});
  table = get("/sessions/table").body;
  EXPECT_LT(table.find("STARTTLS not offered"), table.find("TLSv1.3"));
}

}  // namespace
}  // namespace gateway::test
