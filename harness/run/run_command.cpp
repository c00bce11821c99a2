#include <fcntl.h>
#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>

#include "catalogue/expressible.hpp"
#include "catalogue/shard.hpp"
#include "control/installed.hpp"
#include "failure_text.hpp"
#include "report_place.hpp"
#include "results_file.hpp"
#include "run/bundles.hpp"
#include "run/commands.hpp"
#include "run/interrupts.hpp"
#include "run/loaded.hpp"
#include "run/nameless_file.hpp"
#include "run/places.hpp"
#include "run/progress.hpp"
#include "run/report_files.hpp"
#include "run/run_header.hpp"
#include "run/runner.hpp"
#include "run/screen.hpp"
#include "run/weigh_departures.hpp"
#include "stability.hpp"
#include "terminal.hpp"

namespace postern {
namespace {

namespace fs = std::filesystem;

// How many failing cases are printed whole; a broken gateway fails them by the thousand.
constexpr int kPrintedWhole = 5;

/// interrupt turns the first into an orderly end of the run, and the second into an immediate one.
void interrupt(Run& run, int before) {
  // Gateways die with this process; only their folders stay, and the next run removes them.
  // What was to be packed as bundles stays in its folder.
  if (before > 0) ::_exit(Interrupts::kExitCode);
  fmt::print(stderr, "\npostern: interrupted; gateways are being stopped\n");
  run.interrupt();
}

void tell_of_no_bundles() {
  fmt::print(stderr, "\npostern: interrupted; there are no bundles\n");
}

/// TemporaryResults is the results file of a run that was not told to keep one, or to write it
/// where it cannot be read again.
class TemporaryResults {
 public:
  explicit TemporaryResults(const std::string& kept) : path_(kept) {
    if (!kept.empty() && !reports::is_passing(kept)) return;
    path_ = file_.emplace().path();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<NamelessFile> file_;
};

const char* environment_variable(const std::string& name) {
  return std::getenv(name.c_str());
}

double cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// shell_word quotes text as one word of a shell, where it must be.
std::string shell_word(const std::string& text) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// deciding_options are those that decide what a case comes to: whoever runs it again needs them.
std::string deciding_options(const CommonOptions& common, const RunOptions& options,
                             const std::string& gateway) {
  std::string text;
  if (!common.scenarios.empty()) text += " --scenarios " + shell_word(common.scenarios);
  if (!options.certs.empty()) text += " --certs " + shell_word(options.certs);
  if (gateway != "reference") text += " --gateway " + shell_word(gateway);
  if (options.seed) text += fmt::format(" --seed {}", *options.seed);
  return text;
}

/// Session carries one run from its plan to its exit code.
class Session {
 public:
  Session(const CommonOptions& common, const RunOptions& options, Loaded& loaded, RunPlan plan,
          std::vector<const GatewayFile*> gateways)
      : common_(common),
        options_(options),
        loaded_(loaded),
        plan_(std::move(plan)),
        gateways_(std::move(gateways)),
        results_(options.results),
        progress_(wanted(), options.quiet) {}

  int execute();
  void remote(const GatewayFile& gateway, RemotePlace place) { remotes_[&gateway] = place; }
  void take_over(std::map<std::string, reports::CaseResult> known) { known_ = std::move(known); }
  /// note is said at the end, with the counts.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  /// is_shard says that the plan holds one shard of `all` cases.
  void is_shard(const Shard& shard, std::size_t all) {
    shard_ = shard;
    note(fmt::format("Shard {} of {} ({}): {} of {} cases", shard.index, shard.total, shard.by,
                     plan_.selection->chosen, all));
  }

 private:
  /// wanted counts the cases to be judged, each as often as it is played.
  std::size_t wanted() const { return plan_.selection->chosen * plan_.repeat * gateways_.size(); }
  void take(Run::Closed closed);
  void bundle(const reports::CaseResult& result, const Traffic* traffic, const Run::Closed& closed);
  void print_case(const reports::CaseResult& result);
  bool run_gateway(const GatewayFile& gateway, std::string& trouble);
  int close(bool interrupted, const std::string& trouble);
  bool tell_unstable();
  bool leaves_out_too_much(const GatewayFile& gateway);
  void announce(const GatewayFile& gateway, const RemotePlace& place, Run::Planned planned);
  std::string reason_of(bool interrupted, const std::string& trouble) const;
  bool finish(const reports::RunFooter& footer);
  bool write_bundles();
  void give_up_bundles();
  void print_summary(const reports::RunFooter& footer) const;

