#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "catalogue/story.hpp"

namespace postern {

/// takes_message tells whether this step of a server takes a message: <deliver>, or the 250 to one
/// that was read by hand.
bool takes_message(const std::vector<Step>& steps, std::size_t at);

/// Rehearsal plays the scripts of a story against a gateway that answers everything at once. So
/// what is left waiting waits for another script, and would wait for ever whatever the gateway
/// does.
class Rehearsal {
 public:
  explicit Rehearsal(const Story& story) : story_(story) {}

  /// play gives for each script how many of its steps it comes to do; `without` is a name whose
  /// captures are never done, "" for none.
  std::vector<std::size_t> play(const std::string& without = "");

  /// comes_to tells whether the last play came to this step of this script.
  bool comes_to(std::size_t script, std::size_t step) const;

 private:
  bool begins(const Script& script) const;
  bool passes(const Step& step) const;
  bool all_are_at(const std::string& meeting) const;
  bool tells(const Step& await) const;
  int handed_in() const;
  int taken() const;

  const Story& story_;
  std::vector<std::size_t> at_;  ///< For each script the step that it has come to.
};

}  // namespace postern
