// Tickets of the receiving side: with one a client takes up an earlier TLS session (RFC 5077, RFC
// 8446 section 2.2). OpenSSL does not verify a certificate again where a session is resumed, so
// each ticket carries what came of its verification, and the policy decides what it counts for
// (IN-9).
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "policy.hpp"
#include "values.hpp"

namespace gateway {

// TicketTerms are those of one receiving context.
struct TicketTerms {
  ReceivingPolicy policy;
  std::string scope;           // settings generation, and whose policy it is
  Duration lifetime{};         // from the full handshake on; 0: no tickets at all
  TimePoint (*clock)() = now;  // what the dates are held against
};

// use_tickets has a context issue and take tickets under `terms`, one a session. Their key is the
// context's own, made with it: no other context reads them.
void use_tickets(SSL_CTX* context, TicketTerms terms);

// bind_tickets ties a session's tickets to the listener it came in by, `endpoint`. It does nothing
// where there are none.
void bind_tickets(SSL* ssl, const std::string& endpoint);

// resumed_as_verified tells of a resumed session whether the certificate had verified that was
// shown in its full handshake.
bool resumed_as_verified(SSL* ssl);

}  // namespace gateway
