#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "catalogue/selection.hpp"
#include "result.hpp"
#include "run/case_result.hpp"

// A run: configurations spread over threads, each with a gateway of its own; results handed on as
// each configuration is closed.

namespace postern {

/// RunPlan says what to run. What it points to outlives the run.
struct RunPlan {
  ResultContext context;
  const certs::Authority* authority = nullptr;
  const Selection* selection = nullptr;
  std::string program_directory;
  unsigned jobs = 2;
  unsigned repeat = 1;
  std::uint64_t seed = 0;
  bool jitter = false;  ///< Order, pieces and moments of writes at random, by seed + repetition.
  bool keep = false;
  bool keep_traffic = false;  ///< What passed on the wire is handed on with each case.
  bool fail_fast = false;
  std::size_t in_flight = 48;
  const RemotePlace* remote = nullptr;  ///< Where the gateway is, if it is there already.
  /// What an earlier run found, by id; these cases are not played again.
  const std::map<std::string, reports::CaseResult>* known = nullptr;
};

/// RunCounters is what a run did, for its summary and for measuring it.
struct RunCounters {
  std::uint64_t connections = 0, messages = 0, gateway_starts = 0, gateway_crashes = 0, commits = 0;
  std::uint64_t handshakes_12 = 0, handshakes_13 = 0, mutual_12 = 0, mutual_13 = 0,
                failed_handshakes = 0, refused_hellos = 0;

  void add(const Observation& observation);
  void add(const RunCounters& other);
  reports::Facts facts() const;
};

/// Run carries out one plan.
class Run {
 public:
  /// Found is one result; of a case that was played, and if the plan says so, with its traffic.
  struct Found {
    reports::CaseResult result;
    std::shared_ptr<const Traffic> traffic;
  };
  /// Closed is one closed configuration.
  struct Closed {
    std::vector<Found> found;
    std::string configuration;  ///< As StageReport has it, and its epoch.
    std::int64_t epoch = 0;
  };
  /// on_results is called under a lock, by any thread.
  using OnResults = std::function<void(Closed closed)>;

  Run(RunPlan plan, OnResults on_results);
  ~Run();

  /// planned counts what is to be played, and the connections to the gateway that it takes at most.
  struct Planned {
    std::size_t cases = 0, connections = 0;
  };
  Planned planned() const;

  /// execute runs everything and returns when all threads have ended. Throws std::runtime_error on
  /// trouble of the harness itself.
  void execute();

  /// interrupt asks for an early, orderly end; from any thread.
  void interrupt();
  bool interrupted() const { return interrupted_; }

  const RunCounters& counters() const { return counters_; }

  /// over says why the run went no further with a gateway that is there already; "" if it did.
  const std::string& over() const { return manners_.over.empty() ? manners_.spent : manners_.over; }

  /// kept are the directories of gateways that were kept.
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  struct Job;
  void work(Job& job);
  StagePlan stage_plan(const Job& job, const Configuration& configuration, std::size_t ticket);
  void run_configuration(Job& job, const Configuration& configuration, std::size_t ticket);
  std::optional<reports::CaseResult> known(const Chosen& one) const;
  void add_canary(Configuration& asked) const;
  std::string why_left_out(const Configuration& configuration, const Chosen& one) const;
  Configuration asked_of_gateway(const Configuration& configuration);
  void run_invalid(Job& job, const Configuration& configuration);
  void hand_on(Closed closed);
  void keep(const std::string& directory);

  RunPlan plan_;
  OnResults on_results_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> interrupted_{false};
  std::mutex mutex_;
  std::vector<std::size_t> order_;  ///< Of the configurations.
  std::vector<std::unique_ptr<Job>> jobs_;
  std::string trouble_;
  RunCounters counters_;
  std::vector<std::string> kept_;
  Manners manners_;
};

/// raise_descriptor_limit asks for `needed` descriptors; returns how many this process may open.
std::size_t raise_descriptor_limit(std::size_t needed);

}  // namespace postern
