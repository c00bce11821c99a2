#include <fmt/core.h>

#include <algorithm>

#include "control/installed.hpp"
#include "run/commands.hpp"
#include "run/loaded.hpp"
#include "run/places.hpp"

namespace postern {
namespace {

// One line a package, for scripts: the gateway, whose package it is, its name, and the release or
// version that it must be of ("-": the machine's).
void list_packages(const GatewayFile& gateway) {
  for (const Package& package : gateway.packages) {
    const std::string& of = package.kind == "npm" ? package.version : package.release;
    fmt::print("{} {} {} {}\n", gateway.name, package.kind, package.name, of.empty() ? "-" : of);
  }
}

}  // namespace

int gateways_command(const CommonOptions& common, const GatewaysOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  const auto& gateways = loaded.catalogue->gateways;
  const std::string programs = program_directory();
  std::size_t widest = 0;
  for (const auto& [name, gateway] : gateways) widest = std::max(widest, name.size());
  for (const auto& [name, gateway] : gateways) {
    if (options.packages) {
      list_packages(gateway);
      continue;
    }
    fmt::print("{:<{}}  {}\n", name, widest, gateway.about);
    const std::string why = cannot_start(gateway, programs);
    const std::string version = gateway_version(gateway, programs);
    fmt::print("{:<{}}  {}; held to the {}\n", "", widest,
               why.empty() ? (version.empty() ? "can be run" : "can be run: " + version)
                           : "cannot be run here: " + why,
               gateway.grade);
  }
  return 0;
}

}  // namespace postern
