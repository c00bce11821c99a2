#pragma once

#include <string>

#include "catalogue/catalogue.hpp"
#include "catalogue/selection.hpp"
#include "result.hpp"

namespace postern {

/// weigh_departures holds the result of `one` to what its gateway is known to do otherwise. A
/// failure of which every line is told of becomes a skip that names the deviation; one that has
/// expired by `today` (YYYY-MM-DD) stays a failure, and a case that passes although it is told of
/// is one.
void weigh_departures(const Departures& known, const std::string& today, const Chosen& one,
                      reports::CaseResult& result);

/// today gives the day, in UTC.
std::string today();

}  // namespace postern
