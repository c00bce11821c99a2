#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "control/exit.hpp"
#include "control/process.hpp"

namespace postern {

/// CommandResult is what came of a program that was run to its end.
struct CommandResult {
  Exit exit;
  std::vector<std::string> lines;  ///< Of both outputs, as they came, at most 100,000.
};

/// run_command runs `program` to its end, for at most `limit`; then it is killed and the text of
/// its exit says so. A program that cannot be executed is an exit that is not clean.
boost::asio::awaitable<CommandResult> run_command(Program program,
                                                  std::chrono::steady_clock::duration limit);

/// run_command_blocking does the same on an io_context of its own.
CommandResult run_command_blocking(Program program, std::chrono::steady_clock::duration limit);

}  // namespace postern
