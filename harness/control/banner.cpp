#include "control/banner.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <system_error>

namespace postern {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kBetweenAttempts{5};
constexpr std::size_t kLongestGreeting = 16 * 1024;

// complete_reply tells whether `text` ends in the last line of a reply with `code`.
bool complete_reply(const std::string& text, const std::string& code) {
  const std::size_t last = text.rfind('\n', text.size() < 2 ? 0 : text.size() - 2);
  const std::size_t start = last == std::string::npos ? 0 : last + 1;
  return !text.empty() && text.back() == '\n' && text.compare(start, 4, code + " ") == 0;
}

}  // namespace

struct BannerProbe::Parts {
  Parts(const asio::any_io_executor& executor, const std::string& address, unsigned short port)
      : where(asio::ip::make_address(address), port), socket(executor), timer(executor) {}

  tcp::endpoint where;
  tcp::socket socket;
  asio::steady_timer timer;
  bool stopped = false;
};

unsigned short free_port(const std::string& address) {
  asio::io_context context(1);
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  tcp::acceptor acceptor(context);
  const tcp::endpoint any_port(parsed, 0);
  if (!error) acceptor.open(any_port.protocol(), error);
  if (!error) acceptor.bind(any_port, error);
  if (error) throw std::system_error(error, "no free port on " + address);
  return acceptor.local_endpoint().port();
}

BannerProbe::BannerProbe(asio::any_io_executor executor, std::string address, unsigned short port)
    : parts_(std::make_unique<Parts>(executor, address, port)) {}

BannerProbe::~BannerProbe() = default;

void BannerProbe::stop() {
  boost::system::error_code ignored;
  parts_->stopped = true;
  parts_->socket.close(ignored);
  parts_->timer.cancel();
}

asio::awaitable<void> BannerProbe::run(std::shared_ptr<BannerProbe> probe,
                                       std::function<void()> on_answer) {
  Parts& parts = *probe->parts_;
  while (!parts.stopped) {
    const bool answered = co_await probe->answered();
    if (parts.stopped) break;
    if (answered) {
      on_answer();
      break;
    }
    parts.timer.expires_after(kBetweenAttempts);
    co_await parts.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<bool> BannerProbe::answered() {
  Parts& parts = *parts_;
  boost::system::error_code ignored;
  parts.socket.close(ignored);
  parts.socket.open(parts.where.protocol());
  const tcp::endpoint source(asio::ip::make_address(kProbeAddress), 0);
  parts.socket.set_option(tcp::no_delay(true), ignored);
  parts.socket.bind(source, ignored);
  const auto [refused] =
      co_await parts.socket.async_connect(parts.where, asio::as_tuple(asio::use_awaitable));
  if (refused) co_return false;
  std::string text;
  std::string wanted = "220";
  std::string chunk(4096, '\0');
  while (text.size() < kLongestGreeting) {
    const auto space = asio::buffer(chunk);
    const auto [error, count] =
        co_await parts.socket.async_read_some(space, asio::as_tuple(asio::use_awaitable));
    if (error) break;
    text.append(chunk, 0, count);
    if (!complete_reply(text, wanted)) continue;
    if (wanted == "221") {
      parts.socket.close(ignored);
      co_return true;
    }
    wanted = "221";
    text.clear();
    const std::string quit = "QUIT\r\n";
    const auto bytes = asio::buffer(quit);
    co_await parts.socket.async_write_some(bytes, asio::as_tuple(asio::use_awaitable));
  }
  co_return false;
}

}  // namespace postern
