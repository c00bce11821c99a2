#include "first_difference.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace postern::reports {

namespace {

using Events = std::vector<const Line*>;

template <typename Fits>
std::optional<std::size_t> first(const Events& events, Fits fits) {
  const auto found = std::find_if(events.begin(), events.end(), fits);
  if (found == events.end()) return std::nullopt;
  return static_cast<std::size_t>(found - events.begin());
}

template <typename Fits>
std::optional<std::size_t> last(const Events& events, Fits fits) {
  const auto found = std::find_if(events.rbegin(), events.rend(), fits);
  if (found == events.rend()) return std::nullopt;
  return static_cast<std::size_t>(events.rend() - found) - 1;
}

std::string reply_of(const Outcome& outcome) {
  for (const auto& [name, value] : outcome.facts)
    if (name == "reply") return value;
  return outcome.word == "accept" ? "250" : "";
}

// What the gateway answered decides; of an answer that is none, how the connection ended.
std::optional<std::size_t> on_the_way_in(const Events& events, const Outcome& observed) {
  const auto of_gateway = [](const Line& line) {
    return line.side == "client" && line.from == "gateway";
  };
  if (observed.word == "broken")
    return first(events, [&](const Line* line) {
      return line->side == "client" &&
             ((line->kind == "handshake" && line->phase != "tls") || line->kind == "alert");
    });
  const std::string reply = reply_of(observed);
  const auto answered = [&](const Line* line) {
    return of_gateway(*line) && line->kind == "data" && line->text.starts_with(reply);
  };
  if (reply == "250") {
    // The message's own answer is the last before the farewell.
    if (const auto found = last(events, answered)) return found;
  } else if (!reply.empty()) {
    if (const auto found = first(events, answered)) return found;
  }
  return last(events, [&](const Line* line) { return of_gateway(*line); });
}

std::optional<std::size_t> on_the_way_out(const Events& events, const Outcome& observed) {
  const auto of_gateway = [](const Line& line) {
    return line.side == "server" && line.from == "gateway";
  };
  if (observed.word == "redirect")
    return first(events, [&](const Line* line) {
      return of_gateway(*line) && line->kind == "data" && line->text.starts_with("MAIL");
    });
  return last(events, [&](const Line* line) { return of_gateway(*line); });
}

// is_unexpected tells of a leg that is to blame whether its outcome is what was wrong.
bool is_unexpected(const Leg& leg, const Leg& other) {
  if (leg.requirement.empty() && leg.expected.empty()) return false;
  return leg.broken.empty()
             ? leg.grade.empty() || (!other.grade.empty() && leg.grade != other.grade)
             : leg.broken == "outcome";
}

}  // namespace

std::optional<std::size_t> first_difference(const CaseResult& result) {
  const bool in = blames(result, result.inbound, result.outbound);
  const bool out = blames(result, result.outbound, result.inbound);
  const auto told = [](const Line* line) {
    return line->kind == "leak" || line->kind == "differs";
  };
  Events events;
  for (const Line& line : result.events) events.push_back(&line);
  std::stable_sort(events.begin(), events.end(),
                   [](const Line* a, const Line* b) { return a->at < b->at; });
  std::optional<std::size_t> earliest;
  const auto take = [&](std::optional<std::size_t> one) {
    if (one && (!earliest || *one < *earliest)) earliest = one;
  };
  if (in || out || troubles(result, result.outbound, result.inbound)) take(first(events, told));
  if (in && is_unexpected(result.inbound, result.outbound))
    take(on_the_way_in(events, result.inbound.observed));
  if (out && is_unexpected(result.outbound, result.inbound))
    take(on_the_way_out(events, result.outbound.observed));
  return earliest;
}

}  // namespace postern::reports
