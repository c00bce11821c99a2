#pragma once

#include <string>

namespace postern {

/// Exit says how a process ended.
struct Exit {
  bool clean = false;  ///< It ended by itself or on its stop signal, in time, with status 0.
  std::string text;    ///< "exited 0", "killed by signal 11 (SEGV)".
  int signal = 0;      ///< The signal that killed it, else 0.
};

/// exited gives the Exit of a status as waitpid knows it.
Exit exited(int wait_status);

/// signal_number reads "TERM", "SIGTERM" or "15"; 0 if there is no such signal.
int signal_number(const std::string& name);

}  // namespace postern
