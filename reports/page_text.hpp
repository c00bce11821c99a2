#pragma once

// The files below page/, built into the program.

namespace postern::reports {

extern const char* const kPageTemplate;  ///< report.html, a mustache template.
extern const char* const kPageStyle;     ///< report.css
extern const char* const kPageScript;    ///< report.js

}  // namespace postern::reports
