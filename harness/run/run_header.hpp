#pragma once

#include <vector>

#include "result.hpp"
#include "run/commands.hpp"
#include "run/runner.hpp"

namespace postern {

/// header_of says for the results what is about to be run, where, and with what.
reports::RunHeader header_of(const RunOptions& options, const RunPlan& plan,
                             const Catalogue& catalogue,
                             const std::vector<const GatewayFile*>& gateways);

}  // namespace postern
