#include "channel.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "channel_body.hpp"

namespace gateway {
namespace {

using asio::ip::tcp;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kRawSize = 16 * 1024 + 512;
constexpr std::size_t kTlsSlice = 128 * 1024;

Peer peer_of(const tcp::endpoint& endpoint) {
  std::string text = endpoint.address().to_string();
  // A link-local address comes with the interface, which says nothing about the peer.
  text.resize(std::min(text.find('%'), text.size()));
  const auto parsed = IpAddress::parse(text);
  return {parsed ? parsed->to_string() : text, endpoint.port()};
}

}  // namespace

std::string_view ending_word(Ending ending) {
  switch (ending) {
    case Ending::closed:
      return "closed";
    case Ending::close_notify:
      return "close-notify";
    case Ending::reset:
      return "reset";
    case Ending::alert:
      return "alert";
    case Ending::tls_error:
      return "tls-error";
    case Ending::bad_reply:
      return "bad-reply";
    case Ending::timeout:
      return "timeout";
    case Ending::interrupted:
      return "interrupted";
  }
  return "closed";
}

Channel::Body::Body(tcp::socket accepted)
    : socket(std::move(accepted)), timer(socket.get_executor()), raw(kRawSize) {}

void Channel::Body::settle() {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
  fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  local = peer_of(socket.local_endpoint(ignored));
  remote = peer_of(socket.remote_endpoint(ignored));
}

void Channel::Body::limit(Duration duration) {
  deadline = asio::steady_timer::clock_type::now() + duration;
  timed_out = false;
  // A wait that ends earlier than the deadline is left alone: it looks again when it fires.
  if (deadline < watched) watch();
}

void Channel::Body::watch() {
  watched = deadline;
  timer.expires_at(deadline);
  timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->watched = asio::steady_timer::time_point::max();
    if (asio::steady_timer::clock_type::now() < self->deadline) {
      self->watch();
      return;
    }
    self->timed_out = true;
    boost::system::error_code ignored;
    self->socket.cancel(ignored);
  });
}

void Channel::Body::check() {
  if (std::exchange(interrupted, false)) throw Disconnected(Ending::interrupted, "interrupted");
  if (timed_out) throw Disconnected(Ending::timeout, "timed out");
}

void Channel::Body::fail(const boost::system::error_code& error) {
  check();
  if (error == asio::error::eof) throw Disconnected(Ending::closed, "connection closed");
  throw Disconnected(Ending::reset, error.message());
}

void Channel::Body::fail_tls(int ssl_error) {
  tls_broken = true;
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  const bool alert = ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET &&
                     reason < SSL_AD_REASON_OFFSET + 256;
  std::string text = tls_error();
  if (ssl_error == SSL_ERROR_SYSCALL) text = "connection closed without close_notify";
  throw Disconnected(alert ? Ending::alert : Ending::tls_error, std::move(text));
}

asio::awaitable<std::size_t> Channel::Body::receive() {
  check();
  const auto [error, size] = co_await socket.async_read_some(asio::buffer(raw), kAwait);
  if (error) fail(error);
  co_return size;
}

asio::awaitable<void> Channel::Body::send(std::string bytes) {
  check();
  if (bytes.empty()) co_return;
  const auto [error, size] = co_await asio::async_write(socket, asio::buffer(bytes), kAwait);
  if (error) fail(error);
}

asio::awaitable<void> Channel::Body::send_tls_output() {
  BIO* out = SSL_get_wbio(ssl.get());
  const std::size_t pending = BIO_ctrl_pending(out);
  if (pending == 0) co_return;
  std::string bytes(pending, '\0');
  BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  co_await send(std::move(bytes));
}

Channel::Channel(std::shared_ptr<Body> body) : body_(std::move(body)) {}

Channel::~Channel() {
  if (body_) body_->timer.cancel();
}

std::unique_ptr<Channel> Channel::unconnected(asio::any_io_executor executor) {
  return std::make_unique<Channel>(std::make_shared<Body>(tcp::socket(executor)));
}

asio::awaitable<void> Channel::connect(std::string address, std::uint16_t port, Duration limit) {
  Body& body = *body_;
  body.limit(limit);
  body.check();
  const tcp::endpoint endpoint(asio::ip::make_address(address), port);
  const auto [error] = co_await body.socket.async_connect(endpoint, kAwait);
  if (error) body.fail(error);
  body.settle();
}

