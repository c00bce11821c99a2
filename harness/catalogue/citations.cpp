#include "catalogue/citations.hpp"

#include <algorithm>

namespace postern {

std::map<std::string, Cited> citations(const Catalogue& catalogue) {
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

std::vector<std::string> cases_citing(const Catalogue& catalogue, const std::string& requirement) {
  std::vector<std::string> ids;
  for (const MatrixCase& cell : catalogue.matrix_cases) {
    const bool cites = cell.inbound->ref == requirement ||
                       (cell.outbound != nullptr && cell.outbound->ref == requirement) ||
                       (cell.disclosure != nullptr && cell.disclosure->ref == requirement);
    const bool warns =
        std::any_of(catalogue.matrices.begin(), catalogue.matrices.end(), [&](const auto& matrix) {
          return cell.suite.starts_with(matrix->name + "/") &&
                 std::any_of(matrix->warnings.begin(), matrix->warnings.end(),
                             [&](const ExpectedWarning& warning) {
                               return warning.ref == requirement &&
                                      warning.when.holds(cell.settings);
                             });
        });
    if (cites || warns) ids.push_back(cell.id());
  }
  for (const InvalidCase& one : catalogue.invalid_cases)
    if (one.rule->ref == requirement) ids.push_back(one.id());
  for (const auto& story : catalogue.stories)
    if (story->ref == requirement) ids.push_back(story->id());
  return ids;
}

std::vector<const Requirement*> in_order(const Catalogue& catalogue) {
  std::vector<const Requirement*> all;
  for (const auto& [id, requirement] : catalogue.requirements) all.push_back(&requirement);
  std::sort(all.begin(), all.end(), [](const Requirement* one, const Requirement* other) {
    return one->place.line < other->place.line;
  });
  return all;
}

}  // namespace postern
