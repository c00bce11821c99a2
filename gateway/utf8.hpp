// UTF-8 (RFC 3629): what is, and what is not.
#pragma once

#include <cstddef>
#include <string_view>

namespace gateway {

// utf8_length is the length of the valid UTF-8 sequence at the front of `text`, 0 if there is none.
std::size_t utf8_length(std::string_view text);

// is_utf8 tells whether all of `text` is valid UTF-8.
bool is_utf8(std::string_view text);

// is_ascii tells whether no octet of `text` is above 127.
bool is_ascii(std::string_view text);

}  // namespace gateway
