#include "authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <set>
#include <stdexcept>
#include <thread>

namespace postern::certs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

constexpr const char* kSmall = R"(<authority>
  <certificate name="leaf" issuer="middle" for="server client" names="a.test b.test" about="x"/>
  <ca name="middle" issuer="top" about="x"/>
  <ca name="top" about="x"/>
  <certificate name="bare" issuer="middle" send-intermediates="no" for="any" about="x"/>
  <certificate name="alone" issuer="self" for="none" subject="" names="a.test" about="what it is"/>
  <certificate name="edwards" issuer="self" key="ed25519" for="server" about="x"/>
  <certificate name="larger" issuer="self" key="ec-p384" signature="sha512" for="server" about="x"/>
  <trust name="both" anchors="top alone" about="x"/>
</authority>)";

Authority parsed(const std::string& text) {
  Problems problems;
  std::optional<Authority> authority = Authority::parse(text, "t.xml", problems);
  if (!authority) throw std::runtime_error(problems.text());
  return std::move(*authority);
}

X509* leaf_of(const Authority& authority, const char* name) {
  return authority.identity(name)->chain.front().get();
}

std::string subject_of(const X509Ptr& certificate) {
  char* text = X509_NAME_oneline(X509_get_subject_name(certificate.get()), nullptr, 0);
  std::string subject(text);
  OPENSSL_free(text);
  return subject;
}

std::vector<std::string> subjects_of(const std::vector<X509Ptr>& chain) {
  std::vector<std::string> subjects;
  for (const X509Ptr& certificate : chain) subjects.push_back(subject_of(certificate));
  return subjects;
}

TEST(Authority, HasTheNamesThatTheMatrixUses) {
  Problems problems;
  const std::optional<Authority> authority =
      Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
  ASSERT_TRUE(authority.has_value()) << problems.text();
  EXPECT_THAT(
      authority->identity_names(),
      IsSupersetOf(
          {"gateway", "server-good", "server-self-signed", "server-untrusted", "server-expired",
           "server-not-yet-valid", "server-wrong-host", "server-wrong-purpose", "server-cn-only",
           "server-wildcard", "server-missing-intermediate", "client-good", "client-self-signed",
           "client-untrusted", "client-expired", "client-not-yet-valid", "client-wrong-purpose"}));
  EXPECT_THAT(authority->trust_names(), ElementsAre("root", "unrelated"));
  EXPECT_THAT(authority->crl_names(), ElementsAre("root"));
}

TEST(Authority, KnowsNoNameThatIsNotDeclared) {
  const Authority authority = parsed(kSmall);
  EXPECT_EQ(authority.identity("none"), nullptr);
  EXPECT_EQ(authority.identity("top"), nullptr) << "a CA is no identity";
  EXPECT_EQ(authority.trust("leaf"), nullptr);
  EXPECT_EQ(authority.crl("leaf"), nullptr);
  EXPECT_THAT(authority.identity_names(),
              ElementsAre("alone", "bare", "edwards", "larger", "leaf"));
}

TEST(Authority, SendsTheChainWithoutTheRoot) {
  const Authority authority = parsed(kSmall);
  EXPECT_THAT(subjects_of(authority.identity("leaf")->chain),
              ElementsAre("/CN=leaf", "/CN=middle"));
  EXPECT_THAT(subjects_of(authority.identity("bare")->chain), ElementsAre("/CN=bare"));
  EXPECT_THAT(subjects_of(authority.identity("alone")->chain), ElementsAre(""));
  EXPECT_THAT(subjects_of(authority.trust("both")->anchors), ElementsAre("/CN=top", ""));
}

TEST(Authority, KeepsWhatItMinted) {
  const Authority authority = parsed(kSmall);
  const Authority copy = authority;
  EXPECT_EQ(authority.identity("leaf"), copy.identity("leaf"));
  EXPECT_EQ(authority.trust("both")->anchors.at(1), copy.identity("alone")->chain.at(0));
  EXPECT_EQ(authority.identity("alone")->about, "what it is");
}

TEST(Authority, MintsOnceForManyThreads) {
  const Authority authority = parsed(kSmall);
  std::vector<const X509*> seen(16);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([&authority, &seen, i] {
      // Half of them come by another leaf, and meet the others at the issuer.
      if (i % 2 == 0) static_cast<void>(authority.identity("bare"));
      seen[i] = authority.identity("leaf")->chain.at(1).get();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<const X509*>(seen.begin(), seen.end()).size(), 1U);
  EXPECT_NE(seen.front(), nullptr);
}

TEST(Authority, GivesEachCertificateTheKeyThatFits) {
  const Authority authority = parsed(kSmall);
  for (const std::string& name : authority.identity_names()) {
    const Identity* identity = authority.identity(name);
    EXPECT_EQ(X509_check_private_key(identity->chain.front().get(), identity->key.get()), 1);
  }
  EXPECT_EQ(EVP_PKEY_is_a(authority.identity("edwards")->key.get(), "ED25519"), 1);
  EXPECT_EQ(EVP_PKEY_get_bits(authority.identity("larger")->key.get()), 384);
  EXPECT_EQ(X509_get_signature_nid(leaf_of(authority, "larger")), NID_ecdsa_with_SHA512);
}

TEST(Authority, GivesPositiveSerialNumbersThatNeverRepeat) {
  std::set<std::string> serials;
  for (int run = 0; run < 20; ++run) {
    const Authority authority = parsed(kSmall);
    const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf_of(authority, "leaf"));
    BIGNUM* number = ASN1_INTEGER_to_BN(serial, nullptr);
    EXPECT_EQ(BN_is_negative(number), 0);
    EXPECT_LE(BN_num_bytes(number), 20);
    char* text = BN_bn2hex(number);
    serials.insert(text);
    OPENSSL_free(text);
    BN_free(number);
  }
  EXPECT_EQ(serials.size(), 20U);
}

