#include "control/process.hpp"

#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <thread>

#include "control/command.hpp"
#include "control/pid_namespace.hpp"
#include "control/pidfd.hpp"
#include "control/time_scale.hpp"

namespace postern {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kLimit{10};

Program program(std::vector<std::string> arguments) {
  Program made;
  made.arguments = std::move(arguments);
  return made;
}

Program shell(const std::string& script) {
  return program({"sh", "-c", script});
}

CommandResult run(const Program& what) {
  return run_command_blocking(what, scaled(kLimit));
}

// run_in calls a coroutine on a fresh io_context and runs it to the end of all that it began.
template <typename Coroutine>
void run_coroutine(Coroutine coroutine) {
  asio::io_context context(1);
  std::exception_ptr failure;
  asio::co_spawn(context, coroutine(), [&failure](std::exception_ptr error) { failure = error; });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

TEST(ProcessTest, exit_status_is_named_exactly) {
  EXPECT_EQ(run(shell("exit 0")).exit.text, "exited 0");
  EXPECT_TRUE(run(shell("exit 0")).exit.clean);
  EXPECT_EQ(run(shell("exit 7")).exit.text, "exited 7");
  EXPECT_FALSE(run(shell("exit 7")).exit.clean);
  EXPECT_EQ(run(shell("kill -SEGV $$")).exit.text, "killed by signal 11 (SEGV)");
}

TEST(ProcessTest, outputs_are_read_to_their_end) {
  const CommandResult result = run(shell("echo out; echo err >&2; printf last"));
  EXPECT_THAT(result.lines, testing::UnorderedElementsAre("out", "err", "last"));
}

TEST(ProcessTest, a_command_that_does_not_end_is_killed_and_that_is_said) {
  const CommandResult result = run_command_blocking(program({CONTROL_TEST_PROGRAM, "stubborn"}),
                                                    std::chrono::milliseconds(50));
  EXPECT_EQ(result.exit.text, "killed by signal 9 (KILL) after it did not end within 50ms");
}

TEST(ProcessTest, a_program_that_is_not_there) {
  const CommandResult result = run(program({"/no/such/program"}));
  EXPECT_FALSE(result.exit.clean);
  EXPECT_THAT(result.exit.text, testing::HasSubstr("No such file or directory"));
}

TEST(ProcessTest, the_child_starts_clean) {
  const auto old = ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const int stray = ::dup(1);  // Not CLOEXEC on purpose.
  const CommandResult result = run(program({CONTROL_TEST_PROGRAM, "descriptors"}));
  ::close(stray);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, old);
  EXPECT_THAT(result.lines,
              testing::ElementsAre("open 0 1 2", "sigpipe default", "mask empty", "group own",
                                   "death signal 9", "LC_ALL=C", "OPENSSL_CONF=/dev/null"));
}

TEST(ProcessTest, the_extra_descriptor_is_3) {
  const auto test = []() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    Program with_extra = shell("echo READY >&3");
    with_extra.extra_descriptor = true;
    const auto process = Process::start(executor, with_extra);
    const std::string got = co_await process->read(Process::Output::kExtra);
    EXPECT_EQ(got, "READY\n");
    const std::string end = co_await process->read(Process::Output::kExtra);
    EXPECT_EQ(end, "");
    co_await process->ended();
    EXPECT_FALSE(process->running());
    EXPECT_EQ(process->pid(), 0);
  };
  run_coroutine(test);
}

// What starts programs holds nothing that all threads share.
TEST(ProcessTest, two_threads_start_programs_at_once) {
  constexpr int kStarts = 500;
  int clean = 0, other_clean = 0;
  const auto start_many = [](int& ended_clean) {
    for (int count = 0; count < kStarts; ++count) ended_clean += run(program({"true"})).exit.clean;
  };
  std::thread other([&] { start_many(other_clean); });
  start_many(clean);
  other.join();
  EXPECT_EQ(clean, kStarts);
  EXPECT_EQ(other_clean, kStarts);
}

TEST(ProcessTest, standard_input_ends_with_us_and_not_before) {
  const auto test = []() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto process = Process::start(executor, shell("echo on; read x; echo off"));
    co_await process->read(Process::Output::kStdout);
    const bool ended = co_await process->ended_within(std::chrono::milliseconds(30));
    EXPECT_FALSE(ended);
  };
  run_coroutine(test);
}

TEST(ProcessTest, what_stays_in_its_group_ends_with_it) {
  const CommandResult result =
      run(shell(std::string(CONTROL_TEST_PROGRAM) + " stubborn & read x; exit 3"));
  EXPECT_EQ(result.exit.text, "exited 3");
}

