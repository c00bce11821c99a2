#pragma once

#include <cstddef>
#include <optional>

#include "result.hpp"

namespace postern::reports {

/// first_difference finds where a case that did not pass first left its way: a leak, the step of a
/// story that got something else, or what an outcome that was not expected was seen by. It gives an
/// index into the events in order of their time; nothing where the case is in order, or where what
/// is wrong is that something did not happen.
std::optional<std::size_t> first_difference(const CaseResult& result);

}  // namespace postern::reports
