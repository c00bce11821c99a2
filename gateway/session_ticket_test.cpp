// Tickets as OpenSSL sees them: both ends of a handshake in memory, with a clock of our own.
#include "session_ticket.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>

#include "mint.hpp"
#include "tls_bench.hpp"
#include "tls_context.hpp"

namespace gateway {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Duration ahead{};  // of the real time

TimePoint shifted() {
  return now() + ahead;
}

const ReceivingPolicy kAttempt{ServerLevel::attempt, ClientCertificate::none};
const ReceivingPolicy kRequest{ServerLevel::require, ClientCertificate::request};
const ReceivingPolicy kRequire{ServerLevel::require, ClientCertificate::require};

using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

// Met is one handshake: what the gateway learned, and the session that the client may show again.
struct Met {
  TlsFacts facts;
  Session session{nullptr, &SSL_SESSION_free};
};

class SessionTicket : public ::testing::TestWithParam<int> {
 protected:
  SessionTicket() : mint_("Test CA") {
    ahead = {};
    folder_.write("ca.pem", mint_.certificate());
    folder_.write_pair("gw", mint_.issue("gw.test", "serverAuth"));
    folder_.write_pair("client", mint_.issue("client.test", "clientAuth"));
    tls_.certificate = folder_.path("gw.pem");
    tls_.key = folder_.path("gw.key");
    tls_.client_ca = folder_.path("ca.pem");
  }

  SslContext context(ReceivingPolicy policy, Duration lifetime = hours(1)) const {
    return receiving_context(tls_, {policy, "generation 1", lifetime, &shifted});
  }

