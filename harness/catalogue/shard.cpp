#include "catalogue/shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <vector>

namespace postern {
namespace {

// number gives a whole number; nothing where the text is none.
std::optional<unsigned> number(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// is_unset: a runner that has no shards may leave a variable empty.
bool is_unset(const char* text) {
  return text == nullptr || *text == '\0';
}

struct Convention {
  const char *total, *index;
  unsigned first;  ///< How the index of the first one is written.
  const char* status_file;
};

constexpr Convention kConventions[] = {
    {"GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", 0, nullptr},
    {"TEST_TOTAL_SHARDS", "TEST_SHARD_INDEX", 0, "TEST_SHARD_STATUS_FILE"},
    {"CI_NODE_TOTAL", "CI_NODE_INDEX", 1, nullptr},
};

}  // namespace

std::optional<Shard> find_shard(const std::string& option,
                                const std::function<const char*(const std::string&)>& environment) {
  if (!option.empty()) {
    const std::size_t slash = option.find('/');
    const auto index = number(option.substr(0, slash));
    const auto total = slash == std::string::npos ? std::nullopt : number(option.substr(slash + 1));
    if (!index || !total || *index < 1 || *index > *total)
      throw std::invalid_argument(fmt::format(
          "found --shard {}, allowed: I/N with I from 1 to N, as 2/5 for the second of five",
          option));
    return Shard{*index, *total, "--shard", ""};
  }
  for (const Convention& one : kConventions) {
    const char* total_text = environment(one.total);
    const char* index_text = environment(one.index);
    if (is_unset(total_text) || is_unset(index_text)) continue;
    const auto total = number(total_text);
    const auto index = number(index_text);
    if (!total || !index || *index < one.first || *index - one.first >= *total)
      throw std::invalid_argument(fmt::format(
          "found {}={} with {}={}, allowed: a number of shards, and an index from {} to {}",
          one.index, index_text, one.total, total_text, one.first,
          one.first == 0 ? "one less than it" : "it"));
    const char* status = one.status_file ? environment(one.status_file) : nullptr;
    return Shard{*index - one.first + 1, *total, one.total, status != nullptr ? status : ""};
  }
  return std::nullopt;
}

void keep_shard(Selection& selection, const Shard& shard) {
  // The largest first, each to the shard that has the least so far.
  std::vector<std::size_t> order(selection.configurations.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto size_of = [&](std::size_t i) { return selection.configurations[i].cases.size(); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return size_of(one) > size_of(other);
  });
  std::vector<std::size_t> load(shard.total, 0);
  std::vector<bool> kept(order.size(), false);
  for (const std::size_t i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += size_of(i);
    kept[i] = static_cast<unsigned>(least - load.begin()) + 1 == shard.index;
  }
  std::vector<Configuration> mine;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i]) mine.push_back(std::move(selection.configurations[i]));
  selection.configurations = std::move(mine);
  selection.chosen = selection.controls = 0;
  for (const Configuration& configuration : selection.configurations)
    for (const Chosen& one : configuration.cases)
      ++(one.control ? selection.controls : selection.chosen);
}

}  // namespace postern
