#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "peers/jitter.hpp"
#include "peers/reply.hpp"
#include "peers/scene.hpp"
#include "peers/wire.hpp"

// The actions that every peer is made of, whether it has a goal or follows a story: say, hear,
// start TLS, end.

namespace postern {

/// Talk is one connection of a fake peer, as lines and replies.
class Talk {
 public:
  /// A client's talk begins with connect, a server's with the socket it accepted.
  explicit Talk(Scene& scene);
  Talk(Scene& scene, boost::asio::ip::tcp::socket socket, Side side);

  boost::asio::awaitable<Ending> connect(const boost::asio::ip::address& from,
                                         bool speaks_first = false);
  /// say writes `bytes`, in pieces that end at the offsets `splits`; without these in one write,
  /// but that jitter, where the scene has any, may cut a plain line.
  boost::asio::awaitable<Ending> say(std::string bytes, std::vector<std::size_t> splits = {});

  /// say_whole writes `bytes` in one write whatever they are, say_freely lets jitter cut them.
  boost::asio::awaitable<Ending> say_whole(std::string bytes);
  boost::asio::awaitable<Ending> say_freely(std::string bytes);

  /// hear_line gives the next line with its end; a line is cut at 64 KiB.
  boost::asio::awaitable<Ending> hear_line(std::string& line);

  /// hear_reply gives the next whole reply and writes its code into the facts as the answer to
  /// `command`.
  boost::asio::awaitable<Ending> hear_reply(Reply& reply, std::string command);

  /// start_tls does the handshake as `peer` would; bytes already read in clear text go first.
  boost::asio::awaitable<bool> start_tls(TlsWish wish, Wire::DeviationAt deviation);

  /// take_message reads to the final dot and undoes dot-stuffing; the message is in the facts then.
  boost::asio::awaitable<Ending> take_message();

  /// took files the transaction under way as a message that was answered 250.
  void took();

  boost::asio::awaitable<Ending> await_end() { return wire_.await_end(); }
  boost::asio::awaitable<void> finish() { return wire_.finish(); }
  void reset() { wire_.reset(); }

  /// ahead tells whether bytes were read beyond the last line or reply.
  const std::string& ahead() const { return buffer_; }
  std::string take_ahead() { return std::exchange(buffer_, std::string()); }

  Scene& scene() { return scene_; }
  Phase phase() const { return wire_.phase(); }
  ConnectionFacts& facts() { return wire_.facts(); }
  Wire& wire() { return wire_; }

 private:
  boost::asio::awaitable<Ending> say_with_jitter(std::vector<std::string> pieces,
                                                 std::vector<std::size_t> splits);

  Scene& scene_;
  Side side_;
  Wire wire_;
  std::string buffer_;
  std::optional<Jitter> jitter_;
};

/// path_of gives the address in the brackets of MAIL FROM:<…> or RCPT TO:<…>.
std::string path_of(const std::string& command);

/// wish_of gives what a matrix peer brings into a handshake. Throws std::runtime_error on a name
/// the PKI does not have (the catalogue has checked it).
TlsWish wish_of(Scene& scene, const Peer& peer);

}  // namespace postern
