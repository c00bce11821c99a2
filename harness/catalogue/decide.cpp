#include "catalogue/decide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

#include "catalogue/vocabulary.hpp"

namespace postern {
namespace {

constexpr std::size_t kExamples = 3;  ///< How many of the same kind of mistake are told.

/// Combination is one choice of settings, and the rows of the two legs' tables that it falls into.
struct Combination {
  Assignment settings;
  std::size_t inbound_row = 0, outbound_row = 0;
};

/// Leg is the projection of a matrix on one side: rows of settings, a column for each peer.
struct Leg {
  std::string name;
  std::string peer_key;
  std::vector<std::string> peers;
  std::vector<Assignment> rows;
  std::vector<bool> needed;          ///< By row: whether any case of it needs a rule.
  std::vector<std::string> example;  ///< By row: how a case of it begins, up to "/client=".
  Place place;

  std::size_t cells() const { return rows.size() * peers.size(); }
  std::size_t cell(std::size_t row, std::size_t peer) const { return row * peers.size() + peer; }
  std::string case_name(std::size_t row, std::size_t peer) const {
    return fmt::format("{}/{}={}", example[row], peer_key, peers[peer]);
  }
  std::size_t add_row(const Assignment& row) {
    const auto found = std::find(rows.begin(), rows.end(), row);
    if (found != rows.end()) return static_cast<std::size_t>(found - rows.begin());
    rows.push_back(row);
    return rows.size() - 1;
  }
};

/// Table is one kind of rule laid over a leg: for each cell the rule that decides it.
template <typename AnyRule>
class Table {
 public:
  Table(const std::vector<AnyRule>& rules, const Leg& leg, std::string kind)
      : rules_(rules), leg_(leg), kind_(std::move(kind)), cells_(leg.cells()) {}

  /// prove fills the table; it complains of gaps, overlaps and idle rules.
  void prove(const Place& place, Problems& problems) {
    std::vector<bool> works(rules_.size(), false);
    std::vector<std::string> gaps;
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::string>> overlaps;
    for (std::size_t row = 0; row < leg_.rows.size(); ++row) {
      if (!leg_.needed[row]) continue;
      for (std::size_t peer = 0; peer < leg_.peers.size(); ++peer) {
        const std::vector<std::size_t> holding = rules_for(row, peer);
        for (std::size_t rule : holding) works[rule] = true;
        if (holding.size() == 1) cells_[leg_.cell(row, peer)] = &rules_[holding[0]];
        if (holding.empty()) gaps.push_back(leg_.case_name(row, peer));
        for (std::size_t other = 1; other < holding.size(); ++other) {
          overlaps[{holding[0], holding[other]}].push_back(leg_.case_name(row, peer));
        }
      }
    }
    tell_gaps(gaps, place, problems);
    for (const auto& [pair, cases] : overlaps) tell_overlap(pair, cases, problems);
    for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
      if (works[rule]) continue;
      problems.add(rules_[rule].place,
                   fmt::format("found {} rule ({}) that decides no case: when=\"{}\"", kind_,
                               rules_[rule].ref, rules_[rule].when.text()));
    }
  }

  const AnyRule* at(std::size_t row, std::size_t peer) const {
    return cells_[leg_.cell(row, peer)];
  }
  const Leg& leg() const { return leg_; }

 private:
  std::vector<std::size_t> rules_for(std::size_t row, std::size_t peer) const {
    Assignment assignment = leg_.rows[row];
    assignment.set(leg_.peer_key, leg_.peers[peer]);
    std::vector<std::size_t> holding;
    for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
      if (rules_[rule].when.holds(assignment)) holding.push_back(rule);
    }
    return holding;
  }

  void tell_gaps(const std::vector<std::string>& gaps, const Place& place, Problems& problems) {
    for (std::size_t gap = 0; gap < std::min(gaps.size(), kExamples); ++gap) {
      const std::size_t more = gaps.size() - kExamples;
      const bool last = gap + 1 == kExamples && gaps.size() > kExamples;
      problems.add(
          place, fmt::format("found no {} rule for the case {}, allowed: exactly one{}", kind_,
                             gaps[gap], last ? fmt::format(" (and {} more like this)", more) : ""));
    }
  }

