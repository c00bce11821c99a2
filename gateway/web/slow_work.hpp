// What would hold up mail is done on a thread of its own.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <stdexcept>
#include <utility>

namespace gateway::web {

namespace asio = boost::asio;

// SlowWork does one piece after the other.
class SlowWork {
 public:
  // perform has `work` done and returns what it returns; `work` owns all that it touches. It throws
  // what `work` throws, and std::runtime_error where stop came before its turn.
  template <typename Result>
  asio::awaitable<Result> perform(std::function<Result()> work) {
    // Not as one expression: g++ 12 miscompiles temporaries in co_await.
    asio::awaitable<Result> piece = in_turn(std::move(work), stopping_);
    co_return co_await asio::co_spawn(pool_, std::move(piece), asio::use_awaitable);
  }

  // stop has what waits fail; it does not wait for the piece that is being done. join does.
  void stop() { stopping_ = true; }
  void join() {
    stop();
    pool_.join();
  }

 private:
  template <typename Result>
  static asio::awaitable<Result> in_turn(std::function<Result()> work,
                                         const std::atomic<bool>& stopping) {
    if (stopping) throw std::runtime_error("the gateway is stopping");
    co_return work();
  }

  std::atomic<bool> stopping_ = false;
  asio::thread_pool pool_{1};
};

}  // namespace gateway::web
