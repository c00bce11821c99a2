#include "smtp_command.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "utf8.hpp"

namespace gateway {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 14> kVerbs{{
    {"EHLO", Verb::ehlo},
    {"HELO", Verb::helo},
    {"STARTTLS", Verb::starttls},
    {"MAIL", Verb::mail},
    {"RCPT", Verb::rcpt},
    {"DATA", Verb::data},
    {"RSET", Verb::rset},
    {"NOOP", Verb::noop},
    {"VRFY", Verb::vrfy},
    {"HELP", Verb::help},
    {"QUIT", Verb::quit},
    {"BDAT", Verb::bdat},
    {"AUTH", Verb::auth},
    {"EXPN", Verb::expn},
}};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_printable(std::string_view text, bool utf8) {
  return std::all_of(text.begin(), text.end(), [utf8](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet > 0x20 && octet != 0x7f && (octet < 0x80 || utf8);
  });
}

// end_of_path finds the '>' that closes a path: not one inside a quoted local part.
std::size_t end_of_path(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == '>') {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

Command parse_command(std::string_view line) {
  const auto space = line.find(' ');
  Command command;
  command.name = upper_case(trim(line.substr(0, space)));
  if (space != std::string_view::npos) command.argument = trim(line.substr(space + 1));
  for (const auto& [name, verb] : kVerbs) {
    if (command.name == name) command.verb = verb;
  }
  return command;
}

std::optional<Path> parse_path(std::string_view argument, std::string_view keyword) {
  if (argument.size() <= keyword.size() ||
      upper_case(argument.substr(0, keyword.size())) != keyword ||
      argument[keyword.size()] != ':') {
    return std::nullopt;
  }
  // A space after the colon is not allowed by the letter, but common; it changes nothing.
  std::string_view rest = trim(argument.substr(keyword.size() + 1));
  if (rest.empty() || rest.front() != '<') return std::nullopt;
  const auto end = end_of_path(rest);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view mailbox = rest.substr(1, end - 1);
  if (!mailbox.empty() && mailbox.front() == '@') {
    // A source route is accepted and ignored (RFC 5321 section 4.1.1.3).
    const auto colon = mailbox.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    mailbox.remove_prefix(colon + 1);
  }
  Path path;
  path.mailbox = std::string(mailbox);
  rest.remove_prefix(end + 1);
  if (!rest.empty() && rest.front() != ' ') return std::nullopt;
  while (!(rest = trim(rest)).empty()) {
    const auto space = rest.find(' ');
    path.parameters.emplace_back(rest.substr(0, space));
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space);
  }
  return path;
}

std::string domain_of(std::string_view mailbox) {
  const auto at = mailbox.rfind('@');
  if (at == std::string_view::npos) return {};
  std::string domain = lower_case(mailbox.substr(at + 1));
  if (!domain.empty() && domain.back() == '.') domain.pop_back();
  return domain;
}

bool is_mailbox(std::string_view mailbox, bool utf8) {
  if (utf8 && !is_utf8(mailbox)) return false;
  const auto at = mailbox.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == mailbox.size()) return false;
  if (mailbox.size() > 254 + 64) return false;
  const std::string_view local = mailbox.substr(0, at);
  const std::string_view domain = mailbox.substr(at + 1);
  if (domain.size() > 255 || !is_printable(domain, utf8)) return false;
  if (domain.find_first_of("<>()\",;@\\") != std::string_view::npos) return false;
  if (local.front() == '"') {
    return local.size() >= 2 && local.back() == '"' &&
           std::all_of(local.begin(), local.end(), [utf8](char c) {
             return c == ' ' || is_printable({&c, 1}, utf8);
           });
  }
  return is_printable(local, utf8) && local.find_first_of("<>()\",;@\\") == std::string_view::npos;
}

}  // namespace gateway
