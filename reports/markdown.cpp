#include "markdown.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "results_file.hpp"
#include "shown_text.hpp"
#include "terminal.hpp"
#include "whole_file.hpp"

namespace postern::reports {

namespace {

// Text of a peer or a file, harmless in Markdown, table cells included.
std::string plain(std::string_view bytes) {
  std::string text;
  for (const char c : shown(bytes)) {
    switch (c) {
      case '&':
        text += "&amp;";
        break;
      case '<':
        text += "&lt;";
        break;
      case '>':
        text += "&gt;";
        break;
      case '|':
      case '*':
      case '_':
      case '`':
      case '[':
      case ']':
      case '#':
      case '~':
      case '\\':
        text += fmt::format("&#{};", static_cast<int>(c));
        break;
      default:
        text += c;
    }
  }
  return text;
}

// One line of code, in a fence that the text cannot end.
std::string code(std::string_view bytes) {
  const std::string text = shown(bytes);
  std::string fence = "`";
  while (text.find(fence) != std::string::npos) fence += "`";
  const bool apart = fence.size() > 1;
  return fence + (apart ? " " : "") + text + (apart ? " " : "") + fence;
}

std::string cell_text(const std::vector<Cell>& cells, std::size_t index) {
  if (index >= cells.size() || cells[index].cases == 0) return " ";
  const Cell& cell = cells[index];
  std::string text;
  for (const Cell::Observed& observed : cell.observed) {
    text += (text.empty() ? "" : "<br>") + plain(observed.text);
    if (cell.observed.size() > 1) text += fmt::format(" ({})", observed.count);
  }
  if (text.empty()) text = "skipped";
  if (cell.wrong > 0) text = fmt::format("**❌ {}**", text);
  if (cell.wrong == 0 && cell.deviating > 0) text = "⚠️ " + text;
  return text;
}

void add_grid(std::string& out, const Grid& grid) {
  if (grid.rows.empty()) return;
  out += fmt::format("\n### {}\n\n|", plain(grid.name));
  std::string rule = "|";
  auto head = [&](const std::string& text) {
    out += " " + text + " |";
    rule += "---|";
  };
  for (const auto& [name, value] : grid.rows.front().settings) head(plain(name));
  for (const std::string& client : grid.clients) head("→ " + plain(client));
  for (const std::string& server : grid.servers) head(plain(server) + " →");
  out += "\n" + rule + "\n";
  for (const Grid::Row& row : grid.rows) {
    out += "|";
    for (const auto& [name, value] : row.settings) out += " **" + plain(value) + "** |";
    for (std::size_t i = 0; i < grid.clients.size(); ++i) {
      out += " " + cell_text(row.inbound, i) + " |";
    }
    for (std::size_t i = 0; i < grid.servers.size(); ++i) {
      out += " " + cell_text(row.outbound, i) + " |";
    }
    out += "\n";
  }
}

void add_legend(std::string& out) {
  out +=
      "\n<details><summary>How to read the table</summary>\n\n"
      "A row is a mode combination. A column `→ name` is a client: what became of its message at "
      "the "
      "gateway. A column `name →` is a next hop: what the gateway did with messages for it. A cell "
      "covers every case of that mode with that peer; outcomes that differ are listed with their "
      "counts. ❌ marks a cell in which a case did not pass, ⚠️ one in which the gateway "
      "deviates as is known of it.\n\n"
      "- `accept tls`, `accept clear`: 250 to the message, inside TLS or in clear text\n"
      "- `refuse 530`: that reply, and the connection stays usable\n"
      "- `drop 530`: that reply, then the gateway closed\n"
      "- `broken`: the handshake failed and nothing was accepted\n"
      "- `redirect tls`, `redirect clear`: delivered; `#2` on the second connection\n"
      "- `hold 4.7.5`: kept in the queue for that reason, nothing disclosed\n"
      "- `bounce`: given up, and the sender told\n"
      "- `nothing`: no message to send on\n\n</details>\n";
}

std::string requirement_text(const Broken& broken) {
  return broken.id.empty() ? "no requirement" : "**" + plain(broken.id) + "**";
}

// add_group lists the cases under one requirement, with its words.
void add_group(std::string& out, const Summary& summary, const Broken& broken) {
  const auto first =
      std::find_if(summary.listed().begin(), summary.listed().end(),
                   [&](const Listed& listed) { return listed.requirement == broken.id; });
  if (first == summary.listed().end()) return;
  out += fmt::format("\n#### {}\n\n", broken.id.empty() ? "No requirement" : plain(broken.id));
  if (!broken.text.empty()) out += plain(broken.text) + "\n\n";
  for (auto listed = first; listed != summary.listed().end(); ++listed) {
    if (listed->requirement != broken.id) continue;
    out += fmt::format("- **{}** {}{}\n", word(listed->verdict), code(listed->id),
                       listed->also.empty() ? "" : ", also " + plain(listed->also));
    if (!listed->reason.empty()) out += fmt::format("  <br>{}\n", plain(listed->reason));
    if (!listed->file.empty())
      out += fmt::format("  <br>{}:{}\n", plain(listed->file), listed->line);
    if (!listed->rerun.empty()) out += fmt::format("  <br>{}\n", code(listed->rerun));
  }
}

void add_list(std::string& out, const Summary& summary) {
  if (summary.not_passed() == 0) return;
  out += fmt::format("\n### Did not pass ({})\n\n", grouped(summary.not_passed()));
  for (const Broken& broken : summary.broken()) {
    out += fmt::format("- {}: {}\n", requirement_text(broken), grouped(broken.cases));
  }
  for (const Broken& broken : summary.broken()) add_group(out, summary, broken);
  const int unlisted = summary.not_passed() - static_cast<int>(summary.listed().size());
  if (unlisted > 0) {
    out += fmt::format("\nAnd {} more; a results file (`--results`) has all.\n", grouped(unlisted));
  }
}

// add_requirements lists every requirement that a case cites.
void add_requirements(std::string& out, const Summary& summary) {
  if (summary.cited().empty()) return;
  out +=
      "\n### Requirements\n\nA case counts under each requirement that it is held to.\n\n"
      "| requirement | cases | passed | failed | other |\n|---|---:|---:|---:|---:|\n";
  for (const Cited& cited : summary.cited()) {
    out += fmt::format("| {}{} | {} | {} | {} | {} |\n", cited.failed > 0 ? "❌ " : "",
                       plain(cited.id), grouped(cited.cases), grouped(cited.passed),
                       grouped(cited.failed), grouped(cited.cases - cited.passed - cited.failed));
  }
}

void add_counts(std::string& out, const RunSummary& run) {
  const Summary& summary = run.summary;
  out += counts_text(summary.tally()) + ".\n";
  if (summary.by_kind().size() > 1) {
    out += "\n";
    for (const auto& [kind, tally] : summary.by_kind()) {
      out += fmt::format("- {}: {}\n", plain(kind), counts_text(tally));
    }
  }
  if (!summary.grids().empty()) {
    out += fmt::format(
        "\nDistinct decisions: **{}** inbound (mode × client), **{}** outbound (mode × server).\n",
        grouped(summary.inbound_decisions()), grouped(summary.outbound_decisions()));
  }
}

}  // namespace

std::string markdown_text(const RunSummary& run) {
  const int exit_code = run.exit_code();
  const std::string mark = exit_code == 0 ? "✅" : exit_code == 1 ? "❌" : "⚠️";
  std::string out = fmt::format("## {} Postern: {}\n\n", mark, outcome_word(exit_code));
  add_counts(out, run);
  out += fmt::format("\nGateway: **{}**. ", plain(run.header.gateway));
  out += fmt::format("Started {} UTC on {}, Postern {}, {}.\n", plain(run.header.started),
                     plain(run.header.host), plain(run.header.postern), plain(run.header.openssl));
  if (run.ended) out += fmt::format("It took {:.1f} seconds.\n", run.footer.seconds);
  for (const std::string& note : run.footer.notes) out += "\n" + plain(note) + "\n";
  for (const std::string& remark : run.remarks) out += "\n> " + plain(remark) + "\n";
  if (!run.footer.reason.empty()) out += "\n> " + plain(run.footer.reason) + "\n";
  out += side_by_side_text(run.summary.side_by_side());
  for (const Grid& grid : run.summary.grids()) add_grid(out, grid);
  if (!run.summary.grids().empty()) add_legend(out);
  add_list(out, run.summary);
  add_requirements(out, run.summary);
  return out;
}

void write_markdown(const std::string& results, const std::string& path) {
  WholeFile file(path);
  file.append(markdown_text(summarize(results)));
  file.commit();
}

}  // namespace postern::reports
