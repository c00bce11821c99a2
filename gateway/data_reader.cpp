#include "data_reader.hpp"

#include <algorithm>
#include <vector>

#include "smtp_command.hpp"

namespace gateway {
namespace {

constexpr std::string_view kReceived = "received:";

// Of a field nothing is looked at beyond this; it is longer than any honest Received field.
constexpr std::size_t kLongestField = 4096;

// words_of lists the words of a Received field in front of its date, without comments (RFC 5322
// section 3.2.2).
std::vector<std::string> words_of(std::string_view field) {
  std::vector<std::string> words(1);
  unsigned depth = 0;
  for (std::size_t i = 0; i < field.size() && (depth > 0 || field[i] != ';'); ++i) {
    const char c = field[i];
    if (depth > 0 && c == '\\') {
      ++i;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0 && std::string_view(" \t\r\n").find(c) == std::string_view::npos) {
      words.back() += c;
      continue;
    }
    if (!words.back().empty()) words.emplace_back();
  }
  return words;
}

bool may_delimit_parts(std::string_view line) {
  // "-- " alone is what mail programs put above a signature.
  return line.substr(0, 2) == "--" && line != "-- \r\n";
}

}  // namespace

bool received_by(std::string_view field, std::string_view name) {
  const auto words = words_of(field.substr(field.find(':') + 1));
  const bool has_from = lower_case(words.front()) == "from";
  for (std::size_t i = has_from ? 2 : 0; i + 1 < words.size(); ++i) {
    if (lower_case(words[i]) == "by") return lower_case(words[i + 1]) == lower_case(name);
  }
  return false;
}

void DataReader::emit(char c, std::string& content) {
  if (static_cast<unsigned char>(c) >= 0x80) {
    eight_bit_ = true;
    utf8_header_ = utf8_header_ || in_header_ || in_part_header_;
  }
  const bool folded = c == ' ' || c == '\t';
  if (in_header_ && line_ == 0 && !folded) end_field();
  ++size_;
  ++line_;
  if (in_header_ && field_.size() < kLongestField) field_ += c;
  if (!in_header_ && start_of_line_.size() < kReceived.size()) start_of_line_ += c;
  if (!bare_) content += c;
}

void DataReader::end_field() {
  if (lower_case(std::string_view(field_).substr(0, kReceived.size())) == kReceived) {
    ++received_;
    if (received_by(field_, own_name_)) ++own_received_;
  }
  field_.clear();
}

void DataReader::end_line() {
  longest_ = std::max(longest_, line_ - 2);
  if (line_ == 2) {
    in_header_ = false;
    in_part_header_ = false;
  } else if (!in_header_ && may_delimit_parts(start_of_line_)) {
    in_part_header_ = true;
  }
  start_of_line_.clear();
  line_ = 0;
  at_ = At::line_start;
}

std::size_t DataReader::feed(std::string_view bytes, std::string& content) {
  std::size_t used = 0;
  while (used < bytes.size() && !ended_) {
    const char c = bytes[used++];
    if (at_ == At::dot_cr && c == '\n') {
      end_field();
      ended_ = true;
      continue;
    }
    if (at_ == At::dot_cr) {  // ".\r" and no LF: both are content, and the CR is bare
      bare_ = true;
      emit('\r', content);
      at_ = At::text;
    }
    if (at_ == At::cr) {
      emit('\r', content);
      if (c == '\n') {
        emit('\n', content);
        end_line();
        continue;
      }
      bare_ = true;
      at_ = At::text;
    }
    if (at_ == At::line_start && c == '.') {
      at_ = At::dot;
    } else if (c == '\r') {
      at_ = at_ == At::dot ? At::dot_cr : At::cr;
    } else {
      if (c == '\n') bare_ = true;
      emit(c, content);
      at_ = At::text;
    }
  }
  longest_ = std::max(longest_, line_);
  return used;
}

std::string DotStuffer::stuff(std::string_view content) {
  std::string out;
  out.reserve(content.size() + 16);
  while (!content.empty()) {
    if (at_line_start_ && content.front() == '.') out += '.';
    const auto end = content.find('\n');
    const auto length = end == std::string_view::npos ? content.size() : end + 1;
    out.append(content.substr(0, length));
    at_line_start_ = end != std::string_view::npos;
    content.remove_prefix(length);
  }
  return out;
}

std::string DotStuffer::end() const {
  return at_line_start_ ? ".\r\n" : "\r\n.\r\n";
}

}  // namespace gateway
