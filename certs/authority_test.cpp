#include "authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <thread>

namespace postern::certs {
namespace {

constexpr const char* kFile = POSTERN_SOURCE_DIR "/certs/authority.xml";
constexpr const char* kHost = "mx.postern.test";

/// authority is loaded once for all tests, so that each RSA key is made once.
const Authority& authority() {
  static const Authority kLoaded = [] {
    Problems problems;
    std::optional<Authority> loaded = Authority::load(kFile, problems);
    if (!loaded) throw std::runtime_error(problems.text());
    return std::move(*loaded);
  }();
  return kLoaded;
}

/// Demands is what a verifier asks of a chain besides its trust.
struct Demands {
  const char* purpose = "sslserver";
  const char* host = nullptr;
  const char* address = nullptr;
  int security_level = 2;
};

const Demands kServer{"sslserver", kHost, nullptr, 2};
const Demands kClient{"sslclient", nullptr, nullptr, 2};

/// verify is OpenSSL's own judgement of an identity: X509_V_OK or the error's number.
int verify(const Identity& shown, const Trust& trust, const Demands& demands) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                      X509_STORE_free);
  for (const X509Ptr& anchor : trust.anchors) X509_STORE_add_cert(store.get(), anchor.get());
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> sent(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  for (const X509Ptr& certificate : shown.chain) sk_X509_push(sent.get(), certificate.get());
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), shown.chain.front().get(), sent.get());
  X509_STORE_CTX_set_default(
      context.get(), demands.purpose == std::string("sslserver") ? "ssl_server" : "ssl_client");
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_auth_level(wanted, demands.security_level);
  X509_VERIFY_PARAM_set_hostflags(
      wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (demands.host != nullptr) X509_VERIFY_PARAM_set1_host(wanted, demands.host, 0);
  if (demands.address != nullptr) X509_VERIFY_PARAM_set1_ip_asc(wanted, demands.address);
  const int good = X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  EXPECT_EQ(good == 1, error == X509_V_OK);
  return error;
}

int verify(const std::string& identity, const Demands& demands, const std::string& trust = "root") {
  const Identity* shown = authority().identity(identity);
  const Trust* believed = authority().trust(trust);
  if (shown == nullptr || believed == nullptr) throw std::runtime_error("no " + identity);
  return verify(*shown, *believed, demands);
}

/// Expected is what OpenSSL must find in an identity.
struct Expected {
  const char* identity;
  int error;
};

/// expect_each verifies every row, and demands a row for every identity whose name begins so.
void expect_each(std::span<const Expected> table, const Demands& demands, const char* beginning) {
  std::vector<std::string> covered;
  for (const Expected& row : table) {
    const int error = verify(row.identity, demands);
    EXPECT_EQ(error, row.error) << row.identity << ": " << X509_verify_cert_error_string(error);
    covered.emplace_back(row.identity);
  }
  for (const std::string& name : authority().identity_names()) {
    const bool listed = std::find(covered.begin(), covered.end(), name) != covered.end();
    EXPECT_TRUE(listed || !name.starts_with(beginning)) << name << " is in no row";
  }
}

TEST(Authority, ShowsServersWithTheFaultThatIsDeclaredAndNoOther) {
  constexpr Expected kTable[] = {
      {"server-good", X509_V_OK},
      {"server-good-intermediate", X509_V_OK},
      {"server-rsa", X509_V_OK},
      {"server-wildcard", X509_V_OK},
      {"server-no-purpose", X509_V_OK},
      {"server-unknown-extension", X509_V_OK},
      {"server-self-signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
      {"server-untrusted", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
      {"server-forged-issuer", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
      {"server-expired", X509_V_ERR_CERT_HAS_EXPIRED},
      {"server-not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID},
      {"server-wrong-host", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server-wrong-host-right-cn", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server-cn-only", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server-partial-wildcard", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server-deep-wildcard", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server-nul-in-name", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server-ip", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server-wrong-purpose", X509_V_ERR_INVALID_PURPOSE},
      {"server-missing-intermediate", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
      {"server-issuer-no-ca", X509_V_ERR_INVALID_CA},
      {"server-issuer-no-constraints", X509_V_ERR_INVALID_CA},
      {"server-issuer-leaf", X509_V_ERR_INVALID_CA},
      {"server-issuer-expired", X509_V_ERR_CERT_HAS_EXPIRED},
      {"server-issuer-weak-key", X509_V_ERR_CA_KEY_TOO_SMALL},
      {"server-issuer-wrong-purpose", X509_V_ERR_INVALID_PURPOSE},
      {"server-path-too-long", X509_V_ERR_PATH_LENGTH_EXCEEDED},
      {"server-name-constraint", X509_V_ERR_PERMITTED_VIOLATION},
      {"server-critical-extension", X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION},
      {"server-weak-key", X509_V_ERR_EE_KEY_TOO_SMALL},
      {"server-sha1", X509_V_ERR_CA_MD_TOO_WEAK},
      {"server-tampered", X509_V_ERR_CERT_SIGNATURE_FAILURE},
  };
  expect_each(kTable, kServer, "server-");
}

TEST(Authority, ShowsClientsWithTheFaultThatIsDeclaredAndNoOther) {
  constexpr Expected kTable[] = {
      {"client-good", X509_V_OK},
      {"client-good-intermediate", X509_V_OK},
      {"client-rsa", X509_V_OK},
      {"client-no-purpose", X509_V_OK},
      {"client-no-name", X509_V_OK},
      {"client-self-signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
      {"client-untrusted", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
      {"client-forged-issuer", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
      {"client-expired", X509_V_ERR_CERT_HAS_EXPIRED},
      {"client-not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID},
      {"client-wrong-purpose", X509_V_ERR_INVALID_PURPOSE},
      {"client-missing-intermediate", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
      {"client-issuer-no-ca", X509_V_ERR_INVALID_CA},
      {"client-issuer-leaf", X509_V_ERR_INVALID_CA},
      {"client-issuer-expired", X509_V_ERR_CERT_HAS_EXPIRED},
      {"client-issuer-wrong-purpose", X509_V_ERR_INVALID_PURPOSE},
      {"client-path-too-long", X509_V_ERR_PATH_LENGTH_EXCEEDED},
      {"client-name-constraint", X509_V_ERR_PERMITTED_VIOLATION},
      {"client-critical-extension", X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION},
      {"client-weak-key", X509_V_ERR_EE_KEY_TOO_SMALL},
      {"client-sha1", X509_V_ERR_CA_MD_TOO_WEAK},
      {"client-tampered", X509_V_ERR_CERT_SIGNATURE_FAILURE},
  };
  expect_each(kTable, kClient, "client-");
}

}  // namespace
}  // namespace postern::certs
