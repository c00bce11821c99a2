#pragma once

#include <string>

#include "run/commands.hpp"

// The files in which a run leaves its reports.

namespace postern {

/// unusable_report says which of the reports that `options` name could not be written, and what to
/// do about it, in one line; "" if all can. Folders that are missing are made. What is asked of the
/// disk here is asked before a gateway is started: nobody plays thousands of cases for nothing.
std::string unusable_report(const ViewOptions& options);

/// write_views writes the JUnit report and the Markdown that `options` name from the results file
/// `results`, and prints on stdout what was written, the results included. False where one could
/// not be written; stderr then says why.
bool write_views(const ViewOptions& options, const std::string& results);

}  // namespace postern
