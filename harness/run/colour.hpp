#pragma once

#include "terminal.hpp"

namespace postern {

/// colour_of tells whether what goes to this descriptor is coloured: on a terminal, unless NO_COLOR
/// is in the environment and not empty.
reports::Colour colour_of(int descriptor);

}  // namespace postern
