#include "catalogue/tls_suites.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <memory>

#include "catalogue/values.hpp"

namespace postern {
namespace {

int protocol(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return TLS1_VERSION;
    case TlsVersion::k11:
      return TLS1_1_VERSION;
    case TlsVersion::k12:
      return TLS1_2_VERSION;
    case TlsVersion::k13:
      return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

void append(std::string& list, std::string_view word) {
  if (!list.empty()) list += ':';
  list += word;
}

}  // namespace

bool use_versions(SSL_CTX* context, const std::vector<TlsVersion>& versions) {
  const auto [low, high] = std::minmax_element(versions.begin(), versions.end());
  if (low == versions.end()) return true;
  return SSL_CTX_set_min_proto_version(context, protocol(*low)) == 1 &&
         SSL_CTX_set_max_proto_version(context, protocol(*high)) == 1;
}

bool use_ciphers(SSL_CTX* context, const std::string& list) {
  std::string new_ones, old_ones;
  for (std::string_view word : split(list, ':'))
    append(word.starts_with("TLS_") ? new_ones : old_ones, word);
  if (!new_ones.empty() && SSL_CTX_set_ciphersuites(context, new_ones.c_str()) != 1) return false;
  return old_ones.empty() || SSL_CTX_set_cipher_list(context, old_ones.c_str()) == 1;
}

std::vector<std::string> offered_suites(const std::vector<TlsVersion>& versions,
                                        const std::string& list, std::string& error) {
  std::vector<std::string> names;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);
  const bool understood = use_versions(context.get(), versions) && use_ciphers(context.get(), list);
  ERR_clear_error();
  if (!understood) {
    error = "no suite is known by that name";
    return names;
  }
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  STACK_OF(SSL_CIPHER)* suites = SSL_get1_supported_ciphers(ssl.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i)
    names.emplace_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i)));
  sk_SSL_CIPHER_free(suites);
  ERR_clear_error();
  if (names.empty()) error = "none of them belongs to the versions in \"tls\"";
  return names;
}

}  // namespace postern
