#include "peers/meetings.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;

namespace postern {

Meetings::Meetings(asio::any_io_executor executor, std::chrono::steady_clock::duration limit)
    : executor_(executor), limit_(limit) {}

asio::awaitable<std::string> Meetings::arrive(std::string meeting) {
  Place& place = places_[meeting];
  ++place.arrived;
  wake();
  std::function<bool()> decided = [&place] {
    return place.broken || place.arrived >= place.expected;
  };
  const bool in_time = co_await until(std::move(decided));
  if (place.arrived >= place.expected) co_return std::string();
  co_return in_time ? "a script that ended before it" : "nobody within the time limit";
}

void Meetings::left(const std::string& meeting) {
  places_[meeting].broken = true;
  wake();
}

asio::awaitable<bool> Meetings::until(std::function<bool()> holds) {
  const auto deadline = std::chrono::steady_clock::now() + limit_;
  while (!holds()) {
    if (ended_ || std::chrono::steady_clock::now() >= deadline) co_return false;
    asio::steady_timer timer(executor_, deadline);
    waiting_.insert(&timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    waiting_.erase(&timer);
  }
  co_return true;
}

void Meetings::wake() {
  for (asio::steady_timer* timer : waiting_) timer->cancel();
}

void Meetings::end() {
  ended_ = true;
  wake();
}

}  // namespace postern