  void tell_overlap(std::pair<std::size_t, std::size_t> pair, const std::vector<std::string>& cases,
                    Problems& problems) {
    const AnyRule& first = rules_[pair.first];
    const AnyRule& second = rules_[pair.second];
    problems.add(second.place,
                 fmt::format("found a second {} rule ({}) for the case {}{}, allowed: exactly one; "
                             "the first ({}) is at {}",
                             kind_, second.ref, cases[0],
                             cases.size() > 1 ? fmt::format(" and {} more", cases.size() - 1) : "",
                             first.ref, first.place.text()));
  }

  const std::vector<AnyRule>& rules_;
  const Leg& leg_;
  std::string kind_;
  std::vector<const AnyRule*> cells_;
};

/// prove_controls complains of negatives whose control is missing or not expected to pass.
void prove_controls(const Table<Rule>& table,
                    const std::function<std::string(const std::string&)>& control_of,
                    Problems& problems) {
  const Leg& leg = table.leg();
  std::map<std::pair<const Rule*, std::string>, std::vector<std::string>> wrong;
  for (std::size_t row = 0; row < leg.rows.size(); ++row) {
    if (!leg.needed[row]) continue;
    for (std::size_t peer = 0; peer < leg.peers.size(); ++peer) {
      const Rule* rule = table.at(row, peer);
      if (!rule || is_positive(rule->expect) || !rule->no_control.empty()) continue;
      const std::string control = control_of(leg.peers[peer]);
      const auto column = std::find(leg.peers.begin(), leg.peers.end(), control);
      std::string why;
      if (control == leg.peers[peer]) {
        why = fmt::format("but {}={} is its own control", leg.peer_key, control);
      } else if (column == leg.peers.end()) {
        why = fmt::format("but its control {}={} is not on the axis", leg.peer_key, control);
      } else {
        const Rule* decides = table.at(row, static_cast<std::size_t>(column - leg.peers.begin()));
        // A gap or an overlap there has been told already.
        if (!decides || is_positive(decides->expect)) continue;
        why = fmt::format("but for its control {}={} the rule ({}) at {} expects \"{}\"",
                          leg.peer_key, control, decides->ref, decides->place.text(),
                          decides->expect.form_text);
      }
      wrong[{rule, why}].push_back(leg.case_name(row, peer));
    }
  }
  for (const auto& [found, cases] : wrong) {
    const auto& [rule, why] = found;
    problems.add(
        rule->place,
        fmt::format("found {} expect=\"{}\" ({}) for the case {}{}, {}; allowed: a control "
                    "that is expected to pass, or no-control=\"why\"",
                    leg.name, rule->expect.form_text, rule->ref, cases[0],
                    cases.size() > 1 ? fmt::format(" and {} more", cases.size() - 1) : "", why));
  }
}

/// Proof enumerates one matrix.
class Proof {
 public:
  Proof(const Matrix& matrix, Catalogue& catalogue, Problems& problems)
      : matrix_(matrix), catalogue_(catalogue), problems_(problems) {
    inbound_.name = "inbound";
    inbound_.peer_key = "client";
    outbound_.name = "outbound";
    outbound_.peer_key = "server";
    for (const Axis& axis : matrix.axes) {
      if (axis.kind == Axis::Kind::kClient) inbound_.peers = axis.values;
      if (axis.kind == Axis::Kind::kServer) outbound_.peers = axis.values;
    }
  }

  void run() {
    const std::size_t problems_before = problems_.all().size();
    for (const InvalidSetting& rule : matrix_.invalid) idle_invalid_.insert(&rule);
    enumerate_settings({}, 0);
    find_idle();
    inbound_.needed.assign(inbound_.rows.size(), true);
    Table<Rule> inbound(matrix_.inbound, inbound_, "inbound");
    inbound.prove(matrix_.inbound_place, problems_);
    need_outbound(inbound);
    Table<Rule> outbound(matrix_.outbound, outbound_, "outbound");
    outbound.prove(matrix_.outbound_place, problems_);
    Table<DisclosureRule> disclosure(matrix_.disclosure, outbound_, "disclosure");
    disclosure.prove(matrix_.disclosure_place, problems_);
    prove_controls(
        inbound, [this](const std::string& name) { return catalogue_.control_client(name); },
        problems_);
    prove_controls(
        outbound, [this](const std::string& name) { return catalogue_.control_server(name); },
        problems_);
    if (problems_.all().size() == problems_before) append(inbound, outbound, disclosure);
  }

 private:
  void enumerate_settings(const Assignment& chosen, std::size_t axis) {
    while (axis < matrix_.axes.size() && matrix_.axes[axis].kind != Axis::Kind::kSetting) ++axis;
    if (axis == matrix_.axes.size()) {
      add_combination(chosen);
      return;
    }
    for (const std::string& value : matrix_.axes[axis].values) {
      Assignment next = chosen;
      next.set(matrix_.axes[axis].key, value);
      enumerate_settings(next, axis + 1);
    }
  }

