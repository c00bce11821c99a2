#include "page_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <kainjow/mustache.hpp>

#include "page_text.hpp"
#include "shown_text.hpp"
#include "signs.hpp"
#include "terminal.hpp"

namespace postern::reports {

namespace {

namespace mustache = kainjow::mustache;
using mustache::data;
using mustache::list;
using mustache::object;

data flag(bool on) {
  return on ? data::type::bool_true : data::type::bool_false;
}

// A text of the page, or false where there is none: a section around it is then left out.
data text(const std::string& bytes) {
  return bytes.empty() ? flag(false) : data(shown(bytes));
}

data texts(const std::vector<std::string>& lines) {
  list all;
  for (const std::string& line : lines) all.push_back(object{{"text", text(line)}});
  return all;
}

data names(const std::vector<std::string>& all) {
  list named;
  for (const std::string& name : all) named.push_back(object{{"name", text(name)}});
  return named;
}

// in_address gives `bytes`, as they are shown, as a part of an address may have them (RFC 3986
// section 2).
std::string in_address(const std::string& bytes) {
  std::string out;
  for (const char c : shown(bytes)) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", octet);
  }
  return out;
}

std::string count_of(int cases) {
  return grouped(cases) + (cases == 1 ? " case" : " cases");
}

// Colours follow the signs.
std::string tone_of(const std::string& sign) {
  static const std::vector<std::pair<std::string, std::string>> tones = {
      {"AT", "sealed"}, {"at2", "open"},   {"r", "refused"}, {"d", "dropped"},
      {"h", "held"},    {"x", "returned"}, {".-", "none"}};
  for (const auto& [signs, tone] : tones)
    if (signs.find(sign) != std::string::npos) return tone;
  return "";
}

// What a cell says when it is pointed at.
std::string told(const Grid::Row& row, const std::string& peer, const Cell& cell) {
  std::string out;
  for (const auto& [name, value] : row.settings)
    out += (out.empty() ? "" : ", ") + name + " " + value;
  out += "; " + peer + ": ";
  std::string outcomes;
  for (const Cell::Observed& one : cell.observed) {
    outcomes += (outcomes.empty() ? "" : ", ") + one.text;
    if (cell.observed.size() > 1) outcomes += fmt::format(" ({})", grouped(one.count));
  }
  out += outcomes.empty() ? "skipped" : outcomes;
  out += "; " + count_of(cell.cases);
  if (cell.wrong > 0) out += fmt::format(", {} not as expected", grouped(cell.wrong));
  if (cell.deviating > 0) out += fmt::format(", {} known to deviate", grouped(cell.deviating));
  if (cell.skipped > 0) out += fmt::format(", {} skipped", grouped(cell.skipped));
  return out;
}

data cell_view(const Grid::Row& row, const std::vector<Cell>& cells, std::size_t index,
               const std::string& role, const std::string& peer) {
  if (index >= cells.size() || cells[index].cases == 0) return object{{"link", flag(false)}};
  const Cell& cell = cells[index];
  const std::string sign = sign_of(role == "client" ? inbound_signs() : outbound_signs(), cell);
  const char* mark = cell.wrong > 0 ? "!" : cell.deviating > 0 ? "~" : "";
  const char* trouble = cell.wrong > 0 ? " wrong" : cell.deviating > 0 ? " known" : "";
  const std::string link = "suite=" + in_address(row.suite) + "&" +
                           (role == "client" ? "client=" : "next-hop=") + in_address(peer);
  const std::string way = role == "client" ? "from " + peer : "to " + peer;
  return object{{"link", link},
                {"sign", sign + mark},
                {"tone", tone_of(sign) + trouble},
                {"told", text(told(row, way, cell))}};
}

data grid_view(const Grid& grid) {
  list settings, rows;
  for (const auto& [name, value] : grid.rows.front().settings)
    settings.push_back(object{{"name", text(name)}});
  for (const Grid::Row& row : grid.rows) {
    list values, inbound, outbound;
    for (const auto& [name, value] : row.settings) values.push_back(object{{"value", text(value)}});
    for (std::size_t i = 0; i < grid.clients.size(); ++i)
      inbound.push_back(cell_view(row, row.inbound, i, "client", grid.clients[i]));
    for (std::size_t i = 0; i < grid.servers.size(); ++i)
      outbound.push_back(cell_view(row, row.outbound, i, "server", grid.servers[i]));
    rows.push_back(object{{"values", values}, {"inbound", inbound}, {"outbound", outbound}});
  }
  return object{{"name", text(grid.name)},
                {"settings", settings},
                {"clients", names(grid.clients)},
                {"servers", names(grid.servers)},
                {"client_count", std::to_string(grid.clients.size())},
                {"server_count", std::to_string(grid.servers.size())},
                {"rows", rows}};
}

data legend_view() {
  list signs;
  const auto add = [&](const std::string& sign, const std::string& words, const char* trouble) {
    signs.push_back(object{{"sign", sign}, {"text", words}, {"tone", tone_of(sign) + trouble}});
  };
  for (const Sign& sign : inbound_signs()) add(sign.sign, sign.outcome, "");
  for (const Sign& sign : outbound_signs()) add(sign.sign, sign.outcome, "");
  for (const Sign& sign : other_signs()) {
    const std::string_view mark = sign.sign;
    add(sign.sign, sign.outcome, mark == "!" ? " wrong" : mark == "~" ? " known" : "");
  }
  return signs;
}

data broken_view(const Summary& summary) {
  list groups;
  for (const Broken& broken : summary.broken()) {
    list listed;
    for (const Listed& one : summary.listed()) {
      if (one.requirement != broken.id || listed.size() == kListedEach) continue;
      listed.push_back(object{{"id", text(one.id)},
                              {"anchor", in_address(one.id)},
                              {"verdict", word(one.verdict)},
                              {"reason", text(one.reason)}});
    }
    const bool more = broken.cases > static_cast<int>(listed.size());
    groups.push_back(object{{"first", flag(groups.empty())},
                            {"id", text(broken.id)},
                            {"anchor", in_address(broken.id)},
                            {"text", text(broken.text)},
                            {"cases", count_of(broken.cases)},
                            {"listed", listed},
                            {"more", flag(more)}});
  }
  return groups;
}

data cited_view(const Summary& summary) {
  list all;
  for (const Cited& cited : summary.cited()) {
    all.push_back(object{{"id", text(cited.id)},
                         {"anchor", in_address(cited.id)},
                         {"text", text(cited.text)},
                         {"mark", cited.failed > 0 ? "✗ " : ""},
                         {"tone", cited.failed > 0 ? "bad" : ""},
                         {"cases", grouped(cited.cases)},
                         {"passed", grouped(cited.passed)},
                         {"failed", grouped(cited.failed)},
                         {"other", grouped(cited.cases - cited.passed - cited.failed)}});
  }
  return all;
}

data reached_view(const SideBySide& sides) {
  list all;
  for (std::size_t i = 0; i < sides.gateways().size(); ++i) {
    const SideBySide::Reached& one = sides.reached()[i];
    all.push_back(object{{"name", text(sides.gateways()[i])},
                         {"anchor", in_address(sides.gateways()[i])},
                         {"form", grouped(one.form)},
                         {"letter", grouped(one.letter)},
                         {"policy", grouped(one.policy)},
                         {"failed", grouped(one.failed)},
                         {"deviating", grouped(one.deviating)},
                         {"skipped", grouped(one.skipped)},
                         {"undecided", grouped(one.undecided)}});
  }
  return all;
}

data side_row(const SideBySide::Row& row) {
  std::string settings;
  for (const auto& [name, value] : row.settings)
    settings += (settings.empty() ? "" : ", ") + name + "=" + value;
  list cells;
  for (const std::string& cell : row.cells) {
    const bool bad = cell.find("❌") != std::string::npos;
    const bool known = cell.find("⚠️") != std::string::npos;
    cells.push_back(object{{"text", cell.empty() ? "–" : cell},
                           {"tone", bad     ? "bad"
                                    : known ? "odd"
                                            : ""}});
  }
  return object{{"leg", row.leg == "inbound" ? "receiving" : "sending"},
                {"settings", text(settings.empty() ? "all settings" : settings)},
                {"peers", text(fmt::format("{}", fmt::join(row.peers, ", ")))},
                {"cells", cells}};
}

data sides_view(const SideBySide& sides) {
  list differing, agreeing;
  for (const SideBySide::Row& row : sides.rows())
    (row.differs ? differing : agreeing).push_back(side_row(row));
  list parts;
  const auto add = [&](const char* title, bool differ, const list& rows) {
    if (rows.empty()) return;
    parts.push_back(
        object{{"title", fmt::format("{}: {} rows", title, grouped(static_cast<int>(rows.size())))},
               {"differ", flag(differ)},
               {"names", names(sides.gateways())},
               {"rows", rows}});
  };
  add("Where they differ", true, differing);
  add("Where they agree", false, agreeing);
  return parts;
}

object run_view(const RunSummary& run) {
  const int exit_code = run.exit_code();
  std::vector<std::string> remarks = run.remarks;
  if (!run.footer.reason.empty()) remarks.push_back(run.footer.reason);
  return {{"outcome", outcome_word(exit_code)},
          {"tone", exit_code == 0   ? "good"
                   : exit_code == 1 ? "bad"
                                    : "odd"},
          {"sign", exit_code == 0   ? "✓"
                   : exit_code == 1 ? "✗"
                                    : "?"},
          {"counts", counts_text(run.summary.tally())},
          {"gateway", text(run.header.gateway)},
          {"seconds", run.ended ? data(fmt::format("{:.1f}", run.footer.seconds)) : flag(false)},
          {"remarks", texts(remarks)},
          {"command", text(run.header.command)},
          {"started", text(run.header.started)},
          {"host", text(run.header.host)},
          {"postern", text(run.header.postern)},
          {"openssl", text(run.header.openssl)},
          {"seed", std::to_string(run.header.seed)},
          {"notes", texts(run.footer.notes)}};
}

}  // namespace

