#include "catalogue/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>

#include "catalogue/covering.hpp"
#include "catalogue/vocabulary.hpp"

namespace postern {
namespace {

namespace fs = std::filesystem;

// How many names are shown to who named a case that is not there.
constexpr std::size_t kListedNames = 8;

const std::vector<std::string> kKinds = {"matrix", "story", "invalid"};

/// begins tells whether `id` is `part`, or goes on after it with a '/'.
bool begins(const std::string& id, const std::string& part) {
  return id.compare(0, part.size(), part) == 0 &&
         (id.size() == part.size() || id[part.size()] == '/' || part.back() == '/');
}

/// Candidate is any case with what queries ask about.
struct Candidate {
  Chosen chosen;
  std::string id;
  std::string file;
  bool wanted = false;
};

/// fact_of gives what filters may ask about a case; nullptr where it has no such thing. Of a story
/// the last peer of a side counts.
const std::string* fact_of(const Chosen& chosen, const char* kind, const std::string& key) {
  static const std::map<std::string, std::string> kKindNames = {
      {"matrix", "matrix"}, {"invalid", "invalid"}, {"story", "story"}};
  if (key == "kind") return &kKindNames.at(kind);
  if (key == "client" || key == "server") {
    if (chosen.cell) return key == "client" ? &chosen.cell->client : &chosen.cell->server;
    const std::string* found = nullptr;
    if (chosen.story)
      for (const Script& script : chosen.story->scripts)
        if (!script.peer.empty() && (script.role == Role::kClient) == (key == "client"))
          found = &script.peer;
    return found;
  }
  const Assignment& stated = chosen.cell      ? chosen.cell->settings
                             : chosen.invalid ? chosen.invalid->settings
                                              : chosen.story->settings;
  if (const std::string* value = stated.get(key)) return value;
  const Setting* known = setting(key);
  return known ? &known->default_value : nullptr;
}

const char* kind_of(const Chosen& chosen) {
  return chosen.cell ? "matrix" : chosen.invalid ? "invalid" : "story";
}

bool passes(const Condition& filter, const Chosen& chosen, const std::string& id) {
  return std::all_of(filter.terms().begin(), filter.terms().end(), [&](const Term& term) {
    const std::string* fact =
        term.key == "case" ? nullptr : fact_of(chosen, kind_of(chosen), term.key);
    const bool among =
        std::any_of(term.values.begin(), term.values.end(), [&](const std::string& value) {
          return term.key == "case" ? begins(id, value) : fact && *fact == value;
        });
    return among != term.negated;
  });
}

/// stands_in tells whether `file` is `path`, or stands below it.
bool stands_in(const fs::path& path, const std::string& file) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  const fs::path other = fs::weakly_canonical(file, error);
  const auto [rest, _] = std::mismatch(whole.begin(), whole.end(), other.begin(), other.end());
  return rest == whole.end();
}

class Choosing {
 public:
  Choosing(const Catalogue& catalogue, const Query& query) : catalogue_(catalogue), query_(query) {
    for (const MatrixCase& cell : catalogue.matrix_cases) {
      candidates_.push_back(
          {{&cell, nullptr, nullptr, false}, cell.id(), cell.inbound->place.file, false});
    }
    for (const InvalidCase& invalid : catalogue.invalid_cases) {
      candidates_.push_back(
          {{nullptr, &invalid, nullptr, false}, invalid.id(), invalid.rule->place.file, false});
    }
    for (const auto& story : catalogue.stories) {
      candidates_.push_back(
          {{nullptr, nullptr, story.get(), false}, story->id(), story->place.file, false});
    }
  }

  Selection run() {
    check_filters();
    for (const std::string& item : query_.what) want(item);
    if (query_.what.empty()) {
      for (Candidate& candidate : candidates_) candidate.wanted = true;
    }
    if (selection_.errors.empty()) apply_filters();
    if (!selection_.errors.empty()) return refused(selection_.errors);
    if (query_.strength > 0) thin_out();
    for (const Candidate& candidate : candidates_) selection_.chosen += candidate.wanted;
    if (selection_.chosen == 0) {
      return refused({"found no case that the filter leaves, allowed: a filter that leaves any"});
    }
    take_controls();
    prove();
    group();
    return std::move(selection_);
  }

 private:
  static Selection refused(std::vector<std::string> errors) {
    Selection nothing;
    nothing.errors = std::move(errors);
    return nothing;
  }

  void check_filters() {
    const KnownKeys known = filter_keys(catalogue_);
    for (const Condition& filter : query_.filters) {
      const std::string error = unknown_in(filter, known);
      if (!error.empty()) selection_.errors.push_back(error);
    }
  }

