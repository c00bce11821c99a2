#pragma once

#include <memory>
#include <optional>
#include <string>

#include "catalogue/catalogue.hpp"

// A directory of small scenarios for tests: it begins right, and each test spoils one thing.

namespace postern {

class SampleScenarios {
 public:
  /// The directory is made with requirements, peers, a matrix, a story and a gateway that load.
  SampleScenarios();

  /// A copy of `directory`, which must load, to spoil instead.
  explicit SampleScenarios(const std::string& directory);
  ~SampleScenarios();
  SampleScenarios(const SampleScenarios&) = delete;
  SampleScenarios& operator=(const SampleScenarios&) = delete;

  /// write puts `text` into `file`, in place of what was there.
  void write(const std::string& file, const std::string& text);

  /// replace changes the first `from` in `file` to `to`; it throws where there is none.
  void replace(const std::string& file, const std::string& from, const std::string& to);

  /// read gives the text of `file`.
  std::string read(const std::string& file) const;

  /// load returns the catalogue, or nullptr.
  std::unique_ptr<Catalogue> load();

  /// problems gives what the last load complained of, with "DIR/" left out of file names.
  std::string problems() const;

 private:
  void make_directory();

  std::string directory_;
  std::string problems_;
};

}  // namespace postern
