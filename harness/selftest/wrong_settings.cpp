#include <fmt/core.h>

#include <cstdio>
#include <map>
#include <set>

#include "recorded.hpp"

// A gateway that runs under other settings than it says must be caught: what was observed under
// each mode combination is judged by the rules of each other one. Usage: wrong_settings SCENARIOS
// AUTHORITY.xml RESULTS-FOLDER

using namespace postern;

namespace {

/// Mode is one combination of settings with what was observed under it, by client and next hop.
struct Mode {
  Assignment settings;
  std::map<std::string, const Recorded*> cases;
};

// meets tells whether an outcome is the one that a cell of another mode expects.
bool meets(const Recorded& seen, const MatrixCase& cell) {
  if (grade(cell.inbound->expect, seen.inbound) != Grade::kForm) return false;
  if (cell.outbound == nullptr) return seen.outbound.word == "nothing";
  return grade(cell.outbound->expect, seen.outbound) == Grade::kForm;
}

// caught counts the cases by which a gateway is found out that runs as `real` where `said` is set.
int caught(const Mode& real, const Mode& said) {
  int count = 0;
  for (const auto& [name, expected] : said.cases)
    if (!meets(*real.cases.at(name), *expected->cell)) ++count;
  return count;
}

std::string value(const Mode& mode, const char* setting) {
  const std::string* found = mode.settings.get(setting);
  return found == nullptr ? "" : *found;
}

// alike tells of the pairs that no outcome can tell apart. There is one kind: under attempt a
// required client certificate is treated as requested (SET-3), and only the warning on record
// differs.
bool alike(const Mode& one, const Mode& other) {
  return value(one, "server-level") == "attempt" && value(other, "server-level") == "attempt" &&
         value(one, "client-certificate") != "none" &&
         value(other, "client-certificate") != "none" &&
         value(one, "client-level") == value(other, "client-level");
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
    mode.cases[one.cell->name] = &one;
  }
  int wrong = 0, pairs = 0, indistinct = 0;
  for (const auto& [real_name, real] : modes) {
    for (const auto& [said_name, said] : modes) {
      const int count = caught(real, said);
      if (&real == &said || alike(real, said)) {
        indistinct += &real != &said;
        if (count == 0) continue;
        fmt::print(stderr, "{} under {}: {} cases differ, where none can\n", real_name, said_name,
                   count);
        ++wrong;
        continue;
      }
      ++pairs;
      if (count > 0) continue;
      fmt::print(stderr, "a gateway that runs as {} where {} is set is not caught\n", real_name,
                 said_name);
      ++wrong;
    }
  }
  fmt::print(
      "{} modes, {} wrong settings caught, {} pairs that no outcome can tell apart, {} wrong\n",
      modes.size(), pairs, indistinct, wrong);
  return wrong == 0 && modes.size() == 28 ? 0 : 1;
}
