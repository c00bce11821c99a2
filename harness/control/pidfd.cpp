#include "control/pidfd.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace postern {

// The C library's declaration cannot be linked from C++ in Debian 12.
int open_pidfd(int pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

}  // namespace postern
