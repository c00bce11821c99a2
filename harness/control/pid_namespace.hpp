#pragma once

#include <string>
#include <vector>

#include "control/exit.hpp"

// Programs that make sessions and process groups of their own (Postfix does) can only be ended
// reliably by the end of a PID namespace around them.

namespace postern {

/// pid_namespace_problem is empty if this process can start programs in a PID namespace of their
/// own, else the reason. Tried once, remembered.
const std::string& pid_namespace_problem();

/// pid_namespace_command is the command to put in front of a program's: as root unshare alone,
/// else with a user namespace. Empty where that is not possible. What it starts is first a shell,
/// which is process 1 of the namespace, and then, as its child, the program: process 1 itself would
/// get no signal that it does not handle, and the orphans of others to reap.
const std::vector<std::string>& pid_namespace_command();

/// exited_in_namespace gives the Exit of a wait status of that command. The shell tells a signal as
/// a status above 128, as all shells do.
Exit exited_in_namespace(int wait_status);

/// first_child_of gives the pid of the oldest child of `pid`, 0 if it has none.
int first_child_of(int pid);

}  // namespace postern
