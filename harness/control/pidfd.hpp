#pragma once

namespace postern {

/// open_pidfd gives a descriptor (CLOEXEC) that becomes readable when process `pid` ends; -1 with
/// errno if there is no such process.
int open_pidfd(int pid);

}  // namespace postern
