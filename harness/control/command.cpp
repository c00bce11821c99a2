#include "control/command.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <system_error>

#include "control/latch.hpp"
#include "control/record.hpp"

namespace postern {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMostLines = 100'000;

// Reading is the state that the two readers of a command share with it.
struct Reading {
  Reading(const asio::any_io_executor& executor, std::unique_ptr<Process> started)
      : process(std::move(started)), done(executor) {}

  std::unique_ptr<Process> process;
  std::vector<std::string> lines;
  int open = 2;
  Latch done;
};

asio::awaitable<void> read_lines(std::shared_ptr<Reading> reading, Process::Output output) {
  LineSplitter splitter;
  const std::function<void(std::string_view)> keep = [&reading](std::string_view line) {
    if (reading->lines.size() < kMostLines) reading->lines.emplace_back(line);
  };
  while (true) {
    const std::string bytes = co_await reading->process->read(output);
    if (bytes.empty()) break;
    splitter.feed(bytes, keep);
  }
  splitter.finish(keep);
  if (--reading->open == 0) reading->done.fire();
}

}  // namespace

asio::awaitable<CommandResult> run_command(Program program,
                                           std::chrono::steady_clock::duration limit) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  program.keep_stdin = false;
  CommandResult result;
  std::shared_ptr<Reading> reading;
  try {
    reading = std::make_shared<Reading>(executor, Process::start(executor, program));
  } catch (const std::system_error& error) {
    result.exit.text = fmt::format("cannot be executed: {}", error.what());
    co_return result;
  }
  asio::co_spawn(executor, read_lines(reading, Process::Output::kStdout), asio::detached);
  asio::co_spawn(executor, read_lines(reading, Process::Output::kStderr), asio::detached);
  const bool in_time = co_await reading->process->ended_within(limit);
  if (!in_time) reading->process->kill();
  result.exit = co_await reading->process->ended();
  if (!in_time) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(limit);
    result.exit.text += fmt::format(" after it did not end within {}ms", waited.count());
  }
  const bool all_read = co_await reading->done.wait_for(limit);
  if (!all_read) reading->process->stop_reading();
  co_await reading->done.wait();
  result.lines = std::move(reading->lines);
  co_return result;
}

CommandResult run_command_blocking(Program program, std::chrono::steady_clock::duration limit) {
  asio::io_context context(1);
  CommandResult result;
  const auto run = [](Program what, std::chrono::steady_clock::duration within,
                      CommandResult* out) -> asio::awaitable<void> {
    *out = co_await run_command(std::move(what), within);
  };
  asio::co_spawn(context, run(std::move(program), limit, &result), asio::detached);
  context.run();
  return result;
}

}  // namespace postern
