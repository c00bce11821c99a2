#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "catalogue/selection.hpp"
#include "run/commands.hpp"
#include "run/loaded.hpp"
#include "run/places.hpp"

namespace postern {
namespace {

// quoted puts text into a CMake bracket-free string.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == ';') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string file_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '+');
  return name;
}

// add_ctest writes one test of a ctest include file: one call of `postern run`, which leaves its
// results and its JUnit report behind. `cell`: it plays cells of a matrix.
void add_ctest(const std::string& name, const std::string& label, bool cell,
               const ListOptions& options, const std::string& scenarios) {
  const std::string program = program_directory() + "/postern";
  const std::string base = options.reports + "/" + file_name(name);
  fmt::print("add_test({} {} run {} --scenarios {} --jobs 1 --quiet --results {} --junit {})\n",
             quoted(name), quoted(program), quoted(name), quoted(scenarios),
             quoted(base + ".jsonl"), quoted(base + ".xml"));
  fmt::print("set_tests_properties({} PROPERTIES LABELS {} TIMEOUT 300{})\n", quoted(name), label,
             cell ? " FIXTURES_SETUP recorded-matrix" : "");
}

// names_mode tells whether a suite stands for a mode combination: all three settings of the TLS
// page are in its name.
bool names_mode(const std::string& suite) {
  for (const char* setting : {"/server-level=", "/client-certificate=", "/client-level="})
    if (suite.find(setting) == std::string::npos) return false;
  return true;
}

std::string suite_of(const Chosen& one) {
  if (one.story != nullptr) return "stories/" + one.story->name;
  return one.cell != nullptr ? one.cell->suite : one.invalid->suite;
}

int list_ctest(const Selection& selection, const ListOptions& options,
               const std::string& scenarios) {
  std::set<std::string> suites;
  for (const Configuration& configuration : selection.configurations) {
    for (const Chosen& one : configuration.cases) {
      if (one.story != nullptr) {
        if (!suites.insert(suite_of(one)).second) continue;
        add_ctest("stories/" + one.story->name, "story", false, options, scenarios);
      } else if (suites.insert(suite_of(one)).second) {
        const bool mode = one.cell != nullptr && names_mode(suite_of(one));
        add_ctest(suite_of(one), mode ? "matrix" : "story", one.cell != nullptr, options,
                  scenarios);
      }
    }
  }
  return 0;
}

}  // namespace

int list_command(const CommonOptions& common, const ListOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  Selection selection;
  const Wanted wanted{options.words, options.filter, options.strength, options.seed};
  if (!choose(*loaded.catalogue, wanted, selection)) return 2;
  if (!coverage_holds(wanted, selection)) return 3;
  if (options.strength > 0) fmt::print(stderr, "{}\n", coverage_text(wanted, selection));
  if (options.ctest)
    return list_ctest(
        selection, options,
        std::filesystem::absolute(loaded.catalogue->directory).lexically_normal().string());
  std::set<std::string> suites;
  const auto show = [&](const std::string& suite, const std::string& id) {
    if (!options.suites) {
      fmt::print("{}\n", id);
    } else if (suites.insert(suite).second) {
      fmt::print("{}\n", suite);
    }
  };
  for (const Configuration& configuration : selection.configurations)
    for (const Chosen& one : configuration.cases)
      if (!one.control) show(suite_of(one), one.id());
  return 0;
}

}  // namespace postern
