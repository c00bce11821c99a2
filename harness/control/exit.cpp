#include "control/exit.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace postern {

namespace {

constexpr int kSignals = 65;

}  // namespace

Exit exited(int wait_status) {
  if (WIFEXITED(wait_status)) {
    const int status = WEXITSTATUS(wait_status);
    return {status == 0, fmt::format("exited {}", status), 0};
  }
  const int number = WTERMSIG(wait_status);
  const char* name = sigabbrev_np(number);
  return {false,
          fmt::format("killed by signal {} ({})", number, name == nullptr ? "no name" : name),
          number};
}

int signal_number(const std::string& name) {
  const std::string bare = name.rfind("SIG", 0) == 0 ? name.substr(3) : name;
  for (int number = 1; number < kSignals; ++number) {
    const char* known = sigabbrev_np(number);
    if ((known != nullptr && bare == known) || bare == std::to_string(number)) {
      return number;
    }
  }
  return 0;
}

}  // namespace postern
