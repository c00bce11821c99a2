#include "dialogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace gateway {
namespace {

constexpr unsigned kStart = 1;
constexpr unsigned kGreeted = 2;
constexpr unsigned kMail = 4;
constexpr unsigned kRcpt = 8;
constexpr unsigned kAny = kStart | kGreeted | kMail | kRcpt;

const Reply kNone;

// speaks_http tells whether a command is the first line of an HTTP request, or a field of one. A
// browser made to send mail must not get beyond it.
bool speaks_http(const Command& command) {
  constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT"};
  if (!command.name.empty() && command.name.back() == ':') return true;
  return std::find(std::begin(kMethods), std::end(kMethods), command.name) != std::end(kMethods);
}

// misspoken tells whether a reply is to a command that was no good, whatever it was about.
bool misspoken(int code) {
  return (code >= 500 && code <= 504) || code == 530 || code == 555;
}

Reply syntax(std::string_view usage) {
  return {501, "5.5.4", usage};
}

}  // namespace

// Row says in which states a verb makes sense, what does its work, and what is answered elsewhere.
struct Dialogue::Row {
  Verb verb;
  unsigned states;
  Answer (Dialogue::*run)(const Command&);
  const char* otherwise;
};

// What can never happen: a MAIL, RCPT or DATA that the policy has not admitted (rule_on comes
// first), and a message from before STARTTLS that lives on after it (tls_started).
const Dialogue::Row Dialogue::kTable[] = {
    {Verb::ehlo, kAny, &Dialogue::ehlo, ""},
    {Verb::helo, kAny, &Dialogue::helo_command, ""},
    {Verb::starttls, kAny, &Dialogue::starttls, ""},
    {Verb::mail, kGreeted, &Dialogue::mail, "Send EHLO first, and one MAIL at a time"},
    {Verb::rcpt, kMail | kRcpt, &Dialogue::rcpt, "Send MAIL first"},
    {Verb::data, kMail | kRcpt, &Dialogue::data, "Send MAIL and RCPT first"},
    {Verb::rset, kAny, &Dialogue::rset, ""},
    {Verb::noop, kAny, &Dialogue::noop, ""},
    {Verb::vrfy, kAny, &Dialogue::vrfy, ""},
    {Verb::help, kAny, &Dialogue::help, ""},
    {Verb::quit, kAny, &Dialogue::quit, ""},
    {Verb::bdat, kAny, &Dialogue::not_implemented, ""},
    {Verb::auth, kAny, &Dialogue::not_implemented, ""},
    {Verb::expn, kAny, &Dialogue::not_implemented, ""},
};

Reply Dialogue::greeting() const {
  return {220, std::vector<std::string>{config_.name + " ESMTP Postern gateway"}};
}

bool Dialogue::must_use_tls() const {
  return policy_.level == ServerLevel::require && !tls_.active;
}

void Dialogue::reset() {
  transaction_ = {};
  if (state_ != State::start) state_ = State::greeted;
}

void Dialogue::tls_started(const TlsFacts& facts) {
  tls_ = facts;
  transaction_ = {};
  helo_.clear();
  extended_ = false;
  state_ = State::start;
}

Answer Dialogue::on_line(const Line& line) {
  Command command;
  if (line.fault == Line::Fault::none) command = parse_command(line.text);
  last_command_ = command.name;
  last_recipient_.clear();
  if (must_use_tls() && command.verb != Verb::quit &&
      ++commands_in_clear_ > config_.limits.commands_without_tls) {
    return {too_long_in_clear(), Next::drop};
  }
  if (speaks_http(command)) {
    return {Reply(500, "5.5.2", "This is SMTP, not HTTP"), Next::drop};
  }
  const ClientTls tls{tls_.active, tls_.verified};
  Ruling ruling = rule_on(policy_, tls, command.verb);
  if (ruling.admission == Admission::drop) return {std::move(ruling.reply), Next::drop};
  if (ruling.admission == Admission::refuse) return count_errors({std::move(ruling.reply), {}});
  switch (line.fault) {
    case Line::Fault::bare_line_ending:
      return count_errors({Reply(500, "5.5.2", "A line ends with CRLF, not with CR or LF"), {}});
    case Line::Fault::too_long:
      return count_errors({Reply(500, "5.5.2", "Line too long"), {}});
    case Line::Fault::none:
      break;
  }
  return count_errors(dispatch(command));
}

