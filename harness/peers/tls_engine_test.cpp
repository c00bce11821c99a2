#include "peers/tls_engine.hpp"

#include <gtest/gtest.h>

namespace postern {
namespace {

using Step = TlsEngine::Step;

/// The project's own PKI, minted once for all tests here.
const certs::Authority& authority() {
  static const certs::Authority kept = [] {
    Problems problems;
    auto loaded = certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    EXPECT_TRUE(loaded) << problems.text();
    return std::move(*loaded);
  }();
  return kept;
}

/// Two engines whose bytes are carried from one to the other.
struct Pair {
  TlsContexts contexts;
  TlsWish client_wish, server_wish;
  TlsManner manner;  ///< The client's.
  std::unique_ptr<TlsEngine> client, server;

  Pair() {
    client_wish.role = Role::kClient;
    server_wish.role = Role::kServer;
    client_wish.versions = server_wish.versions = {TlsVersion::k12, TlsVersion::k13};
    server_wish.identity = authority().identity("server-good");
  }

  std::pair<Step, Step> handshake() {
    client = std::make_unique<TlsEngine>(contexts.context(client_wish), Role::kClient);
    server = std::make_unique<TlsEngine>(contexts.context(server_wish), Role::kServer);
    EXPECT_TRUE(client->prepare(manner)) << client->error();
    Step at_client = Step::kWantRead;
    Step at_server = Step::kWantRead;
    for (int flights = 0; flights < 8; ++flights) {
      if (at_client == Step::kWantRead) at_client = client->handshake();
      server->feed(client->take_output());
      if (at_server == Step::kWantRead) at_server = server->handshake();
      client->feed(server->take_output());
    }
    return {at_client, at_server};
  }
};

TEST(TlsEngine, CompletesAHandshakeAndCarriesBytesBothWays) {
  for (TlsVersion version : {TlsVersion::k10, TlsVersion::k11, TlsVersion::k12, TlsVersion::k13}) {
    Pair pair;
    pair.client_wish.versions = pair.server_wish.versions = {version};
    ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone))
        << tls_version_text(version);
    EXPECT_EQ(pair.client->version(), tls_version_text(version));
    EXPECT_FALSE(pair.client->asked());
    ASSERT_TRUE(pair.client->write("MAIL"));
    pair.server->feed(pair.client->take_output());
    std::string got;
    EXPECT_EQ(pair.server->read(got), Step::kDone);
    EXPECT_EQ(got, "MAIL");
    pair.server->close_notify();
    pair.client->feed(pair.server->take_output());
    EXPECT_EQ(pair.client->read(got), Step::kCloseNotify);
  }
}

// A peer that takes a clear-text reply for another answer to STARTTLS says hello again.
TEST(TlsEngine, GivesARecordThatItFailedAtFromItsBeginning) {
  for (TlsVersion version : {TlsVersion::k12, TlsVersion::k13}) {
    Pair pair;
    pair.client_wish.versions = pair.server_wish.versions = {version};
    pair.server =
        std::make_unique<TlsEngine>(pair.contexts.context(pair.server_wish), Role::kServer);
    TlsEngine one(pair.contexts.context(pair.client_wish), Role::kClient);
    TlsEngine other(pair.contexts.context(pair.client_wish), Role::kClient);
    one.handshake();
    other.handshake();
    pair.server->feed(one.take_output());
    EXPECT_EQ(pair.server->handshake(), Step::kWantRead);
    const std::string hello = other.take_output();
    pair.server->feed(hello);
    ASSERT_EQ(pair.server->handshake(), Step::kFailed);
    const std::string rest = pair.server->take_unread();
    EXPECT_TRUE(rest.empty() || rest == hello) << rest.size() << " of " << hello.size();
    EXPECT_EQ(pair.server->take_unread(), "");
  }
}

TEST(TlsEngine, GivesClearTextThatItFailedAtFromItsBeginning) {
  Pair pair;
  pair.server = std::make_unique<TlsEngine>(pair.contexts.context(pair.server_wish), Role::kServer);
  pair.server->feed("MAIL FROM:<a@example.test>\r\n");
  ASSERT_EQ(pair.server->handshake(), Step::kFailed);
  EXPECT_EQ(pair.server->take_unread(), "MAIL FROM:<a@example.test>\r\n");
}

TEST(TlsEngine, SeesThatACertificateIsAskedFor) {
  for (TlsVersion version : {TlsVersion::k12, TlsVersion::k13}) {
    Pair pair;
    pair.client_wish.versions = pair.server_wish.versions = {version};
    pair.server_wish.asks = Asks::kRequest;
    ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
    EXPECT_TRUE(pair.client->asked());
    EXPECT_FALSE(pair.server->shown());
    EXPECT_FALSE(pair.client->shown());
    pair.client_wish.identity = authority().identity("client-expired");
    ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
    EXPECT_TRUE(pair.server->shown());
    EXPECT_TRUE(pair.client->shown());
  }
}

