#include "judge/judge.hpp"

namespace postern {
namespace {

// Headers that a relay puts before a message to trace it (RFC 5321 §4.4), by name, lower case.
bool is_trace(std::string_view line) {
  std::string name;
  for (char c : line) {
    if (c == ':') break;
    name += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return name == "received" || name == "return-path" || name == "delivered-to" ||
         name == "x-original-to" || name.starts_with("received-") ||
         name.starts_with("authentication-");
}

}  // namespace

bool intact(const std::string& submitted, const std::string& received, std::string& problem) {
  if (!received.ends_with(submitted)) {
    std::size_t same = 0;
    while (same < submitted.size() && same < received.size() &&
           submitted[submitted.size() - 1 - same] == received[received.size() - 1 - same])
      ++same;
    problem = "the message came changed: " + std::to_string(submitted.size()) +
              " bytes were submitted, " + std::to_string(received.size()) +
              " delivered, and counted from the end they differ at byte " + std::to_string(same);
    return false;
  }
  const std::string_view before(received.data(), received.size() - submitted.size());
  for (std::size_t at = 0; at < before.size();) {
    const std::size_t end = before.find("\r\n", at);
    const std::string_view line = before.substr(at, end == std::string_view::npos ? end : end - at);
    const bool folded = at > 0 && (line.starts_with(' ') || line.starts_with('\t'));
    if (end == std::string_view::npos || (!folded && !is_trace(line))) {
      problem =
          "before the message stands what is no trace header: " + std::string(line.substr(0, 80));
      return false;
    }
    at = end + 2;
  }
  return true;
}

}  // namespace postern
