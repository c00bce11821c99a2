#pragma once

#include <string>

#include "judge/observation.hpp"
#include "judge/words.hpp"
#include "located_xml.hpp"

namespace postern {

/// StepFailed says which step of a story did not hold, and what was seen instead. It is thrown by
/// the step, and caught where the script is played.
struct StepFailed {
  Place place;
  std::string message;
};

/// NeverSet says that a step needs a ${name} that nothing has set: the story is wrong, not the
/// gateway.
struct NeverSet {
  Place place;
  std::string name;
};

/// words is `text` with the words of the case put in; throws NeverSet.
inline std::string words(const Observation& observation, const Place& place,
                         const std::string& text) {
  Filled with = filled(text, observation);
  if (!with.unset.empty()) throw NeverSet{place, with.unset};
  return std::move(with.text);
}

/// ScriptEnds ends a script early where that conforms (a handshake that may fail did).
struct ScriptEnds {};

[[noreturn]] inline void fail(const Place& place, const std::string& expected,
                              const std::string& got) {
  throw StepFailed{place, "expected " + expected + ", got " + got};
}

[[noreturn]] inline void fail(const Place& place, const std::string& expected, Ending got) {
  fail(place, expected, std::string("the end of the connection: ") + word(got));
}

}  // namespace postern
