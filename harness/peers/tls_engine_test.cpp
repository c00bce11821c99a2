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

TEST(TlsEngine, NoCommonVersionFails) {
  Pair pair;
  pair.client_wish.versions = {TlsVersion::k10, TlsVersion::k11};
  EXPECT_EQ(pair.handshake().second, Step::kFailed);
  EXPECT_FALSE(pair.client->agreed());
  EXPECT_FALSE(pair.server->agreed());
}

}  // namespace
}  // namespace postern
