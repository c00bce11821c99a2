#include "side_by_side.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "terminal.hpp"

namespace postern::reports {

namespace {

std::string fact(const Outcome& outcome, std::string_view name) {
  for (const auto& [found, value] : outcome.facts)
    if (found == name) return value;
  return "";
}

// in_short gives what gateways can be compared by: reply and status codes differ for no reason that
// matters here.
std::string in_short(const Outcome& outcome) {
  std::string text = outcome.word;
  const std::string tls = fact(outcome, "tls");
  if ((text == "accept" || text == "redirect") && !tls.empty())
    text += tls == "yes" ? " tls" : " clear";
  const std::string connection = fact(outcome, "connection");
  if (text.starts_with("redirect") && !connection.empty() && connection != "1") text += " later";
  return text;
}

std::string without(const Facts& settings, const std::string& key) {
  std::string text;
  for (const auto& [name, value] : settings)
    if (name != key) text += name + "=" + value + "\n";
  return text;
}

void note(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// fits tells whether two rows contradict each other nowhere; what was not asked fits everything.
bool fits(const SideBySide::Row& one, const SideBySide::Row& other) {
  for (std::size_t i = 0; i < one.cells.size(); ++i)
    if (!one.cells[i].empty() && !other.cells[i].empty() && one.cells[i] != other.cells[i])
      return false;
  return true;
}

// leave_out joins the rows that differ in one setting alone, unless anything depends on it.
void leave_out(std::vector<SideBySide::Row>& rows, const std::string& key) {
  std::vector<SideBySide::Row> joined;
  for (const SideBySide::Row& row : rows) {
    SideBySide::Row shorter = row;
    std::erase_if(shorter.settings, [&](const auto& one) { return one.first == key; });
    const auto same = std::find_if(joined.begin(), joined.end(), [&](const SideBySide::Row& other) {
      return other.settings == shorter.settings;
    });
    if (same == joined.end()) {
      joined.push_back(std::move(shorter));
      continue;
    }
    if (!fits(*same, shorter)) return;
    for (std::size_t i = 0; i < same->cells.size(); ++i)
      if (same->cells[i].empty()) same->cells[i] = shorter.cells[i];
  }
  rows = std::move(joined);
}

}  // namespace

std::size_t SideBySide::gateway(const std::string& name) {
  const auto found = std::find(gateways_.begin(), gateways_.end(), name);
  if (found != gateways_.end()) return static_cast<std::size_t>(found - gateways_.begin());
  gateways_.push_back(name);
  reached_.emplace_back();
  return gateways_.size() - 1;
}

void SideBySide::add(const CaseResult& result) {
  if (result.control) return;
  Reached& reached = reached_[gateway(result.gateway)];
  if (!result.deviation.empty()) {
    ++reached.deviating;
  } else if (result.verdict == Verdict::kSkip) {
    ++reached.skipped;
  } else if (result.verdict == Verdict::kFail) {
    ++reached.failed;
  } else if (result.verdict != Verdict::kPass) {
    ++reached.undecided;
  } else {
    ++(result.grade == "policy"   ? reached.policy
       : result.grade == "letter" ? reached.letter
                                  : reached.form);
  }
  if (result.kind != "matrix") return;
  add_leg(result, "inbound", result.inbound, result.outbound, result.client);
  // What follows from an inbound outcome says nothing about the next hop.
  if (!result.outbound.requirement.empty() && result.outbound.observed.word != "nothing")
    add_leg(result, "outbound", result.outbound, result.inbound, result.server);
}

void SideBySide::add_leg(const CaseResult& result, const std::string& leg_name, const Leg& leg,
                         const Leg& other, const std::string& peer) {
  if (peer.empty()) return;
  const auto [entry, is_new] = known_.emplace(
      leg_name + "\n" + peer + "\n" + without(result.settings, ""), decisions_.size());
  if (is_new) decisions_.push_back({leg_name, peer, result.settings, {}});
  std::vector<Cell>& cells = decisions_[entry->second].cells;
  const std::size_t index = gateway(result.gateway);
  if (cells.size() <= index) cells.resize(index + 1);
  const bool known = !result.deviation.empty();
  if (result.verdict == Verdict::kSkip && !known) return;
  Cell& cell = cells[index];
  if (!leg.observed.word.empty()) cell.outcomes.insert(in_short(leg.observed));
  const bool blamed = troubles(result, leg, other);
  cell.wrong = cell.wrong || (blamed && !known);
  cell.deviates = cell.deviates || (blamed && known);
}

std::string SideBySide::Cell::text() const {
  if (outcomes.empty()) return "";
  std::string text;
  for (const std::string& outcome : outcomes) text += (text.empty() ? "" : " / ") + outcome;
  return (wrong ? "❌ " : deviates ? "⚠️ " : "") + text;
}

std::vector<SideBySide::Row> SideBySide::rows() const {
  std::vector<Row> rows;
  for (const Decision& decision : decisions_) {
    Row row;
    row.leg = decision.leg;
    row.settings = decision.settings;
    row.peers = {decision.peer};
    for (const Cell& cell : decision.cells) row.cells.push_back(cell.text());
    row.cells.resize(gateways_.size());
    rows.push_back(std::move(row));
  }
  // A setting on which nothing of a peer depends is left out.
  std::vector<std::string> keys, peers;
  for (const Row& row : rows) {
    for (const auto& [name, value] : row.settings) note(keys, name);
    note(peers, row.leg + "\n" + row.peers.front());
  }
  std::vector<Row> reduced;
  for (const std::string& peer : peers) {
    std::vector<Row> of_peer;
    for (const Row& row : rows)
      if (row.leg + "\n" + row.peers.front() == peer) of_peer.push_back(row);
    for (const std::string& key : keys) leave_out(of_peer, key);
    std::move(of_peer.begin(), of_peer.end(), std::back_inserter(reduced));
  }
  rows = std::move(reduced);
  // Peers of which the same became stand together.
  std::vector<Row> together;
  for (Row& row : rows) {
    const auto same = std::find_if(together.begin(), together.end(), [&](const Row& other) {
      return other.leg == row.leg && other.settings == row.settings && other.cells == row.cells;
    });
    if (same == together.end()) {
      together.push_back(std::move(row));
    } else {
      same->peers.push_back(row.peers.front());
    }
  }
  for (Row& row : together) {
    std::set<std::string> seen;
    for (const std::string& cell : row.cells) {
      if (!cell.empty()) seen.insert(cell);
      row.differs = row.differs || cell.find("❌") != std::string::npos ||
                    cell.find("⚠️") != std::string::npos;
    }
    row.differs = row.differs || seen.size() > 1;
  }
  std::stable_sort(together.begin(), together.end(), [](const Row& one, const Row& other) {
    return std::make_pair(!one.differs, one.leg) < std::make_pair(!other.differs, other.leg);
  });
  return together;
}

namespace {

void add_table(std::string& out, const SideBySide& sides, const std::vector<SideBySide::Row>& rows,
               bool differing, const std::string& leg) {
  bool begun = false;
  for (const SideBySide::Row& row : rows) {
    if (row.differs != differing || row.leg != leg) continue;
    if (!begun) {
      out +=
          fmt::format("\n{} | {} |", leg == "inbound" ? "| Receiving: under" : "| Sending: under",
                      leg == "inbound" ? "from clients" : "to next hops");
      for (const std::string& name : sides.gateways()) out += " " + name + " |";
      out += "\n|---|---|";
      for (std::size_t i = 0; i < sides.gateways().size(); ++i) out += "---|";
      out += "\n";
      begun = true;
    }
    std::string settings;
    for (const auto& [name, value] : row.settings)
      settings += (settings.empty() ? "" : "<br>") + name + "=**" + value + "**";
    out += fmt::format("| {} | {} |", settings.empty() ? "all settings" : settings,
                       fmt::join(row.peers, ", "));
    for (const std::string& cell : row.cells) out += " " + (cell.empty() ? "–" : cell) + " |";
    out += "\n";
  }
}

}  // namespace

std::string side_by_side_text(const SideBySide& sides) {
  if (sides.gateways().size() < 2) return "";
  std::string out =
      "\n### Side by side\n\n| gateway | passed to the form | to the letter | to the policy | "
      "failed "
      "| known deviations | not asked | undecided |\n|---|---:|---:|---:|---:|---:|---:|---:|\n";
  for (std::size_t i = 0; i < sides.gateways().size(); ++i) {
    const SideBySide::Reached& one = sides.reached()[i];
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", sides.gateways()[i],
                       grouped(one.form), grouped(one.letter), grouped(one.policy),
                       grouped(one.failed), grouped(one.deviating), grouped(one.skipped),
                       grouped(one.undecided));
  }
  const std::vector<SideBySide::Row> rows = sides.rows();
  out +=
      "\n❌ not as required, ⚠️ not as required and known, – not asked or not run, / more "
      "than "
      "one "
      "outcome. A setting on which nothing of a peer depends is left out; peers of which the same "
      "became "
      "stand "
      "together.\n\n#### Where they differ\n";
  for (const char* leg : {"inbound", "outbound"}) add_table(out, sides, rows, true, leg);
  out += "\n<details><summary>Where they agree</summary>\n";
  for (const char* leg : {"inbound", "outbound"}) add_table(out, sides, rows, false, leg);
  out += "\n</details>\n";
  return out;
}

}  // namespace postern::reports
