// Settings: one generation of the configuration with its key material loaded, never changed after
// it was made. Sessions and attempts hold the generation they began with (SET-5).
#pragma once

#include <memory>
#include <string>

#include "config.hpp"
#include "tls_context.hpp"

namespace gateway {

struct Settings {
  unsigned generation = 0;
  Config config;
  SslContext receiving;  // null under server-level=none
  SslContext sending;    // null where no next hop is sent to over TLS
};

// make_settings loads certificates, keys and CAs. It throws ConfigError where one is unusable.
std::shared_ptr<const Settings> make_settings(Config config, unsigned generation);

// restart_reason says which part of `next` cannot be applied to a running gateway; empty if none.
std::string restart_reason(const Config& running, const Config& next);

}  // namespace gateway