TEST(TlsEngine, AServerThatDemandsACertificateFailsWithoutOne) {
  Pair old;
  old.client_wish.versions = {TlsVersion::k12};
  old.server_wish.asks = Asks::kRequire;
  EXPECT_EQ(old.handshake().second, Step::kFailed);
  EXPECT_NE(old.server->alert_sent(), "");
  Pair late;
  late.client_wish.versions = {TlsVersion::k13};
  late.server_wish.asks = Asks::kRequire;
  const auto [at_client, at_server] = late.handshake();
  EXPECT_EQ(at_client, Step::kDone);  // TLS 1.3: the client believes it is done …
  EXPECT_EQ(at_server, Step::kFailed);
  std::string nothing;
  EXPECT_EQ(late.client->read(nothing), Step::kFailed);  // … until its first read.
  EXPECT_EQ(late.client->alert_received(), "certificate required");
}

TEST(TlsEngine, AClientThatVerifiesRejectsAnUnrelatedAuthority) {
  Pair pair;
  pair.client_wish.trust = authority().trust("unrelated");
  EXPECT_EQ(pair.handshake().first, Step::kFailed);
  EXPECT_EQ(pair.client->alert_sent(), "unknown CA");
  EXPECT_TRUE(pair.client->agreed());
  EXPECT_EQ(pair.server->alert_received(), "unknown CA");
  Pair good;
  good.client_wish.trust = authority().trust("root");
  EXPECT_EQ(good.handshake(), std::make_pair(Step::kDone, Step::kDone));
}

TEST(TlsEngine, FailsOnBytesThatAreNoTls) {
  Pair pair;
  TlsEngine client(pair.contexts.context(pair.client_wish), Role::kClient);
  ASSERT_EQ(client.handshake(), Step::kWantRead);
  client.feed("220 hello, this is no TLS\r\n");
  EXPECT_EQ(client.handshake(), Step::kFailed);
  EXPECT_NE(client.error(), "");
}

/// A pair whose client keeps tickets and whose server gives them.
struct TicketPair : Pair {
  TlsSession ticket;

  explicit TicketPair(TlsVersion version) {
    client_wish.versions = server_wish.versions = {version};
    client_wish.tickets = server_wish.tickets = true;
    manner.tickets = &ticket;
  }

  /// resume shakes hands, lets the client read its tickets, and shakes hands with the last.
  std::pair<Step, Step> resume() {
    handshake();
    std::string nothing;
    client->read(nothing);
    EXPECT_TRUE(ticket);
    manner.session = ticket;
    return handshake();
  }
};

TEST(TlsEngine, ResumesWithTheLastTicketAndOnlyWithOne) {
  for (TlsVersion version : {TlsVersion::k12, TlsVersion::k13}) {
    TicketPair pair(version);
    ASSERT_EQ(pair.resume(), std::make_pair(Step::kDone, Step::kDone));
    EXPECT_TRUE(pair.client->resumed());
    EXPECT_TRUE(pair.server->resumed());
    // Tickets are accepted by a server with another certificate, too.
    pair.server_wish.identity = authority().identity("server-expired");
    ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
    EXPECT_TRUE(pair.client->resumed());
    pair.manner.session = nullptr;
    ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
    EXPECT_FALSE(pair.client->resumed());
    pair.manner.session = pair.ticket;
    pair.server_wish.tickets = false;
    ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
    EXPECT_FALSE(pair.client->resumed());
  }
}

TEST(TlsEngine, SendsEarlyDataWhateverTheTicketAllows) {
  TicketPair pair(TlsVersion::k13);
  pair.resume();
  pair.manner.early = "EHLO early\r\n";
  ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
  EXPECT_TRUE(pair.client->resumed());
  EXPECT_FALSE(pair.client->early_accepted());
  std::string got;
  EXPECT_EQ(pair.server->read(got), Step::kWantRead);
  EXPECT_EQ(got, "");
}

TEST(TlsEngine, SeesThatEarlyDataIsAccepted) {
  TicketPair pair(TlsVersion::k13);
  SSL_CTX* accepting = pair.contexts.context(pair.server_wish);
  SSL_CTX_set_max_early_data(accepting, 100);
  SSL_CTX_set_options(accepting, SSL_OP_NO_ANTI_REPLAY);
  pair.resume();
  pair.manner.early = "EHLO early\r\n";
  TlsEngine client(pair.contexts.context(pair.client_wish), Role::kClient);
  ASSERT_TRUE(client.prepare(pair.manner));
  const std::unique_ptr<SSL, decltype(&SSL_free)> server(SSL_new(accepting), &SSL_free);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(server.get(), in, out);
  SSL_set_accept_state(server.get());
  const std::string flight = client.take_output();
  BIO_write(in, flight.data(), static_cast<int>(flight.size()));
  char early[100];
  std::size_t size = 0;
  ASSERT_EQ(SSL_read_early_data(server.get(), early, sizeof early, &size),
            SSL_READ_EARLY_DATA_SUCCESS);
  EXPECT_EQ(std::string(early, size), "EHLO early\r\n");
  std::string answer(BIO_ctrl_pending(out), '\0');
  BIO_read(out, answer.data(), static_cast<int>(answer.size()));
  client.feed(answer);
  client.handshake();
  EXPECT_TRUE(client.early_accepted());
}

