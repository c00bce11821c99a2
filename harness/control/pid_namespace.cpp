#include "control/pid_namespace.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "control/command.hpp"
#include "control/time_scale.hpp"

namespace postern {

namespace {

constexpr std::chrono::seconds kTrial{5};
constexpr int kShellSignalBase = 128;
constexpr int kSignals = 65;

// kInit runs its arguments. It is two commands, so that the shell stays while the program runs.
constexpr const char* kInit = "\"$0\" \"$@\"; exit $?";

struct Found {
  std::vector<std::string> command;
  std::string problem;
};

std::vector<std::vector<std::string>> forms() {
  std::vector<std::string> base{"unshare", "--pid", "--fork", "--kill-child"};
  if (::geteuid() != 0) {
    base.insert(base.end(), {"--user", "--map-root-user"});
  }
  std::vector<std::string> with_proc = base;
  with_proc.push_back("--mount-proc");
  for (std::vector<std::string>* form : {&with_proc, &base}) {
    form->insert(form->end(), {"--", "sh", "-c", kInit});
  }
  // A container may forbid mounting /proc; the namespace is of use without, too.
  return {with_proc, base};
}

Found find_form() {
  Found found;
  for (const std::vector<std::string>& form : forms()) {
    Program trial;
    trial.arguments = form;
    trial.arguments.push_back("true");
    const CommandResult result = run_command_blocking(trial, scaled(kTrial));
    if (result.exit.clean) {
      found.command = form;
      found.problem.clear();
      return found;
    }
    found.problem = result.lines.empty() ? result.exit.text : result.lines.front();
  }
  return found;
}

const Found& found() {
  static const Found once = find_form();
  return once;
}

}  // namespace

const std::string& pid_namespace_problem() {
  return found().problem;
}

const std::vector<std::string>& pid_namespace_command() {
  return found().command;
}

Exit exited_in_namespace(int wait_status) {
  const int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
  const bool by_signal = status > kShellSignalBase && status < kShellSignalBase + kSignals;
  return exited(by_signal ? status - kShellSignalBase : wait_status);
}

int first_child_of(int pid) {
  const std::string number = std::to_string(pid);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  int child = 0;
  children >> child;
  return children.fail() ? 0 : child;
}

}  // namespace postern
