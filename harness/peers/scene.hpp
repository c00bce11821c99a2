#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "authority.hpp"
#include "catalogue/peer.hpp"
#include "catalogue/story.hpp"
#include "judge/observation.hpp"
#include "peers/patience.hpp"
#include "peers/recorder.hpp"
#include "peers/tls_engine.hpp"

// The scene of one case: what its peers need, and how they play.

namespace postern {

class Meetings;

/// Scene is what the peers of one case share. All of it outlives their coroutines, and all of them
/// run on one thread.
struct Scene {
  Observation* observation = nullptr;
  boost::asio::any_io_executor executor;
  std::chrono::steady_clock::time_point epoch;
  const TokenOwners* owners = nullptr;
  Patience* patience = nullptr;
  TlsContexts* contexts = nullptr;
  const certs::Authority* authority = nullptr;
  boost::asio::ip::tcp::endpoint gateway;
  boost::asio::ip::address client_address;      ///< In the clients' network.
  boost::asio::ip::address elsewhere_address;   ///< Of a client that is not in it.
  std::chrono::steady_clock::duration limit{};  ///< Of each single wait.
  Meetings* meetings = nullptr;                 ///< Where the scripts of a story wait.
  std::optional<std::uint64_t> jitter;          ///< Seed of its unrest; none: there is none.
  /// Where its next hop takes the mail of other cases, too: who serves what a story does not speak
  /// of, until it is known whose it is. nullptr: such a connection breaks the story.
  const Peer* stand_in = nullptr;
  int open_connections = 0;  ///< Accepted by the fake servers and not ended.
  /// apply gives the gateway other settings: "" where it applied them, else its refusal. It throws
  /// std::runtime_error where the gateway gave no answer.
  std::function<boost::asio::awaitable<std::string>(const Assignment& changes)> apply;
  TlsSession ticket;              ///< The last that a client of the story got; nullptr: none.
  bool by_hand = false;           ///< Nobody judges who ends TLS that failed: its peers do, too.
  std::function<void()> changed;  ///< Something was seen that the case may await.
};

/// Listener is where one fake server is reached: an address of its own, a port of the system's.
class Listener {
 public:
  /// Listener binds and listens; throws boost::system::system_error. It listens at `at`, if that is
  /// given (port 0: one of the system's), and its own address is only its name then.
  Listener(boost::asio::any_io_executor executor, const boost::asio::ip::address& address,
           const std::optional<boost::asio::ip::tcp::endpoint>& at = std::nullopt);

  unsigned short port() const { return port_; }
  std::string address() const { return address_.to_string(); }

  /// accept gives the next connection, nothing once the listener is closed.
  boost::asio::awaitable<std::optional<boost::asio::ip::tcp::socket>> accept();

  /// pending tells whether a connection stands in the backlog, not yet accepted.
  bool pending();

  /// problem says why accept gave nothing though the listener was not closed; empty: it was.
  const std::string& problem() const { return problem_; }
  void close();

 private:
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::address address_;
  unsigned short port_ = 0;
  std::string problem_;
};

/// play_client lets a client try to hand in its message, with all its connections; they come `from`
/// there.
boost::asio::awaitable<void> play_client(Scene& scene, const Peer& peer,
                                         boost::asio::ip::address from);

/// serve_connection serves one connection as `peer` does, to its end.
boost::asio::awaitable<void> serve_connection(Scene& scene, const Peer& peer,
                                              boost::asio::ip::tcp::socket socket, Side side);

/// play_server serves every connection to `listener` as `peer` does, until it is closed; `side` is
/// kServer, or kSender for the sender's mailbox.
boost::asio::awaitable<void> play_server(Scene& scene, const Peer& peer, Listener& listener,
                                         Side side);

/// play_client_script and play_server_script go through a story's steps. A step that does not hold
/// is written into Observation::broken_steps, and ends the script.
boost::asio::awaitable<void> play_client_script(Scene& scene, const Script& script);
boost::asio::awaitable<void> play_server_script(Scene& scene, const Script& script,
                                                Listener& listener);

}  // namespace postern
