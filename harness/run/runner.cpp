#include "run/runner.hpp"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>

#include "catalogue/expressible.hpp"
#include "catalogue/shuffle.hpp"

namespace asio = boost::asio;

namespace postern {

/// Job is one thread with what it works on.
struct Run::Job {
  unsigned number = 0;
  asio::io_context io{1};
  std::unique_ptr<Stage> stage;
  std::mutex mutex;  ///< Guards stage against interrupt.
  std::thread thread;
};

void RunCounters::add(const Observation& observation) {
  for (const auto* side : {&observation.client, &observation.server, &observation.mailbox}) {
    for (const ConnectionFacts& connection : *side) {
      ++connections;
      messages += connection.taken.size();
      if (connection.handshake == Handshake::kFailed)
        ++(connection.tls_agreed ? failed_handshakes : refused_hellos);
      if (connection.handshake != Handshake::kCompleted) continue;
      const bool mutual = connection.certificate_shown;
      const bool old = connection.tls_version != "1.3";
      ++(mutual ? (old ? mutual_12 : mutual_13) : (old ? handshakes_12 : handshakes_13));
    }
  }
}

void RunCounters::add(const RunCounters& other) {
  connections += other.connections;
  messages += other.messages;
  gateway_starts += other.gateway_starts;
  gateway_crashes += other.gateway_crashes;
  commits += other.commits;
  handshakes_12 += other.handshakes_12;
  handshakes_13 += other.handshakes_13;
  mutual_12 += other.mutual_12;
  mutual_13 += other.mutual_13;
  failed_handshakes += other.failed_handshakes;
  refused_hellos += other.refused_hellos;
}

reports::Facts RunCounters::facts() const {
  return {{"connections", std::to_string(connections)},
          {"messages", std::to_string(messages)},
          {"gateway-starts", std::to_string(gateway_starts)},
          {"gateway-crashes", std::to_string(gateway_crashes)},
          {"commits", std::to_string(commits)},
          {"handshakes-tls1.2", std::to_string(handshakes_12)},
          {"handshakes-tls1.3", std::to_string(handshakes_13)},
          {"handshakes-tls1.2-client-certificate", std::to_string(mutual_12)},
          {"handshakes-tls1.3-client-certificate", std::to_string(mutual_13)},
          {"handshakes-failed", std::to_string(failed_handshakes)},
          {"handshakes-failed-at-hello", std::to_string(refused_hellos)}};
}

Run::Run(RunPlan plan, OnResults on_results)
    : plan_(std::move(plan)), on_results_(std::move(on_results)) {
  const std::size_t once = plan_.selection->configurations.size();
  order_.resize(once);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (plan_.jitter) order_ = shuffled(once, plan_.seed);
  std::size_t wanted = std::min<std::size_t>(std::max(1U, plan_.jobs), once * plan_.repeat);
  if (plan_.remote != nullptr) {
    wanted = std::min<std::size_t>(wanted, 1);  // There is one of it, and it is set in one way.
    manners_.budget = plan_.context.gateway->remote->budget;
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    jobs_.push_back(std::make_unique<Job>());
    jobs_.back()->number = static_cast<unsigned>(i);
  }
}
Run::~Run() = default;

void Run::hand_on(Closed closed) {
  const std::string& prefix = plan_.context.prefix;
  for (Found& found : closed.found) {
    found.result.id.insert(0, prefix);
    found.result.suite.insert(0, prefix);
  }
  const std::lock_guard lock(mutex_);
  if (plan_.fail_fast)
    for (const auto& [result, traffic] : closed.found)
      if (!result.control && result.verdict != reports::Verdict::kPass &&
          result.verdict != reports::Verdict::kSkip)
        interrupted_ = true;
  on_results_(std::move(closed));
}

void Run::keep(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  kept_.push_back(directory);
}

namespace {

// jitter_of gives the seed of one repetition: what repetition 2 of seed 7 does, the first of seed 9
// does, so that its cases can be run again alone.
std::uint64_t jitter_of(const RunPlan& plan, std::size_t ticket) {
  return plan.seed + ticket / plan.selection->configurations.size();
}

}  // namespace

StagePlan Run::stage_plan(const Job& job, const Configuration& configuration, std::size_t ticket) {
  StagePlan stage_plan;
  stage_plan.catalogue = plan_.context.catalogue;
  stage_plan.gateway = plan_.context.gateway;
  stage_plan.authority = plan_.authority;
  stage_plan.settings = configuration.settings;
  std::uint64_t number = static_cast<std::uint64_t>(ticket) << 20;
  for (const Chosen& one : configuration.cases)
    stage_plan.cases.push_back({one.cell, one.story, one.control, number++});
  if (plan_.jitter) {
    stage_plan.jitter = jitter_of(plan_, ticket);
    std::vector<StageCase> in_order;
    for (const std::size_t at : shuffled(stage_plan.cases.size(), *stage_plan.jitter))
      in_order.push_back(stage_plan.cases[at]);
    stage_plan.cases = std::move(in_order);
  }
  // An address of its own for every gateway on this machine, so that its port may be fixed.
  const auto process = static_cast<unsigned>(::getpid());
  stage_plan.listen_address =
      fmt::format("127.{}.{}.{}", 64 + process % 64, process / 64 % 250 + 1, job.number % 250 + 1);
  stage_plan.program_directory = plan_.program_directory;
  stage_plan.keep_directory = plan_.keep;
  stage_plan.keep_traffic = plan_.keep_traffic;
  stage_plan.remote = plan_.remote;
  stage_plan.manners = &manners_;
  stage_plan.seed = plan_.seed;
  stage_plan.in_flight = plan_.in_flight;
  if (const std::size_t at_once = stage_plan.gateway->at_once; at_once > 0)
    stage_plan.in_flight = std::min(stage_plan.in_flight, at_once);
  return stage_plan;
}

void Run::run_configuration(Job& job, const Configuration& configuration, std::size_t ticket) {
  std::optional<StageReport> report;
  {
    const std::lock_guard lock(job.mutex);
    job.stage = std::make_unique<Stage>(job.io, stage_plan(job, configuration, ticket));
  }
  std::exception_ptr error;
  asio::co_spawn(job.io, job.stage->play(), [&](std::exception_ptr problem, StageReport done) {
    error = problem;
    report = std::move(done);
  });
  job.io.restart();
  job.io.run();
  if (error) std::rethrow_exception(error);
  Closed closed{{}, report->configuration, report->epoch};
  ResultContext context = plan_.context;
  if (plan_.jitter) context.options += fmt::format(" --jitter --seed {}", jitter_of(plan_, ticket));
  for (JudgedCase& judged : judge_stage(context, *report))
    closed.found.push_back({std::move(judged.result), judged.played->observation.traffic});
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : report->cases) counters_.add(one->observation);
    counters_.gateway_starts += static_cast<std::uint64_t>(report->starts);
    counters_.gateway_crashes += static_cast<std::uint64_t>(report->crashes);
    counters_.commits += report->commits;
    if (!report->directory.empty()) kept_.push_back(report->directory);
  }
  hand_on(std::move(closed));
  const std::lock_guard lock(job.mutex);
  job.stage.reset();
}

