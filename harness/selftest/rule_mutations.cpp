#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "recorded.hpp"

// Shows that every rule of every matrix decides something: its expectation is changed to each other
// word of its leg, and on the recorded results exactly the cells that it decides must turn red, on
// that leg. Usage: rule_mutations SCENARIOS AUTHORITY.xml RESULTS-FOLDER

using namespace postern;

namespace {

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

// Only the form counts: a word of the wider grades is a change too, for all three are replaced.
bool has_word(const Expectation& expectation, const std::string& word) {
  return std::any_of(expectation.form.begin(), expectation.form.end(),
                     [&](const ExpectedOutcome& outcome) { return outcome.word == word; });
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
  std::vector<Recorded> recorded;
  const auto catalogue = load_recorded(argc, argv, recorded);
  if (!catalogue) return 2;
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
