#include "control/record_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace postern {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr int kMostAtOnce = 256;
constexpr int kBuffer = 1 << 20;  // A writer waits where it is full.

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

struct RecordSocket::State {
  explicit State(const asio::any_io_executor& executor) : socket(executor) {}
  asio::posix::stream_descriptor socket;
  bool stopped = false;
};

RecordSocket::RecordSocket(const asio::any_io_executor& executor, const std::string& path)
    : state_(std::make_shared<State>(executor)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::system_error(ENAMETOOLONG, std::generic_category(), path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) fail(path);
  state_->socket.assign(socket);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof kBuffer);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0666) != 0)
    fail(path);
}

RecordSocket::~RecordSocket() {
  stop();
}

asio::awaitable<bool> RecordSocket::ready() {
  const std::shared_ptr<State> state = state_;
  if (state->stopped) co_return false;
  const auto [error] = co_await state->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                                         asio::as_tuple(asio::use_awaitable));
  co_return !error && !state->stopped;
}

std::string RecordSocket::take() {
  std::string lines, datagram(kLongest, '\0');
  for (int number = 0; number < kMostAtOnce; ++number) {
    const ssize_t count =
        ::recv(state_->socket.native_handle(), datagram.data(), datagram.size(), MSG_DONTWAIT);
    if (count < 0) break;
    std::string line = datagram.substr(0, static_cast<std::size_t>(count));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\0')) line.pop_back();
    for (char& c : line)
      if (c == '\n') c = ' ';
    lines += line + '\n';
  }
  return lines;
}

void RecordSocket::stop() {
  boost::system::error_code ignored;
  state_->stopped = true;
  state_->socket.cancel(ignored);
}

}  // namespace postern
