#pragma once

#include <string>

#include "terminal.hpp"

// What a descriptor leads to, as far as it decides what is written there.

namespace postern {

/// colour_of tells whether it is coloured: on a terminal, unless NO_COLOR is in the environment and
/// not empty.
reports::Colour colour_of(int descriptor);

/// screen_of is how large a terminal is; nothing but 0: it is none, or does not say.
reports::Screen screen_of(int descriptor);

/// text_width is how wide a case is drawn there: as wide as the terminal is, within what a ladder
/// can be; elsewhere kLadderColumns.
std::size_t text_width(int descriptor);

/// fold_to_screen has what this process writes to stdout and stderr broken at its spaces, as
/// `folded` does, where that is a terminal and a line is wider. A line that names `program` with
/// words behind it stays whole: it is a command to copy.
void fold_to_screen(const std::string& program);

}  // namespace postern
