#pragma once

#include <string>

#include "summary.hpp"

namespace postern::reports {

/// page_view fills the template of the page, all but its cases: counts, grids, requirements, and
/// what did not pass. Where the cases go stands kCasesPlace.
std::string page_view(const RunSummary& run);

constexpr const char* kCasesPlace = "<!-- the cases -->";

}  // namespace postern::reports
