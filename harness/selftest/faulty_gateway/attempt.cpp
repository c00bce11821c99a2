#include "attempt.hpp"

#include <openssl/evp.h>

namespace faulty {
namespace {

std::string base64(const std::string& text) {
  std::string coded(text.size() / 3 * 4 + 8, '\0');
  void* const into = coded.data();
  const void* const from = text.data();
  const int size =
      EVP_EncodeBlock(static_cast<unsigned char*>(into), static_cast<const unsigned char*>(from),
                      static_cast<int>(text.size()));
  coded.resize(static_cast<std::size_t>(size));
  return coded;
}

// quoted_printable codes every character and breaks the line behind the first half.
std::string quoted_printable(const std::string& text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string coded;
  for (const char c : text) {
    if (coded.size() == text.size() / 2 * 3) coded += "=\r\n";
    coded += {'=', kDigits[c >> 4 & 15], kDigits[c & 15]};
  }
  return coded;
}

// line_with gives the line of the message in which `words` stand.
std::string line_with(const std::string& message, const std::string& words) {
  const std::size_t at = message.find(words);
  if (at == std::string::npos) return {};
  const std::size_t begin = message.rfind('\n', at) + 1;
  return message.substr(begin, message.find('\r', at) - begin);
}

}  // namespace

int hand_over(Connection& next, const Message& message) {
  int code = next.ask("MAIL FROM:<" + message.sender + ">");
  if (code == 250) code = next.ask("RCPT TO:<" + message.recipient + ">");
  if (code == 250) code = next.ask("DATA");
  if (code == 354) {
    std::string unread;
    code = next.say(message.content + ".\r\n") ? next.reply(unread) : 0;
  }
  if (code != 0) next.ask("QUIT");
  next.close();
  return code;
}

Attempt::Attempt(Relay& relay, const Message& message)
    : relay_(relay),
      message_(message),
      route_(relay.settings().route(message.recipient, relay.fault() == Fault::kDeliversToAnother)),
      level_(relay.settings().get("client-level")),
      token_(message.recipient.substr(0, message.recipient.find('@'))),
      next_(Connection::connected(route_.address, route_.port)) {}

void Attempt::make() {
  std::string greeting;
  if (next_.reply(greeting) != 220 || !greet()) return next_.close();
  const bool offered = offers_.find("STARTTLS") != std::string::npos;
  cause_ = "starttls-not-supported";
  if (level_ != "none" && offered) {
    const int code = next_.ask("STARTTLS");
    cause_ = "starttls-refused";
    if (code == 220) {
      cause_.clear();
      code_ = "4.7.5";
      if (!start_tls() || !greet()) return next_.close();
    }
  }
  hand_over_by_level();
}

// greet says EHLO, and HELO where EHLO is not known.
bool Attempt::greet() {
  const std::string name = is(Fault::kLeaksInEhlo) ? token_ + ".postern.test" : "gw.postern.test";
  const int code = next_.ask("EHLO " + name, offers_);
  return code == 250 || (code >= 500 && next_.ask("HELO " + name, offers_) == 250);
}

bool Attempt::start_tls() {
  if (is(Fault::kLeaksInsteadOfHello)) {
    next_.say(message_.recipient + "\r\n");
    return false;
  }
  const std::string sni = is(Fault::kLeaksInSni) ? token_ + ".postern.test" : route_.host;
  return next_.start_tls_as_client(relay_.client_tls_.get(), route_.host, sni);
}

void Attempt::hand_over_by_level() {
  const bool demands_tls = level_ == "require" || level_ == "verify";
  if (level_ == "verify" && next_.in_tls() && !next_.verified()) return give_up("4.7.5");
  if (demands_tls && !next_.in_tls()) return give_up("4.7.4");
  Message sent = message_;
  if (is(Fault::kChangesBody)) sent.content.replace(sent.content.rfind("stands"), 6, "stood ");
  if (is(Fault::kChangesEnvelope)) std::swap(sent.sender, sent.recipient);
  if (is(Fault::kEndsCommandsWithLf)) {
    std::string unread;
    if (next_.say("NOOP\n")) next_.reply(unread);
  }
  const int code = hand_over(next_, sent);
  if (code == 250) fate_ = Fate::kDelivered;
  if (code >= 500) fate_ = Fate::kBounced;
}

void Attempt::give_up(const std::string& code) {
  code_ = code;
  leak();
  if (!is(Fault::kLeaksBehindCloseNotify)) next_.ask("QUIT");
  next_.close();
}

std::string Attempt::leaking_line() const {
  switch (relay_.fault()) {
    case Fault::kLeaksInMail:
      return "MAIL FROM:<" + message_.sender + ">";
    case Fault::kLeaksInRcpt:
      return "RCPT TO:<" + message_.recipient + ">";
    case Fault::kSaysNullMail:
      return "MAIL FROM:<>";
    case Fault::kLeaksInHeader:
      return line_with(message_.content, "X-Postern-Token:");
    case Fault::kLeaksAtBodyStart:
      return line_with(message_.content, "at the start of");
    case Fault::kLeaksInBodyMiddle:
      return line_with(message_.content, "In the middle");
    case Fault::kLeaksAtBodyEnd:
      return line_with(message_.content, "At the end");
    case Fault::kLeaksInBase64:
      return base64(line_with(message_.content, "At the end"));
    case Fault::kLeaksInQuotedPrintable:
      return quoted_printable(token_);
    case Fault::kLeaksInsideUnverifiedTls:
      return "HELP " + token_;
    default:
      return {};
  }
}

void Attempt::leak() {
  if (is(Fault::kLeaksAcrossChunks)) {
    // The reply to NOOP says that the first half was read before the second is sent.
    std::string unread;
    next_.say("NOOP\r\nHELP " + token_.substr(0, token_.size() / 2));
    next_.reply(unread);
    next_.ask(token_.substr(token_.size() / 2));
  } else if (is(Fault::kLeaksBehindCloseNotify)) {
    next_.close_notify();
    next_.say_beside_tls(token_);
  } else if (const std::string line = leaking_line(); !line.empty()) {
    next_.ask(line);
  }
}

}  // namespace faulty
