#include "message.hpp"

#include "utf8.hpp"

namespace gateway {

bool needs_smtputf8(const Envelope& envelope, std::string_view recipient) {
  if (!envelope.smtputf8) return false;
  return envelope.utf8_header || !is_ascii(envelope.sender) || !is_ascii(recipient);
}

}  // namespace gateway
