// What would become of each kind of peer under chosen levels: what the page shows before Apply.
// Pure: it asks the policy, as sessions and attempts do.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "policy.hpp"
#include "values.hpp"

namespace gateway::web {

// Tone is how a consequence is drawn.
enum class Tone { tls, clear, stop };

// Consequence is what becomes of one kind of peer. `peer` and `outcome` are ids of words.
struct Consequence {
  std::string_view peer;
  std::string_view outcome;
  Tone tone = Tone::stop;
  bool operator==(const Consequence&) const = default;
};

// consequences_for_clients tells of every kind of client, always in the same order.
std::vector<Consequence> consequences_for_clients(ReceivingPolicy policy);

// consequences_for_next_hops tells of every kind of next hop, always in the same order. `delay` is
// clear-fallback-delay; nullopt: never.
std::vector<Consequence> consequences_for_next_hops(ClientLevel level,
                                                    std::optional<Duration> delay);

}  // namespace gateway::web
