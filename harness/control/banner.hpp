#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

namespace postern {

/// kProbeAddress is where probes come from; nothing else does.
inline constexpr const char* kProbeAddress = "127.126.126.126";

/// free_port gives a port of `address` on which nothing listens now. Throws std::system_error.
unsigned short free_port(const std::string& address);

/// BannerProbe connects to a starting SMTP server until it answers. Nothing but time says when to
/// try again, so it tries every few milliseconds. It connects from kProbeAddress: no case does, so
/// what the server records about the probe can be told apart. From the server's own address it
/// would now and then be given the server's port, reach itself, and keep the server from it.
class BannerProbe {
 public:
  BannerProbe(boost::asio::any_io_executor executor, std::string address, unsigned short port);
  ~BannerProbe();

  /// run calls `on_answer` when a 220 greeting and the reply to QUIT have come, and ends; or ends
  /// without a call after stop. The probe is kept alive by it.
  static boost::asio::awaitable<void> run(std::shared_ptr<BannerProbe> probe,
                                          std::function<void()> on_answer);
  void stop();

 private:
  boost::asio::awaitable<bool> answered();

  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace postern
