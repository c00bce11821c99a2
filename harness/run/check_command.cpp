#include <fmt/core.h>

#include <cstdio>
#include <stdexcept>

#include "run/commands.hpp"
#include "run/loaded.hpp"
#include "run/places.hpp"
#include "terminal.hpp"

namespace postern {

namespace {

/// Places is where scenarios and the declarations of their PKI stand.
struct Places {
  std::string scenarios, authority;
};

// find_places tells on stderr what is not there.
std::optional<Places> find_places(const std::string& given) {
  Places places;
  std::string sought;
  places.scenarios = find_scenarios(given, sought);
  if (places.scenarios.empty()) {
    fmt::print(
        stderr,
        "postern: no folder of scenarios found (sought: {}); name one with --scenarios DIR or "
        "$POSTERN_SCENARIOS\n",
        sought);
    return std::nullopt;
  }
  sought.clear();
  places.authority = find_authority(places.scenarios, sought);
  if (places.authority.empty()) {
    fmt::print(stderr,
               "postern: found {}, which is no folder of scenarios, as it has no authority.xml "
               "(sought: {}); allowed: a whole one, no part of it\n",
               places.scenarios, sought);
    return std::nullopt;
  }
  return places;
}

}  // namespace

bool load(const std::string& given, Loaded& loaded) {
  const std::optional<Places> places = find_places(given);
  if (!places) return false;
  const std::string& scenarios = places->scenarios;
  Problems problems;
  loaded.authority = certs::Authority::load(places->authority, problems);
  if (loaded.authority) loaded.catalogue = load_catalogue(scenarios, *loaded.authority, problems);
  if (loaded.catalogue && problems.empty()) return true;
  fmt::print(stderr, "{}", problems.text());
  const std::size_t count = problems.all().size();
  fmt::print(stderr, "postern: {} mistake{} below {}; nothing was run\n", count,
             count == 1 ? "" : "s", scenarios);
  return false;
}

bool choose(const Catalogue& catalogue, const Wanted& wanted, Selection& selection) {
  Query query;
  query.what = wanted.words;
  query.strength = wanted.strength;
  query.seed = wanted.seed;
  if (!wanted.filter.empty()) {
    std::string error;
    query.filters.push_back(Condition::parse(wanted.filter, error));
    if (!error.empty()) {
      fmt::print(stderr, "postern: --filter: {}\n", error);
      return false;
    }
  }
  selection = select(catalogue, query);
  for (const std::string& error : selection.errors) fmt::print(stderr, "postern: {}\n", error);
  return selection.errors.empty();
}

namespace {

const char* tuples_word(unsigned strength) {
  return strength == 2 ? "pairs" : "triples";
}

}  // namespace

bool coverage_holds(const Wanted& wanted, const Selection& selection) {
  for (const std::string& hole : selection.coverage.holes)
    fmt::print(stderr, "postern: --strength {}: no case covers {}\n", wanted.strength, hole);
  return selection.coverage.holes.empty();
}

std::string coverage_text(const Wanted& wanted, const Selection& selection) {
  const Coverage& coverage = selection.coverage;
  return fmt::format("strength {}: {} of {} cases, all {} {} covered (seed {})", wanted.strength,
                     reports::grouped(static_cast<int>(coverage.chosen)),
                     reports::grouped(static_cast<int>(coverage.of)),
                     reports::grouped(static_cast<int>(coverage.tuples)),
                     tuples_word(wanted.strength), wanted.seed);
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
  const std::optional<Places> places = find_places(common.scenarios);
  if (!places) return 2;
  Problems problems;
  const auto authority = certs::Authority::load(places->authority, problems);
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
