#include "peers/jitter.hpp"

#include <set>

namespace postern {
namespace {

// mixed spreads a number over all bits (the finalizer of SplitMix64), so that neighbours have
// nothing in common.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace

std::chrono::microseconds Jitter::delay() {
  if (random_() % 2 == 0) return std::chrono::microseconds(0);
  return std::chrono::microseconds(random_() %
                                   (static_cast<std::uint64_t>(kLongestDelay.count()) + 1));
}

std::vector<std::string> Jitter::pieces(std::string bytes) {
  const std::size_t wanted = 1 + random_() % kMostPieces;
  std::set<std::size_t> ends = {bytes.size()};
  for (std::size_t cut = 1; cut < wanted && bytes.size() > 1; ++cut)
    ends.insert(1 + random_() % (bytes.size() - 1));
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    if (end > begin) pieces.push_back(bytes.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

std::uint64_t jitter_seed(std::uint64_t run, std::string_view case_id) {
  std::uint64_t seed = mixed(run);
  for (const char c : case_id) seed = mixed(seed ^ static_cast<unsigned char>(c));
  return seed;
}

std::uint64_t jitter_seed(std::uint64_t of_case, Side side, int connection) {
  return mixed(mixed(of_case ^ static_cast<std::uint64_t>(side)) ^
               static_cast<std::uint64_t>(connection));
}

bool is_plain_line(std::string_view bytes) {
  return bytes.size() > 2 && bytes.ends_with("\r\n") &&
         bytes.substr(0, bytes.size() - 2).find_first_of(std::string_view("\r\n\0", 3)) ==
             std::string_view::npos;
}

}  // namespace postern
