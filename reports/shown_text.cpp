#include "shown_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "utf8.hpp"

namespace postern::reports {

namespace {

// U+00A1 to U+024F but the soft hyphen: one column each on every terminal.
bool is_plain_latin(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const auto tail = static_cast<unsigned char>(text[at + 1]);
  const unsigned code = (lead & 0x1FU) << 6 | (tail & 0x3FU);
  return code >= 0xA1 && code <= 0x24F && code != 0xAD;
}

// columns of what may hold colours: ESC [ … m.
std::size_t visible_columns(std::string_view text) {
  std::string bare;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t end = text.substr(at).starts_with("\x1b[") ? text.find('m', at) : text.npos;
    if (end == text.npos) {
      bare += text[at];
    } else {
      at = end;
    }
  }
  return columns(bare);
}

}  // namespace

std::string shown(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (byte == '\\') {
      text += "\\\\";
    } else if (byte >= 0x20 && byte < 0x7F) {
      text += bytes[at];
    } else if (byte == '\r') {
      text += "\\r";
    } else if (byte == '\n') {
      text += "\\n";
    } else if (byte == '\t') {
      text += "\\t";
    } else if (byte >= 0x80 && utf8_length(bytes, at) == 2 && is_plain_latin(bytes, at)) {
      text += bytes.substr(at++, 2);
    } else {
      text += fmt::format("\\x{:02X}", byte);
    }
  }
  return text;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

std::vector<std::string> cut_columns(std::string_view text, std::size_t width) {
  std::vector<std::string> pieces(1);
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text, at), 1);
    if (used == width) {
      pieces.emplace_back();
      used = 0;
    }
    pieces.back() += text.substr(at, length);
    at += length;
    ++used;
  }
  return pieces;
}

std::vector<std::string> wrap_words(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::istringstream words{std::string(text)};
  std::string word;
  while (words >> word) {
    for (const std::string& piece : cut_columns(word, width)) {
      std::string& line = lines.back();
      if (line.empty()) {
        line = piece;
      } else if (columns(line) + 1 + columns(piece) <= width) {
        line += " " + piece;
      } else {
        lines.push_back(piece);
      }
    }
  }
  return lines;
}

std::string folded(std::string_view line, std::size_t width) {
  if (visible_columns(line) <= width) return std::string(line);
  std::string text;
  std::size_t used = 0, hang = 0;
  bool begun = false;  // There is a word on the line.
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = std::min(line.find_first_not_of(' ', at), line.size());
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    const std::size_t gap = begin - at, wide = visible_columns(word);
    if (!begun) {
      hang = std::min(gap + 2, width / 2);
    } else if (gap > 1 && used + gap <= width / 2) {
      hang = used + gap;
    }
    if (begun && used + gap + wide > width) {
      text += "\n" + std::string(hang, ' ');
      used = hang;
    } else {
      text += std::string(gap, ' ');
      used += gap;
    }
    text += word;
    used += wide;
    begun = true;
    at = end;
  }
  return text;
}

std::string padded(std::string_view text, std::size_t width, std::string_view fill) {
  const std::size_t used = columns(text);
  return std::string(text) + repeated(fill, used < width ? width - used : 0);
}

std::string repeated(std::string_view unit, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += unit;
  return text;
}

}  // namespace postern::reports
