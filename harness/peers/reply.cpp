#include "peers/reply.hpp"

#include <algorithm>
#include <cctype>

namespace postern {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

// enhanced_of gives the enhanced status code at the head of a reply's text (RFC 3463 §2).
std::string enhanced_of(std::string_view text) {
  std::size_t at = 0;
  int dots = 0;
  while (at < text.size() && (is_digit(text[at]) || text[at] == '.')) dots += text[at++] == '.';
  if (dots != 2 || at < 5 || text[1] != '.' || (at < text.size() && text[at] != ' ')) return {};
  if (text[0] != '2' && text[0] != '4' && text[0] != '5') return {};
  return std::string(text.substr(0, at));
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return upper(x) == upper(y); });
}

std::string verb_of(std::string_view line) {
  std::string verb;
  for (char c : without_line_end(line)) {
    if (c == ' ' || c == '\t') break;
    verb += upper(c);
  }
  return verb;
}

std::string name_of(std::string_view line) {
  std::string verb = verb_of(line);
  const bool is_one = !verb.empty() && std::all_of(verb.begin(), verb.end(),
                                                   [](char c) { return c >= 'A' && c <= 'Z'; });
  return is_one ? verb : "\"" + std::string(without_line_end(line)) + "\"";
}

bool Reply::offers(std::string_view keyword) const {
  for (std::size_t i = 1; i < lines.size(); ++i)
    if (same_word(verb_of(lines[i]), keyword)) return true;
  return false;
}

std::string Reply::text() const {
  std::string out = std::to_string(code);
  for (std::size_t i = 0; i < lines.size(); ++i) out += (i == 0 ? " " : "/") + lines[i];
  return out;
}

bool ReplyReader::add(std::string_view line) {
  if (!line.ends_with("\r\n")) reply_.problem = "a line that does not end with CRLF";
  line = without_line_end(line);
  if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]) ||
      (line.size() > 3 && line[3] != ' ' && line[3] != '-')) {
    reply_.problem = "a line that is no reply: " + std::string(line.substr(0, 80));
    return true;
  }
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (!reply_.lines.empty() && code != reply_.code) reply_.problem = "lines with different codes";
  reply_.code = code;
  const std::string_view text = line.size() > 4 ? line.substr(4) : std::string_view();
  if (reply_.lines.empty()) reply_.enhanced = enhanced_of(text);
  reply_.lines.emplace_back(text);
  if (reply_.lines.size() > 256) {
    reply_.problem = "more than 256 lines";
    return true;
  }
  return line.size() == 3 || line[3] == ' ';
}

bool matches_reply(std::string_view pattern, int code) {
  const std::string digits = std::to_string(code);
  if (pattern.size() != digits.size()) return false;
  for (std::size_t i = 0; i < digits.size(); ++i)
    if (pattern[i] != digits[i] && pattern[i] != 'y' && pattern[i] != 'z') return false;
  return true;
}

std::string dot_stuffed(std::string_view message) {
  std::string out;
  out.reserve(message.size() + 16);
  bool line_start = true;
  for (char c : message) {
    if (line_start && c == '.') out += '.';
    out += c;
    line_start = c == '\n';
  }
  out += ".\r\n";
  return out;
}

}  // namespace postern
