#include "recent_sessions.hpp"

#include <algorithm>

namespace gateway {

void RecentSessions::begin(SessionFacts facts) {
  sessions_.push_front(std::move(facts));
  if (sessions_.size() > kMost) sessions_.pop_back();
}

void RecentSessions::note(SessionFacts facts) {
  const auto known = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const SessionFacts& other) { return other.id == facts.id; });
  if (known != sessions_.end()) *known = std::move(facts);
}

void RecentSessions::note(AttemptFacts facts) {
  attempts_.push_front(std::move(facts));
  if (attempts_.size() > kMost) attempts_.pop_back();
}

}  // namespace gateway
