#pragma once

#include <chrono>
#include <string>

// All time limits of the harness are for a quiet machine and an optimised build.
// $POSTERN_TIME_SCALE makes them longer, by one factor, where that does not hold.

namespace postern {

/// time_scale is the factor in $POSTERN_TIME_SCALE, read once: 1 if it is unset or wrong.
double time_scale();

/// time_scale_problem is empty, or says what is wrong with $POSTERN_TIME_SCALE and what is allowed.
std::string time_scale_problem(const char* value);

/// scaled gives the limit to use for `limit`.
inline std::chrono::steady_clock::duration scaled(std::chrono::steady_clock::duration limit) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double, std::chrono::steady_clock::period>(limit) * time_scale());
}

}  // namespace postern
