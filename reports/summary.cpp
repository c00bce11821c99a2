#include "summary.hpp"

#include <algorithm>

#include "results_file.hpp"

namespace postern::reports {

namespace {

std::string fact(const Outcome& outcome, std::string_view name) {
  for (const auto& [found, value] : outcome.facts) {
    if (found == name) return value;
  }
  return "";
}

bool is_wrong(Verdict verdict) {
  return verdict != Verdict::kPass && verdict != Verdict::kSkip;
}

// is_before orders ids as people count: IN-9 comes before IN-10.
bool is_before(const std::string& one, const std::string& other) {
  const auto group = [](const std::string& id) { return id.substr(0, id.rfind('-')); };
  if (group(one) != group(other)) return group(one) < group(other);
  return one.size() != other.size() ? one.size() < other.size() : one < other;
}

void add_to_cell(Cell& cell, const CaseResult& result, const Leg& leg, const Leg& other) {
  ++cell.cases;
  const bool known = !result.deviation.empty();
  if (troubles(result, leg, other)) ++(known ? cell.deviating : cell.wrong);
  if (result.verdict == Verdict::kSkip && !known) {
    ++cell.skipped;
    return;
  }
  if (leg.observed.word.empty()) ++cell.never_ran;
  const std::string text = short_text(leg.observed);
  auto same = std::find_if(cell.observed.begin(), cell.observed.end(),
                           [&](const Cell::Observed& o) { return o.text == text; });
  if (same == cell.observed.end()) same = cell.observed.insert(same, {text, 0});
  ++same->count;
}

Cell& at(std::vector<Cell>& cells, std::size_t index) {
  if (cells.size() <= index) cells.resize(index + 1);
  return cells[index];
}

int decisions(const std::vector<Cell>& cells) {
  return static_cast<int>(std::count_if(cells.begin(), cells.end(), [](const Cell& cell) {
    return cell.cases > cell.skipped + cell.never_ran;
  }));
}

using Ranks = std::unordered_map<std::string, std::size_t>;

Ranks ranks_of(const Axes& axes, const std::string& key) {
  Ranks ranks;
  for (const auto& [name, values] : axes) {
    if (name != key) continue;
    for (const std::string& value : values) ranks.emplace(value, ranks.size());
  }
  return ranks;
}

std::size_t rank(const Ranks& ranks, const std::string& value) {
  const auto found = ranks.find(value);
  return found == ranks.end() ? ranks.size() : found->second;
}

// Gives the new order of `names`: the index each place takes its column from.
std::vector<std::size_t> order_of(const std::vector<std::string>& names, const Ranks& ranks) {
  std::vector<std::size_t> order(names.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return rank(ranks, names[a]) < rank(ranks, names[b]);
  });
  return order;
}

template <typename T>
void reorder(std::vector<T>& values, const std::vector<std::size_t>& order) {
  values.resize(order.size());
  std::vector<T> sorted;
  sorted.reserve(order.size());
  for (const std::size_t from : order) sorted.push_back(std::move(values[from]));
  values = std::move(sorted);
}

void arrange_rows(Grid& grid, const Axes& axes) {
  std::unordered_map<std::string, Ranks> ranks;
  for (const auto& [name, values] : axes) ranks.emplace(name, ranks_of(axes, name));
  auto key = [&](const Grid::Row& row) {
    std::vector<std::size_t> places;
    for (const auto& [name, value] : row.settings) places.push_back(rank(ranks[name], value));
    return places;
  };
  std::stable_sort(grid.rows.begin(), grid.rows.end(),
                   [&](const Grid::Row& a, const Grid::Row& b) { return key(a) < key(b); });
}

}  // namespace

bool only_follows(const CaseResult& result) {
  const Leg& out = result.outbound;
  const bool never_ran = out.observed.word.empty() && result.verdict != Verdict::kSkip;
  return (out.observed.word == "nothing" && !out.grade.empty()) ||
         (never_ran && out.expected == "nothing");
}

std::string short_text(const Outcome& outcome) {
  std::string text = outcome.word.empty() ? "?" : outcome.word;
  const std::string tls = fact(outcome, "tls");
  if (outcome.word == "accept" || outcome.word == "redirect") {
    if (!tls.empty()) text += tls == "yes" ? " tls" : " clear";
  } else if (const std::string reply = fact(outcome, "reply"); !reply.empty()) {
    text += " " + reply;
  }
  if (outcome.word == "hold" || outcome.word == "bounce") {
    if (const std::string code = fact(outcome, "code"); !code.empty()) text += " " + code;
  }
  const std::string connection = fact(outcome, "connection");
  if (!connection.empty() && connection != "1") text += " #" + connection;
  return text;
}

int Grid::inbound_decisions() const {
  int sum = 0;
  for (const Row& row : rows) sum += decisions(row.inbound);
  return sum;
}

int Grid::outbound_decisions() const {
  int sum = 0;
  for (const Row& row : rows) sum += decisions(row.outbound);
  return sum;
}

void Summary::add(const CaseResult& result) {
  tally_.count(result);
  if (result.control) return;
  auto kind = std::find_if(by_kind_.begin(), by_kind_.end(),
                           [&](const auto& entry) { return entry.first == result.kind; });
  if (kind == by_kind_.end()) kind = by_kind_.insert(kind, {result.kind, Tally()});
  kind->second.count(result);
  if (is_wrong(result.verdict)) list(result);
  cite(result);
  side_by_side_.add(result);
  if (result.kind == "matrix") add_to_grid(result);
}

