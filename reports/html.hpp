#pragma once

#include <string>

// A run as one page that can be mailed and kept: it fetches nothing.

namespace postern::reports {

/// kPack is how many cases are packed together: opening one unpacks them all.
constexpr std::size_t kPack = 64;

/// write_html reads the results file `results` twice, front to end, and writes its page to `path`,
/// whole or not at all. Counts, grids and requirements stand in it as they are; the cases lie in it
/// packed, and a script of the page finds and draws them. Memory grows by some hundred bytes a
/// case. Controls that were only taken along are left out. Throws ResultsError.
void write_html(const std::string& results, const std::string& path);

}  // namespace postern::reports
