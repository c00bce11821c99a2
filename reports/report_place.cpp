#include "report_place.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>

namespace postern::reports {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // As many as the kernel follows.

// own_descriptor gives N where the path names a descriptor of this process; else -1. To open such a
// path would make a second offset into the same file, and one writer would overwrite the other.
int own_descriptor(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (path.substr(0, folder.size()) != folder) continue;
    const std::string_view digits = path.substr(folder.size());
    int number = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size()) return number;
  }
  return -1;
}

}  // namespace

bool is_passing(const std::string& path) {
  if (own_descriptor(path) >= 0) return true;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return !error && fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

int open_passing(const std::string& path) {
  std::fflush(stdout);
  const int own = own_descriptor(path);
  if (own >= 0) return ::fcntl(own, F_DUPFD_CLOEXEC, 3);
  return ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

std::string target_of(const std::string& path) {
  fs::path target = path;
  std::error_code error;
  for (int links = 0; links < kMostLinks; ++links) {
    if (!fs::is_symlink(fs::symlink_status(target, error))) return target.string();
    const fs::path next = fs::read_symlink(target, error);
    if (error) return path;
    target = target.parent_path() / next;  // An absolute `next` stands alone.
  }
  return path;
}

}  // namespace postern::reports
