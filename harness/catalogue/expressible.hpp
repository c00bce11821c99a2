#pragma once

#include <string>

#include "catalogue/selection.hpp"

// Which cases a gateway is asked: not what it cannot express, and not what is our form alone where
// it is held to less.

namespace postern {

/// why_skipped says why `gateway` is not asked `one`, a case under `settings`; "" if it is.
std::string why_skipped(const Catalogue& catalogue, const GatewayFile& gateway,
                        const Assignment& settings, const Chosen& one);

/// cases_asked lists the cases of the whole catalogue that `gateway` is asked.
std::vector<Chosen> cases_asked(const Catalogue& catalogue, const GatewayFile& gateway);

}  // namespace postern