  Met meet(SSL_CTX* server, SSL_SESSION* shown = nullptr, const std::string& pair = {},
           const std::string& endpoint = "192.0.2.1:25") const {
    const SslContext client(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(client.get(), GetParam());
    if (!pair.empty()) {
      const std::string file = folder_.path(pair);
      SSL_CTX_use_certificate_chain_file(client.get(), (file + ".pem").c_str());
      SSL_CTX_use_PrivateKey_file(client.get(), (file + ".key").c_str(), SSL_FILETYPE_PEM);
    }
    const SslHandle theirs(SSL_new(client.get()));
    SSL_set_connect_state(theirs.get());
    if (shown) SSL_set_session(theirs.get(), shown);
    const SslHandle ours = server_handle(server, endpoint);
    EXPECT_TRUE(shake_hands(theirs.get(), ours.get()));
    // Under TLS 1.3 the ticket comes with what the gateway says first.
    std::array<char, 8> heard{};
    SSL_write(ours.get(), "250", 3);
    EXPECT_EQ(SSL_read(theirs.get(), heard.data(), static_cast<int>(heard.size())), 3);
    EXPECT_EQ(SSL_session_reused(theirs.get()), SSL_session_reused(ours.get()));
    Met met;
    met.facts = facts_of(ours.get());
    met.session.reset(SSL_get1_session(theirs.get()));
    // Whoever breaks off loses the session, and with it the right to resume.
    SSL_set_shutdown(theirs.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    return met;
  }

  TlsConfig tls_;
  Mint mint_;

  TlsFolder folder_;
};

TEST_P(SessionTicket, IsTakenWhereNothingHasChanged) {
  const SslContext server = context(kAttempt);
  const Met first = meet(server.get());
  EXPECT_FALSE(first.facts.resumed);
  EXPECT_TRUE(meet(server.get(), first.session.get()).facts.resumed);
}

TEST_P(SessionTicket, IsPassedOverByAnotherGenerationPolicyOrListener) {
  const SslContext server = context(kAttempt);
  const Met first = meet(server.get());
  const SslContext next = context(kAttempt);
  EXPECT_FALSE(meet(next.get(), first.session.get()).facts.resumed);
  EXPECT_FALSE(meet(server.get(), first.session.get(), {}, "192.0.2.2:25").facts.resumed);
  EXPECT_FALSE(meet(server.get(), first.session.get(), {}, "192.0.2.1:26").facts.resumed);
  EXPECT_TRUE(meet(server.get(), first.session.get()).facts.resumed);
}

TEST_P(SessionTicket, KeepsTheCertificateThatVerified) {
  const SslContext server = context(kRequire);
  const Met first = meet(server.get(), nullptr, "client");
  ASSERT_TRUE(first.facts.verified) << first.facts.error;
  // The certificate is not shown again, and need not be there.
  const Met second = meet(server.get(), first.session.get());
  EXPECT_TRUE(second.facts.resumed);
  EXPECT_TRUE(second.facts.peer_certificate);
  EXPECT_TRUE(second.facts.verified);
  EXPECT_EQ(second.facts.subject, "CN=client.test");
  EXPECT_TRUE(meet(server.get(), second.session.get()).facts.verified);
}

TEST_P(SessionTicket, DoesNotStandForACertificateThatIsRequired) {
  const SslContext server = context(kRequire);
  for (const char* pair : {"", "gw"}) {
    const Met first = meet(server.get(), nullptr, pair);
    EXPECT_FALSE(first.facts.verified);
    const Met second = meet(server.get(), first.session.get());
    EXPECT_FALSE(second.facts.resumed) << pair;
    EXPECT_FALSE(second.facts.verified) << pair;
    // Asked again, the client may do better.
    EXPECT_TRUE(meet(server.get(), first.session.get(), "client").facts.verified);
  }
}

TEST_P(SessionTicket, OfABadCertificateIsJudgedAfreshWhereOneIsRequested) {
  const SslContext server = context(kRequest);
  const Met none = meet(server.get());
  EXPECT_TRUE(meet(server.get(), none.session.get()).facts.resumed);
  const Met bad = meet(server.get(), nullptr, "gw");
  const Met again = meet(server.get(), bad.session.get(), "gw");
  EXPECT_FALSE(again.facts.resumed);
  EXPECT_FALSE(again.facts.verified);
  EXPECT_NE(again.facts.error.find("purpose"), std::string::npos) << again.facts.error;
}

TEST_P(SessionTicket, EndsWithTheCertificate) {
  folder_.write_pair("short", mint_.issue("short.test", "clientAuth", -1, 5));
  const SslContext server = context(kRequire, hours(24 * 60));
  const Met first = meet(server.get(), nullptr, "short");
  ASSERT_TRUE(first.facts.verified) << first.facts.error;
  ahead = hours(24 * 5) - minutes(5);
  EXPECT_TRUE(meet(server.get(), first.session.get()).facts.verified);
  ahead = hours(24 * 5) + minutes(5);
  const Met late = meet(server.get(), first.session.get());
  EXPECT_FALSE(late.facts.resumed);
  EXPECT_FALSE(late.facts.verified);
  // A clock that was set back does not help.
  ahead = -hours(24 * 2);
  EXPECT_FALSE(meet(server.get(), first.session.get()).facts.resumed);
}

TEST_P(SessionTicket, EndsWithTheRevocationList) {
  folder_.write("crl.pem", mint_.crl({}, -1, 2));
  tls_.client_crl = folder_.path("crl.pem");
  const SslContext server = context(kRequire, hours(24 * 60));
  const Met first = meet(server.get(), nullptr, "client");
  ASSERT_TRUE(first.facts.verified) << first.facts.error;
  ahead = hours(47);
  EXPECT_TRUE(meet(server.get(), first.session.get()).facts.resumed);
  ahead = hours(49);
  EXPECT_FALSE(meet(server.get(), first.session.get()).facts.resumed);
}

TEST_P(SessionTicket, LivesAsLongAsItsFullHandshakeAllows) {
  const SslContext server = context(kAttempt);
  const Met first = meet(server.get());
  ahead = minutes(40);
  const Met second = meet(server.get(), first.session.get());
  EXPECT_TRUE(second.facts.resumed);
  // The ticket that came with the resumed session is no younger.
  ahead = minutes(61);
  EXPECT_FALSE(meet(server.get(), second.session.get()).facts.resumed);
  EXPECT_FALSE(meet(server.get(), first.session.get()).facts.resumed);
}

TEST_P(SessionTicket, IsNotIssuedWhereItHasNoTimeToLive) {
  const SslContext server = context(kAttempt, Duration(0));
  const Met first = meet(server.get());
  EXPECT_EQ(SSL_SESSION_has_ticket(first.session.get()), 0);
  EXPECT_FALSE(meet(server.get(), first.session.get()).facts.resumed);
}

INSTANTIATE_TEST_SUITE_P(Versions, SessionTicket,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
}  // namespace gateway
