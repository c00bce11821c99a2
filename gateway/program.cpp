#include "program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>

#include "database.hpp"
#include "journal.hpp"
#include "server.hpp"
#include "settings.hpp"
#include "simulator.hpp"

namespace gateway {
namespace {

constexpr int kConfigurationError = 2;

void ask_for_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int complain(const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return kConfigurationError;
}

int list_queue(const Config& config) {
  const std::string file = config.data + "/queue.db";
  if (access(file.c_str(), F_OK) != 0) return 0;  // nothing was ever queued
  Database database(file, Database::Mode::read);
  for (const auto& envelope : database.messages()) {
    for (const auto& recipient : envelope.recipients) {
      fmt::print(
          "{{\"queue-id\":{},\"sender\":{},\"recipient\":{},\"attempts\":{},"
          "\"received\":\"{}\",\"next-attempt\":\"{}\",\"enhanced\":{},\"reason\":{}}}\n",
          json_string(queue_id(envelope.id)), json_string(envelope.sender),
          json_string(recipient.address), recipient.attempts, rfc3339(envelope.received),
          rfc3339(recipient.next_attempt), json_string(recipient.enhanced),
          json_string(recipient.reason));
    }
  }
  return 0;
}

// check_ready_descriptor refuses, before anything is served, a descriptor that could not be told.
void check_ready_descriptor(int descriptor) {
  if (descriptor < 0) return;
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    throw std::runtime_error(
        fmt::format("--ready-fd: found {}, which is {}; allowed: a descriptor open for writing",
                    descriptor, flags < 0 ? "not open" : "open for reading only"));
  }
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

// tell_ready writes the ready line and closes the descriptor, unless it is stdout.
void tell_ready(int descriptor, const Server& server) {
  std::string line = "READY";
  for (const auto& endpoint : server.endpoints()) line += " smtp=" + endpoint;
  line += '\n';
  const int target = descriptor < 0 ? STDOUT_FILENO : descriptor;
  if (write(target, line.data(), line.size()) < 0) fmt::print(stderr, "cannot tell: {}", line);
  if (descriptor > STDERR_FILENO) close(descriptor);
}

// Process is the running program: it turns signals, and the end of stdin, into calls of the server.
class Process {
 public:
  // `ended` is called once the server has stopped.
  Process(asio::io_context& context, Server& server, std::function<void()> ended)
      : server_(server),
        ended_(std::move(ended)),
        signals_(context, SIGTERM, SIGINT, SIGHUP),
        stdin_(context) {}

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        server_.reload();
      } else {
        stop();
      }
      watch_signals();
    });
  }

  void watch_stdin() {
    stdin_.assign(STDIN_FILENO);
    read_stdin();
  }

 private:
  void read_stdin() {
    stdin_.async_read_some(asio::buffer(buffer_),
                           [this](const boost::system::error_code& error, std::size_t) {
                             if (!error) return read_stdin();
                             if (error != asio::error::operation_aborted) stop();
                           });
  }

  void stop() { server_.stop(ended_); }

  Server& server_;
  std::function<void()> ended_;
  asio::signal_set signals_;
  asio::posix::stream_descriptor stdin_;
  std::array<char, 64> buffer_{};
};

// run serves until the server has stopped. From then on no signal counts: a second SIGTERM must not
// turn an orderly end into a death by it.
void run(asio::io_context& context) {
  context.run();
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

int serve(const Options& options) {
  Config config = load_config(options.file);
  asio::io_context context(1);
  Server server(context.get_executor(), std::move(config), options.file);
  server.open();
  Process process(context, server, [&context] { context.stop(); });
  process.watch_signals();
  if (options.die_with_parent) process.watch_stdin();
  server.start();
  tell_ready(options.ready_fd, server);
  run(context);
  return 0;
}

int simulate(const Options& options) {
  const Simulator simulator;
  asio::io_context context(1);
  const std::string next_hop_file = simulator.next_hop_file();
  Server next_hop(context.get_executor(), load_config(next_hop_file), next_hop_file);
  next_hop.open();
  const std::string endpoint = next_hop.endpoints().front();
  simulator.write_gateway_file(endpoint.substr(endpoint.rfind(':') + 1));
  const std::string file = simulator.gateway_file();
  Server server(context.get_executor(), load_config(file), file);
  server.open();
  Process process(context, server, [&] { next_hop.stop([&] { context.stop(); }); });
  process.watch_signals();
  if (options.die_with_parent) process.watch_stdin();
  fmt::print("{}", simulator.instructions(server.endpoints().front()));
  std::fflush(stdout);
  next_hop.start();
  server.start();
  tell_ready(options.ready_fd, server);
  run(context);
  return 0;
}

}  // namespace

int run_program(const Options& options) {
  // Other people's mail: what we make is for nobody else to read.
  umask(S_IRWXG | S_IRWXO);
  std::signal(SIGPIPE, SIG_IGN);
  if (options.die_with_parent) prctl(PR_SET_PDEATHSIG, SIGKILL);
  ask_for_descriptors();
  try {
    check_ready_descriptor(options.ready_fd);
    if (options.file.empty()) return simulate(options);
    if (options.check) {
      make_settings(load_config(options.file), 1);
      return 0;
    }
    if (options.list_queue) return list_queue(load_config(options.file));
    return serve(options);
  } catch (const std::exception& error) {
    return complain(error);
  }
}

}  // namespace gateway
