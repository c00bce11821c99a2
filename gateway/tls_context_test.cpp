// What the gateway shows of itself, seen from the other end of a handshake in memory.
#include "tls_context.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <utility>

#include "mint.hpp"
#include "tls_bench.hpp"
#include "utf8.hpp"

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

// What is wrong with a file is told in words.
class UnusableFile : public LeafAlone {
 protected:
  UnusableFile() {
    folder_.write("empty", "");
    std::filesystem::create_directory(folder_.path("folder"));
  }

  // refusal is what is said about the settings, without the folder.
  std::string refusal() const {
    try {
      receiving_context(tls_, {{ServerLevel::require, ClientCertificate::request},
                               "generation 1",
                               std::chrono::hours(1),
                               &now});
      return {};
    } catch (const ConfigError& error) {
      std::string text = error.what();
      const std::string folder = folder_.path("");
      for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
        text.erase(at, folder.size());
      }
      return text;
    }
  }

  // refusal_of is the same with another file behind one attribute.
  std::string refusal_of(std::string TlsConfig::*attribute, const std::string& name) {
    const std::string before = std::exchange(tls_.*attribute, folder_.path(name));
    std::string text = refusal();
    tls_.*attribute = before;
    return text;
  }
};

TEST_F(UnusableFile, IsMissingOrAFolderOrHoldsSomethingElse) {
  const struct {
    std::string TlsConfig::*attribute;
    std::string complaint;
    std::string lacks;
    std::string other;  // a file that holds something else
  } kinds[] = {{&TlsConfig::certificate, "cannot use this certificate", "certificate", "gw.key"},
               {&TlsConfig::key, "cannot use this key for gw.pem", "private key", "gw.pem"},
               {&TlsConfig::client_ca, "cannot use this CA file", "certificate", "gw.key"},
               {&TlsConfig::client_crl, "cannot use this CRL file", "revocation list", "gw.pem"}};
  for (const auto& kind : kinds) {
    const auto said = [&](const std::string& name, const std::string& why) {
      EXPECT_EQ(refusal_of(kind.attribute, name), name + ": " + kind.complaint + ": " + why);
    };
    said("absent", "No such file or directory");
    said("gw.pem/x", "Not a directory");
    said("folder", "Is a directory");
    said("empty", "no " + kind.lacks + " in PEM is in it");
    said(kind.other, "no " + kind.lacks + " in PEM is in it");
  }
  EXPECT_EQ(refusal(), "");
}

TEST_F(UnusableFile, IsAKeyOfAnotherCertificate) {
  const Mint::Key rsa(EVP_RSA_gen(2048));
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(out, rsa.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  folder_.write("rsa.key", std::string(text, static_cast<std::size_t>(size)));
  BIO_free(out);
  folder_.write_pair("other", Mint("Other CA").issue("gw.test", "serverAuth"));
  const std::string complaint =
      ": cannot use this key for gw.pem: it is not the key of that certificate";
  EXPECT_EQ(refusal_of(&TlsConfig::key, "rsa.key"), "rsa.key" + complaint);
  EXPECT_EQ(refusal_of(&TlsConfig::key, "other.key"), "other.key" + complaint);
}

std::string name_of(std::string_view common_name) {
  const auto name =
      std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)>(X509_NAME_new(), &X509_NAME_free);
  X509_NAME_add_entry_by_txt(name.get(), "CN", V_ASN1_UTF8STRING,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  return printable_name(name.get());
}

TEST(PrintableName, IsReadableWhereThatIsSafe) {
  EXPECT_EQ(name_of("日本"), "CN=日本");
  EXPECT_EQ(name_of("a\r\nb"), "CN=a\\0D\\0Ab");
  EXPECT_EQ(name_of("é\xc2\x9b"
                    "1m"),
            "CN=\\C3\\A9\\C2\\9B1m");
  EXPECT_EQ(name_of("\xff\xfe"), "CN=\\FF\\FE");
  EXPECT_EQ(name_of("\xc2\xa0"), "CN=\xc2\xa0");
}

// The cut of a long one is not amid a character.
TEST(PrintableSubject, IsUtf8AlsoWhereItIsCut) {
  const auto certificate = std::unique_ptr<X509, decltype(&X509_free)>(X509_new(), &X509_free);
  for (int i = 0; i < 9; ++i) {
    const std::string unit = "日日日日日日日日日日";
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "OU", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(unit.c_str()), -1, -1, 0);
  }
  const std::string subject = printable_subject(certificate.get());
  EXPECT_TRUE(is_utf8(subject)) << subject;
  EXPECT_GT(subject.size(), 250U);
  EXPECT_LE(subject.size(), 256U);
}

}  // namespace
}  // namespace gateway
