#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/peer.hpp"
#include "peers/patience.hpp"
#include "peers/recorder.hpp"
#include "peers/tls_engine.hpp"
#include "peers/tls_records.hpp"

// The wire: one TCP connection of a fake peer, in clear text and then in TLS. Everything that
// passes is recorded; every ending is told apart.

namespace postern {

/// Wire is used by one coroutine at a time; its socket, recorder and clock are its owner's
/// thread's.
class Wire : private Waiting {
 public:
  /// limit bounds each single wait (already scaled). All waits of the connection together take no
  /// longer than kWaits of it: who drips byte after byte holds no peer for good.
  Wire(boost::asio::ip::tcp::socket socket, Observation& observation, Side side,
       std::chrono::steady_clock::time_point epoch, const TokenOwners& owners, Patience& patience,
       std::chrono::steady_clock::duration limit);
  ~Wire() override;

  /// connect opens the connection from `from`; kOpen on success, kReset where it was refused. Who
  /// `speaks_first` has the kernel send the last segment of TCP's handshake with the first bytes,
  /// so that these have arrived when the gateway accepts.
  boost::asio::awaitable<Ending> connect(boost::asio::ip::tcp::endpoint from,
                                         boost::asio::ip::tcp::endpoint to,
                                         bool speaks_first = false);

  /// read appends at least one byte to `into` (kOpen), or tells how the connection ended.
  boost::asio::awaitable<Ending> read(std::string& into);

  /// write_beneath sends `bytes` as they are, beneath TLS where there is TLS.
  boost::asio::awaitable<Ending> write_beneath(std::string bytes);

  /// flood sends `bytes` so many times in a row; on record they stand once.
  boost::asio::awaitable<Ending> flood(std::string bytes, std::size_t times);

  /// write sends all of `bytes`, in pieces that end at the offsets `splits`. kOpen on success.
  boost::asio::awaitable<Ending> write(std::string bytes, std::vector<std::size_t> splits = {});

  /// DeviationAt gives what the peer does at a point of the handshake; nullptr: what is due.
  using DeviationAt = std::function<const Deviation*(Point)>;

  /// handshake does the TLS handshake; true when it was completed. `surplus` are bytes that were
  /// read behind the line before it: they are the first of the handshake. Facts tell the rest.
  boost::asio::awaitable<bool> handshake(SSL_CTX* context, Role role, std::string surplus,
                                         DeviationAt deviation);

  /// set_manner says how the next handshake goes, and how what is written in its TLS is cut.
  /// Without it OpenSSL decides.
  void set_manner(TlsManner manner) { manner_ = std::move(manner); }

  /// renegotiate asks for a second handshake inside TLS 1.2 and reads until it is refused, done, or
  /// the connection has ended. It returns whether a second handshake was completed.
  boost::asio::awaitable<bool> renegotiate();

  /// await_end reads until the gateway has ended the connection. What still comes is recorded.
  boost::asio::awaitable<Ending> await_end();

  /// finish ends our sending side: close_notify under TLS, then FIN.
  boost::asio::awaitable<void> finish();

  /// notify_close sends close_notify and nothing else; shut_down sends FIN and nothing else.
  boost::asio::awaitable<void> notify_close();
  void shut_down();

  /// end_failed_tls has TLS that fails with an alert, from either side, ended from this side at
  /// once (RFC 8446 §6.2). Without it the gateway is watched until it ends the connection.
  void end_failed_tls() { ends_failed_tls_ = true; }

  /// reset ends the connection with RST.
  void reset();

  /// readable tells whether bytes, or an end, have arrived and were not read.
  bool readable();

  Phase phase() const { return phase_; }
  Recorder& recorder() { return recorder_; }
  ConnectionFacts& facts() { return recorder_.facts(); }

  /// tls is the TLS of this connection; nullptr before its handshake.
  const TlsEngine* tls() const { return tls_.get(); }

  /// alert is the number of the alert that the gateway sent, in TLS or after it failed; -1: none.
  int alert() const;

  /// handshake_failed_late marks a handshake that looked finished here and was ended by the other
  /// side before its first byte of SMTP (TLS 1.3 with a client certificate).
  void handshake_failed_late();

  static constexpr int kWaits = 30;

 private:
  void expire() override;
  void wait_from_now();
  boost::asio::awaitable<Ending> receive(std::string& raw);
  boost::asio::awaitable<Ending> send(std::string bytes);
  boost::asio::awaitable<bool> flush();
  boost::asio::awaitable<Ending> answer_close_notify();
  boost::asio::awaitable<void> act(const Deviation& deviation, std::string flight);
  boost::asio::awaitable<void> send_flight(std::string flight, bool first);
  Ending ended(Actor by, Ending how);
  boost::asio::awaitable<Ending> tls_ended();
  void completed();
  bool failed(const std::string& why);
  void note_alert();
  void look_for_smtp(std::string_view raw);

  boost::asio::ip::tcp::socket socket_;
  std::array<char, 4096> piece_;  ///< Where bytes are read to; not in a coroutine's frame.
  Recorder recorder_;
  Patience& patience_;
  std::chrono::steady_clock::duration limit_;
  std::chrono::steady_clock::time_point latest_ =
      std::chrono::steady_clock::now() + kWaits * limit_;
  std::unique_ptr<TlsEngine> tls_;
  Phase phase_ = Phase::kClear;
  bool timed_out_ = false;
  bool broken_ = false;  ///< The handshake failed: what comes is looked at, not decrypted.
  bool ends_failed_tls_ = false;
  TlsManner manner_;
  bool encrypted_ = false;    ///< Flights of ours are encrypted from now on, and not cut anew.
  TlsRecords after_failure_;  ///< What comes after a failed handshake.
  int late_alert_ = -1;       ///< The alert found there.
};

}  // namespace postern
