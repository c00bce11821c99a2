// The TLS policy of the gateway: pure decisions, no socket, no clock, no file.
//
// Everything here is a function of settings and observed facts. What moves bytes (session.cpp,
// conversation.cpp) asks and obeys. The numbers IN-1, OUT-5 and so on are the requirements of the
// page "The modes under test".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "smtp_command.hpp"
#include "smtp_reply.hpp"

namespace gateway {

enum class ServerLevel { none, attempt, require };
enum class ClientCertificate { none, request, require };
enum class ClientLevel { none, attempt, require, verify };

// level_word is the word of the configuration and of the journal for a level.
std::string_view level_word(ClientLevel level);

// ReceivingPolicy is what decides about clients.
struct ReceivingPolicy {
  ServerLevel level = ServerLevel::attempt;
  ClientCertificate certificate = ClientCertificate::none;
};

// combination_error says why `policy` is not allowed (SET-2); empty when it is allowed.
std::string_view combination_error(ReceivingPolicy policy);

// combination_warning says what the administrator should know about an allowed `policy` (SET-3);
// empty when there is nothing to say.
std::string_view combination_warning(ReceivingPolicy policy);

// certificate_warning says where client certificates may be demanded (SET-4); empty where they are
// not.
std::string_view certificate_warning(ReceivingPolicy policy);

// effective_certificate is what is really asked of clients: under `attempt`, `require` counts as
// `request` (SET-3).
ClientCertificate effective_certificate(ReceivingPolicy policy);

// offers_starttls tells whether the EHLO reply names STARTTLS: IN-1, IN-2, IN-3. Under TLS it never
// does (RFC 3207 section 4.2).
bool offers_starttls(ReceivingPolicy policy, bool tls_active);

// requests_certificate tells whether the handshake asks the client for a certificate: IN-5, IN-6.
bool requests_certificate(ReceivingPolicy policy);

// ClientTls is what is known of the client's side of a session.
struct ClientTls {
  bool active = false;
  bool certificate_verified = false;  // chain, dates and purpose clientAuth (IN-7)
};

enum class Admission { serve, refuse, drop };

// Ruling is the policy's word on one command. `reply` is set unless the command is served.
struct Ruling {
  Admission admission = Admission::serve;
  Reply reply;
};

// rule_on decides whether the dialogue may look at a command at all: IN-3 and IN-7.
Ruling rule_on(ReceivingPolicy policy, ClientTls tls, Verb verb);

// too_long_in_clear is the reply that ends a session which used up its commands or its time
// without TLS although TLS is required (IN-3).
Reply too_long_in_clear();

// TicketFacts is what is known of the session whose ticket a client shows.
struct TicketFacts {
  bool same_scope =
      false;             // its settings generation, listener and receiving policy are those of now
  bool in_time = false;  // its full handshake is not longer ago than tickets live
  bool certificate_shown = false;
  bool certificate_verified = false;
  bool certificate_still_valid = false;  // it verified, and nothing of that has run out since
};

// may_resume decides whether a ticket counts (IN-9). Where it does not, a full handshake asks for
// all that the policy asks for.
bool may_resume(ReceivingPolicy policy, const TicketFacts& ticket);

// --- Sending ------------------------------------------------------------------------------------

// What the next hop's certificate turned out to be.
enum class Verification { not_checked, verified, not_verified };

enum class SendingStep {
  send_clear,  // go on with MAIL in clear text on this connection
  start_tls,   // send STARTTLS
  send_tls,    // go on with MAIL inside TLS
  hold,        // say QUIT and keep the message (OUT-5)
  tls_failed,  // close this connection without another byte of SMTP in clear text
};

// SendingDecision is what to do next with a connection to a next hop.
struct SendingDecision {
  SendingStep step = SendingStep::hold;
  std::string_view cause;     // send_clear: why in clear text; else empty
  std::string_view enhanced;  // hold, tls_failed: the enhanced status code of the deferral
  std::string_view reason;    // hold, tls_failed: in words
};

// after_ehlo decides once the reply to the first EHLO (or HELO) is known. `falling_back` is true on
// a connection made in clear text after TLS failed (OUT-2).
SendingDecision after_ehlo(ClientLevel level, bool starttls_offered, bool falling_back);

// after_starttls decides on the reply code to STARTTLS; nullopt: the reply was not valid SMTP.
SendingDecision after_starttls(ClientLevel level, std::optional<int> code);

// after_handshake decides once the handshake has completed.
SendingDecision after_handshake(ClientLevel level, Verification verification);

// after_tls_failure is the deferral that failed TLS leads to: OUT-2, OUT-5.
SendingDecision after_tls_failure();

// may_fall_back tells whether a message of this age may go out in clear text, on a new connection,
// after TLS has failed (OUT-2). `delay` is clear-fallback-delay; nullopt means `never`.
bool may_fall_back(ClientLevel level, std::optional<std::chrono::microseconds> delay,
                   std::chrono::microseconds age);

// may_share_connection tells whether other messages may follow one on its connection. `cause` says
// why that is in clear text; empty: it is not. After a refused STARTTLS or failed TLS the others
// may yet get TLS on a connection of their own.
bool may_share_connection(std::string_view cause);

}  // namespace gateway
