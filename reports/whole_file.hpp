#pragma once

#include <string>
#include <string_view>

// Files that readers find whole or not at all.

namespace postern::reports {

/// WholeFile is written beside its place and takes it over only at commit: whoever reads the place
/// sees the old file or the whole new one, after a crash too. Of a symbolic link the target is
/// replaced. What is no regular file (a device, a FIFO, /dev/stdout) is written as it stands. One
/// thread.
class WholeFile {
 public:
  /// The constructor creates the file beside `path`, or opens what is written as it stands. Throws
  /// ResultsError where that fails; so do append and commit.
  explicit WholeFile(std::string path);
  /// The destructor removes what was not committed.
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void append(std::string_view text);

  /// commit syncs the file and gives it its name; what is written as it stands is only written.
  void commit();

 private:
  void flush();
  [[noreturn]] void fail(int error) const;

  std::string path_, target_, beside_, buffer_;
  int descriptor_ = -1;
};

}  // namespace postern::reports
