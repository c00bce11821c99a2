// Sessions resumed from tickets, as a client sees them: never a way around what is required (IN-9).
#include <csignal>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

using Ticket = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

// Visit is one session up to its first reply inside TLS.
struct Visit {
  bool resumed = false;
  std::string reply;
  Ticket ticket{nullptr, &SSL_SESSION_free};
};

Visit visit(int port, SSL_CTX* context, SSL_SESSION* shown = nullptr,
            const std::string& from = "127.0.0.1") {
  Wire client = Wire::connect(port, from);
  client.reply();
  client.ask("EHLO c.test");
  EXPECT_EQ(client.ask("STARTTLS").substr(0, 3), "220");
  EXPECT_TRUE(client.start_tls(context, false, shown));
  Visit made;
  made.reply = client.ask("EHLO c.test").substr(0, 9);
  made.resumed = SSL_session_reused(client.ssl()) == 1;
  made.ticket.reset(SSL_get1_session(client.ssl()));
  client.ask("QUIT");
  // Without it OpenSSL takes the session for broken, and its ticket for worth nothing.
  SSL_set_shutdown(client.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  return made;
}

class Resumption : public ProcessTest, public ::testing::WithParamInterface<int> {
 protected:
  Context context(const std::string& pair = {}) const {
    Context made = client_context(bench_, pair);
    SSL_CTX_set_max_proto_version(made.get(), GetParam());
    return made;
  }
};

TEST_P(Resumption, IsOnRecord) {
  Program program(configure("", ""));
  const Context client = context();
  const Visit first = visit(program.port(), client.get());
  EXPECT_FALSE(first.resumed);
  const Visit second = visit(program.port(), client.get(), first.ticket.get());
  EXPECT_TRUE(second.resumed);
  EXPECT_EQ(second.reply, "250-gw.te");
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"\"event\":\"session-end\",\"session\":\"S1\"", "\"resumed\":\"no\""}),
            1U);
  EXPECT_EQ(program.lines({"\"event\":\"session-end\",\"session\":\"S2\"", "\"resumed\":\"yes\""}),
            1U);
}

TEST_P(Resumption, DoesNotStandForACertificateThatWasNeverShown) {
  Program program(configure("server-level=\"require\" client-certificate=\"require\"", ""));
  const Context nobody = context();
  const Visit first = visit(program.port(), nobody.get());
  EXPECT_EQ(first.reply, "554 5.7.1");
  const Visit second = visit(program.port(), nobody.get(), first.ticket.get());
  EXPECT_FALSE(second.resumed);
  EXPECT_EQ(second.reply, "554 5.7.1");
}

TEST_P(Resumption, StandsForACertificateThatVerified) {
  Program program(configure("server-level=\"require\" client-certificate=\"require\"", ""));
  const Visit first = visit(program.port(), context("client").get());
  EXPECT_EQ(first.reply, "250-gw.te");
  const Visit second = visit(program.port(), context().get(), first.ticket.get());
  EXPECT_TRUE(second.resumed);
  EXPECT_EQ(second.reply, "250-gw.te");
  program.wait_for({"\"event\":\"session-end\",\"session\":\"S2\"",
                    "\"client-certificate\":\"verified\",\"client-subject\":\"CN=client.test\"",
                    "\"resumed\":\"yes\""});
}

TEST_P(Resumption, EndsWithTheSettings) {
  Program program(configure("server-level=\"require\" client-certificate=\"request\"", ""));
  const Context nobody = context();
  const Visit first = visit(program.port(), nobody.get());
  EXPECT_TRUE(visit(program.port(), nobody.get(), first.ticket.get()).resumed);
  configure("server-level=\"require\" client-certificate=\"require\"", "");
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\",\"generation\":2"});
  const Visit later = visit(program.port(), nobody.get(), first.ticket.get());
  EXPECT_FALSE(later.resumed);
  EXPECT_EQ(later.reply, "554 5.7.1");
}

TEST_P(Resumption, EndsWithTheNetwork) {
  Program program(configure("server-level=\"require\" client-certificate=\"require\"", "",
                            "<clients network=\"127.0.0.2\" client-certificate=\"request\"/>"
                            "<clients network=\"127.0.0.3\" client-certificate=\"request\"/>"));
  const Context nobody = context();
  const Visit first = visit(program.port(), nobody.get(), nullptr, "127.0.0.2");
  EXPECT_EQ(first.reply, "250-gw.te");
  EXPECT_TRUE(visit(program.port(), nobody.get(), first.ticket.get(), "127.0.0.2").resumed);
  EXPECT_FALSE(visit(program.port(), nobody.get(), first.ticket.get(), "127.0.0.3").resumed);
  EXPECT_EQ(visit(program.port(), nobody.get(), first.ticket.get()).reply, "554 5.7.1");
}

TEST_P(Resumption, MayBeForbidden) {
  Program program(configure("", "<limits ticket-time=\"0\"/>"));
  const Context client = context();
  const Visit first = visit(program.port(), client.get());
  EXPECT_EQ(SSL_SESSION_has_ticket(first.ticket.get()), 0);
  EXPECT_FALSE(visit(program.port(), client.get(), first.ticket.get()).resumed);
}

INSTANTIATE_TEST_SUITE_P(Versions, Resumption, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
}  // namespace gateway::test
