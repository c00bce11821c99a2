#include "terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "shown_text.hpp"
#include "signs.hpp"

namespace postern::reports {

namespace {

constexpr std::size_t kLabelLines = 2;

constexpr std::size_t kLegWidth = 18;

std::string painted(const std::string& text, const char* code, Colour colour) {
  return colour == Colour::kYes ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string cell_text(std::span<const Sign> signs, const Cell* cell, Colour colour) {
  if (cell == nullptr || cell->cases == 0) return "  ";
  const std::string sign = sign_of(signs, *cell);
  if (cell->wrong > 0) return painted(sign + "!", "1;31", colour);
  return sign + (cell->deviating > 0 ? "~" : " ");
}

// Names of settings are long and their values short: a name is broken at its first hyphen.
std::size_t name_width(const std::string& name) {
  const std::size_t hyphen = name.find('-');
  if (hyphen == std::string::npos) return name.size();
  return std::max(hyphen + 1, name.size() - hyphen - 1);
}

std::size_t column_width(const Grid& grid, std::size_t index) {
  std::size_t width = name_width(grid.rows.front().settings[index].first);
  for (const Grid::Row& row : grid.rows) {
    if (index < row.settings.size()) width = std::max(width, row.settings[index].second.size());
  }
  return width;
}

// The names of the peers, upright, ending just above their columns.
std::vector<std::string> upright(const std::vector<std::string>& names, std::size_t height) {
  std::vector<std::string> lines(height);
  for (std::size_t i = 0; i < height; ++i) {
    for (const std::string& name : names) {
      const std::size_t above = height - std::min(name.size(), height);
      lines[i] += i < above ? "  " : std::string(1, name[i - above]) + " ";
    }
  }
  return lines;
}

std::size_t longest(const std::vector<std::string>& names) {
  std::size_t length = 0;
  for (const std::string& name : names) length = std::max(length, name.size());
  return length;
}

std::string label_line(const Grid& grid, std::size_t up) {
  std::string line;
  const Facts& settings = grid.rows.front().settings;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const std::string& name = settings[i].first;
    const std::size_t hyphen = name.find('-');
    std::string part;
    if (up == 0) part = hyphen == std::string::npos ? name : name.substr(hyphen + 1);
    if (up == 1 && hyphen != std::string::npos) part = name.substr(0, hyphen + 1);
    line += padded(part, column_width(grid, i)) + " ";
  }
  return line;
}

// A line that explains signs, cut into several where it is wider than `width`.
void add_legend(std::string& out, const std::string& leg, std::span<const Sign> signs,
                std::size_t width) {
  std::string line = padded(leg, kLegWidth);
  for (const Sign& sign : signs) {
    const std::string part = fmt::format("  {} {}", sign.sign, sign.outcome);
    if (width > 0 && line.size() + part.size() > width) {
      out += line + "\n";
      line = std::string(kLegWidth, ' ');
    }
    line += part;
  }
  out += line + "\n";
}

void trim(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

const Cell* cell_at(const std::vector<Cell>& cells, std::size_t index) {
  return index < cells.size() ? &cells[index] : nullptr;
}

void add_row(std::string& out, const Grid& grid, const Grid::Row& row, Colour colour) {
  std::string line;
  for (std::size_t i = 0; i < row.settings.size(); ++i) {
    line += padded(row.settings[i].second, column_width(grid, i)) + " ";
  }
  line += "│ ";
  for (std::size_t i = 0; i < grid.clients.size(); ++i) {
    line += cell_text(inbound_signs(), cell_at(row.inbound, i), colour);
  }
  line += "│ ";
  for (std::size_t i = 0; i < grid.servers.size(); ++i) {
    line += cell_text(outbound_signs(), cell_at(row.outbound, i), colour);
  }
  trim(line);
  out += line + "\n";
}

// Keeps `count` of these from `from` on.
template <typename T>
void keep(std::vector<T>& all, std::size_t from, std::size_t count) {
  const std::size_t begin = std::min(from, all.size());
  const std::size_t end = std::min(begin + count, all.size());
  all = std::vector<T>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                       all.begin() + static_cast<std::ptrdiff_t>(end));
}

// What fits beside each other in `width` columns: all, or some clients or servers at a time.
std::vector<Grid> pieces_of(const Grid& grid, std::size_t width) {
  const std::size_t taken = columns(label_line(grid, 0)) + 4;
  if (width == 0 || taken + 2 * (grid.clients.size() + grid.servers.size()) <= width) return {grid};
  const std::size_t count = width > taken + 2 ? (width - taken) / 2 : 1;
  std::vector<Grid> pieces;
  for (std::size_t from = 0; from < grid.clients.size(); from += count) {
    Grid& piece = pieces.emplace_back(grid);
    keep(piece.clients, from, count);
    piece.servers.clear();
    for (Grid::Row& row : piece.rows) keep(row.inbound, from, count);
  }
  for (std::size_t from = 0; from < grid.servers.size(); from += count) {
    Grid& piece = pieces.emplace_back(grid);
    keep(piece.servers, from, count);
    piece.clients.clear();
    for (Grid::Row& row : piece.rows) keep(row.outbound, from, count);
  }
  return pieces;
}

// A grid, or a piece of one, without its name and what its signs mean.
std::string drawn(const Grid& grid, Colour colour) {
  std::string out;
  const std::size_t height = std::max({longest(grid.clients), longest(grid.servers), kLabelLines});
  const std::vector<std::string> clients = upright(grid.clients, height);
  const std::vector<std::string> servers = upright(grid.servers, height);
  const std::string no_label(columns(label_line(grid, 0)), ' ');
  for (std::size_t i = 0; i < height; ++i) {
    const std::size_t up = height - 1 - i;
    std::string line = up < kLabelLines ? label_line(grid, up) : no_label;
    line += "│ " + clients[i] + "│ " + servers[i];
    trim(line);
    out += line + "\n";
  }
  const std::size_t left = columns(no_label);
  out += repeated("─", left) + "┼" + repeated("─", 2 * grid.clients.size() + 1) + "┼" +
         repeated("─", 2 * grid.servers.size() + 1) + "\n";
  for (const Grid::Row& row : grid.rows) add_row(out, grid, row, colour);
  return out + "\n";
}

}  // namespace

std::string grid_text(const Grid& grid, Colour colour, std::size_t width) {
  if (grid.rows.empty()) return "";
  std::string out = grid.name + "\n\n";
  for (const Grid& piece : pieces_of(grid, width)) out += drawn(piece, colour);
  return out;
}

std::string legend_text(std::size_t width) {
  std::string out;
  add_legend(out, "clients, inbound:", inbound_signs(), width);
  add_legend(out, "servers, outbound:", outbound_signs(), width);
  add_legend(out, "both:", other_signs(), width);
  return out;
}

std::string grouped(int count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string counts_text(const Tally& tally) {
  const std::array<std::pair<int, Verdict>, 6> counts = {
      {{tally.pass, Verdict::kPass},
       {tally.fail, Verdict::kFail},
       {tally.error, Verdict::kError},
       {tally.inconclusive, Verdict::kInconclusive},
       {tally.invalid, Verdict::kInvalid},
       {tally.skip, Verdict::kSkip}}};
  std::string text = grouped(tally.chosen()) + (tally.chosen() == 1 ? " case" : " cases");
  const char* separator = ": ";
  for (const auto& [count, verdict] : counts) {
    if (count == 0) continue;
    text += separator + grouped(count) + " " + word(verdict);
    if (verdict == Verdict::kSkip && tally.deviations > 0)
      text += fmt::format(" ({} known deviation{})", grouped(tally.deviations),
                          tally.deviations == 1 ? "" : "s");
    separator = ", ";
  }
  if (tally.controls > 0) text += "; controls taken along, not counted: " + grouped(tally.controls);
  return text;
}

std::string outcome_word(int exit_code) {
  switch (exit_code) {
    case 0:
      return "PASSED";
    case 1:
      return "FAILED";
    case 130:
      return "INTERRUPTED";
    default:
      return "UNDECIDED";
  }
}

namespace {

// How much of a summary there is room for: a case takes its id, its reason and its command, each
// wider than most screens.
struct Room {
  std::size_t cases, requirements;
};

Room room_of(Screen screen) {
  constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();
  constexpr std::size_t kLinesOfACase = 6, kOtherLines = 16, kRequirements = 8;
  if (screen.rows == 0) return {kWhole, kWhole};
  const std::size_t left = screen.rows > kOtherLines ? screen.rows - kOtherLines : 0;
  return {std::max<std::size_t>(1, left / kLinesOfACase), kRequirements};
}

void add_listed(std::string& out, const Summary& summary, std::size_t most, Colour colour) {
  if (summary.not_passed() == 0) return;
  out += "Did not pass\n";
  std::size_t count = 0;
  for (const Listed& listed : summary.listed()) {
    if (count == most) break;
    ++count;
    out += "  " + painted(padded(word(listed.verdict), 12), "1;31", colour) + " " +
           shown(listed.id) + "\n";
    if (!listed.reason.empty()) out += "               " + shown(listed.reason) + "\n";
    if (!listed.rerun.empty()) out += "               " + shown(listed.rerun) + "\n";
  }
  const int unlisted = summary.not_passed() - static_cast<int>(count);
  if (unlisted > 0)
    out += "  and " + grouped(unlisted) + " more; a results file (--results) has all\n";
  out += "\n";
}

void add_requirements(std::string& out, const Summary& summary, std::size_t most) {
  std::size_t count = 0;
  for (const Cited& cited : summary.cited()) {
    if (cited.failed == 0) continue;
    if (++count <= most)
      out += fmt::format("  {}{} of {} failed\n", padded(shown(cited.id), 16),
                         grouped(cited.failed), grouped(cited.cases));
  }
  if (count > most) out += fmt::format("  and {} requirements more\n", count - most);
}

}  // namespace

std::string summary_text(const Summary& summary, int exit_code, Colour colour, Screen screen) {
  const Room room = room_of(screen);
  std::string out;
  add_listed(out, summary, room.cases, colour);
  add_requirements(out, summary, room.requirements);
  for (const auto& [kind, tally] : summary.by_kind()) {
    if (summary.by_kind().size() > 1) out += "  " + padded(kind, 16) + counts_text(tally) + "\n";
  }
  out += counts_text(summary.tally()) + "\n";
  if (!summary.grids().empty()) {
    out +=
        fmt::format("distinct decisions: {} inbound (mode × client), {} outbound (mode × server)\n",
                    grouped(summary.inbound_decisions()), grouped(summary.outbound_decisions()));
  }
  out += painted(outcome_word(exit_code), exit_code == 0 ? "1;32" : "1;31", colour) + "\n";
  return out;
}

std::string run_text(const RunSummary& run, Colour colour, Screen screen) {
  std::string out = shown(run.header.gateway) + ", " + shown(run.header.started) + " UTC, " +
                    shown(run.header.command) + "\n\n";
  for (const Grid& grid : run.summary.grids()) out += grid_text(grid, colour, screen.columns);
  if (!run.summary.grids().empty()) out += legend_text(screen.columns) + "\n";
  for (const std::string& remark : run.remarks) out += shown(remark) + "\n";
  for (const std::string& note : run.footer.notes) out += shown(note) + "\n";
  if (!run.footer.reason.empty()) out += shown(run.footer.reason) + "\n";
  out += summary_text(run.summary, run.exit_code(), colour, screen);
  return out;
}

}  // namespace postern::reports
