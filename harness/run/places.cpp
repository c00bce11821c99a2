#include "run/places.hpp"

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace fs = std::filesystem;

namespace postern {

std::string program_directory() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? std::string(".") : self.parent_path().string();
}

std::string find_scenarios(const std::string& given, std::string& sought) {
  std::vector<fs::path> candidates;
  if (!given.empty()) {
    candidates.emplace_back(given);
  } else {
    // Who names a folder means that one: another one in its place would be a false answer.
    if (const char* named = std::getenv("POSTERN_SCENARIOS"); named != nullptr && *named != '\0') {
      candidates.emplace_back(named);
    } else {
      candidates.emplace_back("scenarios");
      candidates.push_back(fs::path(program_directory()).parent_path() / "share/postern/scenarios");
    }
  }
  for (const fs::path& candidate : candidates) {
    std::error_code error;
    if (fs::is_directory(candidate, error)) return candidate.string();
    sought += (sought.empty() ? "" : ", ") + candidate.string();
  }
  return {};
}

std::string find_authority(const std::string& scenarios, std::string& sought) {
  const fs::path folder(scenarios);
  for (const fs::path& candidate :
       {folder / "authority.xml", (folder / ".." / "certs" / "authority.xml").lexically_normal()}) {
    std::error_code error;
    if (fs::exists(candidate, error)) return candidate.string();
    sought += (sought.empty() ? "" : ", ") + candidate.string();
  }
  return {};
}

}  // namespace postern
