#include "certificates.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "certificate_store.hpp"
#include "mint.hpp"

namespace gateway::web {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// complaint is what `act` says is wrong; empty: nothing.
template <typename Act>
std::string complaint(Act act) {
  try {
    act();
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string written(BIO* bio) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio, &text);
  std::string out(text, static_cast<std::size_t>(length));
  BIO_free(bio);
  return out;
}

EVP_PKEY* read_key(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return key;
}

// bundle is a certificate and its key as PKCS #12.
std::string bundle(const OwnCertificate& own, const char* password, int mac_iterations = 0) {
  BIO* in = BIO_new_mem_buf(own.chain.data(), static_cast<int>(own.chain.size()));
  X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  EVP_PKEY* key = read_key(own.key);
  PKCS12* made =
      PKCS12_create(password, "name", key, certificate, nullptr, 0, 0, 0, mac_iterations, 0);
  BIO* out = BIO_new(BIO_s_mem());
  i2d_PKCS12_bio(out, made);
  PKCS12_free(made);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return written(out);
}

std::string encrypted(const std::string& pem, const char* password) {
  EVP_PKEY* key = read_key(pem);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), nullptr, 0, nullptr,
                                const_cast<char*>(password));
  EVP_PKEY_free(key);
  return written(out);
}

// certified is a certificate of `key` that `issuer` has signed.
std::string certified(const char* name, const std::string& key, const char* issuer,
                      const std::string& issuer_key) {
  const auto add = [](X509_NAME* to, const char* text) {
    X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  EVP_PKEY* own = read_key(key);
  EVP_PKEY* ca = read_key(issuer_key);
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  add(X509_get_subject_name(certificate), name);
  add(X509_get_issuer_name(certificate), issuer);
  X509_set_pubkey(certificate, own);
  X509_sign(certificate, ca, EVP_sha256());
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  X509_free(certificate);
  EVP_PKEY_free(own);
  EVP_PKEY_free(ca);
  return written(out);
}

// answer answers a request with a certificate for its key, as a CA would.
std::string answer(const SigningRequest& asked) {
  BIO* in = BIO_new_mem_buf(asked.request.data(), static_cast<int>(asked.request.size()));
  X509_REQ* request = PEM_read_bio_X509_REQ(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  EVP_PKEY* own = X509_REQ_get_pubkey(request);
  EXPECT_EQ(X509_REQ_verify(request, own), 1);
  EVP_PKEY* ca = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_subject_name(certificate, X509_REQ_get_subject_name(request));
  X509_set_pubkey(certificate, own);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1);
  }
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_sign(certificate, ca, EVP_sha256());
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  X509_free(certificate);
  X509_REQ_free(request);
  EVP_PKEY_free(own);
  EVP_PKEY_free(ca);
  return written(out);
}

TEST(Certificates, ASelfSignedOneHasItsNamesAndDates) {
  const OwnCertificate own = make_self_signed({"gw.example.test", "192.0.2.1", "2001:db8::1"}, 10);
  const auto facts = facts_in(own.chain);
  ASSERT_EQ(facts.size(), 1U);
  EXPECT_EQ(facts[0].subject, "CN=gw.example.test");
  EXPECT_EQ(facts[0].issuer, "CN=gw.example.test");
  EXPECT_THAT(facts[0].names, ElementsAre("gw.example.test", "192.0.2.1", "2001:db8::1"));
  EXPECT_FALSE(facts[0].is_ca);
  const auto left = facts[0].not_after - now();
  EXPECT_GT(left, std::chrono::hours(239));
  EXPECT_LE(left, std::chrono::hours(241));
  EXPECT_TRUE(key_belongs(own.key, own.chain));
  EXPECT_NE(make_self_signed({"gw.example.test"}, 10).key, own.key);
}

