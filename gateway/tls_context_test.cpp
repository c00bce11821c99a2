// What the gateway shows of itself, seen from the other end of a handshake in memory.
#include "tls_context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "mint.hpp"

namespace gateway {
namespace {

// A file with the leaf alone, and the CA above it in both CA files, where OpenSSL would find it.
class LeafAlone : public ::testing::Test {
 protected:
  LeafAlone() {
    std::string pattern = std::filesystem::temp_directory_path() / "gateway-chain-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    const Mint mint("Test CA");
    const PemPair own = mint.issue("gw.test", "serverAuth");
    tls_.client_ca = tls_.next_hop_ca = write("ca.pem", mint.certificate());
    tls_.certificate = tls_.sending_certificate = write("gw.pem", own.certificate);
    tls_.key = tls_.sending_key = write("gw.key", own.key);
  }
  ~LeafAlone() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }

  static bool shake_hands(SSL* client, SSL* server) {
    BIO* left = nullptr;
    BIO* right = nullptr;
    BIO_new_bio_pair(&left, 1 << 16, &right, 1 << 16);
    SSL_set_bio(client, left, left);
    SSL_set_bio(server, right, right);
    for (int turn = 0; turn < 10; ++turn) {
      const int done = SSL_do_handshake(client);
      if (SSL_do_handshake(server) == 1 && done == 1) return true;
    }
    return false;
  }

  TlsConfig tls_;
  std::string folder_;
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
