#include "durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace gateway {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw std::runtime_error(fmt::format("{}: cannot {}: {}", path, what, std::strerror(errno)));
}

// Descriptor closes itself.
struct Descriptor {
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  int number;
};

void sync_folder(const std::string& folder) {
  const Descriptor descriptor{
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (descriptor.number < 0 || fsync(descriptor.number) != 0) fail(folder, "sync");
}

}  // namespace

void make_folders(const std::string& folder) {
  namespace fs = std::filesystem;
  const fs::path path(folder);
  if (folder.empty() || fs::is_directory(path)) return;
  const fs::path parent =
      path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  make_folders(parent.string());
  if (mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) fail(folder, "make");
  sync_folder(parent.empty() ? "." : parent.string());
}

void write_durably(const std::string& path, std::string_view content, int mode) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  make_folders(folder.string());
  const std::string draft = path + ".new";
  {
    const Descriptor file{
        open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode))};
    if (file.number < 0) fail(draft, "open");
    while (!content.empty()) {
      const ssize_t written = write(file.number, content.data(), content.size());
      if (written < 0 && errno != EINTR) fail(draft, "write");
      if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (fsync(file.number) != 0) fail(draft, "sync");
  }
  if (std::rename(draft.c_str(), path.c_str()) != 0) fail(path, "rename to");
  sync_folder(folder.string());
}

}  // namespace gateway
