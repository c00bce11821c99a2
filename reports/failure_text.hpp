#pragma once

#include <string>

#include "result.hpp"

// A failing case in words and as a ladder: what an engineer reads first.

namespace postern::reports {

/// failure_summary says what was expected and what came, leg by leg, with the requirement's words;
/// 100 columns, every line ended.
std::string failure_summary(const CaseResult& result);

/// transcript_text draws both legs on one time axis and adds the gateway's own lines; empty where
/// there is neither.
std::string transcript_text(const CaseResult& result);

/// failure_text is the whole: verdict and case id, failure_summary, transcript_text, and the
/// command that runs just this case again. 100 columns but for that command, which is one line to
/// copy.
std::string failure_text(const CaseResult& result);

}  // namespace postern::reports
