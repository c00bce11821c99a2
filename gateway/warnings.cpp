#include "warnings.hpp"

#include <string_view>

namespace gateway {
namespace {

// warn_about_policy adds what there is to say about one policy; `whom` stands in front of it.
void warn_about_policy(ReceivingPolicy policy, const TlsConfig& tls, const std::string& whom,
                       std::vector<Warning>& warnings) {
  const auto warn = [&](const char* requirement, std::string_view reason) {
    if (!reason.empty()) warnings.push_back({requirement, whom + std::string(reason)});
  };
  warn("SET-3", combination_warning(policy));
  warn("SET-4", certificate_warning(policy));
  if (requests_certificate(policy) && tls.client_ca.empty()) {
    warn("IN-6", "client certificates are requested, but there is no client-ca: none will verify");
  }
}

}  // namespace

std::vector<Warning> warnings_about(const TlsConfig& tls) {
  std::vector<Warning> warnings;
  warn_about_policy(tls.receiving, tls, {}, warnings);
  for (const auto& [network, policy] : tls.client_networks) {
    warn_about_policy(policy, tls, "for clients of " + network.to_string() + ": ", warnings);
  }
  return warnings;
}

}  // namespace gateway
