// What the administrator should know about settings that are allowed.
#pragma once

#include <string>
#include <vector>

#include "config.hpp"

namespace gateway {

// Warning goes into the journal when settings come into force.
struct Warning {
  std::string requirement;  // SET-3
  std::string reason;
};

// warnings_about are those about a configuration: SET-3, SET-4, IN-6, for the clients of each
// network as for all others.
std::vector<Warning> warnings_about(const TlsConfig& tls);

}  // namespace gateway
