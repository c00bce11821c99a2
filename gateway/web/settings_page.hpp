// The settings page: what is answered to which request, and to whom.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "config.hpp"
#include "server.hpp"

namespace gateway::web {

// SettingsPage serves the page of one gateway, on the thread of its executor.
class SettingsPage {
 public:
  // `web` says where it listens and whom it lets in: its password is set. `config_path` is the file
  // that Apply writes. The server has to be open, and to live as long. The constructor throws
  // std::runtime_error where the address cannot be used.
  SettingsPage(asio::any_io_executor executor, Server& server, std::string config_path,
               WebConfig web);
  ~SettingsPage();
  SettingsPage(const SettingsPage&) = delete;
  SettingsPage& operator=(const SettingsPage&) = delete;

  // endpoint is the real address and port.
  std::string endpoint() const;

  // start begins to serve; stop ends it. What then still runs on another thread holds up the
  // destructor alone.
  void start();
  void stop();

 private:
  class Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace gateway::web