void Summary::cite(const CaseResult& result) {
  // Each requirement once, and whether all that cites it was met.
  struct Held {
    const std::string *id, *text;
    bool met;
  };
  std::vector<Held> all;
  const auto add = [&](const std::string& id, const std::string& text, bool met) {
    if (id.empty()) return;
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const Held& one) { return *one.id == id; });
    if (same == all.end())
      all.push_back({&id, &text, met});
    else
      same->met = same->met && met;
  };
  const bool passed = result.verdict == Verdict::kPass;
  const bool known = !result.deviation.empty();
  for (const Leg* leg : {&result.inbound, &result.outbound}) {
    const Leg& other = leg == &result.inbound ? result.outbound : result.inbound;
    const bool met = (is_wrong(result.verdict) || known) && !blames(result, *leg, other);
    add(leg->requirement, leg->requirement_text, met || passed);
  }
  const bool judged = result.verdict == Verdict::kFail || known;
  for (const Demand& one : result.demands)
    add(one.requirement, one.requirement_text, passed || (judged && !one.broken));
  for (const Held& one : all) {
    auto cited = std::lower_bound(
        cited_.begin(), cited_.end(), *one.id,
        [](const Cited& before, const std::string& id) { return is_before(before.id, id); });
    if (cited == cited_.end() || cited->id != *one.id)
      cited = cited_.insert(cited, {*one.id, *one.text});
    ++cited->cases;
    if (one.met) ++cited->passed;
    if (!one.met && result.verdict == Verdict::kFail) ++cited->failed;
  }
}

void Summary::list(const CaseResult& result) {
  const std::vector<Requirement> all = broken_by(result);
  const Requirement first = all.empty() ? Requirement() : all.front();
  auto known = std::find_if(broken_.begin(), broken_.end(),
                            [&](const Broken& one) { return one.id == first.first; });
  if (known == broken_.end()) known = broken_.insert(known, {first.first, first.second, 0});
  ++known->cases;
  if (listed_.size() >= kListed && known->cases > static_cast<int>(kListedEach)) return;
  Listed& listed = listed_.emplace_back();
  listed.id = result.id;
  listed.reason = result.reason;
  listed.file = result.file;
  listed.rerun = result.rerun;
  listed.line = result.line;
  listed.verdict = result.verdict;
  listed.requirement = first.first;
  for (std::size_t i = 1; i < all.size(); ++i)
    listed.also += (listed.also.empty() ? "" : ", ") + all[i].first;
}

void Summary::add_to_grid(const CaseResult& result) {
  // Behind the gateway's name, where several are run.
  const std::string gateway = result.gateway + "/";
  const std::size_t begin = result.suite.starts_with(gateway) ? gateway.size() : 0;
  const std::string name = result.suite.substr(0, result.suite.find('/', begin));
  auto grid = std::find_if(grids_.begin(), grids_.end(),
                           [&](const Grid& candidate) { return candidate.name == name; });
  if (grid == grids_.end()) {
    grid = grids_.insert(grid, Grid());
    grid->name = name;
  }
  const auto row = rows_.emplace(result.suite, grid->rows.size());
  if (row.second) grid->rows.push_back({result.suite, result.settings, {}, {}});
  auto column = [&](std::vector<std::string>& names, const char* role, const std::string& peer) {
    const auto found = columns_.emplace(name + "\n" + role + peer, names.size());
    if (found.second) names.push_back(peer);
    return found.first->second;
  };
  Grid::Row& here = grid->rows[row.first->second];
  const Leg& in = result.inbound;
  const Leg& out = result.outbound;
  if (!result.client.empty()) {
    add_to_cell(at(here.inbound, column(grid->clients, "client=", result.client)), result, in, out);
  }
  if (result.server.empty()) return;
  const std::size_t server = column(grid->servers, "server=", result.server);
  if (!only_follows(result)) {
    add_to_cell(at(here.outbound, server), result, out, in);
  }
}

void Summary::arrange(const Axes& axes) {
  for (Grid& grid : grids_) {
    const std::vector<std::size_t> clients = order_of(grid.clients, ranks_of(axes, "client"));
    const std::vector<std::size_t> servers = order_of(grid.servers, ranks_of(axes, "server"));
    reorder(grid.clients, clients);
    reorder(grid.servers, servers);
    for (Grid::Row& row : grid.rows) {
      reorder(row.inbound, clients);
      reorder(row.outbound, servers);
    }
    arrange_rows(grid, axes);
  }
  rows_.clear();
  columns_.clear();
}

int Summary::inbound_decisions() const {
  int sum = 0;
  for (const Grid& grid : grids_) sum += grid.inbound_decisions();
  return sum;
}

int Summary::outbound_decisions() const {
  int sum = 0;
  for (const Grid& grid : grids_) sum += grid.outbound_decisions();
  return sum;
}

int RunSummary::exit_code() const {
  if (ended) return footer.exit_code;
  return summary.tally().exit_code(0) == 1 ? 1 : 3;
}

RunSummary summarize(const std::string& path) {
  RunSummary run;
  ResultsReader reader(path);
  run.header = reader.header();
  while (const auto result = reader.next()) run.summary.add(*result);
  run.summary.arrange(run.header.axes);
  run.ended = reader.footer().has_value();
  if (run.ended) run.footer = *reader.footer();
  run.remarks = reader.remarks();
  return run;
}

}  // namespace postern::reports
