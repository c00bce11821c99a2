#pragma once

#include <string>
#include <vector>

// Programs that make sessions and process groups of their own (Postfix does) can only be ended
// reliably by the end of a PID namespace around them.

namespace postern {

/// pid_namespace_problem is empty if this process can start programs in a PID namespace of their
/// own, else the reason. Tried once, remembered.
const std::string& pid_namespace_problem();

/// pid_namespace_command is the command to put in front of a program's: as root unshare alone,
/// else with a user namespace. Empty where that is not possible.
const std::vector<std::string>& pid_namespace_command();

/// only_child_of gives the pid of the first child of `pid`, 0 if it has none: the program behind
/// unshare, which forks once.
int only_child_of(int pid);

}  // namespace postern
