#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "catalogue/selection.hpp"
#include "run/commands.hpp"
#include "run/loaded.hpp"
#include "shown_text.hpp"

// What must happen, said before anything is run: the rules that decide the cases chosen, with their
// requirements in words.

namespace postern {
namespace {

constexpr std::size_t kColumns = 80, kLabel = 11;

// row prints a label and its text, wrapped beside it.
void row(const std::string& label, const std::string& text) {
  std::string head = reports::padded("  " + label, kLabel);
  for (const std::string& line : reports::wrap_words(text, kColumns - kLabel)) {
    fmt::print("{} {}\n", head, line);
    head = std::string(kLabel, ' ');
  }
}

void cite(const Catalogue& catalogue, const std::string& ref) {
  const auto found = catalogue.requirements.find(ref);
  if (found == catalogue.requirements.end()) return;
  const Requirement& one = found->second;
  row(ref, fmt::format("{} ({}, {})", one.text, one.level, one.source));
}

// expects prints an expectation, and what the words of its form mean.
void expects(const Expectation& expectation) {
  row("must", expectation.form_text);
  std::set<std::string> explained;
  for (const ExpectedOutcome& outcome : expectation.form)
    if (explained.insert(outcome.word).second)
      row("", fmt::format("{}: {}", outcome.word, outcome_about(outcome.word)));
  if (!expectation.letter_text.empty()) row("letter", expectation.letter_text);
  if (!expectation.policy_text.empty()) row("policy", expectation.policy_text);
}

/// Decision is one rule with the peers of the chosen cases that it decides.
struct Decision {
  const Rule* rule = nullptr;  ///< nullptr: no message is accepted, so none is sent on.
  std::vector<std::string> peers;
  std::size_t cases = 0;
};

void decide(std::vector<Decision>& decisions, const Rule* rule, const std::string& peer) {
  auto known = std::find_if(decisions.begin(), decisions.end(),
                            [&](const Decision& one) { return one.rule == rule; });
  if (known == decisions.end()) known = decisions.insert(known, {rule, {}, 0});
  ++known->cases;
  if (std::find(known->peers.begin(), known->peers.end(), peer) == known->peers.end())
    known->peers.push_back(peer);
}

void print(const Catalogue& catalogue, bool inbound, const std::vector<Decision>& decisions) {
  const auto& peers = inbound ? catalogue.clients : catalogue.servers;
  for (const Decision& one : decisions) {
    fmt::print("\n{}: {} case{}\n", inbound ? "Receiving" : "Sending", one.cases,
               one.cases == 1 ? "" : "s");
    row(inbound ? "from" : "to", fmt::format("{}", fmt::join(one.peers, ", ")));
    if (one.peers.size() == 1)
      if (const auto peer = peers.find(one.peers.front()); peer != peers.end())
        row("who", peer->second.about);
    if (one.rule == nullptr) {
      row("must", "nothing");
      row("", fmt::format("nothing: {}", outcome_about("nothing")));
      continue;
    }
    expects(one.rule->expect);
    cite(catalogue, one.rule->ref);
    row("rule", one.rule->place.text());
  }
}

// print_warnings says what must be on record at a start with the settings of these cases.
void print_warnings(const Catalogue& catalogue, const std::vector<const MatrixCase*>& cells) {
  for (const auto& matrix : catalogue.matrices) {
    for (const ExpectedWarning& warning : matrix->warnings) {
      const auto cases = std::count_if(cells.begin(), cells.end(), [&](const MatrixCase* cell) {
        return cell->suite.starts_with(matrix->name + "/") && warning.when.holds(cell->settings);
      });
      if (cases == 0) continue;
      fmt::print("\nAt the start, on the gateway's record: {} case{}\n", cases,
                 cases == 1 ? "" : "s");
      row("must", fmt::format("a warning that says \"{}\"", warning.mentions));
      row("letter", "not asked for");
      cite(catalogue, warning.ref);
      row("rule", warning.place.text());
    }
  }
}

// under says which settings all of these cases have.
void print_settings(const std::vector<const MatrixCase*>& cells) {
  std::string text;
  for (const auto& [name, value] : cells.front()->settings.values()) {
    const bool same =
        std::all_of(cells.begin(), cells.end(), [&, &key = name, &is = value](const auto* cell) {
          const std::string* other = cell->settings.get(key);
          return other != nullptr && *other == is;
        });
    if (same) text += (text.empty() ? "" : ", ") + name + "=" + value;
  }
  fmt::print("{} case{} of the matrices\n", cells.size(), cells.size() == 1 ? "" : "s");
  row("under", text.empty() ? "several settings" : text);
}

void explain_cells(const Catalogue& catalogue, const std::vector<const MatrixCase*>& cells) {
  std::vector<Decision> inbound, outbound;
  std::vector<const DisclosureRule*> disclosures;
  for (const MatrixCase* cell : cells) {
    decide(inbound, cell->inbound, cell->client);
    decide(outbound, cell->outbound, cell->server);
    if (cell->disclosure != nullptr &&
        std::find(disclosures.begin(), disclosures.end(), cell->disclosure) == disclosures.end())
      disclosures.push_back(cell->disclosure);
  }
  print_settings(cells);
  print_warnings(catalogue, cells);
  print(catalogue, true, inbound);
  print(catalogue, false, outbound);
  for (const DisclosureRule* rule : disclosures) {
    fmt::print("\nWhere the message may be seen\n");
    row("next hop",
        rule->next_hop.empty() ? "nowhere" : fmt::format("{}", fmt::join(rule->next_hop, ", ")));
    cite(catalogue, rule->ref);
    row("rule", rule->place.text());
  }
}

void explain_story(const Catalogue& catalogue, const Story& story) {
  fmt::print("{}\n", story.id());
  row("why", story.why);
  std::string settings;
  for (const auto& [name, value] : story.settings.values())
    settings += (settings.empty() ? "" : ", ") + name + "=" + value;
  row("under", settings);
  if (story.inbound) {
    fmt::print("\nReceiving\n");
    expects(*story.inbound);
  }
  if (story.outbound) {
    fmt::print("\nSending\n");
    expects(*story.outbound);
  }
  fmt::print("\n");
  row("steps", fmt::format("{}: each must get what it expects", story.place.text()));
  cite(catalogue, story.ref);
}

void explain_invalid(const Catalogue& catalogue, const InvalidCase& invalid) {
  fmt::print("{}\n", invalid.id());
  row("must", "rejected");
  row("", "rejected: the gateway does not start with these settings, and says why");
  row("saying", invalid.rule->mentions);
  cite(catalogue, invalid.rule->ref);
  row("rule", invalid.rule->place.text());
}

// Wanted words that say key=value, as no id does, are a filter.
Wanted wanted_of(const ExplainOptions& options) {
  Wanted wanted;
  wanted.filter = options.filter;
  for (const std::string& word : options.words) {
    const bool is_term = word.find('=') != std::string::npos && word.find('/') == std::string::npos;
    if (is_term)
      wanted.filter += (wanted.filter.empty() ? "" : " ") + word;
    else
      wanted.words.push_back(word);
  }
  return wanted;
}

}  // namespace

int explain_command(const CommonOptions& common, const ExplainOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  Selection selection;
  if (!choose(*loaded.catalogue, wanted_of(options), selection)) return 2;
  std::vector<const MatrixCase*> cells;
  std::vector<const Chosen*> others;
  for (const Configuration& configuration : selection.configurations) {
    for (const Chosen& one : configuration.cases) {
      if (one.control) continue;
      if (one.cell != nullptr)
        cells.push_back(one.cell);
      else
        others.push_back(&one);
    }
  }
  if (!cells.empty()) explain_cells(*loaded.catalogue, cells);
  bool begun = !cells.empty();
  for (const Chosen* one : others) {
    if (begun) fmt::print("\n");
    begun = true;
    if (one->story != nullptr)
      explain_story(*loaded.catalogue, *one->story);
    else
      explain_invalid(*loaded.catalogue, *one->invalid);
  }
  return 0;
}

}  // namespace postern
