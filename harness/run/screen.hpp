#pragma once

#include <cstddef>

#include "terminal.hpp"

// What a descriptor leads to, as far as it decides what is written there.

namespace postern {

/// colour_of tells whether it is coloured: on a terminal, unless NO_COLOR is in the environment and
/// not empty.
reports::Colour colour_of(int descriptor);

/// width_of is how many columns a terminal has; 0: it is none, or does not say.
std::size_t width_of(int descriptor);

}  // namespace postern
