#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/condition.hpp"
#include "located_xml.hpp"

// What a gateway is known to do otherwise than the requirements say: its deviations file. Each
// entry is a finding about that gateway, not an excuse: it holds for what was seen and nothing
// else, it expires, and one that no longer happens is a failure.

namespace postern {

struct Departure {
  std::string name;
  Condition cases;                    ///< As a filter.
  std::vector<std::string> observed;  ///< Only where a leg came to one of these; empty: wherever.
  std::vector<std::string> seen;      ///< Each line of a failure must hold one of these texts.
  std::string until;                  ///< The last day on which it counts, YYYY-MM-DD.
  std::string source;                 ///< Where it is told of, or how it was confirmed.
  std::string why;
  Place place;
};

/// Departures are those of one gateway.
struct Departures {
  std::string gateway;
  std::size_t not_asked = 0;  ///< Cases of the whole catalogue that it is not asked, at most.
  std::vector<Departure> all;
  Place place, gateway_place;
};

}  // namespace postern
