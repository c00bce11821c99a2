#pragma once

#include <string>
#include <vector>

#include "result.hpp"

// Results for the tests of this room, made by hand as a run would make them.

namespace postern::reports {

/// sample_header is the header of a run of the reference gateway.
RunHeader sample_header();

/// sample_failure is a case in which a gateway delivered, inside TLS, to a server whose certificate
/// has expired, under client-level=verify: docs/results.md shows how it is printed.
CaseResult sample_failure();

/// sample_pass is the case of the good server under the same settings.
CaseResult sample_pass();

/// matrix_case makes a case of the matrix that passed with the outcomes given as their text
/// ("drop reply=530").
CaseResult matrix_case(const std::string& levels, const std::string& client,
                       const std::string& server, const std::string& inbound,
                       const std::string& outbound);

/// TemporaryFile is a name below the temporary directory; the file is removed with the object.
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }
  std::string text() const;
  void write(const std::string& text) const;

 private:
  std::string path_;
};

/// write_results writes a whole results file.
void write_results(const std::string& path, const std::vector<CaseResult>& cases);

}  // namespace postern::reports
