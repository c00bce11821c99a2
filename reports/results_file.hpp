#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "result.hpp"

// The results file: JSON lines, written while the run goes on and read back one case at a time.
// Memory grows neither with the number of cases written nor with those read.

namespace postern::reports {

/// kResultsVersion is the version of the format that is written; older and equal ones are read.
constexpr int kResultsVersion = 1;

/// ResultsError says "FILE: …" or "FILE:LINE:COLUMN: what was found, what was allowed".
class ResultsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// ResultsWriter writes one results file. Each line is handed to the kernel whole as soon as it is
/// known, so a crash of this process loses no case and leaves whole lines. One thread.
class ResultsWriter {
 public:
  /// The constructor creates or empties `path` and writes the header line. Throws ResultsError
  /// where that fails.
  ResultsWriter(std::string path, const RunHeader& header);
  ~ResultsWriter();
  ResultsWriter(const ResultsWriter&) = delete;
  ResultsWriter& operator=(const ResultsWriter&) = delete;

  /// write appends one case. Throws ResultsError where the disk refuses.
  void write(const CaseResult& result);

  /// finish appends the footer line and syncs the file to the disk. Nothing may be written after
  /// it. Throws ResultsError.
  void finish(const RunFooter& footer);

  const std::string& path() const { return path_; }

 private:
  void put_line();

  std::string path_;
  std::string buffer_;
  int descriptor_ = -1;
};

/// ResultsReader reads one results file from front to end, and single cases again by their place.
/// Several files put one after the other are a results file too. One thread.
class ResultsReader {
 public:
  /// Spot is where in the file one line stands.
  struct Spot {
    std::uint64_t offset = 0;
    std::size_t length = 0;  ///< Bytes, without the line's end.
    unsigned line = 0;       ///< From 1.
  };

  /// The constructor opens `path` and reads the header. Throws ResultsError where there is none, or
  /// where the format is newer than kResultsVersion.
  explicit ResultsReader(std::string path);
  ~ResultsReader();
  ResultsReader(const ResultsReader&) = delete;
  ResultsReader& operator=(const ResultsReader&) = delete;

  const RunHeader& header() const;

  /// next returns the next case, or nothing at the end. Throws ResultsError for a line that is not
  /// what the format says. A last line that was cut short is not an error but a remark.
  std::optional<CaseResult> next();

  /// spot is the place of the case that next returned last.
  const Spot& spot() const;

  /// read_again returns the case at `spot`, without moving where next stands. Throws ResultsError.
  CaseResult read_again(const Spot& spot);

  /// line_again returns the line at `spot` as it stands in the file, without its end. Throws
  /// ResultsError.
  std::string line_again(const Spot& spot) const;

  /// footer is known once next has returned nothing; absent where the run did not end. Of several
  /// runs in one file it holds the sum of the seconds and the highest exit code; where a shard of
  /// theirs is missing or there twice, and where no case was judged, that is 3 at the least.
  const std::optional<RunFooter>& footer() const;

  /// remarks says what is odd but not fatal, "FILE: there is no footer: …"; complete once next has
  /// returned nothing.
  const std::vector<std::string>& remarks() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace postern::reports
