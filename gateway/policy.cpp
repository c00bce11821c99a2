#include "policy.hpp"

namespace gateway {

std::string_view combination_error(ReceivingPolicy policy) {
  if (policy.level == ServerLevel::none && policy.certificate != ClientCertificate::none) {
    return "client-certificate is unavailable under server-level=\"none\": no certificate can be "
           "asked for where TLS is never offered (SET-2)";
  }
  return {};
}

std::string_view combination_warning(ReceivingPolicy policy) {
  if (policy.level == ServerLevel::attempt && policy.certificate == ClientCertificate::require) {
    return "client-certificate=\"require\" works properly only under server-level=\"require\"; "
           "under \"attempt\" it is treated as \"request\"";
  }
  return {};
}

std::string_view certificate_warning(ReceivingPolicy policy) {
  if (effective_certificate(policy) != ClientCertificate::require) return {};
  return "every client must show a certificate that verifies: this is not for a public MX (RFC "
         "3207 "
         "section 4), and certificates of public CAs often lack the purpose clientAuth, so that a "
         "CA "
         "of your own is needed";
}

ClientCertificate effective_certificate(ReceivingPolicy policy) {
  if (policy.level == ServerLevel::none) return ClientCertificate::none;
  if (policy.level == ServerLevel::attempt && policy.certificate == ClientCertificate::require) {
    return ClientCertificate::request;
  }
  return policy.certificate;
}

bool offers_starttls(ReceivingPolicy policy, bool tls_active) {
  return policy.level != ServerLevel::none && !tls_active;
}

bool requests_certificate(ReceivingPolicy policy) {
  return effective_certificate(policy) != ClientCertificate::none;
}

namespace {

Ruling refuse(Reply reply) {
  return {Admission::refuse, std::move(reply)};
}
Ruling drop(Reply reply) {
  return {Admission::drop, std::move(reply)};
}

// IN-3: TLS is required and not there yet.
Ruling rule_in_clear(Verb verb) {
  switch (verb) {
    case Verb::ehlo:
    case Verb::helo:
    case Verb::noop:
    case Verb::starttls:
    case Verb::quit:
      return {};
    case Verb::mail:
    case Verb::rcpt:
    case Verb::data:
    case Verb::bdat:
    case Verb::auth:
      return drop(Reply(530, "5.7.0", "Must issue a STARTTLS command first"));
    case Verb::unknown:
      return refuse(Reply(500, "5.5.2", "Command not recognized"));
    case Verb::rset:
    case Verb::vrfy:
    case Verb::expn:
    case Verb::help:
      // RSET must not close the connection (RFC 5321 section 4.1.1.5).
      return refuse(Reply(530, "5.7.0", "Must issue a STARTTLS command first"));
  }
  return {};
}

}  // namespace

Ruling rule_on(ReceivingPolicy policy, ClientTls tls, Verb verb) {
  if (policy.level != ServerLevel::require) return {};
  if (!tls.active) return rule_in_clear(verb);
  const bool must_verify = effective_certificate(policy) == ClientCertificate::require;
  if (must_verify && !tls.certificate_verified && verb != Verb::quit) {
    // RFC 3207 section 4.1: not satisfied with the session, 554 to everything but QUIT (IN-7).
    return drop(Reply(554, "5.7.1", "A client certificate that verifies is required"));
  }
  return {};
}

Reply too_long_in_clear() {
  return {421, "4.7.0", "TLS is required here, closing connection"};
}

std::string_view level_word(ClientLevel level) {
  switch (level) {
    case ClientLevel::none:
      return "none";
    case ClientLevel::attempt:
      return "attempt";
    case ClientLevel::require:
      return "require";
    case ClientLevel::verify:
      return "verify";
  }
  return {};
}

bool may_resume(ReceivingPolicy policy, const TicketFacts& ticket) {
  if (!offers_starttls(policy, false) || !ticket.same_scope || !ticket.in_time) return false;
  // Nothing was shown: that is good enough unless something must be.
  if (!ticket.certificate_shown) {
    return effective_certificate(policy) != ClientCertificate::require;
  }
  // One that did not verify is judged afresh.
  return requests_certificate(policy) && ticket.certificate_verified &&
         ticket.certificate_still_valid;
}

SendingDecision after_ehlo(ClientLevel level, bool starttls_offered, bool falling_back) {
  if (level == ClientLevel::none) return {SendingStep::send_clear, "level-none", {}, {}};
  if (level == ClientLevel::attempt && falling_back) {
    return {SendingStep::send_clear, "tls-failed", {}, {}};
  }
  if (starttls_offered) return {SendingStep::start_tls, {}, {}, {}};
  if (level == ClientLevel::attempt) {
    return {SendingStep::send_clear, "starttls-not-supported", {}, {}};
  }
  return {SendingStep::hold, {}, "4.7.4", "TLS is required, but was not offered"};
}

SendingDecision after_starttls(ClientLevel level, std::optional<int> code) {
  if (code == 220) return {SendingStep::start_tls, {}, {}, {}};
  const bool refused = code && *code != 421 && *code >= 400 && *code <= 599;
  if (!refused) {
    return {SendingStep::tls_failed, {}, "4.7.5", "STARTTLS was not answered with 220"};
  }
  if (level == ClientLevel::attempt) return {SendingStep::send_clear, "starttls-refused", {}, {}};
  return {SendingStep::hold, {}, "4.7.4", "TLS is required, but STARTTLS was refused"};
}

SendingDecision after_handshake(ClientLevel level, Verification verification) {
  if (level == ClientLevel::verify && verification != Verification::verified) {
    return {SendingStep::hold, {}, "4.7.5", "the certificate of the next hop does not verify"};
  }
  return {SendingStep::send_tls, {}, {}, {}};
}

SendingDecision after_tls_failure() {
  return {SendingStep::tls_failed, {}, "4.7.5", "TLS failed"};
}

bool may_fall_back(ClientLevel level, std::optional<std::chrono::microseconds> delay,
                   std::chrono::microseconds age) {
  return level == ClientLevel::attempt && delay && age >= *delay;
}

bool may_share_connection(std::string_view cause) {
  return cause.empty() || cause == "level-none" || cause == "starttls-not-supported";
}

}  // namespace gateway
