#include "parts.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace postern::reports {

namespace {

// kNamed is how many shards are named; of more it is said that there are others.
constexpr std::size_t kNamed = 20;

std::string numbered(std::vector<unsigned> numbers, unsigned total, const char* one,
                     const char* several) {
  if (numbers.size() == 1) return fmt::format("shard {} of {} {}", numbers.front(), total, one);
  const bool more = numbers.size() > kNamed;
  if (more) numbers.resize(kNamed);
  return fmt::format("shards {}{} of {} {}", fmt::join(numbers, ", "), more ? " and others" : "",
                     total, several);
}

}  // namespace

void Parts::add(const RunHeader& header) {
  ++runs_;
  if (header.shard == 0)
    ++whole_;
  else
    ++shards_[{header.gateway, header.shards}][header.shard];
}

std::vector<std::string> Parts::wrong() const {
  std::vector<std::string> lines;
  if (runs_ < 2) return lines;
  for (const auto& [run, there] : shards_) {
    const auto& [gateway, total] = run;
    std::vector<unsigned> missing, again;
    for (std::uint64_t number = 1; number <= total && missing.size() <= kNamed; ++number) {
      const auto shard = static_cast<unsigned>(number);
      const auto found = there.find(shard);
      if (found == there.end())
        missing.push_back(shard);
      else if (found->second > 1)
        again.push_back(shard);
    }
    if (!missing.empty())
      lines.push_back(gateway + ": " + numbered(missing, total, "is missing", "are missing"));
    if (!again.empty())
      lines.push_back(
          gateway + ": " +
          numbered(again, total, "is there more than once", "are there more than once"));
  }
  return lines;
}

}  // namespace postern::reports
