#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

namespace postern {

/// RecordSocket stands where a program looks for syslog: a socket of datagrams at a path, each of
/// them a line. Used on one thread.
class RecordSocket {
 public:
  /// RecordSocket binds the socket, for everybody to write to. Throws std::system_error with the
  /// path.
  RecordSocket(const boost::asio::any_io_executor& executor, const std::string& path);
  ~RecordSocket();
  RecordSocket(const RecordSocket&) = delete;
  RecordSocket& operator=(const RecordSocket&) = delete;

  /// ready completes when there is something to take; false after stop.
  boost::asio::awaitable<bool> ready();

  /// take gives the lines that have come, each with its line end; "" if there are none (left).
  std::string take();

  /// stop ends a waiting ready(). What has come can still be taken.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern
