#pragma once

#include <span>
#include <string>

#include "summary.hpp"

// One character for each outcome of a leg: a grid has no room for words.

namespace postern::reports {

struct Sign {
  const char* outcome;  ///< As short_text gives it; a longer text begins with it and a space.
  const char* sign;
};

/// inbound_signs and outbound_signs are those of either leg, in the order of a legend.
std::span<const Sign> inbound_signs();
std::span<const Sign> outbound_signs();
/// other_signs are those that either leg may have.
std::span<const Sign> other_signs();

/// sign_of gives the sign of a cell that has cases: of its outcome, "*" where outcomes differ, "-"
/// where all were skipped, "?" for an outcome that no rule can expect.
std::string sign_of(std::span<const Sign> signs, const Cell& cell);

}  // namespace postern::reports
