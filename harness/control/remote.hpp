#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>

#include "catalogue/condition.hpp"
#include "catalogue/gateway_file.hpp"

// Where a gateway is that is there already, and how it is set.

namespace postern {

/// RemotePlace is a <remote> with its variables put in and its name looked up.
struct RemotePlace {
  std::string name;  ///< HOST:PORT as it was given.
  boost::asio::ip::tcp::endpoint at;
  boost::asio::ip::tcp::endpoint next_hop;
  std::string domain;
  std::string settings;  ///< How it is set, as it was written; empty: <prepare> sets it.
  Assignment declared;   ///< The same, whole.

  /// why_not_under says why cases under these settings are not asked of it; "" if they are.
  std::string why_not_under(const Assignment& under) const;
};

/// look_up reads HOST:PORT, an IPv6 address in brackets (RFC 3986 §3.2.2), and looks the host up.
/// Throws std::runtime_error with what was found and what is allowed.
boost::asio::ip::tcp::endpoint look_up(const std::string& host_port);

/// find_remote puts in the variables of the environment and looks the host up; it connects to
/// nothing. Throws std::runtime_error with what is missing or wrong, and where.
RemotePlace find_remote(const Remote& remote,
                        const std::function<const char*(const std::string&)>& environment);

}  // namespace postern
