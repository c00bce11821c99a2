#include <fmt/core.h>

#include <cstdio>
#include <stdexcept>

#include "run/commands.hpp"
#include "run/loaded.hpp"
#include "run/places.hpp"

namespace postern {

bool load(const std::string& given, Loaded& loaded) {
  std::string sought;
  const std::string scenarios = find_scenarios(given, sought);
  if (scenarios.empty()) {
    fmt::print(
        stderr,
        "postern: no folder of scenarios found (sought: {}); name one with --scenarios DIR or "
        "$POSTERN_SCENARIOS\n",
        sought);
    return false;
  }
  Problems problems;
  loaded.authority = certs::Authority::load(find_authority(scenarios), problems);
  if (loaded.authority) loaded.catalogue = load_catalogue(scenarios, *loaded.authority, problems);
  if (loaded.catalogue && problems.empty()) return true;
  fmt::print(stderr, "{}", problems.text());
  const std::size_t count = problems.all().size();
  fmt::print(stderr, "postern: {} mistake{} below {}; nothing was run\n", count,
             count == 1 ? "" : "s", scenarios);
  return false;
}

bool choose(const Catalogue& catalogue, const std::vector<std::string>& words,
            const std::string& filter, Selection& selection) {
  Query query;
  query.what = words;
  if (!filter.empty()) {
    std::string error;
    query.filters.push_back(Condition::parse(filter, error));
    if (!error.empty()) {
      fmt::print(stderr, "postern: --filter: {}\n", error);
      return false;
    }
  }
  selection = select(catalogue, query);
  for (const std::string& error : selection.errors) fmt::print(stderr, "postern: {}\n", error);
  return selection.errors.empty();
}

int check_command(const CommonOptions& common, const std::string& directory) {
  Loaded loaded;
  if (!load(directory.empty() ? common.scenarios : directory, loaded)) return 2;
  const Catalogue& catalogue = *loaded.catalogue;
  fmt::print(
      "{}: {} files in order: {} matrix cases, {} invalid settings, {} stories, {} clients, "
      "{} servers, {} gateways, {} requirements\n",
      catalogue.directory, catalogue.files, catalogue.matrix_cases.size(),
      catalogue.invalid_cases.size(), catalogue.stories.size(), catalogue.clients.size(),
      catalogue.servers.size(), catalogue.gateways.size(), catalogue.requirements.size());
  return 0;
}

int certs_command(const CommonOptions& common, const std::string& directory) {
  std::string sought;
  const std::string scenarios = find_scenarios(common.scenarios, sought);
  Problems problems;
  const auto authority =
      certs::Authority::load(find_authority(scenarios.empty() ? "scenarios" : scenarios), problems);
  if (!authority) {
    fmt::print(stderr, "{}", problems.text());
    return 2;
  }
  try {
    authority->write(directory);
  } catch (const std::runtime_error& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return 3;
  }
  fmt::print("{} certificates and {} sets of CAs are in {}; its index says what each is for\n",
             authority->identity_names().size(), authority->trust_names().size(), directory);
  return 0;
}

}  // namespace postern