TEST(Authority, MakesCertificatesValidFromAnHourAgoForADay) {
  const Authority authority = parsed(kSmall);
  int days = -1;
  int seconds = -1;
  const X509* leaf = leaf_of(authority, "leaf");
  ASSERT_EQ(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(leaf), X509_get0_notAfter(leaf)),
            1);
  EXPECT_EQ(days, 1);
  EXPECT_EQ(seconds, 3600);
}

TEST(Authority, MarksWhatACertificateIsFor) {
  const Authority authority = parsed(kSmall);
  X509* both = leaf_of(authority, "leaf");
  EXPECT_EQ(X509_get_extended_key_usage(both), unsigned{XKU_SSL_SERVER | XKU_SSL_CLIENT});
  EXPECT_EQ(X509_get_extended_key_usage(leaf_of(authority, "bare")), unsigned{XKU_ANYEKU});
  EXPECT_EQ(X509_get_extended_key_usage(leaf_of(authority, "alone")), UINT32_MAX) << "has one";
  EXPECT_EQ(X509_get_key_usage(both), unsigned{KU_DIGITAL_SIGNATURE});
  const X509Ptr& middle = authority.identity("leaf")->chain.at(1);
  EXPECT_EQ(X509_check_ca(middle.get()), 1);
  EXPECT_EQ(X509_check_ca(both), 0);
}

TEST(Authority, NamesTheIssuersKey) {
  const Authority authority = parsed(kSmall);
  const std::vector<X509Ptr>& chain = authority.identity("leaf")->chain;
  const ASN1_OCTET_STRING* wanted = X509_get0_authority_key_id(chain.at(0).get());
  const ASN1_OCTET_STRING* there = X509_get0_subject_key_id(chain.at(1).get());
  ASSERT_NE(wanted, nullptr);
  ASSERT_NE(there, nullptr);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(wanted, there), 0);
}

TEST(Authority, MakesTheNamesCriticalWhereTheSubjectIsEmpty) {
  const Authority authority = parsed(kSmall);
  const auto critical = [](const X509* certificate) {
    const int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
    return X509_EXTENSION_get_critical(X509_get_ext(certificate, at));
  };
  EXPECT_EQ(critical(leaf_of(authority, "alone")), 1);
  EXPECT_EQ(critical(leaf_of(authority, "leaf")), 0);
}

TEST(Authority, WritesANulIntoAName) {
  const Authority authority = parsed(
      "<authority><certificate name='n' issuer='self' for='server' names='a.test\\0.b.test' "
      "subject='CN=a.test\\0.b.test' about='x'/></authority>");
  X509* leaf = leaf_of(authority, "n");
  const std::string wanted("a.test\0.b.test", 14);
  const auto bytes = [](const ASN1_STRING* text) {
    const unsigned char* data = ASN1_STRING_get0_data(text);
    return std::string(data, data + ASN1_STRING_length(text));
  };
  GENERAL_NAMES* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  ASSERT_NE(names, nullptr);
  EXPECT_EQ(bytes(sk_GENERAL_NAME_value(names, 0)->d.dNSName), wanted);
  GENERAL_NAMES_free(names);
  EXPECT_EQ(bytes(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(leaf), 0))),
            wanted);
}

TEST(Authority, WritesPemThatReadsBackTheSame) {
  const Authority authority = parsed(kSmall);
  const Identity* identity = authority.identity("leaf");
  const std::string pem = identity->chain_pem() + identity->key_pem();
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  for (const X509Ptr& certificate : identity->chain) {
    const X509Ptr read(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), X509_free);
    ASSERT_NE(read, nullptr);
    EXPECT_EQ(X509_cmp(read.get(), certificate.get()), 0);
  }
  const KeyPtr key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(EVP_PKEY_eq(key.get(), identity->key.get()), 1);
}

TEST(Authority, GivesARevocationListTheDatesThatAreDeclared) {
  const Authority authority = parsed(R"(<authority>
    <ca name="top" about="x"/>
    <certificate name="gone" issuer="top" for="server" about="x"/>
    <crl name="now" issuer="top" revokes="gone" about="x"/>
    <crl name="old" issuer="top" revokes="gone" valid="expired" about="x"/>
  </authority>)");
  EXPECT_GT(X509_cmp_current_time(X509_CRL_get0_nextUpdate(authority.crl("now")->list.get())), 0);
  EXPECT_LT(X509_cmp_current_time(X509_CRL_get0_nextUpdate(authority.crl("old")->list.get())), 0);
  EXPECT_THAT(authority.crl("now")->pem(), ::testing::StartsWith("-----BEGIN X509 CRL-----"));
}

}  // namespace
}  // namespace postern::certs
