#include "stability.hpp"

#include <unordered_map>

namespace postern::reports {

std::string ending_text(const CaseResult& result) {
  std::string text = word(result.verdict);
  for (const Leg* leg : {&result.inbound, &result.outbound})
    if (!leg->observed.word.empty()) text += ", " + leg->observed.text();
  return text;
}

std::string Unstable::text() const {
  return "unstable " + id + ": " + was + "; another time " + became;
}

std::vector<Unstable> find_unstable(ResultsReader& reader) {
  struct First {
    ResultsReader::Spot spot;
    std::string ending;
    bool told = false;
  };
  std::unordered_map<std::string, First> known;
  std::vector<Unstable> unstable;
  while (const auto result = reader.next()) {
    std::string ending = ending_text(*result);
    First fresh{reader.spot(), ending, false};
    const auto [entry, is_new] = known.emplace(result->gateway + " " + result->id, fresh);
    First& first = entry->second;
    if (is_new || first.told || first.ending == ending) continue;
    first.told = true;
    unstable.push_back({result->id, first.spot, reader.spot(), first.ending, std::move(ending)});
  }
  return unstable;
}

}  // namespace postern::reports
