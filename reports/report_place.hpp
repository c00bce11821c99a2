#pragma once

#include <string>

// Where a report goes. Most often that is a name in a folder; but it may be a pipe, a terminal or
// /dev/null, which no file may take the place of.

namespace postern::reports {

/// is_passing tells whether `path` is written as it stands and cannot be read again: what exists
/// and is no regular file (a device, a FIFO), and this process's own descriptors (/dev/stdout,
/// /dev/stderr, /dev/fd/N), whatever is behind them.
bool is_passing(const std::string& path);

/// open_passing opens such a path for writing, without emptying it. It returns the descriptor,
/// which the caller owns, or -1 with errno set. What stdout holds is written first. A FIFO waits
/// for its reader.
int open_passing(const std::string& path);

/// target_of follows symbolic links from `path` to the name that a file would have, be it there or
/// not. Links that lead in a circle are left as they are.
std::string target_of(const std::string& path);

}  // namespace postern::reports