Answer Dialogue::dispatch(const Command& command) {
  const unsigned state = 1U << static_cast<unsigned>(state_);
  for (const Row& row : kTable) {
    if (row.verb != command.verb) continue;
    if ((row.states & state) == 0) return {Reply(503, "5.5.1", row.otherwise), {}};
    return (this->*row.run)(command);
  }
  return {Reply(500, "5.5.2", "Command not recognized"), {}};
}

// count_errors closes on a client that makes too many: commands that are no good, and, counted
// apart, recipients that are not taken, which is how addresses are guessed.
Answer Dialogue::count_errors(Answer answer) {
  if (answer.reply.code < 500 || answer.next != Next::read_command) return answer;
  const bool over = misspoken(answer.reply.code) ? ++bad_commands_ > config_.limits.bad_commands
                                                 : ++rejected_ > config_.limits.rejections;
  if (!over) return answer;
  return {Reply(421, "4.7.0", "Too many errors, closing connection"), Next::drop};
}

Answer Dialogue::ehlo(const Command& command) {
  if (command.argument.empty()) {
    return {Reply(501, std::vector<std::string>{"EHLO needs a domain"}), {}};
  }
  helo_ = command.argument;
  extended_ = true;
  transaction_ = {};
  state_ = State::greeted;
  std::vector<std::string> lines = {
      config_.name, "PIPELINING", fmt::format("SIZE {}", config_.limits.message),
      "8BITMIME",   "SMTPUTF8",   "ENHANCEDSTATUSCODES"};
  if (offers_starttls(policy_, tls_.active)) lines.emplace_back("STARTTLS");
  lines.emplace_back("HELP");
  return {Reply(250, std::move(lines)), {}};
}

Answer Dialogue::helo_command(const Command& command) {
  if (command.argument.empty()) {
    return {Reply(501, std::vector<std::string>{"HELO needs a domain"}), {}};
  }
  helo_ = command.argument;
  extended_ = false;
  transaction_ = {};
  state_ = State::greeted;
  return {Reply(250, std::vector<std::string>{config_.name}), {}};
}

Answer Dialogue::starttls(const Command& command) {
  if (policy_.level == ServerLevel::none) {
    return {Reply(502, "5.5.1", "STARTTLS is not available"), {}};
  }
  if (tls_.active) return {Reply(503, "5.5.1", "TLS is already active"), {}};
  if (state_ == State::start) return {Reply(503, "5.5.1", "Send EHLO first"), {}};
  if (!command.argument.empty()) return {syntax("STARTTLS takes no parameter"), {}};
  return {Reply(220, "2.0.0", "Ready to start TLS"), Next::start_tls};
}

Reply Dialogue::read_mail_parameters(const std::vector<std::string>& parameters,
                                     Transaction& transaction) {
  if (!parameters.empty() && !extended_) return {555, "5.5.4", "Parameters need EHLO"};
  for (const auto& parameter : parameters) {
    const auto equals = parameter.find('=');
    const std::string name = upper_case(parameter.substr(0, equals));
    const std::string value =
        equals == std::string::npos ? std::string() : parameter.substr(equals + 1);
    if (name == "SIZE") {
      const auto size = parse_number(value);
      if (!size) return syntax("SIZE needs a number");
      if (*size > config_.limits.message) return {552, "5.3.4", "Message too large"};
      transaction.declared_size = *size;
    } else if (name == "BODY") {
      const std::string body = upper_case(value);
      if (body != "7BIT" && body != "8BITMIME") return syntax("BODY is 7BIT or 8BITMIME");
      transaction.declared_8bit = body == "8BITMIME";
    } else if (name == "SMTPUTF8") {
      if (equals != std::string::npos) return syntax("SMTPUTF8 takes no value");
      transaction.smtputf8 = true;
    } else {
      return {555, "5.5.4", "Unknown parameter"};
    }
  }
  return kNone;
}

