#include "control/followed_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <system_error>

namespace postern {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMostAtOnce = 1024 * 1024;

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

struct FollowedFile::State {
  State(const asio::any_io_executor& executor, std::string file)
      : path(std::move(file)), events(executor) {}
  ~State() {
    if (descriptor >= 0) ::close(descriptor);
  }

  void check();

  std::string path;
  asio::posix::stream_descriptor events;
  int descriptor = -1;
  off_t position = 0;
  std::string problem;
};

// check compares the file we read with the one that now bears the name.
void FollowedFile::State::check() {
  struct stat ours {};
  struct stat named {};
  if (!problem.empty() || descriptor < 0 || ::fstat(descriptor, &ours) != 0) return;
  if (ours.st_size < position) {
    problem = fmt::format("{} was truncated from {} to {} bytes", path, position, ours.st_size);
  } else if (::stat(path.c_str(), &named) != 0) {
    problem = path + " was removed";
  } else if (named.st_ino != ours.st_ino || named.st_dev != ours.st_dev) {
    problem = path + " was replaced by another file";
  }
}

FollowedFile::FollowedFile(asio::any_io_executor executor, std::string path)
    : state_(std::make_shared<State>(executor, std::move(path))) {
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (watch < 0) fail("inotify");
  state_->events.assign(watch);
  const std::string folder = std::filesystem::path(state_->path).parent_path();
  constexpr std::uint32_t kInteresting =
      IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE;
  if (::inotify_add_watch(watch, folder.c_str(), kInteresting) < 0) fail(folder);
}

FollowedFile::~FollowedFile() {
  stop();
}

asio::awaitable<bool> FollowedFile::changed() {
  const std::shared_ptr<State> state = state_;
  if (!state->events.is_open()) co_return false;
  std::array<char, 4096> space;  // What happened is seen by looking at the file itself.
  const auto buffer = asio::buffer(space);
  const auto [error, count] =
      co_await state->events.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

std::string FollowedFile::read_new() {
  State& state = *state_;
  std::string bytes;
  if (state.descriptor < 0) {
    state.descriptor = ::open(state.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (state.descriptor < 0) return bytes;
  }
  state.check();
  bytes.resize(kMostAtOnce);
  const ssize_t count = ::pread(state.descriptor, bytes.data(), bytes.size(), state.position);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  state.position += static_cast<off_t>(bytes.size());
  return bytes;
}

const std::string& FollowedFile::problem() const {
  return state_->problem;
}

void FollowedFile::stop() {
  boost::system::error_code ignored;
  state_->events.close(ignored);
}

}  // namespace postern
