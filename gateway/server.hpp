// The gateway as a whole: listeners, sessions, delivery, settings.
//
// What this room holds: policy (pure decisions on TLS), config and settings (the XML file, one
// generation of it), dialogue and session (receiving: what is answered, what moves the bytes),
// delivery and conversation (sending: when, and to whom), queue and database (SQLite with group
// commit), channel and tls_context (TCP and TLS), journal, bounce, simulator. One thread does all
// the network, one the disk. docs/gateway.md is the manual.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config.hpp"

namespace gateway {

namespace asio = boost::asio;

struct Services;

// Server runs one gateway on an executor of one thread.
class Server {
 public:
  // `config_path` is read again by reload; it may be empty where there is no file.
  Server(asio::any_io_executor executor, Config config, std::string config_path);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // open loads keys, the queue and the listeners. It throws ConfigError, DatabaseError or
  // std::runtime_error where something cannot be used.
  void open();

  // endpoints are the real addresses and ports, in the order of the file.
  std::vector<std::string> endpoints() const;

  // start begins to serve and to deliver.
  void start();

  // reload reads the configuration again and answers with settings-applied or settings-refused in
  // the journal (SET-5). `who` asked for it on the settings page; empty: it was a signal. It
  // returns why the settings were refused; empty: they hold.
  std::string reload(const std::string& who = {});

  // services are what the parts share, from open on.
  Services& services();

  // stop finishes what is in hand within the shutdown time, then calls `stopped`.
  void stop(std::function<void()> stopped);

 private:
  class Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace gateway
