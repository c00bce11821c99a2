#include "whole_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "report_place.hpp"
#include "results_file.hpp"

namespace postern::reports {

namespace {
constexpr std::size_t kBuffer = std::size_t{256} * 1024;
}

WholeFile::WholeFile(std::string path) : path_(std::move(path)) {
  if (is_passing(path_)) {
    descriptor_ = open_passing(path_);
  } else {
    target_ = target_of(path_);
    beside_ = target_ + ".XXXXXX";
    descriptor_ = ::mkostemp(beside_.data(), O_CLOEXEC);
  }
  if (descriptor_ < 0) {
    const int error = errno;
    beside_.clear();
    fail(error);
  }
}

WholeFile::~WholeFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void WholeFile::fail(int error) const {
  throw ResultsError(path_ + ": cannot be written: " + std::strerror(error));
}

void WholeFile::append(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBuffer) flush();
}

void WholeFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
  buffer_.clear();
}

void WholeFile::commit() {
  flush();
  if (beside_.empty()) return;  // Written as it stands; most of what is written so has no disk.
  // mkostemp makes the file private; a report is for everybody whom the umask admits.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(descriptor_, 0666 & ~mask) != 0) fail(errno);
  if (::fsync(descriptor_) != 0) fail(errno);
  if (std::rename(beside_.c_str(), target_.c_str()) != 0) fail(errno);
  beside_.clear();
}

}  // namespace postern::reports
