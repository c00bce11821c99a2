#pragma once

#include <string>

// Where things are found: scenarios, the PKI's declarations, programs.

namespace postern {

/// program_directory is the folder that holds this program.
std::string program_directory();

/// find_scenarios gives the folder of scenarios: `given`, $POSTERN_SCENARIOS, ./scenarios, or
/// PREFIX/share/postern/scenarios; "" if there is none, and in `sought` what was tried.
std::string find_scenarios(const std::string& given, std::string& sought);

/// find_authority gives authority.xml for a scenarios folder: in it, or in certs/ beside it; "" if
/// it is in neither, and in `sought` both.
std::string find_authority(const std::string& scenarios, std::string& sought);

}  // namespace postern
