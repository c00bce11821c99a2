#include "control/time_scale.hpp"

#include <cstdlib>

namespace postern {

namespace {

constexpr double kLargest = 1000;

// parse gives 0 for what is no factor.
double parse(const char* value) {
  char* end = nullptr;
  const double factor = std::strtod(value, &end);
  const bool whole = end != value && *end == '\0';
  return whole && factor > 0 && factor <= kLargest ? factor : 0;
}

}  // namespace

double time_scale() {
  static const double factor = [] {
    const char* value = std::getenv("POSTERN_TIME_SCALE");
    const double parsed = value == nullptr ? 1 : parse(value);
    return parsed > 0 ? parsed : 1;
  }();
  return factor;
}

std::string time_scale_problem(const char* value) {
  if (value == nullptr || parse(value) > 0) {
    return "";
  }
  return "POSTERN_TIME_SCALE is \"" + std::string(value) +
         "\"; allowed is a number above 0, at most 1000";
}

}  // namespace postern
