#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
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
  bool fail_fast = false;
  std::size_t in_flight = 48;
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
  /// on_results is called under a lock, by any thread, with the results of one closed
  /// configuration.
  using OnResults = std::function<void(std::vector<reports::CaseResult> results)>;

  Run(RunPlan plan, OnResults on_results);
  ~Run();

  /// execute runs everything and returns when all threads have ended. Throws std::runtime_error on
  /// trouble of the harness itself.
  void execute();

  /// interrupt asks for an early, orderly end; from any thread.
  void interrupt();
  bool interrupted() const { return interrupted_; }

  const RunCounters& counters() const { return counters_; }

  /// kept are the directories of gateways that were kept.
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  struct Job;
  void work(Job& job);
  StagePlan stage_plan(const Job& job, const Configuration& configuration, std::size_t ticket);
  void run_configuration(Job& job, const Configuration& configuration, std::size_t ticket);
  Configuration asked_of_gateway(const Configuration& configuration);
  void run_invalid(Job& job, const Configuration& configuration);
  void hand_on(std::vector<reports::CaseResult> results);
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
};

/// raise_descriptor_limit asks for `needed` descriptors; returns how many this process may open.
std::size_t raise_descriptor_limit(std::size_t needed);

}  // namespace postern
