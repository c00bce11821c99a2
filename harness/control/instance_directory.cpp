#include "control/instance_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <system_error>

namespace postern {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "postern-";
constexpr std::size_t kRandomCharacters = 6;
constexpr const char* kLockName = ".lock";
constexpr const char* kFreshLockName = ".lock.new";
constexpr std::string_view kMark = "postern gateway instance\n";
constexpr time_t kSettled = 3600;

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

std::string temporary_directory() {
  const char* set = std::getenv("TMPDIR");
  return set != nullptr && *set == '/' ? set : "/tmp";
}

void write_all(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// locked_file makes the lock under another name and renames it when it is held, so that nobody ever
// finds it free while its owner lives. -1: somebody took the directory for abandoned meanwhile.
int locked_file(const std::string& directory) {
  const std::string fresh = directory + "/" + kFreshLockName;
  const int descriptor = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno == ENOENT) return -1;
  if (descriptor < 0) fail(fresh);
  const std::string final_name = directory + "/" + kLockName;
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    write_all(descriptor, kMark, fresh);
    if (::rename(fresh.c_str(), final_name.c_str()) == 0) return descriptor;
  }
  const int reason = errno;
  ::close(descriptor);
  if (reason == ENOENT || reason == EWOULDBLOCK) return -1;
  errno = reason;
  fail(final_name);
}

bool has_our_mark(int descriptor) {
  char text[64];
  const ssize_t count = ::pread(descriptor, text, sizeof text, 0);
  return count >= 0 && std::string_view(text, static_cast<std::size_t>(count)) == kMark;
}

// is_ours checks everything but the lock itself. The mode is not compared: a gateway's preparation
// may open the directory to its own users.
bool is_ours(const fs::path& directory) {
  const std::string name = directory.filename();
  struct stat status {};
  return name.size() == kPrefix.size() + kRandomCharacters && name.rfind(kPrefix, 0) == 0 &&
         ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid();
}

// remove_if_free removes a directory whose lock file of that name nobody holds. One without our
// mark is left alone, unless its run was killed before it could write one.
bool remove_if_free(const fs::path& directory, const char* name, bool may_be_empty) {
  const std::string lock = directory / name;
  const int descriptor = ::open(lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  struct stat status {};
  const bool abandoned = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                         status.st_uid == ::geteuid() &&
                         (has_our_mark(descriptor) || (may_be_empty && status.st_size == 0)) &&
                         ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  std::error_code error;
  if (abandoned) fs::remove_all(directory, error);
  ::close(descriptor);
  return abandoned && !error;
}

// remove_if_abandoned knows a run that was killed while it made its directory, too: there is
// nothing in it yet, or the lock under its first name. Who is still at it finds that out and makes
// another.
bool remove_if_abandoned(const fs::path& directory) {
  std::error_code error;
  if (fs::exists(directory / kLockName, error)) return remove_if_free(directory, kLockName, false);
  if (fs::exists(directory / kFreshLockName, error))
    return remove_if_free(directory, kFreshLockName, true);
  return ::rmdir(directory.c_str()) == 0;
}

}  // namespace

unsigned remove_abandoned(const std::string& parent) {
  unsigned removed = 0;
  std::error_code error;
  for (fs::directory_iterator each(parent, error), end; !error && each != end;
       each.increment(error)) {
    if (is_ours(each->path()) && remove_if_abandoned(each->path())) ++removed;
  }
  return removed;
}

InstanceDirectory::InstanceDirectory(bool keep) : keep_(keep) {
  const std::string parent = temporary_directory();
  static std::once_flag once;
  std::call_once(once, [&parent] { remove_abandoned(parent); });
  while (lock_ < 0) {
    path_ = parent + "/" + std::string(kPrefix) + std::string(kRandomCharacters, 'X');
    if (::mkdtemp(path_.data()) == nullptr) fail(path_);
    lock_ = locked_file(path_);
  }
}

InstanceDirectory::~InstanceDirectory() {
  std::error_code ignored;
  if (keep_) {
    // Without its lock file no later run takes it for abandoned.
    fs::remove(path_ + "/" + kLockName, ignored);
  } else {
    fs::remove_all(path_, ignored);
  }
  ::close(lock_);
}

void InstanceDirectory::write(const std::string& name, const std::string& text,
                              unsigned mode) const {
  const fs::path relative = fs::path(name).lexically_normal();
  const std::string path = path_ + "/" + relative.string();
  if (relative.empty() || relative.is_absolute() || *relative.begin() == "..") {
    errno = EINVAL;
    fail(name);
  }
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) throw std::system_error(error, path);
  const int descriptor = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) fail(path);
  write_all(descriptor, text, path);
  struct timespec times[2]{};
  times[0].tv_sec = times[1].tv_sec = ::time(nullptr) - kSettled;
  const bool settled = ::fchmod(descriptor, mode) == 0 && ::futimens(descriptor, times) == 0;
  const int reason = errno;
  ::close(descriptor);
  if (!settled) {
    errno = reason;
    fail(path);
  }
}

}  // namespace postern
