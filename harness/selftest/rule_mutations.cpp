#include <fmt/core.h>

#include <cstdio>
#include <filesystem>
#include <set>
#include <unordered_map>

#include "authority.hpp"
#include "catalogue/catalogue.hpp"
#include "judge/judge.hpp"
#include "results_file.hpp"

// Shows that every rule of every matrix decides something: its expectation is changed to each other
// word of its leg, and on the recorded results exactly the cells that it decides must turn red, on
// that leg. Usage: rule_mutations SCENARIOS AUTHORITY.xml RESULTS-FOLDER

namespace fs = std::filesystem;
using namespace postern;

namespace {

/// Recorded is what was observed of one case.
struct Recorded {
  reports::Outcome inbound, outbound;
  const MatrixCase* cell = nullptr;
};

/// Leg is one side of a decision table: its rules, and how a cell finds its rule and outcome.
struct Leg {
  LegName name;
  std::vector<std::string> words;
  std::vector<Rule> Matrix::*rules;
  const Rule* MatrixCase::*deciding;
  reports::Outcome Recorded::*observed;
};

const Leg kLegs[] = {
    {LegName::kInbound,
     {"accept", "refuse", "drop", "broken"},
     &Matrix::inbound,
     &MatrixCase::inbound,
     &Recorded::inbound},
    {LegName::kOutbound,
     {"redirect", "hold", "bounce"},
     &Matrix::outbound,
     &MatrixCase::outbound,
     &Recorded::outbound},
};

bool read_results(const std::string& folder, const Catalogue& catalogue,
                  std::vector<Recorded>& recorded) {
  std::unordered_map<std::string, const MatrixCase*> cells;
  for (const MatrixCase& cell : catalogue.matrix_cases) cells[cell.id()] = &cell;
  std::set<std::string> seen;
  std::set<std::string> matrices;
  for (const auto& matrix : catalogue.matrices) matrices.insert(matrix->name);
  for (const auto& entry : fs::directory_iterator(folder)) {
    // A suite of a matrix is recorded under its own name, with "+" for "/".
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".jsonl" || !matrices.contains(name.substr(0, name.find("+"))))
      continue;
    reports::ResultsReader reader(entry.path().string());
    while (auto result = reader.next()) {
      const auto cell = cells.find(result->id);
      if (cell == cells.end() || !seen.insert(result->id).second) continue;
      recorded.push_back({result->inbound.observed, result->outbound.observed, cell->second});
    }
  }
  if (recorded.size() == cells.size()) return true;
  fmt::print(stderr, "{} of {} cases are recorded in {}; run the matrix tests first\n",
             recorded.size(), cells.size(), folder);
  return false;
}

bool has_word(const Expectation& expectation, const std::string& word) {
  for (const auto* alternatives : {&expectation.form, &expectation.letter, &expectation.policy})
    for (const ExpectedOutcome& outcome : *alternatives)
      if (outcome.word == word) return true;
  return false;
}

// reds gives the ids of the cells whose outcome on this leg is not the expected one.
std::set<std::string> reds(const Leg& leg, const std::vector<Recorded>& recorded) {
  std::set<std::string> red;
  for (const Recorded& one : recorded) {
    const Rule* rule = one.cell->*leg.deciding;
    if (rule != nullptr && grade(rule->expect, one.*leg.observed) != Grade::kForm)
      red.insert(one.cell->id());
  }
  return red;
}

// mutate tries every other word on one rule; returns how many mutations were not caught exactly.
int mutate(const Leg& leg, Rule& rule, const std::vector<Recorded>& recorded, int& tried) {
  std::set<std::string> decided;
  for (const Recorded& one : recorded)
    if (one.cell->*leg.deciding == &rule) decided.insert(one.cell->id());
  int wrong = 0;
  for (const std::string& word : leg.words) {
    if (has_word(rule.expect, word)) continue;
    const Expectation kept = rule.expect;
    std::string error;
    rule.expect.form = rule.expect.letter = rule.expect.policy =
        parse_outcomes(word, leg.name, error);
    const std::set<std::string> red = reds(leg, recorded);
    rule.expect = kept;
    ++tried;
    if (red == decided) continue;
    ++wrong;
    fmt::print(stderr, "{}: {} expected in place of {}: {} cells decided, {} red\n",
               rule.place.text(), word, kept.form_text, decided.size(), red.size());
  }
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: rule_mutations SCENARIOS AUTHORITY.xml RESULTS-FOLDER\n");
    return 2;
  }
  Problems problems;
  const auto authority = certs::Authority::load(argv[2], problems);
  if (!authority) return fmt::print(stderr, "{}", problems.text()), 2;
  const auto catalogue = load_catalogue(argv[1], *authority, problems);
  if (!catalogue) return fmt::print(stderr, "{}", problems.text()), 2;
  std::vector<Recorded> recorded;
  if (!read_results(argv[3], *catalogue, recorded)) return 1;
  int tried = 0;
  int wrong = 0;
  for (const Leg& leg : kLegs) {
    const std::set<std::string> red = reds(leg, recorded);
    if (!red.empty()) {
      fmt::print(stderr, "{} recorded cells are red before any change, {} among them\n", red.size(),
                 *red.begin());
      ++wrong;
    }
    for (const auto& matrix : catalogue->matrices)
      for (Rule& rule : (*matrix).*leg.rules) wrong += mutate(leg, rule, recorded, tried);
  }
  fmt::print("{} changed rules over {} recorded cases, {} not caught exactly\n", tried,
             recorded.size(), wrong);
  return wrong == 0 && tried > 0 ? 0 : 1;
}
