#include "message.hpp"

#include <algorithm>

#include "utf8.hpp"

namespace gateway {

bool is_held(const Envelope& envelope) {
  return std::any_of(envelope.recipients.begin(), envelope.recipients.end(),
                     [](const Recipient& recipient) { return recipient.next_attempt == kHeld; });
}

bool needs_smtputf8(const Envelope& envelope, std::string_view recipient) {
  if (!envelope.smtputf8) return false;
  return envelope.utf8_header || !is_ascii(envelope.sender) || !is_ascii(recipient);
}

}  // namespace gateway
