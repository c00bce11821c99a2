#pragma once

#include "terminal.hpp"

// What a descriptor leads to, as far as it decides what is written there.

namespace postern {

/// colour_of tells whether it is coloured: on a terminal, unless NO_COLOR is in the environment and
/// not empty.
reports::Colour colour_of(int descriptor);

/// screen_of is how large a terminal is; nothing but 0: it is none, or does not say.
reports::Screen screen_of(int descriptor);

}  // namespace postern
