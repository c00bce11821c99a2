#pragma once

#include <string>
#include <vector>

#include "results_file.hpp"

// Cases that were run several times and did not end the same each time.

namespace postern::reports {

/// ending_text gives what two runs of a case have to agree on, "pass, accept tls=yes, redirect
/// tls=yes": the verdict and the outcome of each leg that has one.
std::string ending_text(const CaseResult& result);

/// Unstable is a case whose runs, against one gateway, did not all end as the first did.
struct Unstable {
  std::string id;
  ResultsReader::Spot first, other;  ///< The first run, and the first that differs from it.
  std::string was, became;           ///< Their ending_text.

  /// text gives "unstable ID: WAS; another time BECAME", one line.
  std::string text() const;
};

/// find_unstable reads `reader` from where it stands to its end, controls included. Memory grows
/// with the number of different cases, not of runs. Throws ResultsError.
std::vector<Unstable> find_unstable(ResultsReader& reader);

}  // namespace postern::reports