TEST(Certificates, ARequestIsAnsweredByTheCertificateOfItsKey) {
  const SigningRequest asked = make_request({"gw.example.test"});
  EXPECT_THAT(asked.request, StartsWith("-----BEGIN CERTIFICATE REQUEST-----"));
  const Import answered = read_import(answer(asked), {});
  EXPECT_EQ(answered.key, "");
  EXPECT_TRUE(key_belongs(asked.key, answered.certificates.at(0)));
  EXPECT_THAT(facts_in(answered.certificates.at(0))[0].names, ElementsAre("gw.example.test"));
  EXPECT_FALSE(key_belongs(make_request({"x.test"}).key, answered.certificates.at(0)));
}

TEST(Certificates, PemIsImportedInAnyOrder) {
  const Mint mint("CA");
  const PemPair pair = mint.issue("gw.example.test", "serverAuth");
  const Import import = read_import(pair.key + mint.certificate() + pair.certificate, {});
  const OwnCertificate own = own_certificate(import, import.key);
  EXPECT_EQ(own.chain, pair.certificate + mint.certificate());
  EXPECT_EQ(own.key, pair.key);
  EXPECT_TRUE(facts_in(own.chain).at(1).is_ca);
}

TEST(Certificates, EachOneIsFollowedByTheOneThatCertifiesIt) {
  const std::string root_key = make_request({"root.test"}).key;
  const std::string key1 = make_request({"one.test"}).key;
  const std::string key2 = make_request({"two.test"}).key;
  const std::string key = make_request({"gw.test"}).key;
  const std::string root = certified("root", root_key, "root", root_key);
  const std::string one = certified("one", key1, "root", root_key);
  const std::string two = certified("two", key2, "one", key1);
  const std::string leaf = certified("leaf", key, "two", key2);
  const std::string other = make_self_signed({"other.test"}, 10).chain;
  const auto chain = [&](const std::string& pem) {
    return own_certificate(read_import(pem, {}), key).chain;
  };
  EXPECT_EQ(chain(root + one + two + leaf), leaf + two + one + root);
  EXPECT_EQ(chain(two + other + root + leaf + one), leaf + two + one + root + other);
  EXPECT_EQ(chain(other + root + one + leaf), leaf + other + root + one);
}

TEST(Certificates, AsManyAsASystemTrustsAreRead) {
  const std::string one = Mint("CA").certificate();
  std::string many;
  for (int i = 0; i < 150; ++i) many += one;
  EXPECT_EQ(facts_in(many).size(), 150U);
  EXPECT_EQ(read_import(many, {}).certificates.size(), 150U);
  std::string too_many;
  for (int i = 0; i < 7; ++i) too_many += many;
  EXPECT_EQ(complaint([&] { facts_in(too_many); }), "there are more than 1000 certificates in it");
}

TEST(Certificates, Pkcs12WithoutAMacIsOpened) {
  const OwnCertificate own = make_self_signed({"gw.example.test"}, 10);
  const std::string file = bundle(own, "secret", -1);
  EXPECT_EQ(read_import(file, "secret").key, own.key);
  EXPECT_THAT(complaint([&] { read_import(file, "wrong"); }), HasSubstr("cannot be opened"));
}

TEST(Certificates, EncryptedFilesNeedTheirPassword) {
  const OwnCertificate own = make_self_signed({"gw.example.test"}, 10);
  const std::string pem = own.chain + encrypted(own.key, "secret");
  EXPECT_EQ(read_import(pem, "secret").key, own.key);
  EXPECT_EQ(complaint([&] { read_import(pem, ""); }),
            "the key is encrypted, and no password was given");
  EXPECT_THAT(complaint([&] { read_import(pem, "wrong"); }), HasSubstr("cannot be decrypted"));
  const std::string p12 = bundle(own, "secret");
  EXPECT_EQ(read_import(p12, "secret").key, own.key);
  EXPECT_EQ(read_import(p12, "secret").certificates.at(0), own.chain);
  EXPECT_EQ(complaint([&] { read_import(p12, ""); }), "this PKCS #12 file needs a password");
  EXPECT_EQ(complaint([&] { read_import(p12, "wrong"); }),
            "the password of this PKCS #12 file is wrong");
}

