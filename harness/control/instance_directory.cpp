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
// finds it free while its owner lives.
int locked_file(const std::string& directory) {
  const std::string fresh = directory + "/.lock.new";
  const int descriptor = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) fail(fresh);
  write_all(descriptor, kMark, fresh);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) fail(fresh);
  const std::string final_name = directory + "/" + kLockName;
  if (::rename(fresh.c_str(), final_name.c_str()) != 0) fail(final_name);
  return descriptor;
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

bool remove_if_abandoned(const fs::path& directory) {
  const std::string lock = directory / kLockName;
  const int descriptor = ::open(lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  struct stat status {};
  const bool abandoned = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                         status.st_uid == ::geteuid() && has_our_mark(descriptor) &&
                         ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  std::error_code error;
  if (abandoned) fs::remove_all(directory, error);
  ::close(descriptor);
  return abandoned && !error;
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
  path_ = parent + "/" + std::string(kPrefix) + std::string(kRandomCharacters, 'X');
  if (::mkdtemp(path_.data()) == nullptr) fail(path_);
  lock_ = locked_file(path_);
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
