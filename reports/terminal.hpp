#pragma once

#include <string>

#include "failure_text.hpp"
#include "summary.hpp"

// A run on a terminal.

namespace postern::reports {

enum class Colour { kNo, kYes };

/// Screen is how large a terminal is; 0: there is none, or no limit.
struct Screen {
  std::size_t columns = 0, rows = 0;
};

/// grid_text draws the outcomes of one matrix: a line a mode combination, two columns a peer; an
/// empty grid gives nothing. Where that is wider than `width`
/// columns, clients and servers are drawn one below the other, in as many pieces as it takes; 0: no
/// limit.
std::string grid_text(const Grid& grid, Colour colour, std::size_t width = 0);

/// legend_text explains the signs of grids.
std::string legend_text(std::size_t width = 0);

/// summary_text gives the last lines of a run: the cases that did not pass, counts, decisions, and
/// outcome_word of `exit_code`. On a screen only as many cases and requirements are named as it has
/// room for; the others are counted.
std::string summary_text(const Summary& summary, int exit_code, Colour colour, Screen screen = {});

/// outcome_word gives PASSED for 0, FAILED for 1, INTERRUPTED for 130, else UNDECIDED.
std::string outcome_word(int exit_code);

/// run_text is the whole view of a results file: what was run, grids, summary, remarks. Grids are
/// no wider than the screen, and the summary no higher.
std::string run_text(const RunSummary& run, Colour colour, Screen screen = {});

/// counts_text gives "10,948 cases: 10,948 pass" with every verdict that occurred.
/// Controls are named apart.
std::string counts_text(const Tally& tally);

/// grouped gives a count with a comma at the thousands: "10,948".
std::string grouped(int count);

}  // namespace postern::reports
