// TLS contexts and what is learned from a handshake. TLS 1.2 and 1.3 only (TLS-1), no
// renegotiation, no early data. Sessions are resumed on the receiving side only, and only by a
// ticket that counts (IN-9, session_ticket.hpp).
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "config.hpp"
#include "session_ticket.hpp"

namespace gateway {

struct FreeSslContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslHandle = std::unique_ptr<SSL, FreeSsl>;

// receiving_context is what clients meet who are received under the policy of `tickets`. It throws
// ConfigError where certificate, key or CA cannot be used: unreadable, not a pair, expired, not yet
// valid.
SslContext receiving_context(const TlsConfig& tls, TicketTerms tickets);

// sending_context is what next hops meet. It throws ConfigError as above.
SslContext sending_context(const TlsConfig& tls);

// server_handle and client_handle make one session's TLS state. `host` is the name of the next
// hop; it is sent as SNI unless it is an IP literal. `endpoint` is the address and port that the
// client has connected to.
SslHandle server_handle(SSL_CTX* context, const std::string& endpoint);
SslHandle client_handle(SSL_CTX* context, const std::string& host);

// TlsFacts is what is on record about a TLS session.
struct TlsFacts {
  bool active = false;
  std::string version;  // TLSv1.3
  std::string cipher;   // TLS_AES_256_GCM_SHA384
  bool resumed = false;
  bool peer_certificate = false;
  bool verified = false;  // chain, dates, purpose; of the full handshake where it was resumed
  std::string error;      // why it did not verify
  std::string subject;    // of the peer's certificate
};

// facts_of reads them off a session whose handshake has completed.
TlsFacts facts_of(SSL* ssl);

// certificate_names_host tells whether the peer's certificate stands for `host` (OUT-4): DNS-ID
// after RFC 9525 section 6.3, `*` only as the whole left-most label, no common name; an IP literal
// matches an iPAddress only.
bool certificate_names_host(SSL* ssl, const std::string& host);

// dns_id_matches compares one dNSName of a certificate with a host name.
bool dns_id_matches(std::string_view presented, std::string_view host);

// printable_name is a name of X.500 on one line: UTF-8 where all of it is that, else as escapes;
// control characters are escapes always.
std::string printable_name(const X509_NAME* name);

// printable_subject is whose certificate it is, on one line, cut where it is very long.
std::string printable_subject(X509* certificate);

// tls_error takes the first error of OpenSSL's queue in words and empties the queue.
std::string tls_error();

}  // namespace gateway
