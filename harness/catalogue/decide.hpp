#pragma once

#include "catalogue/catalogue.hpp"

// The proof of a decision table. Settings of the receiving side and the client decide the inbound
// leg, those of the sending side and the server the outbound one, so each leg is decided on its own
// projection and never case by case.

namespace postern {

/// decide enumerates the cases of `matrix`, which must be in `catalogue` along with its peers, and
/// appends them to it. It proves that every valid case is decided by exactly one inbound rule, and
/// every accepted one by exactly one outbound and one disclosure rule; that no rule is idle; and
/// that the control of every negative is expected to pass. Where it is not so, `problems` names the
/// case and the rules, and no case is appended.
void decide(const Matrix& matrix, Catalogue& catalogue, Problems& problems);

}  // namespace postern
