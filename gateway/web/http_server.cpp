#include "http_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <map>

#include "values.hpp"

namespace gateway::web {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

constexpr std::size_t kMostConnections = 32;
constexpr std::size_t kMostOfOneGroup = 16;  // of them: browsers like to keep 6 each
constexpr std::uint32_t kMostHeader = 16 * 1024;
constexpr std::uint64_t kMostBody = 256 * 1024;
constexpr int kMostRequests = 200;  // on one connection
constexpr auto kRequestTime =
    std::chrono::seconds(15);  // for the next request, and to take a reply

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

using RawResponse = http::response<http::string_body>;

RawResponse raw(Response response, unsigned version, bool keep_alive) {
  RawResponse out(static_cast<http::status>(response.status), version);
  out.set(http::field::content_type, response.type);
  out.set(http::field::cache_control, "no-store");
  out.set("Content-Security-Policy",
          "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("X-Frame-Options", "DENY");
  out.set("Referrer-Policy", "same-origin");
  out.set("Cross-Origin-Opener-Policy", "same-origin");
  out.set("Cross-Origin-Resource-Policy", "same-origin");
  for (const auto& [name, value] : response.headers) out.insert(name, value);
  out.keep_alive(keep_alive);
  out.body() = std::move(response.body);
  out.prepare_payload();
  return out;
}

Response plain(int status, std::string text) {
  return {status, "text/plain; charset=utf-8", std::move(text) + "\n", {}};
}

// refusal answers what could not be read; status 0: nobody is there to be answered.
Response refusal(const beast::error_code& error) {
  if (error == http::error::header_limit) {
    return plain(431, fmt::format("At most {} octets of header may be sent.", kMostHeader));
  }
  if (error.category() != beast::error_code(http::error::bad_method).category() ||
      error == http::error::end_of_stream || error == http::error::partial_message) {
    return plain(0, {});
  }
  return plain(400, "This is no HTTP request: " + error.message() + ".");
}

}  // namespace

class HttpServer::Inside : public std::enable_shared_from_this<HttpServer::Inside> {
 public:
  Inside(asio::any_io_executor executor, Handler handler)
      : executor_(executor), acceptor_(executor), handler_(std::move(handler)) {}

  void open(const std::string& address, std::uint16_t port);
  std::string endpoint() const;
  void start();
  void stop();

 private:
  bool has_room(const std::string& group) const;
  asio::awaitable<void> listen();
  asio::awaitable<void> serve(std::shared_ptr<beast::tcp_stream> stream);
  asio::awaitable<void> converse(beast::tcp_stream& stream);
  asio::awaitable<Response> answer(const http::request<http::string_body>& request,
                                   const tcp::socket& socket, bool whole);

  asio::any_io_executor executor_;
  tcp::acceptor acceptor_;
  Handler handler_;
  std::map<std::shared_ptr<beast::tcp_stream>, std::string> streams_;  // and their limit_group
  bool stopping_ = false;
};

void HttpServer::Inside::open(const std::string& address, std::uint16_t port) {
  const tcp::endpoint endpoint(asio::ip::make_address(address), port);
  try {
    acceptor_.open(endpoint.protocol());
    fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format("cannot serve the settings page on {}: {}",
                                         endpoint_text(address, port), error.code().message()));
  }
}

std::string HttpServer::Inside::endpoint() const {
  const auto endpoint = acceptor_.local_endpoint();
  return endpoint_text(endpoint.address().to_string(), endpoint.port());
}

void HttpServer::Inside::start() {
  asio::co_spawn(executor_, listen(), asio::detached);
}

void HttpServer::Inside::stop() {
  stopping_ = true;
  beast::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& [stream, group] : streams_) stream->close();
}

// has_room tells whether one more may connect from there: nobody is to shut the others out.
bool HttpServer::Inside::has_room(const std::string& group) const {
  const auto own = std::count_if(streams_.begin(), streams_.end(),
                                 [&](const auto& stream) { return stream.second == group; });
  return streams_.size() < kMostConnections && static_cast<std::size_t>(own) < kMostOfOneGroup;
}

