#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "result.hpp"

namespace postern::reports {

/// Parts holds the runs of one results file together: whether the shards of a run are all there,
/// each once. The results of one shard alone are shown as the part that they are.
class Parts {
 public:
  void add(const RunHeader& header);

  /// wrong says what is missing or there twice, a line for each gateway and number of shards; empty
  /// where nothing is, or where there is only one run.
  std::vector<std::string> wrong() const;

  bool all_are_shards() const { return whole_ == 0; }

 private:
  using Run = std::pair<std::string, unsigned>;  ///< Gateway, and how many shards.
  std::map<Run, std::map<unsigned, int>> shards_;
  int whole_ = 0;  ///< Runs that are not shared.
  int runs_ = 0;
};

}  // namespace postern::reports
