// What the gateway shows of itself, seen from the other end of a handshake in memory.
#include "tls_context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "mint.hpp"
#include "tls_bench.hpp"

namespace gateway {
namespace {

// A file with the leaf alone, and the CA above it in both CA files, where OpenSSL would find it.
class LeafAlone : public ::testing::Test {
 protected:
  LeafAlone() {
    const Mint mint("Test CA");
    folder_.write("ca.pem", mint.certificate());
    folder_.write_pair("gw", mint.issue("gw.test", "serverAuth"));
    tls_.client_ca = tls_.next_hop_ca = folder_.path("ca.pem");
    tls_.certificate = tls_.sending_certificate = folder_.path("gw.pem");
    tls_.key = tls_.sending_key = folder_.path("gw.key");
  }

  TlsConfig tls_;
  TlsFolder folder_;
};

TEST_F(LeafAlone, IsAllThatAClientIsShown) {
  const SslContext ours =
      receiving_context(tls_, {{ServerLevel::require, ClientCertificate::request},
                               "generation 1",
                               std::chrono::hours(1),
                               &now});
  const SslContext theirs(SSL_CTX_new(TLS_client_method()));
  const SslHandle server = server_handle(ours.get(), "192.0.2.1:25");
  const SslHandle client(SSL_new(theirs.get()));
  SSL_set_connect_state(client.get());
  ASSERT_TRUE(shake_hands(client.get(), server.get()));
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(client.get())), 1);
  SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

TEST_F(LeafAlone, IsAllThatANextHopIsShown) {
  const SslContext ours = sending_context(tls_);
  const SslContext theirs(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate_chain_file(theirs.get(), tls_.certificate.c_str());
  SSL_CTX_use_PrivateKey_file(theirs.get(), tls_.key.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_set_verify(theirs.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  const SslHandle client = client_handle(ours.get(), "gw.test");
  const SslHandle server(SSL_new(theirs.get()));
  SSL_set_accept_state(server.get());
  ASSERT_TRUE(shake_hands(client.get(), server.get()));
  EXPECT_NE(SSL_get0_peer_certificate(server.get()), nullptr);
  // A server's list is without the leaf.
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(server.get())), 0);
}

}  // namespace
}  // namespace gateway
