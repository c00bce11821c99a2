#include "line_reader.hpp"

namespace gateway {
namespace {

// Finding says where the first CRLF or the first fault of a buffer is.
struct Finding {
  std::size_t end = std::string::npos;   // position of the CR of a CRLF
  std::size_t bare = std::string::npos;  // position of a bare CR or LF before it
};

Finding look(std::string_view text) {
  Finding found;
  for (std::size_t i = text.find_first_of("\r\n"); i != std::string_view::npos;
       i = text.find_first_of("\r\n", i + 1)) {
    if (text[i] == '\r' && i + 1 == text.size()) return found;  // undecided yet
    if (text[i] == '\r' && text[i + 1] == '\n') {
      found.end = i;
      return found;
    }
    if (found.bare == std::string::npos) found.bare = i;
  }
  return found;
}

}  // namespace

bool LineReader::skip_rest() {
  const auto end = buffer_.find("\r\n");
  if (end == std::string::npos) {
    const bool half = !buffer_.empty() && buffer_.back() == '\r';
    buffer_.assign(half ? "\r" : "");
    return false;
  }
  buffer_.erase(0, end + 2);
  skipping_ = false;
  return true;
}

std::optional<Line> LineReader::take() {
  if (skipping_ && !skip_rest()) return std::nullopt;
  const Finding found = look(buffer_);
  Line line;
  if (found.bare != std::string::npos) {
    line.fault = Line::Fault::bare_line_ending;
  } else if (found.end == std::string::npos ? buffer_.size() > limit_ : found.end + 2 > limit_) {
    line.fault = Line::Fault::too_long;
  } else if (found.end == std::string::npos) {
    return std::nullopt;
  }
  if (line.fault != Line::Fault::none) {
    skipping_ = true;
    skip_rest();
    return line;
  }
  line.text = buffer_.substr(0, found.end);
  buffer_.erase(0, found.end + 2);
  return line;
}

void LineReader::discard() {
  buffer_.clear();
  skipping_ = false;
}

}  // namespace gateway
