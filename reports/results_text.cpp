#include "results_text.hpp"

#include <array>

#include "utf8.hpp"

namespace postern::reports {

namespace {

// Bytes that stand for themselves in the file. A table, because a run writes tens of megabytes.
constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (unsigned c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = plain_bytes();

void append_special(std::string& out, unsigned char byte) {
  constexpr char kHex[] = "0123456789ABCDEF";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\\\\\";
      return;  // Doubled by us, each doubled again by JSON.
    case '\r':
      out += "\\r";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xF];
  }
}

// Returns the value of an upper-case hex digit, or -1.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void append_json_string(std::string& out, std::string_view bytes) {
  out += '"';
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t end = at;
    while (end < bytes.size() && kPlain[static_cast<unsigned char>(bytes[end])]) ++end;
    out.append(bytes, at, end - at);
    at = end;
    if (at == bytes.size()) break;
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const std::size_t length = byte < 0x80 ? 0 : utf8_length(bytes, at);
    if (length > 0) {
      out.append(bytes, at, length);
      at += length;
    } else {
      append_special(out, byte);
      ++at;
    }
  }
  out += '"';
}

bool from_carried(std::string_view carried, std::string& bytes) {
  bytes.clear();
  std::size_t at = 0;
  while (at < carried.size()) {
    const std::size_t slash = carried.find('\\', at);
    bytes.append(carried, at, slash == std::string_view::npos ? slash : slash - at);
    if (slash == std::string_view::npos) return true;
    if (carried.substr(slash, 2) == "\\\\") {
      bytes += '\\';
      at = slash + 2;
      continue;
    }
    if (carried.size() < slash + 4 || carried[slash + 1] != 'x') return false;
    const int high = hex_value(carried[slash + 2]);
    const int low = hex_value(carried[slash + 3]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high * 16 + low);
    at = slash + 4;
  }
  return true;
}

}  // namespace postern::reports