TEST(ProcessTest, destroying_a_running_process_kills_and_reaps_it) {
  int pid = 0;
  const auto test = [](int* out) -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto process = Process::start(executor, program({CONTROL_TEST_PROGRAM, "stubborn"}));
    co_await process->read(Process::Output::kStdout);
    *out = process->pid();
  };
  run_coroutine([&] { return test(&pid); });
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

// ends_within waits on a process that is not our child.
bool ends_within(int pidfd, std::chrono::milliseconds limit) {
  pollfd waiting{pidfd, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(limit.count())) == 1;
}

void expect_nothing_survives_its_supervisor(const std::string& what, const std::string& where) {
  const auto test = [](std::string child, std::string how) -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const Program command = program({CONTROL_TEST_PROGRAM, "supervise", child, how});
    const auto supervisor = Process::start(executor, command);
    const std::string line = co_await supervisor->read(Process::Output::kStdout);
    int main_pid = 0, other_pid = 0;
    EXPECT_EQ(std::sscanf(line.c_str(), "%d %d", &main_pid, &other_pid), 2) << line;
    const int main_fd = open_pidfd(main_pid), other_fd = open_pidfd(other_pid);
    EXPECT_GE(main_fd, 0);
    EXPECT_GE(other_fd, 0);
    ::kill(supervisor->pid(), SIGKILL);
    EXPECT_TRUE(ends_within(main_fd, std::chrono::milliseconds(1000)));
    EXPECT_TRUE(ends_within(other_fd, std::chrono::milliseconds(1000)));
    ::close(main_fd);
    ::close(other_fd);
    co_await supervisor->ended();
  };
  run_coroutine([&] { return test(what, where); });
}

TEST(ProcessTest, no_child_survives_the_supervisors_sudden_death) {
  expect_nothing_survives_its_supervisor("stubborn", "shared");
}

TEST(ProcessTest, in_its_own_pid_namespace_not_even_other_sessions_survive) {
  if (!pid_namespace_problem().empty()) {
    GTEST_SKIP() << "no PID namespace here: " << pid_namespace_problem();
  }
  expect_nothing_survives_its_supervisor("stubborn", "own");
  expect_nothing_survives_its_supervisor("sessions", "own");
}

TEST(ProcessTest, in_its_own_pid_namespace_the_program_itself_gets_the_signal) {
  if (!pid_namespace_problem().empty()) {
    GTEST_SKIP() << "no PID namespace here: " << pid_namespace_problem();
  }
  const auto test = []() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    Program trapping = shell("trap 'echo stopping; exit 4' TERM; echo $$; read x");
    trapping.own_pid_namespace = true;
    const auto process = Process::start(executor, trapping);
    const std::string pid = co_await process->read(Process::Output::kStdout);
    EXPECT_EQ(pid, "2\n");
    process->signal(SIGTERM);
    const std::string word = co_await process->read(Process::Output::kStdout);
    EXPECT_EQ(word, "stopping\n");
    const Exit exit = co_await process->ended();
    EXPECT_EQ(exit.text, "exited 4");
  };
  run_coroutine(test);
}

TEST(ProcessTest, in_its_own_pid_namespace_an_end_is_named_all_the_same) {
  if (!pid_namespace_problem().empty()) {
    GTEST_SKIP() << "no PID namespace here: " << pid_namespace_problem();
  }
  Program crashing = shell("kill -SEGV $$");
  crashing.own_pid_namespace = true;
  EXPECT_EQ(run(crashing).exit.text, "killed by signal 11 (SEGV)");
  Program failing = shell("exit 3");
  failing.own_pid_namespace = true;
  EXPECT_EQ(run(failing).exit.text, "exited 3");
}

TEST(ExitTest, signal_names) {
  EXPECT_EQ(signal_number("TERM"), SIGTERM);
  EXPECT_EQ(signal_number("SIGHUP"), SIGHUP);
  EXPECT_EQ(signal_number("2"), SIGINT);
  EXPECT_EQ(signal_number("NONSENSE"), 0);
}

TEST(TimeScaleTest, only_positive_numbers_are_allowed) {
  EXPECT_EQ(time_scale_problem(nullptr), "");
  EXPECT_EQ(time_scale_problem("2.5"), "");
  EXPECT_THAT(time_scale_problem("fast"), testing::HasSubstr("\"fast\"; allowed is a number"));
  EXPECT_NE(time_scale_problem("0"), "");
  EXPECT_NE(time_scale_problem(""), "");
}

}  // namespace
}  // namespace postern
