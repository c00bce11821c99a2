// Apply: other settings come into force, durably (SET-5).
#pragma once

#include <string>

#include "level_rewrite.hpp"
#include "server.hpp"

namespace gateway::web {

// apply_settings writes the attributes into the <tls> of the configuration file at `path` and has
// the server read it again, as SIGHUP does. Where anything speaks against it, nothing is changed,
// and it throws what does: a Refusal, or another std::exception. Either way the journal says so,
// and that `who` asked for it.
void apply_settings(Server& server, const std::string& path, const Attributes& attributes,
                    const std::string& who);

}  // namespace gateway::web
