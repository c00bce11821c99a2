#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>

namespace postern {

/// Latch is something that happens once. Everybody who waits for it goes on then, and nobody has
/// to wait any more. Used on one thread; it must outlive its waiters.
class Latch {
 public:
  explicit Latch(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Latch(const Latch&) = delete;
  Latch& operator=(const Latch&) = delete;

  /// fire lets all waiters go on. Firing again does nothing.
  void fire();
  bool fired() const { return fired_; }

  /// wait completes when the latch has fired.
  boost::asio::awaitable<void> wait();

  /// wait_for completes when the latch has fired or after `limit`, and tells whether it has.
  boost::asio::awaitable<bool> wait_for(std::chrono::steady_clock::duration limit);

 private:
  boost::asio::any_io_executor executor_;
  std::list<boost::asio::steady_timer*> waiters_;
  bool fired_ = false;
};

}  // namespace postern
