#include "repeated.hpp"

#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace gateway {

struct Repeated::Inside : std::enable_shared_from_this<Inside> {
  Inside(const asio::any_io_executor& executor, Duration every, std::function<void()> what)
      : timer(executor), interval(every), call(std::move(what)) {}

  void wait() {
    timer.expires_after(interval);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->stopped) return;
      self->call();
      if (!self->stopped) self->wait();
    });
  }

  asio::steady_timer timer;
  Duration interval;
  std::function<void()> call;
  bool stopped = false;
};

Repeated::Repeated(const asio::any_io_executor& executor, Duration interval,
                   std::function<void()> call)
    : inside_(std::make_shared<Inside>(executor, interval, std::move(call))) {}

Repeated::~Repeated() {
  stop();
}

void Repeated::start() {
  inside_->stopped = false;
  inside_->wait();
}

void Repeated::stop() {
  inside_->stopped = true;
  inside_->timer.cancel();
}

}  // namespace gateway
