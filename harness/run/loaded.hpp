#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "authority.hpp"
#include "catalogue/catalogue.hpp"
#include "catalogue/selection.hpp"

namespace postern {

/// Loaded is everything that was read before a command does its work.
struct Loaded {
  std::optional<certs::Authority> authority;
  std::unique_ptr<Catalogue> catalogue;
};

/// load reads the PKI's declarations and the scenarios. Where anything is wrong, all mistakes are
/// printed to stderr and false is returned.
bool load(const std::string& scenarios, Loaded& loaded);

/// Wanted is what a command line says of the cases it wants; see Query.
struct Wanted {
  std::vector<std::string> words;
  std::string filter;
  unsigned strength = 0;
  std::uint64_t seed = 0;
};

/// choose finds the cases that a command line names. What it names in vain is printed to stderr and
/// false returned.
bool choose(const Catalogue& catalogue, const Wanted& wanted, Selection& selection);

/// coverage_holds prints the tuples of values that a choice by strength left out to stderr, which
/// would be our mistake, and tells whether there are none.
bool coverage_holds(const Wanted& wanted, const Selection& selection);

/// coverage_text says what a choice by strength comes to: "strength 2: 412 of 10,948 cases, all
/// 1,234 pairs covered (seed 7)".
std::string coverage_text(const Wanted& wanted, const Selection& selection);

}  // namespace postern