  void add_combination(const Assignment& settings) {
    const InvalidSetting* first = nullptr;
    for (const InvalidSetting& rule : matrix_.invalid) {
      if (!rule.when.holds(settings)) continue;
      idle_invalid_.erase(&rule);
      if (!first) first = &rule;
    }
    if (first) {
      invalid_.push_back({matrix_.name + "/invalid", settings.text(), settings, first});
      return;
    }
    Combination combination;
    combination.settings = settings;
    combination.inbound_row = add_row(inbound_, settings, SettingSide::kReceiving);
    combination.outbound_row = add_row(outbound_, settings, SettingSide::kSending);
    combinations_.push_back(std::move(combination));
  }

  std::size_t add_row(Leg& leg, const Assignment& settings, SettingSide side) {
    Assignment row;
    for (const auto& [key, value] : settings.values()) {
      const Setting* known = setting(key);
      if (known && known->side == side) row.set(key, value);
    }
    const std::size_t index = leg.add_row(row);
    if (index == leg.example.size()) leg.example.push_back(matrix_.name + "/" + settings.text());
    return index;
  }

  void find_idle() {
    for (const auto* rule : idle_invalid_) {
      problems_.add(rule->place, fmt::format("found <invalid> that is no combination: when=\"{}\"",
                                             rule->when.text()));
    }
    for (const ExpectedWarning& warning : matrix_.warnings) {
      const bool works =
          std::any_of(combinations_.begin(), combinations_.end(),
                      [&warning](const Combination& c) { return warning.when.holds(c.settings); });
      if (works) continue;
      problems_.add(warning.place,
                    fmt::format("found <warning> for no valid combination: when=\"{}\"",
                                warning.when.text()));
    }
  }

  /// need_outbound marks the rows in which a message may be accepted, with a client that is.
  void need_outbound(const Table<Rule>& inbound) {
    outbound_.needed.assign(outbound_.rows.size(), false);
    for (const Combination& combination : combinations_) {
      if (outbound_.needed[combination.outbound_row]) continue;
      for (std::size_t client = 0; client < inbound_.peers.size(); ++client) {
        const Rule* rule = inbound.at(combination.inbound_row, client);
        if (!rule || !may_be_positive(rule->expect)) continue;
        outbound_.needed[combination.outbound_row] = true;
        outbound_.example[combination.outbound_row] = fmt::format(
            "{}/{}/client={}", matrix_.name, combination.settings.text(), inbound_.peers[client]);
        break;
      }
    }
  }

  void append(const Table<Rule>& inbound, const Table<Rule>& outbound,
              const Table<DisclosureRule>& disclosure) {
    auto& cases = catalogue_.matrix_cases;
    cases.reserve(cases.size() +
                  combinations_.size() * inbound_.peers.size() * outbound_.peers.size());
    for (const Combination& combination : combinations_) {
      const std::string suite = matrix_.name + "/" + combination.settings.text();
      for (std::size_t client = 0; client < inbound_.peers.size(); ++client) {
        const Rule* rule = inbound.at(combination.inbound_row, client);
        for (std::size_t server = 0; server < outbound_.peers.size(); ++server) {
          MatrixCase& cell = cases.emplace_back();
          cell.suite = suite;
          cell.client = inbound_.peers[client];
          cell.server = outbound_.peers[server];
          cell.name = "client=" + cell.client + "/server=" + cell.server;
          cell.settings = combination.settings;
          cell.inbound = rule;
          if (!may_be_positive(rule->expect)) continue;
          cell.outbound = outbound.at(combination.outbound_row, server);
          cell.disclosure = disclosure.at(combination.outbound_row, server);
        }
      }
    }
    std::move(invalid_.begin(), invalid_.end(), std::back_inserter(catalogue_.invalid_cases));
  }

  const Matrix& matrix_;
  Catalogue& catalogue_;
  Problems& problems_;
  Leg inbound_, outbound_;
  std::vector<Combination> combinations_;
  std::vector<InvalidCase> invalid_;
  std::set<const InvalidSetting*> idle_invalid_;
};

}  // namespace

void decide(const Matrix& matrix, Catalogue& catalogue, Problems& problems) {
  Proof(matrix, catalogue, problems).run();
}

}  // namespace postern