  const CommonOptions& common_;
  const RunOptions& options_;
  Loaded& loaded_;
  RunPlan plan_;
  std::vector<const GatewayFile*> gateways_;  ///< Run one after the other.
  TemporaryResults results_;
  Progress progress_;
  std::unique_ptr<reports::ResultsWriter> writer_;
  std::unique_ptr<reports::ResultsWriter> passing_;  ///< Where --results names no regular file.
  std::unique_ptr<Bundles> bundles_;
  std::string bundle_problem_;  ///< Why there are no further ones; empty: there are.
  std::map<const GatewayFile*, RemotePlace> remotes_;
  std::map<std::string, reports::CaseResult> known_;  ///< What an earlier run found, by id.
  reports::Tally tally_;
  int printed_ = 0;
  std::vector<std::string> notes_;
  std::optional<Shard> shard_;
  RunCounters counters_;
  std::vector<std::string> kept_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void Session::print_case(const reports::CaseResult& result) {
  const bool good =
      result.verdict == reports::Verdict::kPass || result.verdict == reports::Verdict::kSkip;
  if (result.control || (good && !options_.transcripts)) return;
  progress_.clear();
  if (!good && printed_++ >= kPrintedWhole && !options_.transcripts) {
    if (printed_ == kPrintedWhole + 1)
      fmt::print("\nFurther cases did not pass; --results keeps them whole.\n");
    return;
  }
  fmt::print("{}\n", reports::failure_text(result, text_width(STDOUT_FILENO)));
}

// bundle takes nothing away from what the run found where it cannot be written: no further one is
// tried, and close tells.
void Session::bundle(const reports::CaseResult& result, const Traffic* traffic,
                     const Run::Closed& closed) {
  if (!bundles_ || !bundle_problem_.empty()) return;
  try {
    bundles_->add(result, traffic, closed.configuration, closed.epoch);
  } catch (const std::exception& problem) {
    bundle_problem_ = problem.what();
  }
}

void Session::take(Run::Closed closed) {
  reports::Tally tally;
  double seconds = 0;
  // Counted before it is written: a full disk makes no failure undone.
  for (const auto& [result, traffic] : closed.found) tally_.count(result);
  for (const auto& [result, traffic] : closed.found) {
    tally.count(result);
    print_case(result);
    writer_->write(result);
    bundle(result, traffic.get(), closed);
    if (passing_) {
      std::fflush(stdout);  // Which it may share.
      passing_->write(result);
    }
    for (const auto& line : result.events)
      seconds = std::max(seconds, static_cast<double>(line.at) / 1e6);
  }
  if (!closed.found.empty()) progress_.done(closed.found.front().result.suite, tally, seconds);
}

// tell_unstable looks whether repetitions ended alike, and shows both dialogues where not.
bool Session::tell_unstable() {
  reports::ResultsReader reader(results_.path());
  const std::vector<reports::Unstable> found = reports::find_unstable(reader);
  int shown = 0;
  for (const reports::Unstable& one : found) {
    notes_.push_back(one.text());
    if (++shown > kPrintedWhole) continue;
    fmt::print("UNSTABLE  {}\nOnce:\n{}\nAnother time:\n{}\n", one.id,
               reports::failure_text(reader.read_again(one.first), text_width(STDOUT_FILENO)),
               reports::failure_text(reader.read_again(one.other), text_width(STDOUT_FILENO)));
  }
  return !found.empty();
}

// leaves_out_too_much tells whether more cases are not asked of a gateway than its deviations file
// says.
bool Session::leaves_out_too_much(const GatewayFile& gateway) {
  const Catalogue& catalogue = *loaded_.catalogue;
  const auto known = catalogue.departures.find(gateway.name);
  if (known == catalogue.departures.end()) return false;
  const std::size_t left_out = all_cases(catalogue).size() - cases_asked(catalogue, gateway).size();
  if (left_out <= known->second.not_asked) return false;
  notes_.push_back(
      fmt::format("FAILED: {} cases of all are not asked of {}, and {} allows {}: see why, then "
                  "raise its not-asked",
                  left_out, gateway.name, known->second.place.text(), known->second.not_asked));
  return true;
}

// reason_of says why the run as a whole is not in order, whatever its cases are; "" if it is.
std::string Session::reason_of(bool interrupted, const std::string& trouble) const {
  std::vector<std::string> reasons;
  if (interrupted) reasons.emplace_back("the run was interrupted: not every case was run");
  if (!trouble.empty()) reasons.push_back("the harness failed: " + trouble);
  const int judged = tally_.chosen();
  const std::size_t left = wanted() - static_cast<std::size_t>(judged);
  if (options_.fail_fast && left > 0 && reasons.empty())
    reasons.push_back(fmt::format("{} of {} cases {} not run (--fail-fast)", left, wanted(),
                                  left == 1 ? "was" : "were"));
  if (static_cast<unsigned>(judged) < options_.min)
    reasons.push_back(fmt::format("only {} case{} judged, and --min asks for {}", judged,
                                  judged == 1 ? " was" : "s were", options_.min));
  return fmt::format("{}", fmt::join(reasons, "; "));
}

// finish ends the results; false where they could not be written, of which stderr then tells.
bool Session::finish(const reports::RunFooter& footer) {
  try {
    writer_->finish(footer);
    std::fflush(stdout);
    if (passing_) passing_->finish(footer);
    return true;
  } catch (const reports::ResultsError& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return false;
  }
}

void Session::print_summary(const reports::RunFooter& footer) const {
  reports::RunSummary summary = reports::summarize(results_.path());
  summary.footer = footer;  // Known, though the disk may have refused it.
  const auto colour = colour_of(STDOUT_FILENO);
  if (!options_.quiet) {
    fmt::print("{}", reports::run_text(summary, colour, screen_of(STDOUT_FILENO)));
    return;
  }
  for (const std::string& note : notes_) fmt::print("{}\n", note);
  if (!footer.reason.empty()) fmt::print("{}\n", footer.reason);
  fmt::print("{}", reports::summary_text(summary.summary, footer.exit_code, colour,
                                         screen_of(STDOUT_FILENO)));
}

// write_bundles ends the bundles; false where that failed, of which stderr then tells.
bool Session::write_bundles() {
  if (!bundles_) return true;
  if (!bundle_problem_.empty())
    fmt::print(stderr, "postern: --bundle: {}; there are no further ones\n", bundle_problem_);
  try {
    const std::string what = bundles_->finish();
    if (!what.empty()) fmt::print("{}\n", what);
    if (what.empty() && bundles_->given_up()) tell_of_no_bundles();
    return bundle_problem_.empty();
  } catch (const std::exception& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return false;
  }
}

// give_up_bundles ends this process, unless the bundles are being packed: then their end is near.
void Session::give_up_bundles() {
  if (!bundles_->give_up()) return;
  tell_of_no_bundles();
  ::_exit(Interrupts::kExitCode);
}

int Session::close(bool interrupted, const std::string& trouble) {
  // What is to be packed is left nowhere by a signal that comes from now on.
  std::optional<Interrupts> interrupts;
  if (bundles_ && bundles_->packed()) interrupts.emplace([this](int) { give_up_bundles(); });
  progress_.clear();
  int exit_code = tally_.exit_code(static_cast<int>(options_.min));
  if (!trouble.empty()) fmt::print(stderr, "postern: {}\n", trouble);
  if (plan_.repeat > 1 && tell_unstable()) exit_code = 1;
  for (const GatewayFile* gateway : gateways_)
    if (leaves_out_too_much(*gateway) && !interrupted) exit_code = 1;
  if (!trouble.empty() && exit_code == 0) exit_code = 3;
  if (interrupted) exit_code = Interrupts::kExitCode;
  reports::RunFooter footer;
  footer.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  footer.exit_code = exit_code;
  footer.interrupted = interrupted;
  footer.reason = reason_of(interrupted, trouble);
  footer.notes = notes_;
  footer.counters = counters_.facts();
  footer.counters.emplace_back("cpu-harness", fmt::format("{:.2f}", cpu_seconds(RUSAGE_SELF)));
  footer.counters.emplace_back("cpu-gateways", fmt::format("{:.2f}", cpu_seconds(RUSAGE_CHILDREN)));
  // A report that fails takes nothing away from what the run found: the summary comes first, and a
  // failure of the gateway stays one.
  bool written = finish(footer);
  try {
    print_summary(footer);
  } catch (const reports::ResultsError& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    written = false;
  }
  written = write_views(options_, results_.path()) && written;
  written = write_bundles() && written;
  for (const std::string& directory : kept_) fmt::print("Kept: {}\n", directory);
  if (bundles_ && bundles_->given_up()) return Interrupts::kExitCode;
  return written || exit_code != 0 ? exit_code : 3;
}

// announce says what a gateway that others may use is about to be put to.
void Session::announce(const GatewayFile& gateway, const RemotePlace& place, Run::Planned planned) {
  progress_.clear();
  const std::string settings = place.settings.empty() ? "as <prepare> sets it" : place.settings;
  fmt::print("{}: {} case{} and at most {} connection{} to {}, {}ms before each case; {}\n",
             gateway.name, planned.cases, planned.cases == 1 ? "" : "s", planned.connections,
             planned.connections == 1 ? "" : "s", place.name, gateway.remote->pause.count(),
             gateway.remote->budget == 0
                 ? "no budget"
                 : fmt::format("the budget is {} connections", gateway.remote->budget));
  fmt::print("{}: its next hop is played at {}:{}; it is taken to be set {}\n", gateway.name,
             place.next_hop.address().to_string(), place.next_hop.port(), settings);
  std::fflush(stdout);
}

// run_gateway runs all cases against one gateway; true if it was interrupted.
bool Session::run_gateway(const GatewayFile& gateway, std::string& trouble) {
  RunPlan plan = plan_;
  plan.context.gateway = &gateway;
  plan.context.options = deciding_options(common_, options_, gateway.name);
  if (gateways_.size() > 1) plan.context.prefix = gateway.name + "/";
  const auto remote = remotes_.find(&gateway);
  plan.remote = remote == remotes_.end() ? nullptr : &remote->second;
  plan.known = &known_;
  Run run(std::move(plan), [this](Run::Closed closed) { take(std::move(closed)); });
  if (remote != remotes_.end()) announce(gateway, remote->second, run.planned());
  bool interrupted = false;
  {
    Interrupts interrupts([&run](int before) { interrupt(run, before); });
    try {
      run.execute();
    } catch (const std::exception& problem) {
      trouble = problem.what();
    }
    interrupted = interrupts.seen();
  }
  if (!run.over().empty()) notes_.push_back(gateway.name + ": " + run.over());
  counters_.add(run.counters());
  kept_.insert(kept_.end(), run.kept().begin(), run.kept().end());
  return interrupted;
}

int Session::execute() {
  reports::RunHeader header = header_of(options_, plan_, *loaded_.catalogue, gateways_);
  if (shard_) {
    header.shard = shard_->index;
    header.shards = shard_->total;
  }
  try {
    if (!options_.bundle.empty())
      bundles_ = std::make_unique<Bundles>(options_.bundle, options_.bundle_of == "all", header);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "postern: --bundle: {}; nothing was run\n", problem.what());
    return 2;
  }
  writer_ = std::make_unique<reports::ResultsWriter>(results_.path(), header);
  if (results_.path() != options_.results && !options_.results.empty())
    passing_ = std::make_unique<reports::ResultsWriter>(options_.results, header);
  std::string trouble;
  bool interrupted = false;
  for (const GatewayFile* gateway : gateways_) {
    interrupted = run_gateway(*gateway, trouble);
    if (interrupted || !trouble.empty()) break;
    if (options_.fail_fast && tally_.exit_code(0) != 0) break;
  }
  return close(interrupted, trouble);
}

// enough_descriptors asks for what the largest configuration needs, on every thread.
bool enough_descriptors(const Selection& selection, const RunPlan& plan) {
  std::size_t largest = 0;
  for (const Configuration& configuration : selection.configurations)
    largest = std::max(largest, descriptors_needed(configuration.cases.size(), plan.in_flight));
  const std::size_t jobs = std::max<std::size_t>(
      1, std::min<std::size_t>(plan.jobs, selection.configurations.size() * plan.repeat));
  const std::size_t needed = 64 + largest * jobs;
  const std::size_t have = raise_descriptor_limit(needed);
  if (have >= needed) return true;
  fmt::print(
      stderr,
      "postern: this run needs {} file descriptors and may open {}; raise the limit (ulimit -n "
      "{}){}\n",
      needed, have, needed, jobs > 1 ? ", or use fewer --jobs" : "");
  return false;
}

// find_gateways looks up names with commas between them; false, told on stderr, where one is not
// there.
bool find_gateways(const Catalogue& catalogue, const std::string& names,
                   std::vector<const GatewayFile*>& into) {
  std::vector<std::string> known;
  for (const auto& [name, file] : catalogue.gateways) known.push_back(name);
  for (std::size_t from = 0; from <= names.size();) {
    const std::size_t to = std::min(names.find(',', from), names.size());
    const std::string name = names.substr(from, to - from);
    const auto found = catalogue.gateways.find(name);
    if (found == catalogue.gateways.end()) {
      fmt::print(stderr, "postern: there is no gateway \"{}\"{}; {} can be named\n", name,
                 did_you_mean(name, known), quoted_list(known));
      return false;
    }
    if (std::find(into.begin(), into.end(), &found->second) == into.end())
      into.push_back(&found->second);
    from = to + 1;
  }
  return true;
}

// can_be_run tells on stderr what stands in the way of any of them.
bool can_be_run(const std::vector<const GatewayFile*>& gateways, const std::string& programs) {
  bool namespaces = false;
  for (const GatewayFile* gateway : gateways) {
    namespaces = namespaces || gateway->own_pid_namespace;
    const std::string why = cannot_start(*gateway, programs);
    if (why.empty()) continue;
    fmt::print(stderr, "postern: gateway \"{}\" cannot be run here: {}\n", gateway->name, why);
    return false;
  }
  if (namespaces && !pid_namespace_problem().empty())
    fmt::print(stderr, "postern: {}; should this run be killed, the gateway may outlive it\n",
               pid_namespace_problem());
  return true;
}

// read_known reads what an earlier run judged; an error, or what was not conclusive, is run again.
std::map<std::string, reports::CaseResult> read_known(const std::string& path) {
  std::map<std::string, reports::CaseResult> known;
  reports::ResultsReader reader(path);
  while (std::optional<reports::CaseResult> result = reader.next()) {
    const bool judged =
        result->verdict == reports::Verdict::kPass || result->verdict == reports::Verdict::kFail;
    if (judged && !result->control) known[result->id] = std::move(*result);
  }
  return known;
}

// open_status opens the file by which a runner learns that its shards are known here.
std::FILE* open_status(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "a");
  if (file == nullptr) throw std::runtime_error(path + ": " + std::strerror(errno));
  return file;
}

}  // namespace

int run_command(const CommonOptions& common, const RunOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  RunPlan plan;
  plan.seed = options.seed ? *options.seed : std::random_device()();
  const Wanted wanted{options.words, options.filter, options.strength, plan.seed};
  Selection selection;
  if (!choose(*loaded.catalogue, wanted, selection)) return 2;
  if (!coverage_holds(wanted, selection)) return 3;
  std::optional<Shard> shard;
  const std::size_t all_chosen = selection.chosen;
  try {
    shard = find_shard(options.shard, environment_variable);
    if (shard) {
      keep_shard(selection, *shard);
      if (!shard->status_file.empty()) std::fclose(open_status(shard->status_file));
    }
  } catch (const std::exception& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return 2;
  }
  plan.context.catalogue = loaded.catalogue.get();
  std::vector<const GatewayFile*> gateways;
  if (!find_gateways(*loaded.catalogue, options.gateway, gateways)) return 2;
  plan.context.today = today();
  plan.context.program = common.program;
  plan.authority = &*loaded.authority;
  plan.selection = &selection;
  plan.program_directory = program_directory();
  plan.jobs = options.jobs;
  plan.repeat = options.repeat;
  plan.jitter = options.jitter;
  plan.keep = options.keep;
  plan.keep_traffic = !options.bundle.empty();
  plan.fail_fast = options.fail_fast;
  if (!can_be_run(gateways, plan.program_directory)) return 3;
  if (!enough_descriptors(selection, plan)) return 3;
  if (const std::string problem = unusable_report(options); !problem.empty()) {
    fmt::print(stderr, "postern: {}; nothing was run\n", problem);
    return 2;
  }
  try {
    if (!options.certs.empty()) loaded.authority->read(options.certs);
  } catch (const std::runtime_error& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return 2;
  }
  try {
    const std::vector<const GatewayFile*> all = gateways;
    Session session(common, options, loaded, std::move(plan), std::move(gateways));
    for (const GatewayFile* gateway : all)
      if (gateway->remote)
        session.remote(*gateway, find_remote(*gateway->remote, environment_variable));
    if (!options.resume.empty()) session.take_over(read_known(options.resume));
    if (shard) session.is_shard(*shard, all_chosen);
    if (options.strength > 0) session.note(coverage_text(wanted, selection));
    return session.execute();
  } catch (const reports::ResultsError& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return 3;
  }
}

}  // namespace postern
