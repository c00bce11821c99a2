#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "judge/observation.hpp"

// Unrest on the wire: what a network does to the writes of a peer. SMTP gives no meaning to where a
// segment ends or how long the next takes to come, so no verdict may depend on it.

namespace postern {

/// Jitter decides for one connection when a peer writes and in which pieces. A function of its seed
/// alone: the same connection of the same case does the same in every run with that seed.
class Jitter {
 public:
  static constexpr std::chrono::microseconds kLongestDelay{3000};
  static constexpr std::size_t kMostPieces = 4;

  explicit Jitter(std::uint64_t seed) : random_(seed) {}

  /// delay says how long to wait before the next write: often not at all, never longer than
  /// kLongestDelay.
  std::chrono::microseconds delay();

  /// pieces cuts `bytes` into up to kMostPieces, none of them empty, one after the other.
  std::vector<std::string> pieces(std::string bytes);

 private:
  std::mt19937_64 random_;
};

/// jitter_seed gives the seed of a case from that of the run, and of a connection from its case's.
std::uint64_t jitter_seed(std::uint64_t run, std::string_view case_id);
std::uint64_t jitter_seed(std::uint64_t of_case, Side side, int connection);

/// is_plain_line tells whether `bytes` are one line with its CRLF and no other line end or NUL in
/// it. Where else the ends of segments are what a peer is about, such a line may be cut anywhere.
bool is_plain_line(std::string_view bytes);

}  // namespace postern
