#include "control/process.hpp"

// Without this Boost declares use_vfork and leaves out its code.
#define BOOST_POSIX_HAS_VFORK 1

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>
#include <boost/process/start_dir.hpp>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "control/latch.hpp"
#include "control/pid_namespace.hpp"
#include "control/pidfd.hpp"

namespace postern {

namespace asio = boost::asio;
namespace bp = boost::process;

namespace {

// Descriptors that are passed on are kept out of the way of 0 to 3, on which they are put in the
// child.
constexpr int kFirstOwnDescriptor = 10;
constexpr int kSignals = 65;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Descriptor owns one file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_ = -1;
};

Descriptor moved_up(int descriptor) {
  const Descriptor low(descriptor);
  Descriptor high(::fcntl(descriptor, F_DUPFD_CLOEXEC, kFirstOwnDescriptor));
  if (high.get() < 0) fail("no descriptor for a pipe");
  return high;
}

struct Pipe {
  Descriptor reading, writing;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("no pipe");
  Pipe pipe;
  pipe.reading = moved_up(ends[0]);
  pipe.writing = moved_up(ends[1]);
  return pipe;
}

// ChildSetup runs in the child between vfork and exec, in this process's memory, so it only makes
// system calls. (After fork, every page that this process writes to next would have to be copied.)
// Descriptors are closed here, since bp::limit_handles keeps them in one list for all threads.
struct ChildSetup : bp::extend::handler {
  ChildSetup(int the_first_of_ours, const std::vector<MountCall>& the_mounts)
      : first_of_ours(the_first_of_ours), mounts(the_mounts) {}

  pid_t parent = ::getpid();
  int first_of_ours;  // From this descriptor on they stay here.
  const std::vector<MountCall>& mounts;

  template <class Executor>
  void on_exec_setup(Executor&) const {
    ::setpgid(0, 0);
    ::close_range(static_cast<unsigned>(first_of_ours), ~0U, CLOSE_RANGE_CLOEXEC);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // The parent ended before the line above.
    for (int number = 1; number < kSignals; ++number) {
      if (number != SIGKILL && number != SIGSTOP) ::signal(number, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    enter_own_machine(mounts);
  }
};

std::string search_path() {
  const char* path = std::getenv("PATH");
  return std::string(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path) + ":/usr/sbin:/sbin";
}

bp::environment clean_environment() {
  bp::environment environment;
  environment["PATH"] = search_path();
  environment["LC_ALL"] = "C";
  environment["OPENSSL_CONF"] = "/dev/null";
  return environment;
}

std::vector<std::string> command_line(const Program& program) {
  std::vector<std::string> all;
  if (program.own_pid_namespace) all = pid_namespace_command();
  // On its own machine a program may be where there is none on this.
  if (!program.mounts.empty() && all.empty()) all.push_back("/usr/bin/env");
  all.insert(all.end(), program.arguments.begin(), program.arguments.end());
  return all;
}

}  // namespace

struct Process::Child {
  explicit Child(const asio::any_io_executor& executor)
      : pidfd(executor), out(executor), err(executor), extra(executor), ended(executor) {}
  ~Child() {
    if (!reaped) {
      kill_all();
      reap();
    }
  }

  void kill_all();
  void reap();
  bool has_ended() const;
  int program_pid() const;
  asio::posix::stream_descriptor& output(Output which) {
    return which == Output::kStdout ? out : which == Output::kStderr ? err : extra;
  }
  static asio::awaitable<void> watch(std::shared_ptr<Child> child);

