// A message as the queue knows it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "values.hpp"

namespace gateway {

// Recipient is one address still to be served.
struct Recipient {
  std::uint64_t number = 0;  // within its message
  std::string address;
  unsigned attempts = 0;  // made so far
  TimePoint next_attempt{};
  std::string enhanced;  // of the last failure
  std::string reason;    // of the last failure
};

// kHeld is the next attempt of a recipient that waits until somebody lets it go.
inline constexpr TimePoint kHeld{std::chrono::seconds(253402300799)};  // the end of 9999

// Envelope is all of a message but its body. An id rises with time and is never used twice.
struct Envelope {
  std::uint64_t id = 0;
  std::string sender;  // empty: the null sender
  TimePoint received{};
  std::uint64_t size = 0;
  bool eight_bit = false;      // the content has octets above 127
  bool declared_8bit = false;  // MAIL said BODY=8BITMIME
  bool smtputf8 = false;       // MAIL said SMTPUTF8
  bool utf8_header = false;    // a header field of the content has octets above 127
  std::vector<Recipient> recipients;
};

// is_held tells whether a message waits until somebody lets it go.
bool is_held(const Envelope& envelope);

// needs_smtputf8 tells whether the message can go to this recipient only where SMTPUTF8 is offered:
// RFC 6531 section 3.2. An address or a header field has to be the reason; the parameter is none.
bool needs_smtputf8(const Envelope& envelope, std::string_view recipient);

// queue_id writes an id as people and records see it.
std::string queue_id(std::uint64_t id);

}  // namespace gateway
