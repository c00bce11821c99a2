#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <thread>
#include <utility>

namespace postern {

/// Interrupts calls `act` at each SIGINT and SIGTERM while it lives, with the number of those that
/// came before; on a thread of its own. There is one at a time.
class Interrupts {
 public:
  /// kExitCode is how a run ends that was interrupted.
  static constexpr int kExitCode = 130;

  explicit Interrupts(std::function<void(int)> act)
      : signals_(io_, SIGINT, SIGTERM), act_(std::move(act)) {
    await();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Interrupts() {
    io_.stop();
    thread_.join();
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool seen() const { return seen_ > 0; }

 private:
  void await() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (error) return;
      act_(seen_++);
      await();
    });
  }

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  std::function<void(int)> act_;
  std::atomic<int> seen_{0};
  std::thread thread_;
};

}  // namespace postern
