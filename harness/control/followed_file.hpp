#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

namespace postern {

/// FollowedFile reads what is added to a file, as it is added. The file may come later; its folder
/// must be there. It is waited for through inotify, never by time. Used on one thread.
class FollowedFile {
 public:
  /// FollowedFile begins to follow. Throws std::system_error with the path.
  FollowedFile(boost::asio::any_io_executor executor, std::string path);
  ~FollowedFile();
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;

  /// changed completes when something happened to the file or beside it; false after stop.
  boost::asio::awaitable<bool> changed();

  /// read_new gives what was added since the last call, at most a megabyte; "" if there is nothing
  /// (more).
  std::string read_new();

  /// problem is empty, or says how the file stopped being one that only grows: truncated, replaced
  /// or removed.
  const std::string& problem() const;

  /// stop ends a waiting changed().
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern
