#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "authority.hpp"
#include "catalogue/catalogue.hpp"
#include "control/gateway.hpp"
#include "judge/observation.hpp"

// The stage of one configuration: one gateway, and all cases that can be played against it, many at
// once. What was seen comes back; nothing is judged here.

namespace postern {

/// StageCase is one case to be played: a cell of a matrix or a story.
struct StageCase {
  const MatrixCase* matrix = nullptr;
  const Story* story = nullptr;
  bool control = false;      ///< Taken along as somebody's control.
  std::uint64_t number = 0;  ///< Of the run: makes its token.
};

/// Manners is how a run behaves towards a gateway that is there already; all its stages share it.
struct Manners {
  std::size_t budget = 0;  ///< Connections it may make; 0: no limit.
  std::size_t made = 0;    ///< Connections it has made.
  int blocked = 0;         ///< Cases in a row to which the gateway closed itself.
  std::string over;        ///< Why no more cases are played; empty: they are.
  std::string spent;       ///< That cases did not fit in the budget; empty: all did.
};

/// connections_of counts how many connections to the gateway a case makes at most.
std::size_t connections_of(const Catalogue& catalogue, const MatrixCase* cell, const Story* story);

/// comes_through tells whether a case's message is expected at its next hop.
bool comes_through(const MatrixCase* cell, const Story* story);

/// StagePlan says what to play, against what. All it points to outlives the stage.
struct StagePlan {
  const Catalogue* catalogue = nullptr;
  const GatewayFile* gateway = nullptr;
  const certs::Authority* authority = nullptr;
  Assignment settings;  ///< Every setting with its value.
  std::vector<StageCase> cases;
  std::string listen_address;
  std::string program_directory;
  bool keep_directory = false;
  std::uint64_t seed = 0;
  std::size_t in_flight = 48;           ///< Cases played at once.
  bool keep_traffic = false;            ///< Every observation gets its Traffic.
  std::optional<std::uint64_t> jitter;  ///< Seed of the unrest on the wire; none: there is none.
  const RemotePlace* remote = nullptr;  ///< Where the gateway is, if it is there already.
  Manners* manners = nullptr;           ///< Of the run towards it; nullptr with `remote` alone.
};

/// PlayedCase is one case with what was seen of it.
struct PlayedCase {
  StageCase what;
  Observation observation;
  std::int64_t began = 0;  ///< Microseconds on the stage's axis.
  double seconds = 0;
  bool played = false;  ///< False: the run was interrupted before its end.
};

/// StageReport is what came of one configuration.
struct StageReport {
  std::vector<std::unique_ptr<PlayedCase>> cases;
  Fence fence;
  std::vector<std::string> warnings;  ///< Warnings on the gateway's record, whole lines.
  std::string not_started;            ///< Why no gateway came up; empty: one did.
  std::string cut_short = "the gateway ended too often";  ///< Why some cases were not played.
  std::vector<std::string> last_output;
  std::string directory;      ///< Where it ran, if it was kept.
  std::string configuration;  ///< Gateway::configuration; empty where none came up.
  std::int64_t epoch = 0;     ///< When the stage's axis began: microseconds since 1970, UTC.
  int starts = 0;
  int crashes = 0;
  bool interrupted = false;
  std::uint64_t commits = 0;  ///< Of its queue, where the gateway tells them.
};

/// Stage plays one configuration on `io`, which it needs for itself while play runs.
class Stage {
 public:
  Stage(boost::asio::io_context& io, StagePlan plan);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// play starts the gateway, plays every case, stops the gateway and closes the fence. A gateway
  /// that dies is started again for the cases that were not in hand. Does not throw for anything a
  /// gateway does.
  boost::asio::awaitable<StageReport> play();

  /// interrupt ends the play early and in order. From the thread of `io` only.
  void interrupt();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// descriptors_needed estimates how many file descriptors one stage holds open at most.
std::size_t descriptors_needed(std::size_t cases, std::size_t in_flight);

}  // namespace postern
