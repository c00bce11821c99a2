#include "run/report_files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>

#include "html.hpp"
#include "junit.hpp"
#include "markdown.hpp"
#include "report_place.hpp"
#include "results_file.hpp"
#include "whole_file.hpp"

namespace postern {
namespace {

namespace fs = std::filesystem;

// problem_of says what keeps `path` from being written; "" if nothing does.
std::string problem_of(const std::string& path, bool is_whole) {
  std::error_code missing;
  if (fs::is_directory(path, missing)) return path + " is a folder; name a file in it";
  if (reports::is_passing(path)) {
    if (::access(path.c_str(), W_OK) == 0) return {};
    return fmt::format("{} cannot be written: {}; name another", path, std::strerror(errno));
  }
  const std::string target = reports::target_of(path);
  const fs::path parent = fs::path(target).parent_path();
  std::error_code error;
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error)
    return fmt::format("the folder {} cannot be made: {}; name another", parent.string(),
                       error.message());
  if (is_whole) {
    try {
      const reports::WholeFile proof(path);
    } catch (const reports::ResultsError& problem) {
      return fmt::format("{}; name another file", problem.what());
    }
    return {};
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return fmt::format("{} cannot be written: {}; name another file", path, std::strerror(errno));
  ::close(descriptor);
  return {};
}

}  // namespace

std::string unusable_report(const ViewOptions& options) {
  struct Report {
    const char* option;
    const std::string& path;
    bool is_whole;  ///< Written beside its place, which it takes at the end.
  };
  const Report all[] = {{"--results", options.results, false},
                        {"--junit", options.junit, true},
                        {"--markdown", options.markdown, true},
                        {"--html", options.html, true}};
  std::map<std::string, const char*> known;
  for (const Report& report : all) {
    if (report.path.empty()) continue;
    const std::string problem = problem_of(report.path, report.is_whole);
    if (!problem.empty()) return fmt::format("{}: {}", report.option, problem);
    if (reports::is_passing(report.path)) continue;
    std::error_code error;
    const fs::path place = fs::weakly_canonical(reports::target_of(report.path), error);
    const auto [first, is_new] = known.emplace(place.string(), report.option);
    if (!is_new)
      return fmt::format("{}: {} is named by {} already; give each report a file of its own",
                         report.option, report.path, first->second);
  }
  return {};
}

bool write_views(const ViewOptions& options, const std::string& results) {
  std::string written;
  const auto add = [&written](const std::string& path, const char* what) {
    written += fmt::format("{}{} ({})", written.empty() ? "" : ", ", path, what);
  };
  bool good = true;
  const auto attempt = [&](const std::string& path, const char* what,
                           const std::function<void()>& write) {
    if (path.empty()) return;
    try {
      write();
      add(path, what);
    } catch (const std::exception& problem) {
      fmt::print(stderr, "postern: {}\n", problem.what());
      good = false;
    }
  };
  attempt(options.junit, "JUnit", [&] {
    reports::write_junit(results, options.junit,
                         options.junit_flavour == "strict" ? reports::JUnitFlavour::kStrict
                                                           : reports::JUnitFlavour::kCommon);
  });
  attempt(options.markdown, "Markdown",
          [&] { reports::write_markdown(results, options.markdown); });
  attempt(options.html, "a page for the browser",
          [&] { reports::write_html(results, options.html); });
  if (!options.results.empty()) add(options.results, "every case");
  if (!written.empty()) fmt::print("Reports: {}\n", written);
  return good;
}

}  // namespace postern
