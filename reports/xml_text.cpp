#include "xml_text.hpp"

#include <fmt/format.h>

#include "utf8.hpp"

namespace postern::reports {

namespace {

// U+FFFE and U+FFFF are UTF-8 but no XML characters; surrogates are neither.
bool is_noncharacter(std::string_view text, std::size_t at) {
  return text.substr(at, 3) == "\xEF\xBF\xBE" || text.substr(at, 3) == "\xEF\xBF\xBF";
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
}

void append(std::string& out, std::string_view bytes, bool attribute) {
  for (std::size_t at = 0; at < bytes.size();) {
    const char c = bytes[at];
    const std::size_t length = utf8_length(bytes, at);
    if (length > 1 && !is_noncharacter(bytes, at)) {
      out += bytes.substr(at, length);
    } else if (length != 1) {
      append_escaped(out, bytes.substr(at, length == 0 ? 1 : length));
    } else {
      switch (c) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        case '\r':
          out += "&#13;";
          break;  // A bare one would be read as a newline.
        case '\n':
          out += attribute ? "&#10;" : "\n";
          break;
        case '\t':
          out += attribute ? "&#9;" : "\t";
          break;
        default:
          if (static_cast<unsigned char>(c) < 0x20) {
            append_escaped(out, bytes.substr(at, 1));
          } else {
            out += c;
          }
      }
    }
    at += length == 0 ? 1 : length;
  }
}

}  // namespace

void append_xml(std::string& out, std::string_view bytes) {
  append(out, bytes, false);
}

void append_xml_attribute(std::string& out, std::string_view name, std::string_view bytes) {
  out += ' ';
  out += name;
  out += "=\"";
  append(out, bytes, true);
  out += '"';
}

}  // namespace postern::reports
