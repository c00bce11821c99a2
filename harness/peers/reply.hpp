#pragma once

#include <string>
#include <string_view>
#include <vector>

// SMTP replies as a client hears them (RFC 5321 §4.2), and small text rules of SMTP.

namespace postern {

/// Reply is one whole reply; a multi-line one has all its lines.
struct Reply {
  int code = 0;
  std::string enhanced;            ///< "5.7.0"; empty where there is none (RFC 2034).
  std::vector<std::string> lines;  ///< Without code and line end.
  std::string problem;             ///< What is wrong with its form; empty: nothing.

  /// offers tells whether an EHLO reply names the keyword (RFC 5321 §4.1.1.1), in any case.
  bool offers(std::string_view keyword) const;
  std::string text() const;  ///< "250 PIPELINING/SIZE 1000"
};

/// ReplyReader puts a reply together line by line.
class ReplyReader {
 public:
  /// add takes one line with its end; true when the reply is whole.
  bool add(std::string_view line);
  const Reply& reply() const { return reply_; }

 private:
  Reply reply_;
};

/// matches tells whether a code fits a pattern in which y and z stand for any digit ("5yz").
bool matches_reply(std::string_view pattern, int code);

/// dot_stuffed gives the text of a message as it goes over the wire, final dot line included
/// (RFC 5321 §4.5.2). `message` has CRLF line ends and ends with one.
std::string dot_stuffed(std::string_view message);

/// same_word compares without regard to case.
bool same_word(std::string_view a, std::string_view b);

/// verb_of gives the first word of a command line in upper case.
std::string verb_of(std::string_view line);

/// name_of says for people what a line is: the verb it begins with, or where its first word is
/// none, the line itself in quotation marks.
std::string name_of(std::string_view line);

}  // namespace postern
