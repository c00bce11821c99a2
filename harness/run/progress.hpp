#pragma once

#include <chrono>
#include <string>

#include "result.hpp"

namespace postern {

/// Progress shows how far a run is: a bar that redraws itself on a terminal, a line a configuration
/// elsewhere. Used under the lock of the run.
class Progress {
 public:
  Progress(std::size_t cases, bool quiet);
  ~Progress();

  /// done counts the results of one closed configuration; `suite` names it.
  void done(const std::string& suite, const reports::Tally& tally, double seconds);

  /// clear takes the bar away, so that something else can be printed.
  void clear();

 private:
  void draw();

  std::size_t cases_;
  bool terminal_, quiet_;
  bool drawn_ = false;
  reports::Tally total_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace postern
