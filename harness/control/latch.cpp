#include "control/latch.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postern {

namespace asio = boost::asio;

namespace {

// Waiting keeps a timer in the list for as long as a coroutine stands in its wait, and takes it out
// when the coroutine is destroyed there, too.
class Waiting {
 public:
  Waiting(std::list<asio::steady_timer*>& list, asio::steady_timer& timer)
      : list_(list), position_(list.insert(list.end(), &timer)) {}
  ~Waiting() { list_.erase(position_); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::list<asio::steady_timer*>& list_;
  std::list<asio::steady_timer*>::iterator position_;
};

}  // namespace

void Latch::fire() {
  fired_ = true;
  for (asio::steady_timer* timer : waiters_) {
    timer->cancel();
  }
}

asio::awaitable<void> Latch::wait() {
  asio::steady_timer timer(executor_, asio::steady_timer::time_point::max());
  while (!fired_) {
    const Waiting waiting(waiters_, timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<bool> Latch::wait_for(std::chrono::steady_clock::duration limit) {
  if (!fired_) {
    asio::steady_timer timer(executor_, limit);
    const Waiting waiting(waiters_, timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return fired_;
}

}  // namespace postern
