// Message data: what stands between the 354 and the line with a single dot, and back to the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway {

// DataReader undoes dot transparency (RFC 5321 section 4.5.2) and finds the end of the data. Only
// CRLF.CRLF ends it; a bare CR or LF anywhere is remembered, so that the message can be refused as
// a whole and nothing can be smuggled.
class DataReader {
 public:
  // feed reads bytes, appends content to `content` and returns how many bytes were used. Once
  // ended() is true what follows belongs to the next command.
  std::size_t feed(std::string_view bytes, std::string& content);

  bool ended() const { return ended_; }
  bool bare_line_ending() const { return bare_; }
  bool eight_bit() const { return eight_bit_; }
  std::uint64_t size() const { return size_; }             // octets of content so far
  std::uint64_t longest_line() const { return longest_; }  // octets without CRLF
  unsigned received_headers() const { return received_; }  // for the detection of loops

 private:
  enum class At { line_start, dot, dot_cr, text, cr };

  void emit(char c, std::string& content);
  void end_line();

  At at_ = At::line_start;
  bool ended_ = false;
  bool bare_ = false;
  bool eight_bit_ = false;
  bool in_header_ = true;
  std::uint64_t size_ = 0;
  std::uint64_t line_ = 0;
  std::uint64_t longest_ = 0;
  unsigned received_ = 0;
  std::string start_of_line_;
};

// DotStuffer makes content fit for the wire, piece by piece: a dot at the start of a line is
// doubled.
class DotStuffer {
 public:
  std::string stuff(std::string_view content);

  // end is the line that ends the data, after a line ending if the content lacked its last one.
  std::string end() const;

 private:
  bool at_line_start_ = true;
};

}  // namespace gateway