  void want(const std::string& item) {
    if (item.empty()) return;
    bool found = false;
    for (Candidate& candidate : candidates_) {
      if (!begins(candidate.id, item) && !begins(candidate.id, "stories/" + item)) continue;
      candidate.wanted = found = true;
    }
    if (found || want_path(item)) return;
    selection_.errors.push_back(tell_missing(item));
  }

  /// want_path tells whether `item` is a file or directory; one without cases is an error.
  bool want_path(const std::string& item) {
    fs::path path = item;
    if (!fs::exists(path)) path = fs::path(catalogue_.directory) / item;
    if (!fs::exists(path)) return false;
    std::map<std::string, bool> known;
    bool found = false;
    for (Candidate& candidate : candidates_) {
      const auto [entry, is_new] = known.emplace(candidate.file, false);
      if (is_new) entry->second = stands_in(path, candidate.file);
      if (entry->second) candidate.wanted = found = true;
    }
    if (!found && !stands_in(catalogue_.directory, path.string())) {
      selection_.errors.push_back(
          fmt::format("found {}, which is not below {}, allowed: a file or a directory that is; "
                      "--scenarios names another folder",
                      item, catalogue_.directory));
    } else if (!found) {
      selection_.errors.push_back(fmt::format(
          "found no case in {}, allowed: a matrix, a story, or a directory of them", item));
    }
    return true;
  }

  /// tell_missing follows `item` part by part as far as any id does.
  std::string tell_missing(const std::string& item) const {
    std::string known;
    std::string rest = item;
    while (true) {
      const std::string part = rest.substr(0, rest.find('/'));
      std::set<std::string> next;
      for (const Candidate& candidate : candidates_) {
        if (!known.empty() && !begins(candidate.id, known)) continue;
        const std::size_t begin = known.empty() ? 0 : known.size() + 1;
        if (begin < candidate.id.size()) {
          next.insert(candidate.id.substr(begin, candidate.id.find('/', begin) - begin));
        }
        if (known.empty() && candidate.chosen.story) next.insert(candidate.chosen.story->name);
      }
      if (next.count(part) == 0 || rest.size() == part.size()) {
        std::vector<std::string> names(next.begin(), next.end());
        const std::string meant = did_you_mean(part, names);
        const std::size_t count = names.size();
        names.resize(std::min(count, kListedNames));
        return fmt::format("found no case \"{}\"{}, allowed{}: {}{}", item, meant,
                           known.empty() ? "" : fmt::format(" after \"{}/\"", known),
                           names.empty() ? "nothing more" : quoted_list(names),
                           count > names.size()
                               ? fmt::format(" and {} more (postern list)", count - names.size())
                               : "");
      }
      known += (known.empty() ? "" : "/") + part;
      rest.erase(0, part.size() + 1);
    }
  }

  void apply_filters() {
    if (query_.filters.empty()) return;
    for (Candidate& candidate : candidates_) {
      if (!candidate.wanted) continue;
      candidate.wanted = std::all_of(
          query_.filters.begin(), query_.filters.end(),
          [&](const Condition& filter) { return passes(filter, candidate.chosen, candidate.id); });
    }
  }

  /// thin_out leaves of the cases of each matrix no more than cover its tuples of values.
  void thin_out() {
    for (Candidate& candidate : candidates_) {
      if (!candidate.wanted || !candidate.chosen.cell) continue;
      const MatrixCase& cell = *candidate.chosen.cell;
      Thinned& thinned = thinned_[cell.suite.substr(0, cell.suite.find('/'))];
      thinned.candidates.push_back(&candidate);
      std::vector<std::string>& row = thinned.table.rows.emplace_back();
      for (const auto& [key, value] : cell.settings.values()) row.push_back(value);
      row.push_back(cell.client);
      row.push_back(cell.server);
      if (!thinned.table.axes.empty()) continue;
      for (const auto& [key, value] : cell.settings.values()) thinned.table.axes.push_back(key);
      thinned.table.axes.insert(thinned.table.axes.end(), {"client", "server"});
    }
    for (auto& [matrix, thinned] : thinned_) {
      const Covering covering = cover(thinned.table, query_.strength, query_.seed);
      selection_.coverage.of += thinned.candidates.size();
      selection_.coverage.chosen += covering.rows.size();
      selection_.coverage.tuples += covering.tuples;
      for (Candidate* candidate : thinned.candidates) candidate->wanted = false;
      for (const std::size_t row : covering.rows) thinned.candidates[row]->wanted = true;
    }
  }