std::string page_view(const RunSummary& run) {
  const Summary& summary = run.summary;
  object page = run_view(run);
  list kinds, grids;
  if (summary.by_kind().size() > 1)
    for (const auto& [kind, tally] : summary.by_kind())
      kinds.push_back(object{{"kind", text(kind)}, {"counts", counts_text(tally)}});
  for (const Grid& grid : summary.grids())
    if (!grid.rows.empty()) grids.push_back(grid_view(grid));
  page["kinds"] = kinds;
  page["decisions"] =
      grids.empty() ? flag(false)
                    : data(fmt::format("{} inbound (mode × client), {} outbound (mode × server)",
                                       grouped(summary.inbound_decisions()),
                                       grouped(summary.outbound_decisions())));
  page["failing"] = flag(summary.not_passed() > 0);
  page["not_passed"] = count_of(summary.not_passed());
  page["broken"] = broken_view(summary);
  page["sided"] = flag(summary.side_by_side().gateways().size() > 1);
  page["reached"] = reached_view(summary.side_by_side());
  page["sides"] = sides_view(summary.side_by_side());
  page["gridded"] = flag(!grids.empty());
  page["grids"] = grids;
  page["legend"] = legend_view();
  page["required"] = flag(!summary.cited().empty());
  page["cited"] = cited_view(summary);
  page["style"] = kPageStyle;
  page["script"] = kPageScript;
  return mustache::mustache(kPageTemplate).render(page);
}

}  // namespace postern::reports
