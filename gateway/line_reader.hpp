// Command lines out of a stream of bytes. Only CRLF ends a line (RFC 5321 section 2.3.8).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gateway {

// Line is one command line, or the report that one was not fit to be read.
struct Line {
  enum class Fault { none, bare_line_ending, too_long };
  std::string text;  // empty when there is a fault
  Fault fault = Fault::none;
};

// LineReader holds what has come and not been used yet. A faulty line is reported once, as soon as
// the fault is seen; the rest of it up to its CRLF is thrown away unreported, so that one line in
// is one reply out and no more than `limit` octets are ever kept.
class LineReader {
 public:
  // limit: the longest line in octets, CRLF included.
  explicit LineReader(std::size_t limit) : limit_(limit) {}

  // take removes the next line; nullopt: more bytes are needed.
  std::optional<Line> take();

  // discard throws away all that came and forgets a faulty line (IN-8).
  void discard();

  // buffer is where bytes are added, and from where message data is taken.
  std::string& buffer() { return buffer_; }

 private:
  bool skip_rest();

  std::size_t limit_;
  std::string buffer_;
  bool skipping_ = false;
};

}  // namespace gateway
