#pragma once

#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "judge/judge.hpp"

// What the matrix tests have left behind, for tests that judge it again by other rules.

namespace postern {

/// Recorded is what was observed of one case.
struct Recorded {
  reports::Outcome inbound, outbound;
  std::vector<std::string> warnings;
  const MatrixCase* cell = nullptr;
};

/// read_recorded reads the results of all matrix cases from the files of a folder. false, and a
/// line on stderr, where one is missing.
bool read_recorded(const std::string& folder, const Catalogue& catalogue,
                   std::vector<Recorded>& recorded);

/// load_recorded loads catalogue and results for a program called with SCENARIOS AUTHORITY.xml
/// RESULTS-FOLDER. nullptr, and the reason on stderr, where that fails.
std::unique_ptr<Catalogue> load_recorded(int argc, char** argv, std::vector<Recorded>& recorded);

}  // namespace postern
