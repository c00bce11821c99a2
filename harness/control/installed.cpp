#include "control/installed.hpp"

#include <fmt/format.h>
#include <re2/re2.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "control/command.hpp"
#include "control/mounts.hpp"
#include "control/remote.hpp"
#include "control/template.hpp"
#include "control/time_scale.hpp"

namespace postern {

namespace {

constexpr std::chrono::seconds kVersionLimit{5};

// mounts_of_packages are those that need no instance.
std::vector<Mount> mounts_of_packages(const std::vector<Mount>& mounts) {
  std::vector<Mount> some;
  for (const Mount& mount : mounts)
    if (mount.from.starts_with("${packages}")) some.push_back(mount);
  return some;
}

// how_to_unpack says it to whoever built this program in a checkout, and to who has it installed.
std::string how_to_unpack(const std::string& gateway, const std::string& program_directory) {
  namespace fs = std::filesystem;
  const fs::path checkout = fs::path(program_directory).parent_path().parent_path();
  std::error_code ignored;
  if (fs::exists(checkout / "scripts/mtas", ignored))
    return fmt::format("scripts/mtas {} unpacks it", gateway);
  return fmt::format(
      "in a checkout of Postern scripts/mtas {} unpacks it; with POSTERN_MTAS=CHECKOUT/build/mtas "
      "it is found",
      gateway);
}

}  // namespace

std::string packages_folder(const std::string& gateway, const std::string& program_directory) {
  namespace fs = std::filesystem;
  const char* given = std::getenv("POSTERN_MTAS");
  const fs::path all = given != nullptr && *given != '\0'
                           ? fs::path(given)
                           : fs::path(program_directory).parent_path() / "mtas";
  std::error_code ignored;
  const fs::path folder = fs::absolute(all, ignored) / gateway;
  return fs::is_directory(folder, ignored) ? folder.string() : "";
}

std::string gateway_version(const GatewayFile& file, const std::string& program_directory) {
  if (file.version.arguments.empty()) return "";
  const std::vector<SettingText> no_texts;
  const Assignment no_settings;
  const std::vector<Route> no_routes;
  TemplateValues values;
  values.packages = packages_folder(file.name, program_directory);
  values.program_directory = program_directory;
  values.setting_texts = &no_texts;
  values.settings = &no_settings;
  values.routes = &no_routes;
  values.environment = [](const std::string& name) { return std::getenv(name.c_str()); };
  const std::string packages = values.packages;
  Template text(std::move(values));
  Program program;
  try {
    program.arguments = expand_command(text, file.version);
    program.mounts = expand_mounts(text, mounts_of_packages(file.mounts), packages);
  } catch (const std::invalid_argument&) {
    return "";
  }
  const CommandResult result = run_command_blocking(program, scaled(kVersionLimit));
  if (!result.exit.clean || result.lines.empty()) return "";
  // Some have warnings to give first.
  static const RE2 kVersion("[0-9]\\.[0-9]");
  for (const std::string& line : result.lines)
    if (RE2::PartialMatch(line, kVersion)) return line;
  return result.lines.front();
}

std::vector<std::string> missing_programs(const GatewayFile& file,
                                          const std::string& program_directory) {
  const std::string packages = packages_folder(file.name, program_directory);
  std::vector<std::string> missing;
  for (const std::string& name : file.requires_programs) {
    bool found = !find_program(name).empty();
    if (!packages.empty() && name.starts_with('/'))
      found = found || ::access((packages + name).c_str(), X_OK) == 0;
    found = found || !find_program(program_directory + "/" + name).empty();
    if (!found) missing.push_back(name);
  }
  return missing;
}

std::string cannot_start(const GatewayFile& file, const std::string& program_directory) {
  const std::vector<std::string> missing = missing_programs(file, program_directory);
  if (!missing.empty())
    return fmt::format(
        "{} not found{}", fmt::join(missing, " "),
        file.packages.empty() ? "" : "; " + how_to_unpack(file.name, program_directory));
  if (file.remote) {
    try {
      find_remote(*file.remote, [](const std::string& name) { return std::getenv(name.c_str()); });
    } catch (const std::runtime_error& problem) {
      return problem.what();
    }
  }
  if (!file.mounts.empty() && ::geteuid() != 0)
    return "it sees files of its own in the machine's places, which needs root";
  return "";
}

}  // namespace postern
