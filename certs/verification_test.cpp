// OpenSSL's own verification, held against every identity that authority.xml declares.

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "authority.hpp"

namespace postern::certs {
namespace {

constexpr unsigned kNoCommonName = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
constexpr unsigned kWholeLabels = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

/// Finding is one error of a verification, and where in the chain: 0 is the leaf.
struct Finding {
  int error = 0;
  int depth = 0;
  bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

std::ostream& operator<<(std::ostream& out, const Finding& finding) {
  return out << X509_verify_cert_error_string(finding.error) << " (" << finding.error
             << ") at depth " << finding.depth;
}

/// Demands is what a verifier asks of a chain besides its trust.
struct Demands {
  bool of_server = true;  ///< Purpose serverAuth; otherwise clientAuth.
  const char* host = nullptr;
  const char* address = nullptr;
  unsigned host_flags = kNoCommonName | kWholeLabels;
  int security_level = 2;
  const char* crl = nullptr;  ///< A revocation list to look the leaf up in.
};

Demands server() {
  return {true, "mx.postern.test"};
}
Demands client() {
  return {false};
}

/// authority is loaded once for all tests, so that each RSA key is made once.
const Authority& authority() {
  static const Authority kLoaded = [] {
    Problems problems;
    std::optional<Authority> loaded =
        Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    if (!loaded) throw std::runtime_error(problems.text());
    return std::move(*loaded);
  }();
  return kLoaded;
}

/// Verification goes on after an error, so that it finds every one, not only the first.
class Verification {
 public:
  Verification(const Identity& shown, const Trust& trust, const Demands& demands)
      : store_(X509_STORE_new(), X509_STORE_free),
        sent_(sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }),
        context_(X509_STORE_CTX_new(), X509_STORE_CTX_free) {
    for (const X509Ptr& anchor : trust.anchors) X509_STORE_add_cert(store_.get(), anchor.get());
    for (const X509Ptr& certificate : shown.chain) sk_X509_push(sent_.get(), certificate.get());
    if (demands.crl != nullptr) {
      X509_STORE_add_crl(store_.get(), authority().crl(demands.crl)->list.get());
      X509_STORE_set_flags(store_.get(), X509_V_FLAG_CRL_CHECK);
    }
    X509_STORE_CTX_init(context_.get(), store_.get(), shown.chain.front().get(), sent_.get());
    X509_STORE_CTX_set_default(context_.get(), demands.of_server ? "ssl_server" : "ssl_client");
    X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context_.get());
    X509_VERIFY_PARAM_set_auth_level(wanted, demands.security_level);
    X509_VERIFY_PARAM_set_hostflags(wanted, demands.host_flags);
    if (demands.host != nullptr) X509_VERIFY_PARAM_set1_host(wanted, demands.host, 0);
    if (demands.address != nullptr) X509_VERIFY_PARAM_set1_ip_asc(wanted, demands.address);
    X509_STORE_CTX_set_ex_data(context_.get(), 0, &findings_);
    X509_STORE_CTX_set_verify_cb(context_.get(), take_down);
  }

  Findings run() {
    EXPECT_EQ(X509_verify_cert(context_.get()), 1);
    return findings_;
  }

 private:
  static int take_down(int good, X509_STORE_CTX* context) {
    if (good == 0) {
      static_cast<Findings*>(X509_STORE_CTX_get_ex_data(context, 0))
          ->push_back({X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_error_depth(context)});
    }
    return 1;
  }

  Findings findings_;
  std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store_;
  std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> sent_;
  std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)> context_;
};

Findings verify(const std::string& identity, const Demands& demands,
                const std::string& trust = "root") {
  const Identity* shown = authority().identity(identity);
  const Trust* believed = authority().trust(trust);
  if (shown == nullptr || believed == nullptr) throw std::runtime_error("no " + identity);
  return Verification(*shown, *believed, demands).run();
}

/// Row is what OpenSSL must find in an identity: these errors, in this order, and no other.
struct Row {
  const char* identity;
  Findings findings;
};

/// expect_each verifies every row, and demands a row for every identity whose name begins so.
void expect_each(const std::vector<Row>& table, const Demands& demands, const char* beginning) {
  std::vector<std::string> covered;
  for (const Row& row : table) {
    EXPECT_EQ(verify(row.identity, demands), row.findings) << row.identity;
    covered.emplace_back(row.identity);
  }
  for (const std::string& name : authority().identity_names()) {
    const bool listed = std::find(covered.begin(), covered.end(), name) != covered.end();
    EXPECT_TRUE(listed || !name.starts_with(beginning)) << name << " is in no row";
  }
}

