#pragma once

#include <string>

#include "summary.hpp"

// A run as the summary of a CI job's page (GitHub, GitLab).

namespace postern::reports {

/// markdown_text gives the run in GitHub-flavoured Markdown: passed or not, counts, the gateway,
/// one table for each matrix (rows are mode combinations, columns clients, then servers), a legend,
/// and the first kListed cases that did not pass with their reasons and commands.
std::string markdown_text(const RunSummary& run);

/// write_markdown writes markdown_text of the results file `results` to `path`, whole or not at
/// all. Throws ResultsError.
void write_markdown(const std::string& results, const std::string& path);

}  // namespace postern::reports
