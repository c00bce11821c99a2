// Message data: what stands between the 354 and the line with a single dot, and back to the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gateway {

// received_by tells whether a whole Received field says that `name` took the message over: its
// By-domain, RFC 5321 section 4.4. Comments do not count.
bool received_by(std::string_view field, std::string_view name);

// DataReader undoes dot transparency (RFC 5321 section 4.5.2) and finds the end of the data. Only
// CRLF.CRLF ends it; a bare CR or LF anywhere is remembered, so that the message can be refused as
// a whole and nothing can be smuggled.
class DataReader {
 public:
  // `own_name` is the name of this gateway, as it stands in its own Received fields.
  explicit DataReader(std::string own_name = {}) : own_name_(std::move(own_name)) {}

  // feed reads bytes, appends content to `content` and returns how many bytes were used. Once
  // ended() is true what follows belongs to the next command.
  std::size_t feed(std::string_view bytes, std::string& content);

  bool ended() const { return ended_; }
  bool bare_line_ending() const { return bare_; }
  bool eight_bit() const { return eight_bit_; }
  std::uint64_t size() const { return size_; }                     // octets of content so far
  std::uint64_t longest_line() const { return longest_; }          // octets without CRLF
  unsigned received_headers() const { return received_; }          // for the detection of loops
  unsigned own_received_headers() const { return own_received_; }  // those of this gateway

  // utf8_header tells whether a header field, of the message or of one of its parts, has octets
  // above 127. What follows a line that may be the delimiter of a part is taken for a header up to
  // the next empty line: rather too much than too little (RFC 6531 section 3.6).
  bool utf8_header() const { return utf8_header_; }

 private:
  enum class At { line_start, dot, dot_cr, text, cr };

  void emit(char c, std::string& content);
  void end_field();
  void end_line();

  At at_ = At::line_start;
  bool ended_ = false;
  bool bare_ = false;
  bool eight_bit_ = false;
  bool in_header_ = true;
  bool in_part_header_ = false;
  bool utf8_header_ = false;
  std::uint64_t size_ = 0;
  std::uint64_t line_ = 0;
  std::uint64_t longest_ = 0;
  unsigned received_ = 0;
  unsigned own_received_ = 0;
  std::string own_name_;
  std::string field_;          // of the header, folded lines included, its start
  std::string start_of_line_;  // behind the header
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
