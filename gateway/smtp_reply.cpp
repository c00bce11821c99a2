#include "smtp_reply.hpp"

#include <algorithm>
#include <cctype>

namespace gateway {
namespace {

constexpr std::size_t kLongestLine = 2048;  // RFC 5321 section 4.5.3.1.5 says 512
constexpr std::size_t kLongestReply = 65536;
constexpr std::size_t kLongestText = 500;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string Reply::wire() const {
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += std::to_string(code);
    out += i + 1 < lines.size() ? '-' : ' ';
    if (!enhanced.empty()) {
      out += enhanced;
      out += ' ';
    }
    out += lines[i];
    out += "\r\n";
  }
  return out;
}

std::string PeerReply::text() const {
  std::string out;
  for (const auto& line : lines) {
    if (!out.empty()) out += ' ';
    out += line;
    if (out.size() > kLongestText) {
      out.resize(kLongestText);
      break;
    }
  }
  return out;
}

std::string PeerReply::enhanced_or(std::string_view fallback) const {
  if (!lines.empty()) {
    const std::string_view line = lines.front();
    const auto end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    const auto dots = std::count(word.begin(), word.end(), '.');
    const bool shape =
        word.size() >= 5 && word.size() <= 9 && dots == 2 &&
        std::all_of(word.begin(), word.end(), [](char c) { return c == '.' || is_digit(c); }) &&
        word[1] == '.' && word.back() != '.';
    // RFC 2034 section 4: the class of the enhanced code agrees with the reply code.
    if (shape && word[0] - '0' == code / 100) return std::string(word);
  }
  return std::string(fallback);
}

PeerReplyReader::Status PeerReplyReader::take(std::string& buffer, PeerReply& reply) {
  for (;;) {
    const auto end = buffer.find('\n');
    if (end == std::string::npos) {
      return buffer.size() > kLongestLine ? Status::invalid : Status::incomplete;
    }
    std::string line = buffer.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    octets_ += end + 1;
    if (end > kLongestLine || octets_ > kLongestReply || line.size() < 3) return Status::invalid;
    const bool code_ok = line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) && is_digit(line[2]);
    const bool separator_ok = line.size() == 3 || line[3] == ' ' || line[3] == '-';
    if (!code_ok || !separator_ok) return Status::invalid;
    const int code = std::stoi(line.substr(0, 3));
    // A multi-line reply carries one code (RFC 5321 section 4.2.1).
    if (!partial_.lines.empty() && partial_.code != code) return Status::invalid;
    partial_.code = code;
    partial_.lines.push_back(line.size() > 4 ? line.substr(4) : std::string());
    buffer.erase(0, end + 1);
    if (line.size() == 3 || line[3] == ' ') {
      reply = std::move(partial_);
      partial_ = {};
      octets_ = 0;
      return Status::complete;
    }
  }
}

}  // namespace gateway
