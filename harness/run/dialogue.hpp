#pragma once

#include <cstdint>
#include <vector>

#include "judge/observation.hpp"
#include "result.hpp"

namespace postern {

/// word names a side or a phase as the results do.
const char* word(Side side);
const char* word(Phase phase);

/// dialogue_of gives what was seen on the wire as the results have it; `began` is the moment, in
/// microseconds on the observation's axis, from which its times are counted.
std::vector<reports::Line> dialogue_of(const Observation& observation, std::int64_t began);

}  // namespace postern
