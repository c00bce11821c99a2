// Bounces: what tells a sender that a message was given up (RFC 3464, RFC 6522, RFC 6533).
#pragma once

#include <string>
#include <vector>

#include "message.hpp"

namespace gateway {

// Failure is one recipient that was given up.
struct Failure {
  std::string recipient;
  std::string enhanced;
  std::string reason;
  std::string reply;     // of the next hop, code and text; empty where none was the reason
  std::string next_hop;  // its name; empty if none was reached
};

// header_of returns the header of a message out of the first piece of its body, shortened to what
// a bounce should carry, with a line ending at its end.
std::string header_of(std::string_view first_piece);

// make_bounce writes the content of a bounce about `original`. `bounce` is the envelope of the
// bounce itself (null sender, the original sender as its recipient); its size and what it asks of a
// next hop (8BITMIME, SMTPUTF8) are set from the content.
std::string make_bounce(const std::string& gateway_name, Envelope& bounce, const Envelope& original,
                        const std::vector<Failure>& failures, const std::string& original_header);

}  // namespace gateway
