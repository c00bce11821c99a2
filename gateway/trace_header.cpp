#include "trace_header.hpp"

#include <fmt/format.h>

#include "services.hpp"
#include "utf8.hpp"

namespace gateway {
namespace {

// comment_safe keeps what may stand in a comment or as a word: foreign text must not end either.
std::string comment_safe(std::string_view text, std::string_view also_forbidden) {
  constexpr std::size_t kLongest = 200;
  std::string out;
  for (const char c : text.substr(0, kLongest)) {
    const bool bad = c < 0x20 || c >= 0x7f || c == '(' || c == ')' || c == '\\' ||
                     also_forbidden.find(c) != std::string_view::npos;
    out += bad ? '?' : c;
  }
  return out;
}

std::string tls_comment(const Arrival& arrival) {
  const TlsFacts& tls = arrival.tls;
  if (!tls.active) return {};
  std::string certificate = "client certificate ";
  const auto word = client_certificate_word(tls, arrival.certificate_requested);
  certificate += word == "none"            ? "not given"
                 : word == "not-requested" ? "not requested"
                 : word == "verified"      ? "verified"
                                           : "not verified";
  if (tls.peer_certificate) certificate += fmt::format(" \"{}\"", comment_safe(tls.subject, "\""));
  if (!tls.error.empty()) certificate += fmt::format(" [{}]", comment_safe(tls.error, "[]"));
  return fmt::format("\r\n\t(using {} with cipher {}; {})", tls.version, tls.cipher, certificate);
}

}  // namespace

std::string received_header(const Arrival& arrival, const std::string& gateway_name,
                            const Envelope& envelope) {
  const bool tls = arrival.tls.active;
  const char* protocol = tls ? "ESMTPS" : arrival.extended ? "ESMTP" : "SMTP";
  if (envelope.smtputf8) protocol = tls ? "UTF8SMTPS" : "UTF8SMTP";
  std::string recipient;
  // An address that is not ASCII would make a header of UTF-8 of one that was none.
  if (envelope.recipients.size() == 1 && is_ascii(envelope.recipients.front().address)) {
    recipient = fmt::format("\r\n\tfor <{}>", envelope.recipients.front().address);
  }
  return fmt::format("Received: from {} ({}){}\r\n\tby {} with {} id {}{};\r\n\t{}\r\n",
                     comment_safe(arrival.helo, " \t;,<>@\""), arrival.client.literal(),
                     tls_comment(arrival), gateway_name, protocol, queue_id(envelope.id), recipient,
                     rfc5322_date(envelope.received));
}

}  // namespace gateway
