#pragma once

#include <string>
#include <string_view>

// Bytes as XML 1.0 text that every parser takes.

namespace postern::reports {

/// append_xml appends `bytes` as character data that is valid in an attribute's value in double
/// quotes, too. Characters that XML 1.0 forbids (section 2.2, Char) and bytes that are no UTF-8
/// stand as visible \xNN; they cannot even be written as references.
void append_xml(std::string& out, std::string_view bytes);

/// append_xml_attribute appends ` name="…"`, with newline, return and tab as references: a parser
/// would make spaces of them (section 3.3.3).
void append_xml_attribute(std::string& out, std::string_view name, std::string_view bytes);

}  // namespace postern::reports
