#pragma once

#include <string>
#include <vector>

#include "catalogue/gateway_file.hpp"

// What of a gateway is on this machine, before anything of it is started.

namespace postern {

/// packages_folder tells where the packages of a gateway were unpacked: $POSTERN_MTAS/NAME, or
/// mtas/NAME beside the folder of our programs; "" where there is no such folder.
std::string packages_folder(const std::string& gateway, const std::string& program_directory);

/// gateway_version runs the <version> command, for at most five seconds, and gives the
/// line of its output that holds a version, else its first; "" if the file has none or it fails.
/// Blocks; call it before a run begins.
std::string gateway_version(const GatewayFile& file, const std::string& program_directory);

/// missing_programs gives those of <requires> that are not found: below the packages, beside our
/// own programs, on the machine.
std::vector<std::string> missing_programs(const GatewayFile& file,
                                          const std::string& program_directory);

/// cannot_start says in words what stands in the way of starting it here, and what to do; "" if
/// nothing is known to.
std::string cannot_start(const GatewayFile& file, const std::string& program_directory);

}  // namespace postern
