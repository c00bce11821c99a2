#include "run/weigh_departures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "run/now.hpp"

namespace postern {
namespace {

using reports::Verdict;

bool tells_of(const Departure& departure, const std::string& line) {
  return std::any_of(departure.seen.begin(), departure.seen.end(),
                     [&](const std::string& seen) { return line.find(seen) != std::string::npos; });
}

// lines_of gives each thing that went wrong once.
std::vector<std::string> lines_of(const reports::CaseResult& result) {
  std::vector<std::string> lines = result.details;
  if (!result.reason.empty()) lines.insert(lines.begin(), result.reason);
  return lines;
}

// is_about: the departure tells of this case, and of what was observed in it.
bool is_about(const Departure& departure, const Chosen& one, const reports::CaseResult& result) {
  const auto seen = [&](const std::string& word) {
    return word == result.inbound.observed.word || word == result.outbound.observed.word;
  };
  const std::vector<std::string>& observed = departure.observed;
  return holds_for(departure.cases, one) &&
         (observed.empty() || std::any_of(observed.begin(), observed.end(), seen));
}

std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == '\n' || c == ' ' || c == '\t';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace

void weigh_departures(const Departures& known, const std::string& today, const Chosen& one,
                      reports::CaseResult& result) {
  if (result.verdict != Verdict::kFail && result.verdict != Verdict::kPass) return;
  std::vector<const Departure*> about;
  for (const Departure& departure : known.all)
    if (is_about(departure, one, result)) about.push_back(&departure);
  if (about.empty()) return;
  if (result.verdict == Verdict::kPass) {
    if (one.control) return;
    result.verdict = Verdict::kFail;
    result.reason = fmt::format("the deviation {} ({}) did not happen: this case passes",
                                about.front()->name, about.front()->place.text());
    return;
  }
  const Departure* used = nullptr;
  for (const std::string& line : lines_of(result)) {
    const auto found = std::find_if(about.begin(), about.end(), [&](const Departure* departure) {
      return tells_of(*departure, line);
    });
    if (found == about.end()) {
      result.details.push_back(fmt::format("this is not what the deviation {} ({}) tells of",
                                           about.front()->name, about.front()->place.text()));
      return;
    }
    if (used == nullptr || (*found)->until < used->until) used = *found;
  }
  if (used->until < today) {
    result.details.push_back(result.reason);
    result.reason = fmt::format("the deviation {} ({}) has counted until {}", used->name,
                                used->place.text(), used->until);
    return;
  }
  result.verdict = Verdict::kSkip;
  result.deviation = used->name;
  result.details = lines_of(result);
  result.reason = fmt::format("known deviation {}: {}", used->name, in_one_line(used->why));
}

std::string today() {
  return utc_now("%Y-%m-%d");
}

}  // namespace postern
