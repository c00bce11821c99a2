// A TCP connection that may become TLS: the only place of the gateway that moves bytes over the
// network. TLS runs over memory BIOs, so that what is clear text and what is not never mixes.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "tls_context.hpp"
#include "values.hpp"

namespace gateway {

namespace asio = boost::asio;

// Ending tells how a stream came to its end.
enum class Ending {
  closed,
  close_notify,
  reset,
  alert,
  tls_error,
  bad_reply,
  timeout,
  interrupted
};

// ending_word is the word of the journal for it.
std::string_view ending_word(Ending ending);

// Disconnected leaves every dialogue whose stream has ended. One place in each dialogue catches
// it.
struct Disconnected : std::exception {
  Disconnected(Ending how, std::string what_happened)
      : ending(how), detail(std::move(what_happened)) {}
  const char* what() const noexcept override { return detail.c_str(); }
  Ending ending;
  std::string detail;
};

// Peer is one end of a connection.
struct Peer {
  std::string address;
  std::uint16_t port = 0;
};

// Channel owns the socket. All coroutines throw Disconnected; after `timeout` in clear text one
// more write is possible (with a new limit), after any other ending the channel is only closed.
class Channel {
 public:
  class Body;
  explicit Channel(std::shared_ptr<Body> body);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // unconnected makes a channel to call connect on: what waits for a connection can be interrupted.
  static std::unique_ptr<Channel> unconnected(asio::any_io_executor executor);

  // connect makes a connection within `limit`. `address` is an IP literal.
  asio::awaitable<void> connect(std::string address, std::uint16_t port, Duration limit);

  // limit sets the time by which what is awaited from here on must have happened.
  void limit(Duration duration);

  // read appends at least one octet to `into`, which must outlive the call.
  asio::awaitable<void> read(std::string& into);

  // write sends all of `bytes`.
  asio::awaitable<void> write(std::string bytes);

  // has_arrived tells whether octets have come in clear text that were not read yet.
  bool has_arrived() const;

  // discard_arrived throws away what has come in clear text and was not read yet.
  void discard_arrived();

  // start_tls runs the handshake. The handle's mode decides the side.
  asio::awaitable<TlsFacts> start_tls(SslHandle ssl);

  // finish ends the sending side (close_notify under TLS), so that nothing sent before is lost.
  // It never throws.
  asio::awaitable<void> finish();

  // drain reads and throws away until the peer closes or `limit` has passed, then closes. It
  // never throws.
  asio::awaitable<void> drain(Duration limit);

  // interrupt makes what is awaited throw Disconnected with Ending::interrupted, once.
  void interrupt();

  // abort closes at once.
  void abort();

  SSL* ssl() const;
  const Peer& local() const;
  const Peer& remote() const;

 private:
  std::shared_ptr<Body> body_;
};

}  // namespace gateway
