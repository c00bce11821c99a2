#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "authority.hpp"
#include "catalogue/condition.hpp"
#include "catalogue/gateway_file.hpp"
#include "control/exit.hpp"
#include "control/pid_namespace.hpp"
#include "control/record.hpp"
#include "control/remote.hpp"
#include "control/route.hpp"

// Gateway control: runs a gateway under test as a process with files, an address and a record of
// what became of each message. This room knows no gateway; a file of scenarios/gateways does.

namespace postern {

/// GatewayPlan is all that one running instance needs. What it points to must outlive the instance.
struct GatewayPlan {
  const GatewayFile* file = nullptr;
  Assignment settings;  ///< Every setting with its value.
  std::vector<Route> routes;
  const certs::Authority* authority = nullptr;
  const RemotePlace* remote = nullptr;  ///< Where it is, if its file says <remote>.
  std::string listen_address = "127.0.0.1";
  bool keep_directory = false;
  std::string program_directory;  ///< Where ${program.NAME} is found.
};

/// QueueState is what a stopped gateway still holds.
struct QueueState {
  bool known = false;
  std::vector<std::string> recipients;  ///< One entry a queued recipient.
  std::string why;                      ///< Why it is not known: "cannot tell: …".
};

/// GatewayDidNotStart says why no gateway came up. what() is one line.
class GatewayDidNotStart : public std::runtime_error {
 public:
  enum class Why {
    kPlan,      ///< A ${…} that nothing stands for, or a file that cannot be written.
    kPrepare,   ///< A prepare command failed.
    kExecute,   ///< The program could not be executed at all.
    kEnded,     ///< It ended before it was ready: the `rejected` outcome of a configuration.
    kNotReady,  ///< It ran and gave no ready sign in time. It has been killed.
  };

  GatewayDidNotStart(Why the_why, const std::string& what, std::vector<std::string> output,
                     std::string exit_text)
      : std::runtime_error(what),
        why(the_why),
        last_output(std::move(output)),
        exit(std::move(exit_text)) {}

  Why why;
  std::vector<std::string> last_output;  ///< Its last lines on stdout and stderr.
  std::string exit;                      ///< "exited 2"; empty if it did not run.
  std::string directory;                 ///< Where it stays, if the plan says so; else empty.
};

/// Gateway is one running instance, or one that is there already: that is told how it is to be set
/// by <prepare>, is neither started nor stopped, and seems to run until it is left. It is used on
/// the thread of the executor it was started on, and that thread must outlive it: the kernel kills
/// the gateway when the thread that started it ends. Destroying a Gateway that was not stopped
/// kills it, reaps it and removes its directory.
class Gateway {
 public:
  /// start writes the files, runs the prepare commands, starts the program and awaits its ready
  /// sign. `on_record` is called on the same executor for every event of the record, from the first
  /// line on (so before start returns, too) until stop returns; it must not throw. Events of the
  /// probe that waits for a banner are left out. Throws GatewayDidNotStart.
  /// In a co_await expression pass both arguments as named objects (std::move).
  static boost::asio::awaitable<std::unique_ptr<Gateway>> start(
      GatewayPlan plan, std::function<void(const RecordEvent&)> on_record);

  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// address and port tell where it listens: from its ready line if that says so.
  std::string address() const;
  unsigned short port() const;

  /// alive is false as soon as the process has ended, reaped or not.
  bool alive() const;

  /// stop sends the stop signal, waits as long as the file allows, then kills (and says so in the
  /// text). When it returns, the process is reaped, its outputs and its record have been read to
  /// their end and no further event comes. A gateway that has ended before is only read to its end.
  boost::asio::awaitable<Exit> stop();

  /// ended completes when the process ends, for whatever reason; at once if it has.
  boost::asio::awaitable<Exit> ended();

  /// signal sends a signal (SIGHUP …) to the program itself; nothing happens if it has ended.
  void signal(int number);

  /// configure writes the files anew, for these settings; the gateway does not know yet. Throws
  /// std::runtime_error if a file cannot be written.
  void configure(const Assignment& settings);

  /// peak_memory gives the octets that the program, or that one of its processes that has the most,
  /// has held at most, resident (VmHWM of proc(5)); 0 where that cannot be told, because it has
  /// ended for one thing.
  std::uint64_t peak_memory() const;

  /// queue lists what is still queued. Only after stop, while this object lives.
  boost::asio::awaitable<QueueState> queue();

  /// record_problem is empty while the record can be trusted; else why it cannot: its file was
  /// truncated, or an output stayed open after the end.
  const std::string& record_problem() const;

  /// last_output has the last lines of stdout and stderr: kLastOutput, and at most twice that.
  const std::vector<std::string>& last_output() const;
  static constexpr std::size_t kLastOutput = 200;

  /// directory is the instance's own; it stays if the plan says so.
  std::string directory() const;

  /// configuration is the text of the files written, each under a line with its name, and the
  /// command that was started.
  std::string configuration() const;

 private:
  struct Instance;
  explicit Gateway(std::shared_ptr<Instance> instance);

  std::shared_ptr<Instance> instance_;
};

}  // namespace postern
