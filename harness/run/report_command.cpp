#include <fcntl.h>
#include <fmt/core.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "results_file.hpp"
#include "run/commands.hpp"
#include "run/loaded.hpp"
#include "run/nameless_file.hpp"
#include "run/report_files.hpp"
#include "run/screen.hpp"
#include "run/weigh_departures.hpp"
#include "summary.hpp"
#include "terminal.hpp"

// What can be made of results that are there: their views again, several put together, two
// compared.

namespace postern {
namespace {

namespace fs = std::filesystem;
using reports::Verdict;

/// Joined is several results files as one: the one that there is, or a file without a name.
class Joined {
 public:
  explicit Joined(const std::vector<std::string>& files) {
    for (const std::string& file : files) reports::ResultsReader{file};  // Each is one.
    if (files.size() == 1) {
      path_ = files.front();
      return;
    }
    path_ = file_.emplace().path();
    for (const std::string& file : files) append(file, file_->descriptor());
  }
  const std::string& path() const { return path_; }

  /// append puts the bytes of `file` behind those of an open one. Throws ResultsError.
  static void append(const std::string& file, int to) {
    const int from = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (from < 0) throw reports::ResultsError(file + ": " + std::strerror(errno));
    ssize_t copied = 0;
    do {
      copied = ::sendfile(to, from, nullptr, 1U << 24);
    } while (copied > 0 || (copied < 0 && errno == EINTR));
    const int error = errno;
    ::close(from);
    if (copied < 0) throw reports::ResultsError(file + ": " + std::strerror(error));
  }

 private:
  std::string path_;
  std::optional<NamelessFile> file_;
};

/// Ending is what one run found of a case.
struct Ending {
  Verdict verdict = Verdict::kError;
  std::string reason;
  bool known = false;     ///< It fails as is known.
  bool surprise = false;  ///< It passes, though it is known to fail, or what is known has expired.

  /// weight orders endings: of several runs of a case the one that weighs most counts.
  int weight() const {
    if (surprise) return 4;
    if (known) return 2;
    return verdict == Verdict::kPass ? 0 : verdict == Verdict::kSkip ? 1 : 3;
  }
};

/// Known weighs results against failures that are known of their gateway.
class Known {
 public:
  /// The constructor throws reports::ResultsError where the file has a mistake.
  Known(const std::string& file, const Catalogue& catalogue) {
    Problems problems;
    const std::optional<Departures> read = read_departures(file, catalogue, problems);
    if (!read) throw reports::ResultsError(problems.text());
    departures_ = *read;
    for (const Chosen& one : all_cases(catalogue)) cases_.emplace(one.id(), one);
  }

  /// weigh gives the ending of a result in the light of what is known.
  Ending weigh(reports::CaseResult& result) {
    const std::string reason = result.reason;
    const bool failed = result.verdict == Verdict::kFail;
    const bool its_own = result.gateway == departures_.gateway;
    met_ = met_ || its_own;
    if (its_own) weigh_known(result);
    const bool known = failed && result.verdict == Verdict::kSkip;
    const bool surprise = result.verdict == Verdict::kFail && result.reason != reason;
    return {result.verdict, result.reason, known, surprise};
  }

  const std::string& gateway() const { return departures_.gateway; }
  /// met tells whether a result of that gateway was weighed.
  bool met() const { return met_; }

 private:
  void weigh_known(reports::CaseResult& result) const {
    const std::string prefix = departures_.gateway + "/";
    const auto found =
        cases_.find(result.id.starts_with(prefix) ? result.id.substr(prefix.size()) : result.id);
    if (found != cases_.end()) weigh_departures(departures_, today(), found->second, result);
  }

