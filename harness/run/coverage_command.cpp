#include <fmt/core.h>

#include <map>
#include <string>
#include <vector>

#include "catalogue/citations.hpp"
#include "run/commands.hpp"
#include "run/loaded.hpp"

namespace postern {
namespace {

// list_cases prints the cases of the requirements asked for.
int list_cases(const Catalogue& catalogue, const std::vector<std::string>& wanted) {
  std::vector<std::string> known;
  for (const auto& [id, requirement] : catalogue.requirements) known.push_back(id);
  bool all_there = true, all_cited = true;
  for (const std::string& id : wanted) {
    const auto requirement = catalogue.requirements.find(id);
    if (requirement != catalogue.requirements.end()) continue;
    fmt::print(stderr, "postern: found no requirement \"{}\"{}, allowed: {}\n", id,
               did_you_mean(id, known), quoted_list(known));
    all_there = false;
  }
  if (!all_there) return 2;
  for (const std::string& id : wanted) {
    const Requirement& requirement = catalogue.requirements.at(id);
    const auto cases = cases_citing(catalogue, id);
    fmt::print("{} ({}, {}): {}\n", id, requirement.level, requirement.source, requirement.text);
    for (const std::string& one : cases) fmt::print("  {}\n", one);
    fmt::print("{} {}\n", cases.size(), cases.size() == 1 ? "case" : "cases");
    all_cited = all_cited && !cases.empty();
  }
  return all_cited ? 0 : 1;
}

// print_cited prints what cites a requirement, a line each: the rules of matrices with how many
// cases they decide, and the stories.
void print_cited(const Catalogue& catalogue, const std::string& requirement) {
  std::map<const void*, std::size_t> decided;
  for (const MatrixCase& cell : catalogue.matrix_cases) {
    ++decided[cell.inbound];
    ++decided[cell.outbound];
    ++decided[cell.disclosure];
  }
  const auto print = [&](const Matrix& matrix, const char* part, const auto& rules) {
    for (const auto& rule : rules) {
      if (rule.ref != requirement) continue;
      const auto cases = decided.find(&rule);
      fmt::print("  {} {}: {}{}\n", matrix.name, part, rule.when.text(),
                 cases == decided.end() ? "" : fmt::format("  ({} cases)", cases->second));
    }
  };
  for (const auto& matrix : catalogue.matrices) {
    print(*matrix, "inbound", matrix->inbound);
    print(*matrix, "outbound", matrix->outbound);
    print(*matrix, "disclosure", matrix->disclosure);
    print(*matrix, "invalid", matrix->invalid);
    print(*matrix, "warning", matrix->warnings);
  }
  for (const auto& story : catalogue.stories)
    if (story->ref == requirement) fmt::print("  {}\n", story->id());
}

}  // namespace

int coverage_command(const CommonOptions& common, const CoverageOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  const Catalogue& catalogue = *loaded.catalogue;
  if (!options.wanted.empty()) return list_cases(catalogue, options.wanted);
  const auto cited = citations(catalogue);
  fmt::print("{:<9} {:<8} {:>8} {:>8} {:>10} {:>8} {:>8}  {}\n", "id", "level", "inbound",
             "outbound", "disclosure", "settings", "stories", "source");
  std::size_t without = 0;
  for (const Requirement* requirement : in_order(catalogue)) {
    const Cited& by = cited.at(requirement->id);
    fmt::print("{:<9} {:<8} {:>8} {:>8} {:>10} {:>8} {:>8}  {}\n", requirement->id,
               requirement->level, by.inbound, by.outbound, by.disclosure, by.settings, by.stories,
               requirement->source);
    if (options.cases) print_cited(catalogue, requirement->id);
    if (!by.any()) ++without;
  }
  if (without == 0) {
    fmt::print("every requirement has a case\n");
    return 0;
  }
  fmt::print("\n");
  for (const Requirement* one : in_order(catalogue))
    if (!cited.at(one->id).any())
      fmt::print("{}: {} has no case: {}\n", one->place.text(), one->id, one->text);
  fmt::print("{} of {} requirements have no case\n", without, catalogue.requirements.size());
  return 1;
}

}  // namespace postern
