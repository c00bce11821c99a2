// One client's session: reads lines, asks the dialogue, sends what it answers and does what comes
// next.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channel.hpp"
#include "dialogue.hpp"
#include "services.hpp"

namespace gateway {

class Session {
 public:
  // `settings` are those in force when the client connected; they hold for the whole session.
  Session(Services& services, std::unique_ptr<Channel> channel, std::uint64_t number);

  // run serves the client to its end. It never throws.
  asio::awaitable<void> run();

  // turn_away answers 421 to a client over a limit and ends soon.
  asio::awaitable<void> turn_away(std::string reason);

  // stop asks a session that waits for a command to end with 421; one that receives data goes on,
  // one that is closed already waits no longer for its client.
  void stop();

  // abort ends the session at once: with 421 where the client can be told, as amid data.
  void abort();

 private:
  enum class Awaited { nothing, command, data };

  asio::awaitable<void> serve();
  asio::awaitable<Line> next_line();
  asio::awaitable<void> hear(Awaited what);
  asio::awaitable<bool> act(Answer answer);
  asio::awaitable<bool> start_tls();
  asio::awaitable<void> receive_data();
  asio::awaitable<std::string> read_data(class Incoming& incoming, Envelope& envelope,
                                         DataResult& result);
  asio::awaitable<void> accept(Incoming& incoming, Envelope envelope);
  asio::awaitable<void> lost(Ending ending, std::string detail);
  asio::awaitable<void> flush();
  asio::awaitable<void> close();

  void reply(const Reply& reply);
  void record_reply(const Reply& reply);
  void record_dropped(const Reply& reply);
  void record_received(const Envelope& envelope);
  void record_start();
  void record_end();
  SessionFacts facts(const std::string& ended) const;
  void note_facts(const std::string& ended) const;
  void hand_over();
  Duration command_limit() const;
  Duration data_limit(std::chrono::steady_clock::time_point began, std::uint64_t octets) const;
  const Limits& limits() const { return settings_->config.limits; }
  bool requested() const { return requests_certificate(reception_.policy); }

  Services& services_;
  std::shared_ptr<const Settings> settings_;
  std::unique_ptr<Channel> channel_;
  Reception reception_;
  std::string id_;
  Dialogue dialogue_;
  LineReader lines_;
  Duration drain_time_;
  std::string out_;
  TimePoint started_ = now();
  Awaited awaited_ = Awaited::nothing;
  bool aborted_ = false;   // cut short by us
  bool draining_ = false;  // closed, waiting for the client to close
  std::string ended_ = "lost";
  std::string detail_;
  int last_code_ = 0;
  std::uint64_t messages_ = 0;
  // Stored, and not with delivery yet.
  std::vector<std::pair<std::shared_ptr<const Envelope>, BodyInMemory>> stored_;
};

}  // namespace gateway
