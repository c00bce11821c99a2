// SMTP commands as a server reads them: RFC 5321 section 4.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

enum class Verb {
  ehlo,
  helo,
  starttls,
  mail,
  rcpt,
  data,
  rset,
  noop,
  vrfy,
  help,
  quit,
  bdat,
  auth,
  expn,
  unknown,
};

// Command is one command line, split at its first space. `argument` has no space at either end.
struct Command {
  Verb verb = Verb::unknown;
  std::string name;  // the verb as written, in upper case
  std::string argument;
};

// parse_command splits a line (without its CRLF). It never fails: what is not known is `unknown`.
Command parse_command(std::string_view line);

// Path is an address of MAIL FROM or RCPT TO with the parameters behind it.
struct Path {
  std::string mailbox;  // without angle brackets and source route; empty for <>
  std::vector<std::string> parameters;
};

// parse_path reads `FROM:<...> PARAMETERS` (keyword "FROM") or `TO:<...>` (keyword "TO"). It
// returns nullopt when the syntax is not that of RFC 5321 section 4.1.2.
std::optional<Path> parse_path(std::string_view argument, std::string_view keyword);

// domain_of is what stands behind the last @ of a mailbox, in lower case; empty if there is none.
std::string domain_of(std::string_view mailbox);

// is_mailbox tells whether `mailbox` is local@domain of printable ASCII, and, where `utf8` allows
// it (RFC 6531 section 3.3), of other characters in valid UTF-8, short enough for RFC 5321 section
// 4.5.3.1.
bool is_mailbox(std::string_view mailbox, bool utf8 = false);

// lower_case and upper_case change ASCII letters only.
std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);

}  // namespace gateway
