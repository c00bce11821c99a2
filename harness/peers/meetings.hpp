#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>

// Where the scripts of one story wait for each other, and for the gateway's record.

namespace postern {

/// Meetings belongs to one case; all that use it run on one thread.
class Meetings {
 public:
  /// limit bounds each single wait (already scaled).
  Meetings(boost::asio::any_io_executor executor, std::chrono::steady_clock::duration limit);

  /// expect says that one more script will come to a meeting.
  void expect(const std::string& meeting) { ++places_[meeting].expected; }

  /// arrive waits until all who are expected have arrived; "" then, or why they never will.
  boost::asio::awaitable<std::string> arrive(std::string meeting);

  /// left says that one of those expected ended before it came.
  void left(const std::string& meeting);

  /// until waits for `holds`, which is asked whenever something was seen; false at the time limit.
  boost::asio::awaitable<bool> until(std::function<bool()> holds);

  /// wake has every wait look again; end lets none go on.
  void wake();
  void end();

 private:
  struct Place {
    int expected = 0;
    int arrived = 0;
    bool broken = false;
  };

  boost::asio::any_io_executor executor_;
  std::chrono::steady_clock::duration limit_;
  std::map<std::string, Place> places_;
  std::set<boost::asio::steady_timer*> waiting_;
  bool ended_ = false;
};

}  // namespace postern
