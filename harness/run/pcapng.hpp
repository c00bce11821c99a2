#pragma once

#include <cstdint>
#include <string>

#include "judge/traffic.hpp"

namespace postern {

/// pcapng_of writes traffic as a capture file (pcapng, link type RAW) that Wireshark and tshark
/// read, with the secrets of TLS in it, so that they decrypt it. No packet was captured: segments,
/// sequence numbers and checksums are made up around the octets that the peers wrote and read.
/// `epoch` is where the traffic's axis begins, in microseconds since 1970, UTC. What listens is
/// given port 25, so that its connections are taken for SMTP; a comment tells its own.
std::string pcapng_of(const Traffic& traffic, std::int64_t epoch);

}  // namespace postern
