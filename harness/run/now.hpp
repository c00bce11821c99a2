#pragma once

#include <string>

namespace postern {

/// utc_now gives the time of day in UTC as strftime's `format` says, in 63 bytes at most.
std::string utc_now(const char* format);

}  // namespace postern
