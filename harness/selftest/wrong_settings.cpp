#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "recorded.hpp"

// A gateway that runs under other settings than it says must be caught: what was observed under
// each mode combination, its warnings included, is judged by the rules of each other one. Usage:
// wrong_settings SCENARIOS AUTHORITY.xml RESULTS-FOLDER

using namespace postern;

namespace {

/// Mode is one combination of settings with what was observed under it: what the gateway warned of,
/// and the cases by client and next hop.
struct Mode {
  Assignment settings;
  std::vector<std::string> warnings;
  std::map<std::string, const Recorded*> cases;
};

// meets tells whether an outcome is the one that a cell of another mode expects.
bool meets(const Recorded& seen, const MatrixCase& cell) {
  if (grade(cell.inbound->expect, seen.inbound) != Grade::kForm) return false;
  if (cell.outbound == nullptr) return seen.outbound.word == "nothing";
  return grade(cell.outbound->expect, seen.outbound) == Grade::kForm;
}

// warns_as tells whether just those warnings are on record that are due under `said`.
bool warns_as(const Matrix& matrix, const Mode& real, const Mode& said) {
  const auto is_on_record = [&](const ExpectedWarning& warning) {
    return std::any_of(real.warnings.begin(), real.warnings.end(), [&](const std::string& line) {
      return line.find(warning.mentions) != std::string::npos;
    });
  };
  return std::all_of(matrix.warnings.begin(), matrix.warnings.end(),
                     [&](const ExpectedWarning& warning) {
                       return is_on_record(warning) == warning.when.holds(said.settings);
                     });
}

// is_caught tells whether a gateway is found out that runs as `real` where `said` is set.
bool is_caught(const Matrix& matrix, const Mode& real, const Mode& said) {
  return !warns_as(matrix, real, said) ||
         std::any_of(said.cases.begin(), said.cases.end(), [&](const auto& expected) {
           return !meets(*real.cases.at(expected.first), *expected.second->cell);
         });
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Recorded> recorded;
  const auto catalogue = load_recorded(argc, argv, recorded);
  if (!catalogue) return 2;
  std::map<std::string, Mode> modes;
  for (const Recorded& one : recorded) {
    if (!one.cell->suite.starts_with("tls-modes/")) continue;
    Mode& mode = modes[one.cell->suite];
    mode.settings = one.cell->settings;
    mode.warnings = one.warnings;
    mode.cases[one.cell->name] = &one;
  }
  const auto matrix = std::find_if(catalogue->matrices.begin(), catalogue->matrices.end(),
                                   [](const auto& one) { return one->name == "tls-modes"; });
  int wrong = 0, caught = 0;
  for (const auto& [real_name, real] : modes) {
    for (const auto& [said_name, said] : modes) {
      const bool is_right = &real == &said;
      const bool found_out = is_caught(**matrix, real, said);
      caught += found_out;
      if (found_out != is_right) continue;
      fmt::print(stderr, "a gateway that runs as {} where {} is set is {}\n", real_name, said_name,
                 is_right ? "found out" : "not caught");
      ++wrong;
    }
  }
  fmt::print("{} modes, {} wrong settings caught, {} wrong\n", modes.size(), caught, wrong);
  return wrong == 0 && modes.size() == 28 ? 0 : 1;
}