TEST(TlsEngine, OffersASessionThatNobodyGave) {
  Pair pair;
  pair.manner.made_up = true;
  pair.manner.early = "EHLO early\r\n";
  ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
  EXPECT_FALSE(pair.client->resumed());
  EXPECT_FALSE(pair.client->early_accepted());
}

TEST(TlsEngine, SaysWhyItCannotBegin) {
  TicketPair pair(TlsVersion::k12);
  pair.resume();
  pair.manner.early = "EHLO early\r\n";
  TlsEngine client(pair.contexts.context(pair.client_wish), Role::kClient);
  EXPECT_FALSE(client.prepare(pair.manner));
  EXPECT_NE(client.error(), "");
}

TEST(TlsEngine, TellsSuiteGroupNameAndProtocol) {
  Pair pair;
  pair.client_wish.ciphers = "TLS_CHACHA20_POLY1305_SHA256";
  pair.client_wish.groups = {"secp384r1", "x25519"};
  pair.client_wish.alpn = {"h2", "smtp"};
  pair.server_wish.groups = {"x25519"};
  pair.server_wish.alpn = {"smtp"};
  pair.manner.sni = "other.postern.test";
  ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
  EXPECT_EQ(pair.client->cipher(), "TLS_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(pair.client->group(), "x25519");
  EXPECT_EQ(pair.client->alpn(), "smtp");
  EXPECT_EQ(pair.server->alpn(), "h2 smtp");
  EXPECT_EQ(pair.server->sni(), "other.postern.test");
  Pair bare;
  bare.client_wish.versions = {TlsVersion::k12};
  bare.client_wish.groups = {"secp256r1"};  // TLS 1.2: that of the certificate, too.
  ASSERT_EQ(bare.handshake(), std::make_pair(Step::kDone, Step::kDone));
  EXPECT_EQ(bare.client->group(), "secp256r1");
  EXPECT_EQ(bare.client->alpn(), "");
  EXPECT_EQ(bare.server->alpn(), "");
  EXPECT_EQ(bare.server->sni(), "");
  EXPECT_TRUE(bare.client->extended_master_secret());
}

TEST(TlsEngine, SeesThatThereIsNoExtendedMasterSecret) {
  Pair pair;
  pair.client_wish.versions = {TlsVersion::k12};
  SSL_CTX_set_options(pair.contexts.context(pair.server_wish), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
  EXPECT_FALSE(pair.client->extended_master_secret());
}

TEST(TlsEngine, ASecondHandshakeHasAnotherFinished) {
  Pair pair;
  pair.client_wish.versions = {TlsVersion::k12};
  SSL_CTX_set_options(pair.contexts.context(pair.server_wish), SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
  ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
  const std::string before = pair.client->finished();
  ASSERT_TRUE(pair.client->renegotiate());
  std::string nothing;
  for (int flights = 0; flights < 4; ++flights) {
    pair.server->feed(pair.client->take_output());
    pair.server->read(nothing);
    pair.client->feed(pair.server->take_output());
    pair.client->read(nothing);
  }
  EXPECT_NE(pair.client->finished(), before);
  EXPECT_EQ(pair.client->alert_number(), -1);
}

TEST(TlsEngine, ARefusedRenegotiationIsAnAlert) {
  Pair pair;
  pair.client_wish.versions = {TlsVersion::k12};
  ASSERT_EQ(pair.handshake(), std::make_pair(Step::kDone, Step::kDone));
  const std::string before = pair.client->finished();
  ASSERT_TRUE(pair.client->renegotiate());
  std::string nothing;
  pair.server->feed(pair.client->take_output());
  pair.server->read(nothing);
  pair.client->feed(pair.server->take_output());
  EXPECT_EQ(pair.client->read(nothing), Step::kFailed);
  EXPECT_EQ(pair.client->finished(), before);
  EXPECT_EQ(pair.client->alert_number(), SSL_AD_NO_RENEGOTIATION);
}

TEST(TlsEngine, NoCommonVersionFails) {
  Pair pair;
  pair.client_wish.versions = {TlsVersion::k10, TlsVersion::k11};
  EXPECT_EQ(pair.handshake().second, Step::kFailed);
  EXPECT_FALSE(pair.client->agreed());
  EXPECT_FALSE(pair.server->agreed());
}

}  // namespace
}  // namespace postern
