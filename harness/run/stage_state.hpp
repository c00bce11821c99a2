#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "judge/sentinel.hpp"
#include "peers/meetings.hpp"
#include "peers/scene.hpp"
#include "run/stage.hpp"

// What stage.cpp (the cast, the start of the gateway, its record) and stage_play.cpp (the play, and
// the fence behind it) share. For these two alone.

namespace postern {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// Actor of the play: one case with its peers and what it waits for.
struct CastCase {
  PlayedCase* played = nullptr;
  Scene scene;
  std::vector<std::unique_ptr<Listener>> servers;  ///< Next hops, in the order of preference.
  std::unique_ptr<Listener> mailbox;
  std::unique_ptr<Meetings> meetings;
  std::string domain, sender_domain;
  std::size_t index = 0;
  asio::steady_timer changed;
  bool in_hand = false;

  explicit CastCase(asio::io_context& io) : changed(io) {}
};

/// count_of counts what the gateway's record tells of a case.
inline int count_of(const Observation& observation, std::string_view kind) {
  return static_cast<int>(std::count_if(observation.record.begin(), observation.record.end(),
                                        [&](const RecordFact& fact) { return fact.kind == kind; }));
}

struct Stage::State {
  State(asio::io_context& the_io, StagePlan the_plan)
      : io(the_io), plan(std::move(the_plan)), patience(io.get_executor()), epoch(Clock::now()) {}

  asio::awaitable<StageReport> play();
  asio::awaitable<void> play_all();
  void cast(std::unique_ptr<PlayedCase> played, std::size_t index);
  asio::awaitable<bool> start();
  asio::awaitable<std::string> apply(Assignment changes);
  asio::awaitable<bool> play_round();
  asio::awaitable<void> work();
  asio::awaitable<void> play_case(CastCase& one);
  asio::awaitable<void> play_client_of(CastCase& one);
  asio::awaitable<void> play_scripts(CastCase& one, const Story& story);
  asio::awaitable<void> watch(int start);
  void blame(const Exit& ended);
  asio::awaitable<void> let_go();
  asio::awaitable<void> close(bool died);
  asio::awaitable<void> drain(Clock::duration limit);
  asio::awaitable<void> await_change(CastCase& one, Clock::time_point deadline);
  bool settled(const CastCase& one) const;
  bool hears_out(const CastCase& one) const;
  bool was_refused(const CastCase& one) const;
  bool quiet();
  std::string stray_in_queue(const std::vector<std::string>& queued) const;
  void listen(CastCase& one);
  void serve(CastCase& one);
  std::size_t reserved() const;
  asio::awaitable<bool> admit(CastCase& one);
  asio::awaitable<void> await_from_outside(CastCase& one);
  asio::awaitable<void> leave(CastCase& one);
  void order_for_outside();
  asio::awaitable<void> play_canary();
  void look_from_outside();
  void on_record(const RecordEvent& event);
  void add_fact(CastCase& one, const RecordEvent& event, const std::string& prefix);
  void note_problem(CastCase& one, std::exception_ptr error);
  const Peer& peer(const std::map<std::string, Peer>& peers, const std::string& name) const;

  asio::io_context& io;
  StagePlan plan;
  StageReport report;
  Patience patience;
  TlsContexts contexts;
  TokenOwners owners;
  Clock::time_point epoch;
  std::vector<std::unique_ptr<CastCase>> cast_;
  std::unordered_map<std::string, CastCase*> by_recipient, by_sender, by_client;
  std::vector<CastCase*> waiting;  ///< Not yet played, last first.
  std::unique_ptr<Gateway> gateway;
  Exit exit;
  bool records_sessions = false;
  bool interrupted = false;
  int working = 0;
  bool stopping = false;
  bool blamed = false;  ///< The end of this gateway was told to a case.
  CastCase* last_settled = nullptr;
  std::vector<CastCase*> in_order;  ///< As they were played, towards a gateway that is there.
  std::string foreign;              ///< A line of the record that tells of mail of no case.
  std::unique_ptr<asio::steady_timer> round_over, drained, answered;
  std::optional<std::string> answer;  ///< The gateway's to new settings: "" or its refusal.
};

}  // namespace postern
