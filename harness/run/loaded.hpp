#pragma once

#include <memory>
#include <optional>
#include <string>

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

/// choose finds the cases that a command line names. What it names in vain is printed to stderr and
/// false returned.
bool choose(const Catalogue& catalogue, const std::vector<std::string>& words,
            const std::string& filter, Selection& selection);

}  // namespace postern
