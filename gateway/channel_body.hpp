// The inside of a Channel, for channel.cpp and the listener, which makes channels of accepted
// sockets.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <vector>

#include "channel.hpp"

namespace gateway {

class Channel::Body : public std::enable_shared_from_this<Channel::Body> {
 public:
  explicit Body(asio::ip::tcp::socket accepted);

  // settle sets the options of a connected socket and notes both ends.
  void settle();

  void limit(Duration duration);
  void watch();
  void check();  // throws Disconnected when time is up or an interrupt came

  asio::awaitable<std::size_t> receive();         // raw octets into raw_
  asio::awaitable<void> send(std::string bytes);  // raw octets
  asio::awaitable<void> send_tls_output();
  [[noreturn]] void fail(const boost::system::error_code& error);
  [[noreturn]] void fail_tls(int ssl_error);

  asio::ip::tcp::socket socket;
  asio::steady_timer timer;
  asio::steady_timer::time_point deadline = asio::steady_timer::time_point::max();
  asio::steady_timer::time_point watched = asio::steady_timer::time_point::max();
  bool timed_out = false;
  bool interrupted = false;
  bool finished = false;
  bool tls_broken = false;
  SslHandle ssl;
  Peer local;
  Peer remote;
  std::vector<char> raw;
};

}  // namespace gateway