  Departures departures_;
  std::map<std::string, Chosen> cases_;
  bool met_ = false;
};

std::map<std::string, Ending> endings_of(const std::string& path, Known* known) {
  std::map<std::string, Ending> endings;
  reports::ResultsReader reader(path);
  while (auto result = reader.next()) {
    if (result->control) continue;
    const Ending ending =
        known != nullptr ? known->weigh(*result) : Ending{result->verdict, result->reason};
    const auto [at, is_new] = endings.emplace(result->id, ending);
    if (!is_new && ending.weight() > at->second.weight()) at->second = ending;
  }
  return endings;
}

bool is_good(Verdict verdict) {
  return verdict == Verdict::kPass || verdict == Verdict::kSkip;
}

/// Difference is one list of cases that differ in the same way.
struct Difference {
  const char* title;
  std::vector<std::string> lines;
};

void print(const Difference& difference) {
  constexpr std::size_t kShown = 50;
  if (difference.lines.empty()) return;
  fmt::print("{} ({})\n", difference.title, difference.lines.size());
  for (std::size_t i = 0; i < difference.lines.size() && i < kShown; ++i)
    fmt::print("  {}\n", difference.lines[i]);
  if (difference.lines.size() > kShown)
    fmt::print("  … and {} more\n", difference.lines.size() - kShown);
}

}  // namespace

int report_command(const ReportOptions& options) {
  for (const std::string& file : options.files) {
    std::error_code ignored;
    if (!options.results.empty() && fs::equivalent(file, options.results, ignored)) {
      fmt::print(stderr, "postern: --results: {} is one of the files that are read\n",
                 options.results);
      return 2;
    }
  }
  try {
    const Joined joined(options.files);
    if (const std::string problem = unusable_report(options); !problem.empty()) {
      fmt::print(stderr, "postern: {}\n", problem);
      return 2;
    }
    const reports::RunSummary summary = reports::summarize(joined.path());
    const auto colour = colour_of(STDOUT_FILENO);
    if (options.quiet)
      for (const std::string& remark : summary.remarks) fmt::print("{}\n", remark);
    fmt::print("{}", options.quiet ? reports::summary_text(summary.summary, summary.exit_code(),
                                                           colour, screen_of(STDOUT_FILENO))
                                   : reports::run_text(summary, colour, screen_of(STDOUT_FILENO)));
    if (!options.results.empty()) {
      const int to =
          ::open(options.results.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
      if (to < 0) throw reports::ResultsError(options.results + ": " + std::strerror(errno));
      for (const std::string& file : options.files) Joined::append(file, to);
      ::close(to);
    }
    if (!write_views(options, joined.path())) return 3;
    return summary.exit_code();
  } catch (const reports::ResultsError& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return 2;
  }
}

int compare_command(const CommonOptions& common, const CompareOptions& options) {
  std::map<std::string, Ending> before;
  std::map<std::string, Ending> now;
  try {
    Loaded loaded;
    std::optional<Known> known;
    if (!options.known.empty()) {
      if (!load(common.scenarios, loaded)) return 2;
      known.emplace(options.known, *loaded.catalogue);
    }
    before = endings_of(options.before, nullptr);
    now = endings_of(options.now, known ? &*known : nullptr);
    if (known && !known->met() && !now.empty())
      throw reports::ResultsError(
          fmt::format("{} is about the gateway \"{}\", of which {} has no case", options.known,
                      known->gateway(), options.now));
  } catch (const reports::ResultsError& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return 2;
  }
  Difference worse{"Do not pass any more, or are new and do not pass", {}};
  Difference gone{"Are gone", {}};
  Difference left_out{"Passed, and are left out now", {}};
  Difference unjudged{"Did not pass, and are left out now", {}};
  Difference mended{"Pass now", {}};
  Difference added{"Are new, and pass or are left out", {}};
  std::size_t still = 0, known_failures = 0;
  for (const auto& [id, ending] : now) {
    const auto earlier = before.find(id);
    const bool was_good = earlier != before.end() && is_good(earlier->second.verdict);
    if (!is_good(ending.verdict)) {
      if (earlier == before.end() || was_good || ending.surprise) {
        worse.lines.push_back(
            fmt::format("{:<12} {}: {}", reports::word(ending.verdict), id, ending.reason));
      } else {
        ++still;
      }
    } else if (ending.known) {
      ++known_failures;
    } else if (earlier == before.end()) {
      added.lines.push_back(id);
    } else if (ending.verdict == Verdict::kSkip) {
      const bool skipped_before = earlier->second.verdict == Verdict::kSkip;
      if (!skipped_before)
        (was_good ? left_out : unjudged).lines.push_back(fmt::format("{}: {}", id, ending.reason));
    } else if (!was_good) {
      mended.lines.push_back(id);
    }
  }
  for (const auto& [id, ending] : before)
    if (!now.contains(id)) gone.lines.push_back(id);
  for (const Difference* one : {&worse, &gone, &left_out, &unjudged, &mended, &added}) print(*one);
  const bool red = !worse.lines.empty() || !gone.lines.empty() || !left_out.lines.empty();
  fmt::print(
      "{} cases before, {} now: {} worse, {} gone, {} left out, {} mended, {} new; {} do not pass "
      "as before, {} that did not pass are left out\n",
      before.size(), now.size(), worse.lines.size(), gone.lines.size(), left_out.lines.size(),
      mended.lines.size(), added.lines.size(), still, unjudged.lines.size());
  if (!options.known.empty()) fmt::print("{} fail as is known\n", known_failures);
  fmt::print("{}\n", red ? "WORSE" : "NO WORSE");
  return red ? 1 : 0;
}

}  // namespace postern
