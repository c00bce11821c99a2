#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "result.hpp"

// Both legs of a case on one time axis: client | gateway | server.

namespace postern::reports {

/// kLadderColumns is the width of each line where nobody says otherwise, kLeastLadderColumns that
/// of the narrowest.
constexpr std::size_t kLadderColumns = 100, kLeastLadderColumns = 80;

/// ladder draws `events`, in order of their time, as lines of `width` columns or one less, without
/// line ends; no events give no lines. Time is in milliseconds since the case began. A solid arrow
/// is clear text, a dashed one belongs to a handshake, a double one went inside TLS; a ruled line
/// marks where TLS begins. Of long data, and of very many events, head and tail are drawn and the
/// rest is counted. `differs`, an index in order of time, is the event that is marked.
std::vector<std::string> ladder(std::vector<Line> events,
                                std::optional<std::size_t> differs = std::nullopt,
                                std::size_t width = kLadderColumns);

}  // namespace postern::reports