// A chain that ends without a root: the second finding follows from the first.
const Findings kNoIssuer{{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0},
                         {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, 0}};
// One that says it is no CA serves no purpose as one either.
const Findings kIssuerNoCa{{X509_V_ERR_INVALID_CA, 1}, {X509_V_ERR_INVALID_PURPOSE, 1}};
// A leaf, and a CA whose key usage lacks keyCertSign: what may not sign is no CA.
const Findings kIssuerLeaf{{X509_V_ERR_INVALID_CA, 1},
                           {X509_V_ERR_INVALID_PURPOSE, 1},
                           {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, 1}};
const Findings kOtherHost{{X509_V_ERR_HOSTNAME_MISMATCH, 0}};

TEST(Verification, FindsInServersTheFaultThatIsDeclaredAndNoOther) {
  const std::vector<Row> table{
      {"server-good", {}},
      {"server-good-intermediate", {}},
      {"server-rsa", {}},
      {"server-wildcard", {}},
      {"server-no-purpose", {}},
      {"server-unknown-extension", {}},
      {"server-ip", kOtherHost},
      {"server-self-signed", {{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0}}},
      {"server-untrusted", kNoIssuer},
      {"server-forged-issuer", kNoIssuer},
      {"server-expired", {{X509_V_ERR_CERT_HAS_EXPIRED, 0}}},
      {"server-not-yet-valid", {{X509_V_ERR_CERT_NOT_YET_VALID, 0}}},
      {"server-wrong-host", kOtherHost},
      {"server-wrong-host-right-cn", kOtherHost},
      {"server-cn-only", kOtherHost},
      {"server-partial-wildcard", kOtherHost},
      {"server-deep-wildcard", kOtherHost},
      {"server-nul-in-name", kOtherHost},
      {"server-wrong-purpose", {{X509_V_ERR_INVALID_PURPOSE, 0}}},
      {"server-missing-intermediate", kNoIssuer},
      {"server-issuer-no-ca", kIssuerNoCa},
      {"server-issuer-no-constraints", {{X509_V_ERR_INVALID_CA, 1}}},
      {"server-issuer-leaf", kIssuerLeaf},
      {"server-issuer-expired", {{X509_V_ERR_CERT_HAS_EXPIRED, 1}}},
      {"server-issuer-weak-key", {{X509_V_ERR_CA_KEY_TOO_SMALL, 1}}},
      {"server-issuer-wrong-purpose", {{X509_V_ERR_INVALID_PURPOSE, 1}}},
      {"server-issuer-may-not-sign", kIssuerLeaf},
      {"server-path-too-long", {{X509_V_ERR_PATH_LENGTH_EXCEEDED, 2}}},
      {"server-name-constraint", {{X509_V_ERR_PERMITTED_VIOLATION, 0}}},
      {"server-critical-extension", {{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, 0}}},
      {"server-weak-key", {{X509_V_ERR_EE_KEY_TOO_SMALL, 0}}},
      {"server-sha1", {{X509_V_ERR_CA_MD_TOO_WEAK, 0}}},
      {"server-revoked", {}},  // Nobody has looked into the list.
      {"server-tampered", {{X509_V_ERR_CERT_SIGNATURE_FAILURE, 0}}},
  };
  expect_each(table, server(), "server-");
}

TEST(Verification, FindsInClientsTheFaultThatIsDeclaredAndNoOther) {
  const std::vector<Row> table{
      {"client-good", {}},
      {"client-good-intermediate", {}},
      {"client-rsa", {}},
      {"client-no-purpose", {}},
      {"client-no-name", {}},
      {"client-self-signed", {{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0}}},
      {"client-untrusted", kNoIssuer},
      {"client-forged-issuer", kNoIssuer},
      {"client-expired", {{X509_V_ERR_CERT_HAS_EXPIRED, 0}}},
      {"client-not-yet-valid", {{X509_V_ERR_CERT_NOT_YET_VALID, 0}}},
      {"client-wrong-purpose", {{X509_V_ERR_INVALID_PURPOSE, 0}}},
      {"client-missing-intermediate", kNoIssuer},
      {"client-issuer-no-ca", kIssuerNoCa},
      {"client-issuer-leaf", kIssuerLeaf},
      {"client-issuer-expired", {{X509_V_ERR_CERT_HAS_EXPIRED, 1}}},
      {"client-issuer-wrong-purpose", {{X509_V_ERR_INVALID_PURPOSE, 1}}},
      {"client-issuer-may-not-sign", kIssuerLeaf},
      {"client-path-too-long", {{X509_V_ERR_PATH_LENGTH_EXCEEDED, 2}}},
      {"client-name-constraint", {{X509_V_ERR_PERMITTED_VIOLATION, 0}}},
      {"client-critical-extension", {{X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, 0}}},
      {"client-weak-key", {{X509_V_ERR_EE_KEY_TOO_SMALL, 0}}},
      {"client-sha1", {{X509_V_ERR_CA_MD_TOO_WEAK, 0}}},
      {"client-revoked", {}},
      {"client-tampered", {{X509_V_ERR_CERT_SIGNATURE_FAILURE, 0}}},
  };
  expect_each(table, client(), "client-");
}

