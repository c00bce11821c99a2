#pragma once

#include <string>

#include "judge/observation.hpp"

// What can be told of a gateway that keeps no record we could read: only what it did on the wire.

namespace postern {

/// sort_out takes from a case what came to its next hop on behalf of others: the one next hop of a
/// gateway that is seen from outside takes its retries of earlier messages, too, and its bounces.
/// A bounce of this case's message goes to its mailbox. Only when all connections have ended.
/// Returns whether anything was taken.
bool sort_out(Observation& observation);

/// tell_from_outside writes into the record of a case what its peers saw, as a gateway's own record
/// would say it: sessions that ended, the message taken, a bounce, an attempt that was given up.
/// That a message was put off counts only where a later one came through (Observation::canary).
void tell_from_outside(Observation& observation);

/// blocked_by says how the gateway kept a client off: no connection, a greeting of 4yz or 5yz, 421,
/// 45z to an envelope or a message (greylisting, a limit), silence before its greeting (a tarpit).
/// Nothing of that is its TLS policy. "" where it did not.
std::string blocked_by(const Observation& observation);

}  // namespace postern
