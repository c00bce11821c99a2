#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Covering arrays: a few of the cases of a matrix in which still every pair (or triple) of values
// of different axes meets. Most faults are triggered by the interplay of two or three factors, so
// such a choice finds most of what the full product finds, in a fraction of its time.

namespace postern {

/// CoveringTable holds the valid cases of one matrix: combinations that are invalid are not in it,
/// so nothing has to be said of them.
struct CoveringTable {
  std::vector<std::string> axes;
  std::vector<std::vector<std::string>> rows;  ///< One a case: its value of each axis.
};

/// Covering is a choice of rows.
struct Covering {
  std::vector<std::size_t> rows;  ///< Ascending.
  std::size_t tuples = 0;         ///< How many tuples of values occur in the table at all.
};

/// cover chooses rows such that every tuple of values of `strength` axes that occurs in a row of
/// `table` occurs in a chosen one; of a table with fewer axes, every row that differs. Greedy; the
/// same seed gives the same rows.
Covering cover(const CoveringTable& table, unsigned strength, std::uint64_t seed);

/// uncovered proves a choice: it enumerates the tuples of `table` anew, with nothing in common with
/// how the choice was made, and names each that is in none of `rows`, "server-level=require
/// client=plain".
std::vector<std::string> uncovered(const CoveringTable& table, const std::vector<std::size_t>& rows,
                                   unsigned strength);

}  // namespace postern
