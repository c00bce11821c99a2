#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "control/exit.hpp"
#include "control/mounts.hpp"

namespace postern {

/// Program is what to execute, and how.
struct Program {
  std::vector<std::string> arguments;  ///< The first is sought in $PATH unless it holds a '/'.
  std::string directory;               ///< Where it runs; empty: where we are.
  bool keep_stdin = true;              ///< false: it finds the end of its input at once.
  bool extra_descriptor = false;       ///< It may write on descriptor 3, too.
  bool own_pid_namespace = false;      ///< Whatever it leaves behind ends with it.
  std::vector<MountCall> mounts;       ///< What it alone sees of the machine.
};

/// Process is one child process and the pipes to it. All that Boost.Process does for us is in here.
///
/// The child starts with a clean environment (PATH, LC_ALL=C, OPENSSL_CONF=/dev/null), default
/// signal dispositions, an empty signal mask, no descriptor but its pipes, and a process group of
/// its own, so that Ctrl-C on a terminal leaves its end to us. The kernel kills it when the thread
/// that started it ends; its standard input ends with this process.
///
/// Used on one thread. Destroying a running Process kills and reaps it.
class Process {
 public:
  enum class Output { kStdout = 1, kStderr = 2, kExtra = 3 };

  /// start executes `program`. Throws std::system_error if it cannot be executed.
  static std::unique_ptr<Process> start(boost::asio::any_io_executor executor,
                                        const Program& program);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// pid is the program's own: in a PID namespace of its own, its pid as we see it. 0 if it has
  /// ended.
  int pid() const;

  /// running is false once the process has ended, whether that was noticed before or not.
  bool running() const;

  /// read gives some bytes of an output; "" at its end. One reader for each output.
  boost::asio::awaitable<std::string> read(Output output);

  /// stop_reading lets a waiting read end as if at the end, where something keeps a pipe open.
  void stop_reading();

  /// signal sends a signal to the program; nothing if it has ended.
  void signal(int number);

  /// kill ends the program and all of its process group or PID namespace.
  void kill();

  /// kill_and_reap does so at once, without waiting for an event, and closes the pipes.
  void kill_and_reap();

  /// ended completes when the process has ended and is reaped.
  boost::asio::awaitable<Exit> ended();

  /// ended_within does so too, and gives false if it still runs after `limit`.
  boost::asio::awaitable<bool> ended_within(std::chrono::steady_clock::duration limit);

 private:
  struct Child;
  explicit Process(std::shared_ptr<Child> child);

  std::shared_ptr<Child> child_;
};

/// find_program gives the path at which `name` is executed: itself if it holds a '/', else the
/// first executable of that name in $PATH, /usr/sbin or /sbin; "" if there is none.
std::string find_program(const std::string& name);

}  // namespace postern
