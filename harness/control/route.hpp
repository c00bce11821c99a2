#pragma once

#include <string>

namespace postern {

/// Route is where the gateway is told to send the mail of one domain. The sender's mailbox is a
/// route like any other.
struct Route {
  std::string domain;
  std::string host;     ///< The name the gateway has to verify.
  std::string address;  ///< Where the fake server listens.
  unsigned short port = 0;
  std::string level = {};  ///< Its next-hop-level; empty: as the settings have it.
};

}  // namespace postern