void Run::run_invalid(Job& job, const Configuration& configuration) {
  const InvalidCase& invalid = *configuration.cases.front().invalid;
  GatewayPlan gateway_plan;
  gateway_plan.file = plan_.context.gateway;
  gateway_plan.settings = configuration.settings;
  gateway_plan.authority = plan_.authority;
  gateway_plan.listen_address =
      fmt::format("127.127.{}.{}", ::getpid() % 250 + 1, job.number % 250 + 1);
  gateway_plan.program_directory = plan_.program_directory;
  gateway_plan.keep_directory = plan_.keep;
  bool rejects_on_record = false;
  for (const Record& record : gateway_plan.file->records)
    for (const RecordPattern& pattern : record.patterns)
      rejects_on_record |= pattern.event == "rejected";
  bool rejected = false;
  std::function<void(const RecordEvent&)> on_record = [&](const RecordEvent& event) {
    rejected |=
        event.kind == "rejected" && event.line.find(invalid.rule->mentions) != std::string::npos;
  };
  std::optional<reports::CaseResult> result;
  std::string started_with;
  const auto attempt =
      [](Run* run, const InvalidCase* the_case, GatewayPlan plan, bool on_record_only, bool* seen,
         std::function<void(const RecordEvent&)> watch, std::optional<reports::CaseResult>* into,
         std::string* accepted) -> asio::awaitable<void> {
    try {
      auto gateway = co_await Gateway::start(std::move(plan), std::move(watch));
      co_await gateway->stop();
      *accepted = gateway->configuration();
      if (run->plan_.keep) run->keep(gateway->directory());
      *into =
          result_of_invalid(run->plan_.context, *the_case, true, "", gateway->last_output(), false);
    } catch (const GatewayDidNotStart& problem) {
      using Why = GatewayDidNotStart::Why;
      if (!problem.directory.empty()) run->keep(problem.directory);
      if (problem.why == Why::kPlan || problem.why == Why::kPrepare ||
          problem.why == Why::kExecute) {
        *into =
            result_of_invalid(run->plan_.context, *the_case, false, "", problem.last_output, false);
        (*into)->verdict = reports::Verdict::kError;
        (*into)->reason = problem.what();
        (*into)->inbound.observed = {};  // Nothing was shown to the gateway.
        (*into)->inbound.evidence.clear();
        co_return;
      }
      const bool said = on_record_only ? *seen : !problem.last_output.empty();
      const std::string ending =
          problem.why == GatewayDidNotStart::Why::kEnded ? problem.exit : problem.what();
      *into = result_of_invalid(run->plan_.context, *the_case, false, ending, problem.last_output,
                                said);
    }
  };
  std::exception_ptr error;
  asio::co_spawn(job.io,
                 attempt(this, &invalid, std::move(gateway_plan), rejects_on_record, &rejected,
                         std::move(on_record), &result, &started_with),
                 [&](std::exception_ptr problem) { error = problem; });
  job.io.restart();
  job.io.run();
  if (error) std::rethrow_exception(error);
  Closed closed{{}, std::move(started_with), 0};
  closed.found.push_back({std::move(*result), nullptr});
  hand_on(std::move(closed));
}

