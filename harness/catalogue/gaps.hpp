#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.hpp"

// What no case covers. Each gap is something that a mail engineer could write a scenario for.

namespace postern {

/// Gap is one of them. Its id tells its kind by the part before the first '/':
///   requirement/ID               no case cites it
///   settings/server-level=…/…    a combination of the settings' values in no case
///   certificate/NAME             one of the test PKI that no peer and no step shows
///   fault/ROLE/POINT/ACT         nobody does this there: say (what is not due), skip, close (FIN),
///                                reset, stall, truncate or alert
///   fault/ROLE/POINT/ACT/LEVEL   nobody does it under this level of the leg, but under another
///   story/TOPIC/clear|tls-1.2|tls-1.3
///                                no story of that folder speaks so
///   uncaught/NAME                a faulty gateway that no scenario caught
struct Gap {
  std::string id;
  std::string what;  ///< In words, one line.
};

/// find_gaps compares `catalogue` with what could be in it. `certificates` are the names that the
/// test PKI knows.
std::vector<Gap> find_gaps(const Catalogue& catalogue,
                           const std::vector<std::string>& certificates);

/// uncaught_faults reads the report that scripts/faults writes and gives a gap for each fault that
/// neither a cell of a matrix nor a story caught. What is no row of its table is passed over.
std::vector<Gap> uncaught_faults(std::string_view report);

/// topic_of gives the folder below stories/ that `story` stands in; "" where it stands elsewhere.
std::string topic_of(const Story& story);

}  // namespace postern
