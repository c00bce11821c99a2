#pragma once

#include <string>
#include <string_view>

// How a results file carries bytes in JSON strings, which can hold UTF-8 only.

namespace postern::reports {

/// append_json_string appends `bytes` to `out` as a JSON string, quotes included, from which
/// from_carried gives back every byte. Inside the JSON string a backslash is doubled, and bytes
/// that are no UTF-8, control characters and DEL stand as \xNN (two upper-case hex digits); CR, LF
/// and TAB are left to JSON's own \r \n \t.
void append_json_string(std::string& out, std::string_view bytes);

/// from_carried undoes what append_json_string did inside the JSON string: `\\` is a backslash,
/// \xNN a byte. Returns false where `carried` has any other backslash; `bytes` is then unspecified.
bool from_carried(std::string_view carried, std::string& bytes);

}  // namespace postern::reports
