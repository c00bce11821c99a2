// HTTP/1.1 on one address: GET and POST, with limits on everything. It decides nothing: a handler
// answers each request.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "http.hpp"

namespace gateway::web {

namespace asio = boost::asio;

// Handler answers one request. An exception is answered with 500.
using Handler = std::function<asio::awaitable<Response>(Request)>;

class HttpServer {
 public:
  // The constructor listens. It throws std::runtime_error where it cannot.
  HttpServer(asio::any_io_executor executor, const std::string& address, std::uint16_t port,
             Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // endpoint is the real address and port.
  std::string endpoint() const;

  // start begins to serve; stop closes everything.
  void start();
  void stop();

 private:
  class Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace gateway::web
