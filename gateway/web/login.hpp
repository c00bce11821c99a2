// Who is believed: how often a password may be tried, and who has given it. Pure: the time comes
// from the caller.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace gateway::web {

using Clock = std::chrono::steady_clock;

// LoginLimit bounds how often a password is tried: so many times a minute from one address, and so
// many from all together.
class LoginLimit {
 public:
  static constexpr std::size_t kPerAddress = 5;
  static constexpr std::size_t kInAll = 30;
  static constexpr auto kSpan = std::chrono::minutes(1);

  // try_one counts an attempt as failed until succeeded says otherwise; false where there were too
  // many, and then it does not count.
  bool try_one(const std::string& address, Clock::time_point now);

  // first_refusal tells whether one that was refused is to be put on record: the first of its
  // address in a minute, and no more in all than there may be attempts.
  bool first_refusal(const std::string& address, Clock::time_point now);

  // succeeded forgets the attempts of this address.
  void succeeded(const std::string& address);

 private:
  struct Attempt {
    std::string address;
    Clock::time_point time;
  };
  static std::size_t recent(std::deque<Attempt>& all, const std::string& address,
                            Clock::time_point now);

  // Of the last minute.
  std::deque<Attempt> attempts_;
  std::deque<Attempt> refusals_;  // those put on record
};

// Visit is a browser that has given the password.
struct Visit {
  std::string token;  // the cookie
  std::string csrf;   // stands in every form
  Clock::time_point began;
  Clock::time_point last_used;
};

// Visits are those under way. One ends 30 minutes after its last use, 12 hours after it
// began, and at its logout; where there are too many, the one unused for longest does.
class Visits {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr auto kIdle = std::chrono::minutes(30);
  static constexpr auto kLongest = std::chrono::hours(12);

  // begin makes one.
  const Visit& begin(Clock::time_point now);

  // find is the one with this token, or null. `use` says that somebody used it, rather than that a
  // page looked for news by itself.
  const Visit* find(std::string_view token, Clock::time_point now, bool use = true);

  void end(std::string_view token);

 private:
  void drop_ended(Clock::time_point now);

  std::deque<Visit> visits_;
};

}  // namespace gateway::web