Answer Dialogue::mail(const Command& command) {
  const auto path = parse_path(command.argument, "FROM");
  if (!path) return {syntax("Syntax: MAIL FROM:<address>"), {}};
  Transaction transaction;
  transaction.sender = path->mailbox;
  if (Reply refusal = read_mail_parameters(path->parameters, transaction); refusal.code != 0) {
    return {std::move(refusal), {}};
  }
  // RFC 6531 section 3.3: only the parameter allows what is not ASCII.
  if (!path->mailbox.empty() && !is_mailbox(path->mailbox, transaction.smtputf8)) {
    return {Reply(553, "5.1.7", "This is not an address"), {}};
  }
  transaction_ = std::move(transaction);
  state_ = State::mail;
  return {Reply(250, "2.1.0", "Ok"), {}};
}

Reply Dialogue::check_recipient(const std::string& mailbox, bool postmaster) const {
  if (!is_mailbox(mailbox, transaction_.smtputf8)) return {553, "5.1.3", "This is not an address"};
  const std::string domain = domain_of(mailbox);
  if (!postmaster && !config_.relays_domain(domain) && !config_.relays_client(client_)) {
    return {550, "5.7.1", "Relaying denied"};
  }
  if (config_.next_hops(domain).empty()) return {550, "5.1.2", "No route to this domain"};
  if (transaction_.recipients.size() >= config_.limits.recipients) {
    return {452, "4.5.3", "Too many recipients"};
  }
  return kNone;
}

Answer Dialogue::rcpt(const Command& command) {
  auto path = parse_path(command.argument, "TO");
  if (!path) return {syntax("Syntax: RCPT TO:<address>"), {}};
  // RFC 5321 section 4.5.1: postmaster needs no domain; it is the one of this gateway.
  const bool postmaster = lower_case(path->mailbox) == "postmaster";
  if (postmaster) path->mailbox += "@" + config_.name;
  last_recipient_ = path->mailbox;
  if (!path->parameters.empty()) {
    return {Reply(555, "5.5.4", "Unknown parameter"), {}};
  }
  if (Reply refusal = check_recipient(path->mailbox, postmaster); refusal.code != 0) {
    return {std::move(refusal), {}};
  }
  auto& recipients = transaction_.recipients;
  if (std::find(recipients.begin(), recipients.end(), path->mailbox) == recipients.end()) {
    recipients.push_back(path->mailbox);
  }
  state_ = State::rcpt;
  return {Reply(250, "2.1.5", "Ok"), {}};
}

Answer Dialogue::data(const Command& command) {
  if (!command.argument.empty()) return {syntax("DATA takes no parameter"), {}};
  if (transaction_.recipients.empty()) return {Reply(554, "5.5.1", "No valid recipients"), {}};
  return {Reply(354, std::vector<std::string>{"End data with <CRLF>.<CRLF>"}), Next::receive_data};
}

Reply Dialogue::refuse_data(const DataResult& result) const {
  if (result.bare_line_ending) {
    return {550, "5.6.0", "The message has a bare CR or LF; a line ends with CRLF"};
  }
  if (result.too_large) return {552, "5.3.4", "Message too large"};
  if (result.line_too_long) return {554, "5.6.0", "The message has a line that is too long"};
  if (result.loops) return {554, "5.4.6", "Too many Received fields: this message loops"};
  if (result.came_back) return {554, "5.4.6", "This message was here before: it loops"};
  return kNone;
}

Answer Dialogue::rset(const Command& command) {
  if (!command.argument.empty()) return {syntax("RSET takes no parameter"), {}};
  reset();
  return {Reply(250, "2.0.0", "Ok"), {}};
}

Answer Dialogue::noop(const Command&) {
  return {Reply(250, "2.0.0", "Ok"), {}};
}

Answer Dialogue::vrfy(const Command& command) {
  if (command.argument.empty()) return {syntax("Syntax: VRFY address"), {}};
  return {Reply(252, "2.0.0", "Cannot verify, but will take a message and try"), {}};
}

Answer Dialogue::help(const Command&) {
  return {Reply(214, "2.0.0",
                "EHLO HELO STARTTLS MAIL RCPT DATA RSET NOOP VRFY HELP QUIT; see RFC 5321"),
          {}};
}

Answer Dialogue::quit(const Command& command) {
  if (!command.argument.empty()) return {syntax("QUIT takes no parameter"), {}};
  return {Reply(221, "2.0.0", "Bye"), Next::end};
}

Answer Dialogue::not_implemented(const Command&) {
  return {Reply(502, "5.5.1", "Command not implemented"), {}};
}

}  // namespace gateway
