#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "judge/observation.hpp"
#include "judge/sentinel.hpp"

// Writes down what happens on one connection: events, facts, and where the sentinel was seen.

namespace postern {

/// TokenOwners finds the case a token belongs to. It lives as long as the configuration.
using TokenOwners = std::unordered_map<std::string, Observation*>;

/// Recorder belongs to one connection; the observation outlives it.
class Recorder {
 public:
  Recorder(Observation& observation, Side side, std::chrono::steady_clock::time_point epoch,
           const TokenOwners& owners);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  ConnectionFacts& facts() { return *facts_; }
  Observation& observation() { return *observation_; }
  Side side() const { return side_; }

  void note(Actor from, What what, std::string text, Phase phase);
  void sent(std::string_view bytes, Phase phase);
  /// received takes bytes as the peer reads them: clear text, or decrypted.
  void received(std::string_view bytes, Phase phase);
  /// ciphertext takes what the gateway sent beneath TLS; it is searched, not kept.
  void ciphertext(std::string_view bytes);
  void ended(Actor by, Ending how, Phase phase);

  /// The three below keep what passes beneath TLS, where the case asks for it. opened names both
  /// ends, the one that opened the connection first.
  void opened(const boost::asio::ip::tcp::endpoint& client,
              const boost::asio::ip::tcp::endpoint& server);
  void passed(Actor from, std::string_view raw);
  void shut(Actor by, Traffic::Kind how);
  /// secrets is where TLS writes its secrets; nullptr: it keeps them.
  std::string* secrets();

 private:
  std::deque<ConnectionFacts>& siblings();
  std::string place(Phase phase);
  std::int64_t now() const;
  void saw(const std::string& token, const char* coding, std::uint64_t offset, Phase phase);

  Observation* observation_;
  Side side_;
  std::chrono::steady_clock::time_point epoch_;
  const TokenOwners* owners_;
  ConnectionFacts* facts_;
  std::size_t stream_ = 0;  ///< Of the traffic; only where it was opened.
  bool has_stream_ = false;
  Phase scanned_ = Phase::kClear;
  SentinelScan scan_, cipher_scan_;
};

}  // namespace postern