TEST(Certificates, BadFilesAreSaidToBeSo) {
  const OwnCertificate own = make_self_signed({"gw.example.test"}, 10);
  const auto said = [](const std::string& octets) {
    return complaint([&] { read_import(octets, "x"); });
  };
  EXPECT_THAT(said(""), HasSubstr("empty"));
  EXPECT_THAT(said("nonsense"), HasSubstr("neither PEM nor PKCS #12"));
  EXPECT_THAT(said(own.key), HasSubstr("no certificate"));
  EXPECT_THAT(said(own.chain.substr(0, own.chain.size() / 2)), HasSubstr("cannot be read"));
  std::string spoilt = own.chain;
  spoilt.replace(40, 4, "****");
  EXPECT_THAT(said(spoilt), HasSubstr("cannot be read"));
  EXPECT_THAT(said(bundle(own, "x").substr(0, 200)), HasSubstr("neither"));
  const OwnCertificate other = make_self_signed({"gw.example.test"}, 10);
  const Import mixed = read_import(own.chain + other.key, {});
  EXPECT_THAT(complaint([&] { own_certificate(mixed, mixed.key); }), HasSubstr("none of the"));
}

TEST(Certificates, NamesAreChecked) {
  EXPECT_THAT(parse_names("Gw.example.test, 192.0.2.1\n*.example.test"),
              ElementsAre("gw.example.test", "192.0.2.1", "*.example.test"));
  EXPECT_THAT(complaint([] { parse_names("a b/c"); }), HasSubstr("found \"b/c\""));
  EXPECT_THAT(complaint([] { parse_names("a*.test"); }), HasSubstr("allowed: host names"));
  EXPECT_THAT(complaint([] { parse_names(" "); }), HasSubstr("no name was given"));
}

class Store : public ::testing::Test {
 protected:
  Store() {
    std::string pattern = std::filesystem::temp_directory_path() / "gateway-store-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~Store() override { std::filesystem::remove_all(folder_); }

  static mode_t mode(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  std::string folder_;
};

TEST_F(Store, KeepsKeysForTheOwnerAloneAndNamesApart) {
  const CertificateStore store(folder_ + "/certificates");
  EXPECT_TRUE(store.all().empty());
  EXPECT_EQ(store.add(make_self_signed({"gw.example.test"}, 10)), "gw.example.test");
  EXPECT_EQ(store.add(make_self_signed({"gw.example.test"}, 10)), "gw.example.test-2");
  EXPECT_EQ(store.add_authorities({Mint("My / CA ../x").certificate()}), "my-ca-..-x");
  const auto all = store.all();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(mode(all[0].key), 0600U);
  EXPECT_TRUE(key_belongs(CertificateStore::read_text(all[1].key),
                          CertificateStore::read_text(all[1].path)));
  EXPECT_EQ(all[2].kind, StoredCertificate::Kind::authority);
  EXPECT_THAT(all[2].path, StartsWith(folder_ + "/certificates/ca/my-ca"));
  store.remove(all[0]);
  EXPECT_FALSE(std::filesystem::exists(all[0].key));
  EXPECT_EQ(store.all().size(), 2U);
}

TEST_F(Store, ARequestBecomesACertificate) {
  const CertificateStore store(folder_);
  const SigningRequest asked = make_request({"*.example.test"});
  EXPECT_EQ(store.add(asked, "*.example.test"), "example.test");
  const StoredCertificate request = store.all().at(0);
  EXPECT_EQ(request.kind, StoredCertificate::Kind::request);
  EXPECT_EQ(mode(request.key), 0600U);
  store.complete(request, own_certificate(read_import(answer(asked), {}), asked.key));
  const auto all = store.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kind, StoredCertificate::Kind::own);
  EXPECT_EQ(all[0].key, request.key);
}

}  // namespace
}  // namespace gateway::web
