#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "run/commands.hpp"
#include "run/loaded.hpp"

namespace postern {
namespace {

/// Cited counts what cites one requirement.
struct Cited {
  std::size_t inbound = 0, outbound = 0, disclosure = 0;  ///< Matrix cases, leg by leg.
  std::size_t settings = 0;                               ///< Invalid settings and warnings.
  std::size_t stories = 0;

  bool any() const { return inbound + outbound + disclosure + settings + stories > 0; }
};

std::map<std::string, Cited> count(const Catalogue& catalogue) {
  std::map<std::string, Cited> cited;
  for (const auto& [id, requirement] : catalogue.requirements) cited[id];
  for (const MatrixCase& cell : catalogue.matrix_cases) {
    ++cited[cell.inbound->ref].inbound;
    if (cell.outbound != nullptr) ++cited[cell.outbound->ref].outbound;
    if (cell.disclosure != nullptr) ++cited[cell.disclosure->ref].disclosure;
  }
  for (const InvalidCase& one : catalogue.invalid_cases) ++cited[one.rule->ref].settings;
  for (const auto& matrix : catalogue.matrices)
    for (const ExpectedWarning& warning : matrix->warnings) ++cited[warning.ref].settings;
  for (const auto& story : catalogue.stories) ++cited[story->ref].stories;
  return cited;
}

}  // namespace

int coverage_command(const CommonOptions& common) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  const Catalogue& catalogue = *loaded.catalogue;
  const auto cited = count(catalogue);
  std::vector<const Requirement*> in_order;
  for (const auto& [id, requirement] : catalogue.requirements) in_order.push_back(&requirement);
  std::sort(in_order.begin(), in_order.end(), [](const Requirement* one, const Requirement* other) {
    return one->place.line < other->place.line;
  });
  fmt::print("{:<9} {:<8} {:>8} {:>8} {:>10} {:>8} {:>8}  {}\n", "id", "level", "inbound",
             "outbound", "disclosure", "settings", "stories", "source");
  std::size_t without = 0;
  for (const Requirement* requirement : in_order) {
    const Cited& by = cited.at(requirement->id);
    fmt::print("{:<9} {:<8} {:>8} {:>8} {:>10} {:>8} {:>8}  {}\n", requirement->id,
               requirement->level, by.inbound, by.outbound, by.disclosure, by.settings, by.stories,
               requirement->source);
    if (!by.any()) ++without;
  }
  if (without == 0) {
    fmt::print("every requirement has a case\n");
    return 0;
  }
  fmt::print("\n");
  for (const Requirement* one : in_order)
    if (!cited.at(one->id).any())
      fmt::print("{}: {} has no case: {}\n", one->place.text(), one->id, one->text);
  fmt::print("{} of {} requirements have no case\n", without, catalogue.requirements.size());
  return 1;
}

}  // namespace postern
