// Apply: other levels come into force, durably (SET-5).
#pragma once

#include <string>

#include "level_rewrite.hpp"
#include "server.hpp"

namespace gateway::web {

// apply_levels writes the levels into the configuration file at `path` and has the server read it
// again, as SIGHUP does. Where anything speaks against it, nothing is changed. It returns what
// does; empty: the levels hold. Either way the journal says so, and that `who` asked for it.
std::string apply_levels(Server& server, const std::string& path, const Levels& levels,
                         const std::string& who);

}  // namespace gateway::web
