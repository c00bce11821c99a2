#pragma once

#include <string>

namespace postern {

/// InstanceDirectory is a temporary directory of one gateway instance, mode 0700, held by a lock
/// for as long as this process lives. Directories that a killed run left behind are removed by the
/// next one.
class InstanceDirectory {
 public:
  /// InstanceDirectory makes a directory below $TMPDIR, or /tmp. The first one that a process makes
  /// removes what ended runs left there. Throws std::system_error with the path.
  explicit InstanceDirectory(bool keep);

  /// It removes the directory with all that is in it, unless it is to be kept.
  ~InstanceDirectory();
  InstanceDirectory(const InstanceDirectory&) = delete;
  InstanceDirectory& operator=(const InstanceDirectory&) = delete;

  const std::string& path() const { return path_; }

  /// write makes a file with `text` below the directory, and the folders on the way to it. Its time
  /// is set an hour back, since some programs wait until a file of theirs looks settled. Throws
  /// std::system_error with the path, also for a name that leads out of the directory.
  void write(const std::string& name, const std::string& text, unsigned mode) const;

 private:
  std::string path_;
  bool keep_;
  int lock_ = -1;
};

/// remove_abandoned removes the instance directories directly below `parent` whose lock is free.
/// Only what is provably ours counts: the name, the owner, and a lock file with our mark.
/// Returns how many it removed.
unsigned remove_abandoned(const std::string& parent);

}  // namespace postern