// known gives what an earlier run found of a case; nothing where it is to be played.
std::optional<reports::CaseResult> Run::known(const Chosen& one) const {
  if (plan_.known == nullptr || one.control) return std::nullopt;
  const std::string& prefix = plan_.context.prefix;
  const auto found = plan_.known->find(prefix + one.id());
  if (found == plan_.known->end()) return std::nullopt;
  reports::CaseResult result = found->second;
  result.id.erase(0, prefix.size());
  result.suite.erase(0, prefix.size());
  return result;
}

Run::Planned Run::planned() const {
  Planned all;
  for (const Configuration& configuration : plan_.selection->configurations) {
    Configuration asked = configuration;
    std::erase_if(asked.cases, [&](const Chosen& one) {
      return known(one) || !why_left_out(configuration, one).empty();
    });
    if (asked.cases.empty()) continue;
    if (plan_.remote != nullptr) add_canary(asked);
    for (const Chosen& one : asked.cases) {
      all.cases += one.control ? 0 : 1;
      all.connections += connections_of(*plan_.context.catalogue, one.cell, one.story);
    }
  }
  all.cases *= plan_.repeat;
  all.connections *= plan_.repeat;
  return all;
}

std::string Run::why_left_out(const Configuration& configuration, const Chosen& one) const {
  std::string why =
      why_skipped(*plan_.context.catalogue, *plan_.context.gateway, configuration.settings, one);
  if (why.empty() && plan_.remote != nullptr)
    why = plan_.remote->why_not_under(configuration.settings);
  return why;
}

// add_canary takes along a message that comes through under these settings, where none is among the
// cases: what is handed in before it is closed by it. The matrices say which does.
void Run::add_canary(Configuration& asked) const {
  const auto is_one = [](const Chosen& one) { return comes_through(one.cell, one.story); };
  if (std::any_of(asked.cases.begin(), asked.cases.end(), is_one)) return;
  for (const MatrixCase& cell : plan_.context.catalogue->matrix_cases) {
    const auto& settings = cell.settings.values();
    const bool same = std::all_of(settings.begin(), settings.end(), [&](const auto& setting) {
      const std::string* value = asked.settings.get(setting.first);
      return value != nullptr && *value == setting.second;
    });
    if (!same || !comes_through(&cell, nullptr)) continue;
    asked.cases.push_back({&cell, nullptr, nullptr, true});
    return;
  }
}

// asked_of_gateway leaves the cases that the gateway is asked; the others are handed on as skipped.
Configuration Run::asked_of_gateway(const Configuration& configuration) {
  Configuration asked = configuration;
  asked.cases.clear();
  Closed left_out;
  for (const Chosen& one : configuration.cases) {
    if (std::optional<reports::CaseResult> result = known(one)) {
      left_out.found.push_back({std::move(*result), nullptr});
      continue;
    }
    const std::string why = why_left_out(configuration, one);
    if (why.empty()) {
      asked.cases.push_back(one);
    } else {
      left_out.found.push_back({skipped(plan_.context, one, why), nullptr});
    }
  }
  if (plan_.remote != nullptr && !asked.cases.empty()) add_canary(asked);
  if (!left_out.found.empty()) hand_on(std::move(left_out));
  return asked;
}

void Run::work(Job& job) {
  const auto& selection = *plan_.selection;
  const std::size_t once = selection.configurations.size();
  while (!interrupted_) {
    const std::size_t ticket = next_++;
    if (ticket >= once * plan_.repeat) return;
    const Configuration& configuration = selection.configurations[order_[ticket % once]];
    try {
      const Configuration asked = asked_of_gateway(configuration);
      if (asked.cases.empty()) continue;
      if (configuration.must_be_rejected) {
        run_invalid(job, asked);
      } else {
        run_configuration(job, asked, ticket);
      }
    } catch (const std::exception& problem) {
      const std::lock_guard lock(mutex_);
      trouble_ = problem.what();
      interrupted_ = true;
    }
  }
}

void Run::execute() {
  for (auto& job : jobs_) job->thread = std::thread([this, one = job.get()] { work(*one); });
  for (auto& job : jobs_) job->thread.join();
  if (!trouble_.empty()) throw std::runtime_error(trouble_);
}

void Run::interrupt() {
  interrupted_ = true;
  for (auto& job : jobs_)
    asio::post(job->io, [one = job.get()] {
      const std::lock_guard lock(one->mutex);
      if (one->stage) one->stage->interrupt();
    });
}

std::size_t raise_descriptor_limit(std::size_t needed) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min<rlim_t>(needed, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

}  // namespace postern
