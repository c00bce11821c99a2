#pragma once

#include <string>

namespace postern {

/// make_message gives the message of a case, CRLF line ends, with the token in one short header and
/// at the start, in the middle and at the end of its body; lines that begin with dots are in it.
std::string make_message(const std::string& token, const std::string& sender,
                         const std::string& recipient, unsigned long long number);

}  // namespace postern
