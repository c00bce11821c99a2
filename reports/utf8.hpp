#pragma once

#include <cstddef>
#include <string_view>

// Bytes of the wire are not UTF-8 by themselves; every report has to tell which are.

namespace postern::reports {

/// utf8_length returns how many bytes the well-formed UTF-8 sequence (RFC 3629 section 4) at
/// `text[at]` has, 1 to 4, or 0 where none begins there: overlong forms, surrogates, code points
/// above U+10FFFF and cut sequences are none. `at` must be below text.size().
std::size_t utf8_length(std::string_view text, std::size_t at);

}  // namespace postern::reports
