// Settings: one generation of the configuration with its key material loaded, never changed after
// it was made. Sessions and attempts hold the generation they began with (SET-5).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config.hpp"
#include "expiry.hpp"
#include "tls_context.hpp"

namespace gateway {

// Reception is how one client is received.
struct Reception {
  ReceivingPolicy policy;
  std::string network;         // whose policy it is; empty: that of all who belong to no network
  SSL_CTX* context = nullptr;  // null under server-level=none; owned by the settings
};

struct Settings {
  // reception_of is how `client` is received.
  Reception reception_of(const IpAddress& client) const;

  unsigned generation = 0;
  Config config;
  SslContext receiving;                        // null under server-level=none
  std::vector<SslContext> receiving_networks;  // one for each of config.tls.client_networks
  SslContext sending;                          // null where no next hop is sent to over TLS
  std::vector<DatedCertificate> certificates;  // all that are in use
};

// make_settings loads certificates, keys and CAs. It throws ConfigError where one is unusable.
std::shared_ptr<const Settings> make_settings(Config config, unsigned generation);

// restart_reason says which part of `next` cannot be applied to a running gateway; empty if none.
std::string restart_reason(const Config& running, const Config& next);

}  // namespace gateway
