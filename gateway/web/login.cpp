#include "login.hpp"

#include <algorithm>

#include "password.hpp"

namespace gateway::web {
namespace {

constexpr std::size_t kTokenOctets = 32;

}  // namespace

// recent drops what is older than a minute, and counts what is from this address.
std::size_t LoginLimit::recent(std::deque<Attempt>& all, const std::string& address,
                               Clock::time_point now) {
  while (!all.empty() && now - all.front().time >= kSpan) all.pop_front();
  const auto here = std::count_if(
      all.begin(), all.end(), [&](const Attempt& attempt) { return attempt.address == address; });
  return static_cast<std::size_t>(here);
}

bool LoginLimit::try_one(const std::string& address, Clock::time_point now) {
  const std::size_t here = recent(attempts_, address, now);
  if (here >= kPerAddress || attempts_.size() >= kInAll) return false;
  attempts_.push_back({address, now});
  return true;
}

bool LoginLimit::first_refusal(const std::string& address, Clock::time_point now) {
  const std::size_t here = recent(refusals_, address, now);
  if (here > 0 || refusals_.size() >= kInAll) return false;
  refusals_.push_back({address, now});
  return true;
}

void LoginLimit::succeeded(const std::string& address) {
  attempts_.erase(
      std::remove_if(attempts_.begin(), attempts_.end(),
                     [&](const Attempt& attempt) { return attempt.address == address; }),
      attempts_.end());
}

void Visits::drop_ended(Clock::time_point now) {
  visits_.erase(std::remove_if(visits_.begin(), visits_.end(),
                               [&](const Visit& visit) {
                                 return now - visit.last_used >= kIdle ||
                                        now - visit.began >= kLongest;
                               }),
                visits_.end());
}

const Visit& Visits::begin(Clock::time_point now) {
  drop_ended(now);
  if (visits_.size() >= kMost) {
    visits_.erase(
        std::min_element(visits_.begin(), visits_.end(),
                         [](const Visit& a, const Visit& b) { return a.last_used < b.last_used; }));
  }
  visits_.push_back({random_word(kTokenOctets), random_word(kTokenOctets), now, now});
  return visits_.back();
}

const Visit* Visits::find(std::string_view token, Clock::time_point now, bool use) {
  drop_ended(now);
  Visit* found = nullptr;
  for (Visit& visit : visits_) {
    if (same_secret(visit.token, token)) found = &visit;
  }
  if (found && use) found->last_used = now;
  return found;
}

void Visits::end(std::string_view token) {
  visits_.erase(std::remove_if(visits_.begin(), visits_.end(),
                               [&](const Visit& visit) { return same_secret(visit.token, token); }),
                visits_.end());
}

}  // namespace gateway::web