  pid_t pid = 0;  // Of the process we started: the program itself, or the one that wraps it.
  bool wrapped = false;
  bool reaped = false;
  Exit exit;
  Descriptor stdin_writer;
  asio::posix::stream_descriptor pidfd, out, err, extra;
  Latch ended;
};

// A process that has ended but is not reaped keeps its number, so that neither it nor its group can
// be mistaken for another's here.
void Process::Child::kill_all() {
  if (wrapped) {
    const int init = first_child_of(pid);
    if (init != 0) ::kill(init, SIGKILL);
  }
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
}

void Process::Child::reap() {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  exit = wrapped ? exited_in_namespace(status) : exited(status);
  reaped = true;
}

// has_ended asks without reaping.
bool Process::Child::has_ended() const {
  siginfo_t info{};
  const int result = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
  return result != 0 || info.si_pid != 0;
}

int Process::Child::program_pid() const {
  if (reaped) return 0;
  return wrapped ? first_child_of(first_child_of(pid)) : pid;
}

asio::awaitable<void> Process::Child::watch(std::shared_ptr<Child> child) {
  // Asio may wake us for a descriptor that had this number before, so the kernel is asked.
  while (!child->reaped && !child->has_ended()) {
    const auto [error] = co_await child->pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                                                          asio::as_tuple(asio::use_awaitable));
    if (error) break;
  }
  if (!child->reaped) {
    // What it leaves in its process group ends with it, and with that its pipes.
    ::kill(-child->pid, SIGKILL);
    child->reap();
  }
  child->stdin_writer = Descriptor();
  child->ended.fire();
}

std::unique_ptr<Process> Process::start(asio::any_io_executor executor, const Program& program) {
  std::vector<std::string> line = command_line(program);
  const std::string path = find_program(line.front());
  if (path.empty()) {
    throw std::system_error(ENOENT, std::generic_category(), line.front());
  }
  line.erase(line.begin());
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe(), extra;
  if (program.extra_descriptor) extra = make_pipe();

  auto child = std::make_shared<Child>(executor);
  std::error_code error;
  const std::string directory = program.directory.empty() ? "." : program.directory;
  const auto launch = [&](auto&&... more) {
    return bp::child(
        bp::exe = path, bp::args = line, bp::env = clean_environment(), bp::start_dir = directory,
        bp::posix::fd.bind(0, in.reading.get()), bp::posix::fd.bind(1, out.writing.get()),
        bp::posix::fd.bind(2, err.writing.get()), more...,
        ChildSetup(program.extra_descriptor ? 4 : 3, program.mounts), bp::posix::use_vfork, error);
  };
  bp::child started =
      program.extra_descriptor ? launch(bp::posix::fd.bind(3, extra.writing.get())) : launch();
  if (error) throw std::system_error(error, path);
  child->pid = started.id();
  child->wrapped = program.own_pid_namespace;
  started.detach();

  const int pidfd = open_pidfd(child->pid);
  if (pidfd < 0) fail("pidfd_open");
  child->pidfd.assign(pidfd);
  child->out.assign(out.reading.release());
  child->err.assign(err.reading.release());
  if (program.extra_descriptor) child->extra.assign(extra.reading.release());
  if (program.keep_stdin) child->stdin_writer = std::move(in.writing);
  asio::co_spawn(executor, Child::watch(child), asio::detached);
  return std::unique_ptr<Process>(new Process(std::move(child)));
}

Process::Process(std::shared_ptr<Child> child) : child_(std::move(child)) {}

Process::~Process() {
  kill_and_reap();
}

void Process::kill_and_reap() {
  if (!child_->reaped) {
    child_->kill_all();
    child_->reap();
  }
  boost::system::error_code ignored;
  child_->pidfd.cancel(ignored);
  stop_reading();
}

int Process::pid() const {
  return child_->program_pid();
}

bool Process::running() const {
  return !child_->reaped && !child_->has_ended();
}

asio::awaitable<std::string> Process::read(Output output) {
  const std::shared_ptr<Child> child = child_;
  asio::posix::stream_descriptor& from = child->output(output);
  std::string bytes;
  if (!from.is_open()) co_return bytes;
  bytes.resize(64 * 1024);
  const auto space = asio::buffer(bytes);
  const auto [error, count] =
      co_await from.async_read_some(space, asio::as_tuple(asio::use_awaitable));
  bytes.resize(error ? 0 : count);
  co_return bytes;
}

void Process::stop_reading() {
  boost::system::error_code ignored;
  for (asio::posix::stream_descriptor* each : {&child_->out, &child_->err, &child_->extra}) {
    each->close(ignored);
  }
}

void Process::signal(int number) {
  const int target = child_->program_pid();
  if (target != 0) ::kill(target, number);
}

void Process::kill() {
  if (!child_->reaped) child_->kill_all();
}

asio::awaitable<Exit> Process::ended() {
  const std::shared_ptr<Child> child = child_;
  co_await child->ended.wait();
  co_return child->exit;
}

asio::awaitable<bool> Process::ended_within(std::chrono::steady_clock::duration limit) {
  const std::shared_ptr<Child> child = child_;
  const bool in_time = co_await child->ended.wait_for(limit);
  co_return in_time;
}

std::string find_program(const std::string& name) {
  const auto executable = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) return executable(name) ? name : "";
  const std::string path = search_path();
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t to = std::min(path.find(':', from), path.size());
    const std::string candidate = path.substr(from, to - from) + "/" + name;
    if (to > from && executable(candidate)) return candidate;
    from = to + 1;
  }
  return "";
}

}  // namespace postern
