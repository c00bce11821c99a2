#include "failure_text.hpp"

#include <algorithm>
#include <cctype>

#include "first_difference.hpp"
#include "shown_text.hpp"

namespace postern::reports {

namespace {

constexpr std::size_t kIndent = 12;

// "  expected  text", wrapped under itself.
void add_entry(std::string& out, const std::string& label, const std::string& text,
               std::size_t width) {
  std::string head = padded("  " + label, kIndent);
  for (const std::string& line : wrap_words(text, width - kIndent)) {
    out += head + line + "\n";
    head = std::string(kIndent, ' ');
  }
}

void add_title(std::string& out, const std::string& title) {
  if (!out.empty()) out += "\n";
  out += title + "\n";
}

bool is_empty(const Leg& leg) {
  return leg.expected.empty() && leg.observed.word.empty() && leg.requirement.empty();
}

// is_unmet: a negative that lacks evidence, and a case without its control, are not unmet.
bool is_unmet(const CaseResult& result, const Leg& leg, const Leg& other) {
  if (leg.expected.empty() || leg.observed.word.empty()) return false;
  const bool wrong = result.verdict == Verdict::kFail || !result.deviation.empty();
  return wrong ? blames(result, leg, other) : leg.grade.empty();
}

std::string headed(const std::string& title, bool unmet, std::size_t width) {
  return unmet ? padded(title, width - 7) + "NOT MET" : title;
}

void add_leg(std::string& out, const std::string& title, const Leg& leg, bool unmet,
             std::size_t width) {
  if (is_empty(leg)) return;
  const bool met = !leg.grade.empty();
  add_title(out, headed(title, unmet, width));
  if (!leg.expected.empty()) add_entry(out, "expected", shown(leg.expected), width);
  if (!leg.letter.empty()) add_entry(out, "letter", shown(leg.letter), width);
  if (!leg.policy.empty()) add_entry(out, "policy", shown(leg.policy), width);
  std::string got =
      leg.observed.word.empty() ? "nothing that could be judged" : shown(leg.observed.text());
  if (met) got += " (meets the " + shown(leg.grade) + ")";
  add_entry(out, "got", got, width);
  if (!leg.requirement.empty()) {
    add_entry(out, shown(leg.requirement), shown(leg.requirement_text), width);
  }
  if (!leg.rule.empty()) add_entry(out, "rule", shown(leg.rule), width);
  std::string evidence;
  for (const std::string& item : leg.evidence) evidence += (evidence.empty() ? "" : ", ") + item;
  if (!evidence.empty()) add_entry(out, "evidence", shown(evidence), width);
}

// add_demand tells of what was broken; of what was met there is nothing to say.
void add_demand(std::string& out, const Demand& demand, std::size_t width) {
  if (!demand.broken) return;
  add_title(out, headed(demand.leg.empty() ? "The settings of the gateway"
                                           : "Where the message may be seen",
                        true, width));
  add_entry(out, shown(demand.requirement), shown(demand.requirement_text), width);
  if (!demand.rule.empty()) add_entry(out, "rule", shown(demand.rule), width);
}

// A case id is longer than a line: broken before a slash, it can still be read and pasted together.
void add_id(std::string& out, const std::string& head, const std::string& id, std::size_t width) {
  std::string line = head;
  std::size_t at = 0;
  while (at < id.size()) {
    const std::size_t end = std::min(id.find('/', at + 1), id.size());
    const std::string part = shown(id.substr(at, end - at));
    if (columns(line) + columns(part) > width && line.find_last_not_of(' ') >= head.size()) {
      out += line + "\n";
      line = std::string(columns(head), ' ');
    }
    line += part;
    at = end;
  }
  out += line + "\n";
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

std::string failure_summary(const CaseResult& result, std::size_t width) {
  std::string out;
  for (const std::string& line : wrap_words(shown(result.reason), width)) {
    if (!line.empty()) out += line + "\n";
  }
  for (const std::string& detail : result.details) {
    std::string mark = "- ";
    for (const std::string& line : wrap_words(shown(detail), width - 2)) {
      out += mark + line + "\n";
      mark = "  ";
    }
  }
  add_leg(out, "Inbound: from the client to the gateway", result.inbound,
          is_unmet(result, result.inbound, result.outbound), width);
  add_leg(out, "Outbound: from the gateway to the next hop", result.outbound,
          is_unmet(result, result.outbound, result.inbound), width);
  for (const Demand& demand : result.demands) add_demand(out, demand, width);
  return out;
}

std::string transcript_text(const CaseResult& result, std::size_t width) {
  std::string out;
  const std::vector<std::string> lines = ladder(result.events, first_difference(result), width);
  if (!lines.empty()) {
    add_title(out, "What was said, in milliseconds:  ─▶ clear text   ╌▶ handshake   ═▶ inside TLS");
    for (const std::string& line : lines) out += line + "\n";
  }
  if (!result.record.empty()) {
    add_title(out, "The gateway's own lines");
    for (const std::string& line : result.record) {
      std::string mark = "  ";
      for (const std::string& piece : cut_columns(shown(line), width - 4)) {
        out += mark + piece + "\n";
        mark = "    ";
      }
    }
  }
  return out;
}

std::string failure_text(const CaseResult& result, std::size_t width) {
  std::string out;
  const std::string verdict = upper(word(result.verdict));
  add_id(out, verdict + "  ", result.id, width);
  if (!result.file.empty()) {
    out += std::string(verdict.size() + 2, ' ') + shown(result.file) + ":" +
           std::to_string(result.line) + "\n";
  }
  out += "\n" + failure_summary(result, width);
  const std::string transcript = transcript_text(result, width);
  if (!transcript.empty()) out += "\n" + transcript;
  if (!result.rerun.empty()) out += "\nRun this case again\n  " + shown(result.rerun) + "\n";
  return out;
}

}  // namespace postern::reports
