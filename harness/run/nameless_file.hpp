#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "results_file.hpp"

namespace postern {

/// NamelessFile is a file for results that nobody keeps: it is gone when this process is, however
/// it ends, and can be read by its path until then.
class NamelessFile {
 public:
  /// Throws reports::ResultsError where it cannot be made.
  NamelessFile() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "postern-results-XXXXXX").string();
    descriptor_ = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (descriptor_ < 0) throw reports::ResultsError(pattern + ": " + std::strerror(errno));
    ::unlink(pattern.c_str());
  }
  ~NamelessFile() { ::close(descriptor_); }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_ = -1;
};

}  // namespace postern
