// What a handshake found out about the peer's certificate. It is kept apart from OpenSSL's own
// result, which an accepted failure may overwrite, and which a resumed session only inherits.
#pragma once

#include <openssl/ssl.h>

#include "values.hpp"

namespace gateway {

// Verdict is of one full handshake.
struct Verdict {
  bool checked = false;
  int error = X509_V_OK;
  // While the certificate goes on to verify: the dates that the whole chain, and the revocation
  // lists it was held against, have in common. Of a chain that verified only.
  TimePoint valid_from = TimePoint::min();
  TimePoint valid_until = TimePoint::max();
};

// verdict_of is that of a session made by server_handle or client_handle. It lives as long as the
// session.
Verdict& verdict_of(const SSL* ssl);

// time_of reads a date of a certificate; the beginning of time where it is not a date.
TimePoint time_of(const ASN1_TIME* date);

}  // namespace gateway
