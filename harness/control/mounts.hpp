#pragma once

#include <string>
#include <vector>

#include "catalogue/gateway_file.hpp"
#include "control/template.hpp"

// What a gateway alone sees of the machine: mounts in a namespace of each of its processes.

namespace postern {

/// MountCall is one call of mount(2).
struct MountCall {
  std::string source, target, type;
  unsigned long flags = 0;
  std::string data;
};

/// expand_mounts gives the calls for `mounts`. Where `packages` is empty those of packages are left
/// out: then the program is the machine's own. Throws std::invalid_argument as expand_command does.
std::vector<MountCall> expand_mounts(Template& text, const std::vector<Mount>& mounts,
                                     const std::string& packages);

/// enter_own_machine gives the calling process a mount namespace of its own and mounts all of
/// `calls` in it. Where one fails it says so on stderr and ends the process with 126. It makes
/// system calls only, so that it may be called between vfork and exec.
void enter_own_machine(const std::vector<MountCall>& calls);

}  // namespace postern