  /// prove asks of what will be played, controls left aside, whether it covers all.
  void prove() {
    for (const auto& [matrix, thinned] : thinned_) {
      std::vector<std::size_t> rows;
      for (std::size_t row = 0; row < thinned.candidates.size(); ++row) {
        const Candidate& candidate = *thinned.candidates[row];
        if (candidate.wanted && !candidate.chosen.control) rows.push_back(row);
      }
      for (const std::string& hole : uncovered(thinned.table, rows, query_.strength))
        selection_.coverage.holes.push_back(matrix + ": " + hole);
    }
  }

  void take_controls() {
    if (selection_.chosen == candidates_.size()) return;
    std::unordered_map<std::string_view, Candidate*> by_id;
    std::vector<std::string> needed;
    for (Candidate& candidate : candidates_) {
      by_id[candidate.id] = &candidate;
      if (!candidate.wanted || !candidate.chosen.cell) continue;
      Twins twins = twins_of(catalogue_, *candidate.chosen.cell);
      needed.push_back(std::move(twins.inbound));
      needed.push_back(std::move(twins.outbound));
    }
    for (const std::string& id : needed) {
      const auto control = by_id.find(id);
      if (control == by_id.end() || control->second->wanted) continue;
      control->second->wanted = control->second->chosen.control = true;
      ++selection_.controls;
    }
  }

  void group() {
    std::unordered_map<std::string, std::size_t> known;
    for (const Candidate& candidate : candidates_) {
      if (!candidate.wanted) continue;
      const bool rejected = candidate.chosen.invalid;
      Assignment settings = settings_of(candidate.chosen);
      const Story* story = candidate.chosen.story;
      const bool alone = story != nullptr && story->alone;
      const std::string key = (rejected || alone ? candidate.id : "") + settings.text();
      const auto [entry, is_new] = known.emplace(key, selection_.configurations.size());
      if (is_new) selection_.configurations.push_back({std::move(settings), rejected, alone, {}});
      selection_.configurations[entry->second].cases.push_back(candidate.chosen);
    }
  }

  const Catalogue& catalogue_;
  const Query& query_;
  /// Thinned is one matrix as a table, and the candidates that its rows stand for.
  struct Thinned {
    CoveringTable table;
    std::vector<Candidate*> candidates;
  };

  std::vector<Candidate> candidates_;
  std::map<std::string, Thinned> thinned_;
  Selection selection_;
};

}  // namespace

std::string Chosen::id() const {
  if (cell) return cell->id();
  return invalid ? invalid->id() : story->id();
}

Selection select(const Catalogue& catalogue, const Query& query) {
  return Choosing(catalogue, query).run();
}

Assignment settings_of(const Chosen& chosen) {
  if (chosen.cell) return complete(chosen.cell->settings);
  return complete(chosen.invalid ? chosen.invalid->settings : chosen.story->settings);
}

KnownKeys filter_keys(const Catalogue& catalogue) {
  KnownKeys known = setting_keys();
  for (const auto& [name, peer] : catalogue.clients) known["client"].push_back(name);
  for (const auto& [name, peer] : catalogue.servers) known["server"].push_back(name);
  known["kind"] = kKinds;
  known["case"] = {};
  return known;
}

bool holds_for(const Condition& filter, const Chosen& chosen) {
  const bool asks_for_id = std::any_of(filter.terms().begin(), filter.terms().end(),
                                       [](const Term& term) { return term.key == "case"; });
  return passes(filter, chosen, asks_for_id ? chosen.id() : std::string());
}

std::vector<Chosen> all_cases(const Catalogue& catalogue) {
  std::vector<Chosen> all;
  for (const auto& story : catalogue.stories) all.push_back({nullptr, nullptr, story.get()});
  for (const InvalidCase& invalid : catalogue.invalid_cases) all.push_back({nullptr, &invalid});
  for (const MatrixCase& cell : catalogue.matrix_cases) all.push_back({&cell});
  return all;
}

Twins twins_of(const Catalogue& catalogue, const MatrixCase& cell) {
  const auto id = [&cell](const std::string& client, const std::string& server) {
    return fmt::format("{}/client={}/server={}", cell.suite, client, server);
  };
  const auto needs = [](const Rule* rule) {
    return rule && !is_positive(rule->expect) && rule->no_control.empty();
  };
  Twins twins;
  if (needs(cell.inbound)) {
    twins.inbound = id(catalogue.control_client(cell.client), cell.server);
  }
  if (needs(cell.outbound)) {
    twins.outbound = id(cell.client, catalogue.control_server(cell.server));
  }
  return twins;
}

}  // namespace postern
