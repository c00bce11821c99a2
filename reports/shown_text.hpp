#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Text for a screen of fixed width, made of bytes that a peer sent: nothing in it may move the
// cursor or upset a column.

namespace postern::reports {

/// shown gives `bytes` as printable text. A backslash is doubled; CR, LF and TAB are \r, \n and \t;
/// other control characters, bytes that are no UTF-8, and characters beyond Latin ones (they may be
/// wide, combining or right to left) are \xNN.
std::string shown(std::string_view bytes);

/// columns is the width of `text` on the screen, one column a character. `text` comes from shown or
/// is our own.
std::size_t columns(std::string_view text);

/// cut_columns splits `text` into pieces of at most `width` columns (above 0), at any character.
/// Empty text is one empty piece.
std::vector<std::string> cut_columns(std::string_view text, std::size_t width);

/// wrap_words splits `text` at its spaces into lines of at most `width` columns; longer words are
/// cut. Empty text is one empty line.
std::vector<std::string> wrap_words(std::string_view text, std::size_t width);

/// folded breaks `line` at its spaces where it is wider than `width` columns; a word that is wider
/// stays whole. What goes on stands under the last column that a table has in its left half, else
/// two columns further in. Colours take no room.
std::string folded(std::string_view line, std::size_t width);

/// padded fills `text` up to `width` columns with `fill`.
std::string padded(std::string_view text, std::size_t width, std::string_view fill = " ");

/// repeated gives `unit` `count` times.
std::string repeated(std::string_view unit, std::size_t count);

}  // namespace postern::reports