void Channel::limit(Duration duration) {
  body_->limit(duration);
}

asio::awaitable<void> Channel::read(std::string& into) {
  Body& body = *body_;
  while (body.ssl) {
    ERR_clear_error();
    const int size = SSL_read(body.ssl.get(), body.raw.data(), static_cast<int>(body.raw.size()));
    if (size > 0) {
      into.append(body.raw.data(), static_cast<std::size_t>(size));
      co_return;
    }
    const int error = SSL_get_error(body.ssl.get(), size);
    if (error == SSL_ERROR_ZERO_RETURN) {
      throw Disconnected(Ending::close_notify, "TLS session closed");
    }
    if (error != SSL_ERROR_WANT_READ) body.fail_tls(error);
    co_await body.send_tls_output();
    const std::size_t arrived = co_await body.receive();
    BIO_write(SSL_get_rbio(body.ssl.get()), body.raw.data(), static_cast<int>(arrived));
  }
  const std::size_t arrived = co_await body.receive();
  into.append(body.raw.data(), arrived);
}

asio::awaitable<void> Channel::write(std::string bytes) {
  Body& body = *body_;
  if (!body.ssl) {
    co_await body.send(std::move(bytes));
    co_return;
  }
  for (std::size_t sent = 0; sent < bytes.size();) {
    const std::size_t slice = std::min(bytes.size() - sent, kTlsSlice);
    ERR_clear_error();
    const int written = SSL_write(body.ssl.get(), bytes.data() + sent, static_cast<int>(slice));
    if (written <= 0) body.fail_tls(SSL_get_error(body.ssl.get(), written));
    sent += static_cast<std::size_t>(written);
    co_await body.send_tls_output();
  }
}

bool Channel::has_arrived() const {
  boost::system::error_code error;
  return body_->socket.available(error) > 0 && !error;
}

void Channel::discard_arrived() {
  boost::system::error_code error;
  while (body_->socket.available(error) > 0 && !error) {
    if (body_->socket.read_some(asio::buffer(body_->raw), error) == 0) break;
  }
}

asio::awaitable<TlsFacts> Channel::start_tls(SslHandle ssl) {
  Body& body = *body_;
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl.get(), in, out);
  body.ssl = std::move(ssl);
  body.tls_broken = true;  // until the handshake is through
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(body.ssl.get());
    if (result == 1) break;
    const int error = SSL_get_error(body.ssl.get(), result);
    if (error != SSL_ERROR_WANT_READ) body.fail_tls(error);
    co_await body.send_tls_output();
    const std::size_t arrived = co_await body.receive();
    BIO_write(in, body.raw.data(), static_cast<int>(arrived));
  }
  // A client goes on at once: its last flight travels with its first command.
  if (SSL_is_server(body.ssl.get())) co_await body.send_tls_output();
  body.tls_broken = false;
  co_return facts_of(body.ssl.get());
}

asio::awaitable<void> Channel::finish() {
  Body& body = *body_;
  if (body.finished) co_return;
  body.finished = true;
  body.interrupted = false;
  body.timed_out = false;
  try {
    if (body.ssl) {
      ERR_clear_error();
      // After a broken handshake only the alert that OpenSSL has written goes out.
      if (!body.tls_broken) SSL_shutdown(body.ssl.get());
      body.limit(std::chrono::seconds(2));
      co_await body.send_tls_output();
    }
  } catch (const Disconnected&) {
    // The peer is gone already: nothing is left to end.
  }
  ERR_clear_error();
  boost::system::error_code ignored;
  body.socket.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> Channel::drain(Duration limit) {
  Body& body = *body_;
  body.limit(limit);
  try {
    for (;;) co_await body.receive();
  } catch (const Disconnected&) {
    // Whatever ended the stream, it ends here.
  }
  abort();
}

void Channel::interrupt() {
  body_->interrupted = true;
  boost::system::error_code ignored;
  body_->socket.cancel(ignored);
}

void Channel::abort() {
  boost::system::error_code ignored;
  body_->timer.cancel();
  body_->socket.close(ignored);
}

SSL* Channel::ssl() const {
  return body_->ssl.get();
}
const Peer& Channel::local() const {
  return body_->local;
}
const Peer& Channel::remote() const {
  return body_->remote;
}

}  // namespace gateway
