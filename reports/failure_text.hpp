#pragma once

#include <string>

#include "ladder.hpp"
#include "result.hpp"

// A failing case in words and as a ladder: what an engineer reads first. No line is wider than
// `width` columns, at least kLeastLadderColumns.

namespace postern::reports {

/// failure_summary says what was expected and what came, leg by leg, with the requirement's words;
/// every line ended.
std::string failure_summary(const CaseResult& result, std::size_t width = kLadderColumns);

/// transcript_text draws both legs on one time axis and adds the gateway's own lines; empty where
/// there is neither.
std::string transcript_text(const CaseResult& result, std::size_t width = kLadderColumns);

/// failure_text is the whole: verdict and case id, failure_summary, transcript_text, and the
/// command that runs just this case again, which is one line to copy, however wide.
std::string failure_text(const CaseResult& result, std::size_t width = kLadderColumns);

}  // namespace postern::reports
