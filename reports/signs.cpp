#include "signs.hpp"

#include <array>
#include <string_view>

namespace postern::reports {

namespace {

constexpr std::array<Sign, 5> kInbound = {
    {{"accept tls", "A"}, {"accept clear", "a"}, {"refuse", "r"}, {"drop", "d"}, {"broken", "b"}}};
constexpr std::array<Sign, 6> kOutbound = {{{"redirect tls", "T"},
                                            {"redirect clear", "t"},
                                            {"redirect clear #2", "2"},
                                            {"hold", "h"},
                                            {"bounce", "x"},
                                            {"nothing", "."}}};

constexpr std::array<Sign, 5> kOther = {{{"outcomes differ", "*"},
                                         {"none was seen", "?"},
                                         {"skipped", "-"},
                                         {"known to deviate", "~"},
                                         {"not as expected", "!"}}};

std::string of_outcome(std::span<const Sign> signs, const std::string& outcome) {
  std::string best = "?";
  std::size_t length = 0;
  for (const Sign& sign : signs) {
    const std::string_view word = sign.outcome;
    const bool fits = outcome == word || outcome.starts_with(std::string(word) + " ");
    if (fits && word.size() > length) {
      best = sign.sign;
      length = word.size();
    }
  }
  return best;
}

}  // namespace

std::span<const Sign> inbound_signs() {
  return kInbound;
}

std::span<const Sign> outbound_signs() {
  return kOutbound;
}

std::span<const Sign> other_signs() {
  return kOther;
}

std::string sign_of(std::span<const Sign> signs, const Cell& cell) {
  if (cell.observed.empty()) return "-";
  return cell.observed.size() == 1 ? of_outcome(signs, cell.observed.front().text) : "*";
}

}  // namespace postern::reports
