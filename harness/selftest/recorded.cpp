#include "recorded.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <filesystem>
#include <set>
#include <unordered_map>

#include "authority.hpp"
#include "results_file.hpp"

namespace postern {

bool read_recorded(const std::string& folder, const Catalogue& catalogue,
                   std::vector<Recorded>& recorded) {
  std::unordered_map<std::string, const MatrixCase*> cells;
  for (const MatrixCase& cell : catalogue.matrix_cases) cells[cell.id()] = &cell;
  std::set<std::string> seen;
  std::set<std::string> matrices;
  for (const auto& matrix : catalogue.matrices) matrices.insert(matrix->name);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    // A suite of a matrix is recorded under its own name, with "+" for "/".
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".jsonl" || !matrices.contains(name.substr(0, name.find('+'))))
      continue;
    reports::ResultsReader reader(entry.path().string());
    while (auto result = reader.next()) {
      const auto cell = cells.find(result->id);
      if (cell == cells.end() || !seen.insert(result->id).second) continue;
      recorded.push_back(
          {result->inbound.observed, result->outbound.observed, result->warnings, cell->second});
    }
  }
  if (recorded.size() == cells.size()) return true;
  fmt::print(stderr, "{} of {} cases are recorded in {}; run the matrix tests first\n",
             recorded.size(), cells.size(), folder);
  return false;
}

std::unique_ptr<Catalogue> load_recorded(int argc, char** argv, std::vector<Recorded>& recorded) {
  if (argc != 4) {
    fmt::print(stderr, "usage: {} SCENARIOS AUTHORITY.xml RESULTS-FOLDER\n", argv[0]);
    return nullptr;
  }
  Problems problems;
  const auto authority = certs::Authority::load(argv[2], problems);
  auto catalogue = authority ? load_catalogue(argv[1], *authority, problems) : nullptr;
  if (!catalogue) fmt::print(stderr, "{}", problems.text());
  if (catalogue && !read_recorded(argv[3], *catalogue, recorded)) catalogue.reset();
  return catalogue;
}

}  // namespace postern
