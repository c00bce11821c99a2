#pragma once

#include <string>

#include "judge/observation.hpp"

namespace postern {

/// Filled is a story's text with the words of its case put in.
struct Filled {
  std::string text;
  std::string
      unset;  ///< The first ${name} that nothing has set, which stays; empty: there is none.
};

/// filled puts in for every ${name} the case's own word, or what a step of the story captured under
/// that name. What is put in is not looked at again.
Filled filled(const std::string& text, const Observation& observation);

/// never_set says that a name stands in a story at `place` though nothing has set it.
std::string never_set(const std::string& place, const std::string& name);

}  // namespace postern
