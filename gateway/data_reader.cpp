#include "data_reader.hpp"

#include <algorithm>

#include "smtp_command.hpp"

namespace gateway {
namespace {

constexpr std::string_view kReceived = "received:";

}  // namespace

void DataReader::emit(char c, std::string& content) {
  if (static_cast<unsigned char>(c) >= 0x80) eight_bit_ = true;
  ++size_;
  ++line_;
  if (in_header_ && start_of_line_.size() < kReceived.size()) start_of_line_ += c;
  if (!bare_) content += c;
}

void DataReader::end_line() {
  longest_ = std::max(longest_, line_ - 2);
  if (in_header_) {
    if (line_ == 2) in_header_ = false;
    if (lower_case(start_of_line_) == kReceived) ++received_;
    start_of_line_.clear();
  }
  line_ = 0;
  at_ = At::line_start;
}

std::size_t DataReader::feed(std::string_view bytes, std::string& content) {
  std::size_t used = 0;
  while (used < bytes.size() && !ended_) {
    const char c = bytes[used++];
    if (at_ == At::dot_cr && c == '\n') {
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
