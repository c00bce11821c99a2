// The Received header field that the gateway adds: RFC 5321 section 4.4, RFC 3848, RFC
// 6531 section 4.3.
#pragma once

#include <string>

#include "message.hpp"
#include "tls_context.hpp"

namespace gateway {

// Arrival is what a trace header tells of the way a message came in.
struct Arrival {
  std::string helo;
  bool extended = false;  // EHLO
  IpAddress client;
  TlsFacts tls;
  bool certificate_requested = false;
};

// received_header writes the field with its line endings. It names the recipient where there is
// just one and it is ASCII, so that others are not disclosed.
std::string received_header(const Arrival& arrival, const std::string& gateway_name,
                            const Envelope& envelope);

}  // namespace gateway