TEST(Verification, BelievesInTheGatewayUnderItsNameAndItsRoot) {
  Demands demands = server();
  EXPECT_EQ(verify("gateway", demands), kOtherHost);
  demands.host = "gw.postern.test";
  EXPECT_EQ(verify("gateway", demands), Findings{});
  EXPECT_EQ(verify("gateway", demands, "unrelated"), kNoIssuer);
}

TEST(Verification, FindsInTheRevocationListWhatItRevokesAndNothingElse) {
  Demands of_server = server();
  Demands of_client = client();
  of_server.crl = of_client.crl = "root";
  EXPECT_EQ(verify("server-revoked", of_server), (Findings{{X509_V_ERR_CERT_REVOKED, 0}}));
  EXPECT_EQ(verify("client-revoked", of_client), (Findings{{X509_V_ERR_CERT_REVOKED, 0}}));
  EXPECT_EQ(verify("server-good", of_server), Findings{});
  EXPECT_EQ(verify("client-good", of_client), Findings{});
}

TEST(Verification, KnowsAnAddressByItsOctetsOnly) {
  Demands demands{true};
  demands.address = "127.0.0.1";
  EXPECT_EQ(verify("server-ip", demands), Findings{});
  EXPECT_EQ(verify("server-good", demands), (Findings{{X509_V_ERR_IP_ADDRESS_MISMATCH, 0}}));
  demands.address = "::1";
  EXPECT_EQ(verify("server-ip", demands), Findings{});
  demands.address = "127.0.0.2";
  EXPECT_EQ(verify("server-ip", demands), (Findings{{X509_V_ERR_IP_ADDRESS_MISMATCH, 0}}));
}

TEST(Verification, TakesAWildcardForOneLabelOnly) {
  Demands demands = server();
  demands.host = "a.mx.postern.test";
  EXPECT_EQ(verify("server-wildcard", demands), kOtherHost);
}

// A trap that catches nobody proves nothing: each of these passes a verifier that is lax in the
// one way that the trap is for.
TEST(Verification, IsFooledByATrapWhereItIsLax) {
  Demands demands = server();
  demands.host_flags = kWholeLabels;
  EXPECT_EQ(verify("server-cn-only", demands), Findings{}) << "the CN is looked at";
  demands.host_flags = kNoCommonName;
  EXPECT_EQ(verify("server-partial-wildcard", demands), Findings{}) << "partial wildcards pass";
  demands = server();
  demands.security_level = 0;
  for (const char* weak : {"server-weak-key", "server-issuer-weak-key", "server-sha1"}) {
    EXPECT_EQ(verify(weak, demands), Findings{}) << weak << ": weak keys and digests pass";
  }
  demands = server();
  demands.host = nullptr;
  for (const char* other : {"server-wrong-host", "server-nul-in-name", "server-cn-only"}) {
    EXPECT_EQ(verify(other, demands), Findings{}) << other << ": no name is looked at";
  }
  EXPECT_EQ(verify("server-wrong-purpose", client()), Findings{}) << "the wrong purpose is asked";
  EXPECT_EQ(verify("client-wrong-purpose", Demands{true}), Findings{});
}

TEST(Verification, MissesNothingOnceTheIntermediateIsThere) {
  Identity whole = *authority().identity("server-missing-intermediate");
  ASSERT_EQ(whole.chain.size(), 1U);
  whole.chain.push_back(authority().identity("server-good-intermediate")->chain.at(1));
  EXPECT_EQ(Verification(whole, *authority().trust("root"), server()).run(), Findings{});
}

}  // namespace
}  // namespace postern::certs
