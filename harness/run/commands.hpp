#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The commands of `postern`, each with the options that its command line sets. Each returns the
// exit code: 0 yes, 1 no, 2 usage or a bad file, 3 could not be told, 130 interrupted.

namespace postern {

struct CommonOptions {
  std::string scenarios;  ///< Empty: sought, see find_scenarios.
  std::string program;    ///< argv[0].
};

/// ViewOptions are the files that a run, or its results, are shown in; empty: not asked for.
struct ViewOptions {
  std::string results, junit, markdown, html;
  std::string junit_flavour = "common";
};

struct RunOptions : ViewOptions {
  std::vector<std::string> words;  ///< Files, ids, suites; none: everything.
  std::string filter;
  std::string gateway = "reference";
  unsigned strength = 0;  ///< 2 or 3: a covering array; 0: every case.
  unsigned jobs = 2;
  unsigned repeat = 1;
  unsigned min = 0;
  std::optional<std::uint64_t> seed;  ///< None: one is drawn, and shown.
  std::string resume;   ///< Results of an earlier run: what it judged is not run again.
  std::string shard;    ///< "2/5"; empty: as a runner says in the environment.
  std::string certs;    ///< Folder with the PKI that a gateway knows already.
  bool jitter = false;  ///< Order, pieces and moments of writes at random, by seed.
  std::string bundle;   ///< Folder or archive for what is known of single cases; empty: none.
  std::string bundle_of = "failing";  ///< Or "all".
  bool keep = false;
  bool fail_fast = false;
  bool transcripts = false;
  bool quiet = false;  ///< No grid, no list: what failed and the counts.
  std::string command_line;
};

struct ListOptions {
  std::vector<std::string> words;
  std::string filter;
  unsigned strength = 0;  ///< As for run.
  std::uint64_t seed = 0;
  bool suites = false;
  bool ctest = false;
  std::string reports;  ///< For ctest: where each test writes its results and JUnit.
};

struct ExplainOptions {
  std::vector<std::string> words;  ///< Cases, or settings and peers as key=value.
  std::string filter;
};

struct CoverageOptions {
  std::vector<std::string>
      wanted;          ///< Requirements whose cases are listed; empty: all are counted.
  bool cases = false;  ///< Below each the rules and stories that cite it.
};

struct GapsOptions {
  std::string which;  ///< What the ids of the gaps to list begin with; empty: all, faults in short.
  std::string begin;  ///< The id of a gap to write the beginnings of what closes it.
  std::string faults = "build/reports/faults.md";  ///< What scripts/faults wrote; may be missing.
};

struct GatewaysOptions {
  bool packages = false;  ///< List the packages that hold them, for scripts.
};

struct NewStoryOptions {
  std::string name, ref;
  std::string side;  ///< "client", "server"; empty: as the requirement's id says.
};

struct ReportOptions : ViewOptions {
  std::vector<std::string> files;  ///< Results.
  bool quiet = false;
};

struct CompareOptions {
  std::string before, now;  ///< Results.
  std::string known;        ///< A deviations file: failures that are known; empty: none.
};

struct ServeOptions {
  std::vector<std::string> names;  ///< Servers; none: all.
  std::string address;             ///< Empty: 127.0.0.1, with `addresses` 127.0.0.2.
  unsigned port = 0;               ///< Of the first; 0: 2600, with `addresses` 2525.
  bool addresses = false;  ///< Each has an address of its own, counted from `address`, not a port.
  std::string certs;
  std::string page;  ///< Where a page that says what is where is written; empty: nowhere.
  bool list = false;
  bool quiet = false;
};

struct SendOptions {
  std::string at;  ///< HOST:PORT.
  std::string client = "starttls";
  std::string from = "sender@client.postern.test";
  std::string to;
  std::string message;  ///< A file; empty: one of Postern's.
  std::string certs;
  bool quiet = false;
};

int run_command(const CommonOptions& common, const RunOptions& options);
int list_command(const CommonOptions& common, const ListOptions& options);
int check_command(const CommonOptions& common, const std::string& directory);
int certs_command(const CommonOptions& common, const std::string& directory);
int coverage_command(const CommonOptions& common, const CoverageOptions& options);
int gaps_command(const CommonOptions& common, const GapsOptions& options);
int gateways_command(const CommonOptions& common, const GatewaysOptions& options);
int report_command(const ReportOptions& options);
int explain_command(const CommonOptions& common, const ExplainOptions& options);
int compare_command(const CommonOptions& common, const CompareOptions& options);
int serve_command(const CommonOptions& common, const ServeOptions& options);
int send_command(const CommonOptions& common, const SendOptions& options);
int new_story_command(const CommonOptions& common, const NewStoryOptions& options);

}  // namespace postern