asio::awaitable<void> HttpServer::Inside::listen() {
  const auto self = shared_from_this();
  asio::steady_timer pause(executor_);
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kTuple);
    if (stopping_) co_return;
    if (error) {
      // Out of descriptors or memory: some are given back in a moment.
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(kTuple);
      continue;
    }
    beast::error_code ignored;
    const std::string group = limit_group(socket.remote_endpoint(ignored).address().to_string());
    if (!has_room(group)) continue;  // closed without a word
    fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    socket.set_option(tcp::no_delay(true), ignored);
    auto stream = std::make_shared<beast::tcp_stream>(std::move(socket));
    streams_.emplace(stream, group);
    asio::co_spawn(executor_, serve(std::move(stream)), asio::detached);
  }
}

asio::awaitable<void> HttpServer::Inside::serve(std::shared_ptr<beast::tcp_stream> stream) {
  const auto self = shared_from_this();
  try {
    co_await converse(*stream);
  } catch (const std::exception&) {
    // Out of memory, say: this connection is lost, mail is not.
  }
  streams_.erase(stream);
}

asio::awaitable<void> HttpServer::Inside::converse(beast::tcp_stream& stream) {
  beast::flat_buffer buffer(kMostHeader + kMostBody);
  for (int count = 0; count < kMostRequests && !stopping_; ++count) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMostHeader);
    parser.body_limit(kMostBody);
    stream.expires_after(kRequestTime);
    auto [error, octets] = co_await http::async_read(stream, buffer, parser, kTuple);
    Response response;
    bool keep_alive = false;
    unsigned version = 11;
    const bool whole = error != http::error::body_limit;
    if (error && whole) {
      response = refusal(error);
      if (response.status == 0) break;
    } else {
      const auto& request = parser.get();
      version = request.version();
      keep_alive = whole && request.keep_alive() && count + 1 < kMostRequests;
      stream.expires_never();
      asio::awaitable<Response> answering = answer(request, stream.socket(), whole);
      response = co_await std::move(answering);
    }
    RawResponse out = raw(std::move(response), version, keep_alive);
    stream.expires_after(kRequestTime);
    auto [failed, written] = co_await http::async_write(stream, out, kTuple);
    if (failed || !keep_alive) break;
  }
  // What the client still sends must not turn the reply into a reset.
  beast::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream.expires_after(std::chrono::seconds(1));
  std::array<char, 4096> rest{};
  while (!stopping_) {
    auto [error, octets] = co_await stream.async_read_some(asio::buffer(rest), kTuple);
    if (error) break;
  }
  stream.close();
}

asio::awaitable<Response> HttpServer::Inside::answer(
    const http::request<http::string_body>& request, const tcp::socket& socket, bool whole) {
  if (request.method() != http::verb::get && request.method() != http::verb::post) {
    Response refused = plain(405, "Only GET and POST are known here.");
    refused.headers.emplace_back("Allow", "GET, POST");
    // RFC 9110 section 9.3.2: what follows the header of a reply to HEAD is the next reply.
    if (request.method() == http::verb::head) refused.body.clear();
    co_return refused;
  }
  const auto field = [&](http::field name) { return std::string(request[name]); };
  Request out;
  out.method = std::string(request.method_string());
  out.target = std::string(request.target());
  out.host = request.count(http::field::host) == 1 ? field(http::field::host) : std::string();
  out.origin = field(http::field::origin);
  out.cookie = field(http::field::cookie);
  out.accept_language = field(http::field::accept_language);
  out.content_type = field(http::field::content_type);
  out.body = request.body();
  out.whole = whole;
  beast::error_code gone;
  const auto remote = socket.remote_endpoint(gone);
  const auto local = socket.local_endpoint(gone);
  out.client = remote.address().to_string();
  out.local = local.address().to_string();
  std::string trouble;
  try {
    asio::awaitable<Response> answer = handler_(std::move(out));
    co_return co_await std::move(answer);
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  co_return plain(500, "This went wrong: " + trouble);
}

HttpServer::HttpServer(asio::any_io_executor executor, const std::string& address,
                       std::uint16_t port, Handler handler)
    : inside_(std::make_shared<Inside>(std::move(executor), std::move(handler))) {
  inside_->open(address, port);
}

HttpServer::~HttpServer() = default;

std::string HttpServer::endpoint() const {
  return inside_->endpoint();
}
void HttpServer::start() {
  inside_->start();
}
void HttpServer::stop() {
  inside_->stop();
}

}  // namespace gateway::web
