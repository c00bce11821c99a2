#pragma once

#include <cstddef>
#include <string>

// JUnit XML, for the CI systems that read it. docs/results.md has the mapping.

namespace postern::reports {

/// JUnitFlavour is how much is written: kCommon what the usual readers take, kStrict only what the
/// schema of Jenkins' xUnit plugin (junit-10.xsd) allows: no properties, file and line of a test
/// case, no count of skipped ones over all suites.
enum class JUnitFlavour { kCommon, kStrict };

/// kTranscriptLimit is how many bytes of a transcript are written, in head and tail.
constexpr std::size_t kTranscriptLimit = std::size_t{64} * 1024;

/// write_junit reads the results file `results` twice, front to end, and writes its view to `path`,
/// whole or not at all. A case that was run several times is one test case, with its worst run;
/// controls that were only taken along are left out. A run that did not end, or judged no case, has
/// one more test case, "postern"/"run", in error. Throws ResultsError.
void write_junit(const std::string& results, const std::string& path, JUnitFlavour flavour);

}  // namespace postern::reports
