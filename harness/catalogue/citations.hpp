#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"

// Which cases cite which requirement.

namespace postern {

/// Cited counts what cites one requirement.
struct Cited {
  std::size_t inbound = 0, outbound = 0, disclosure = 0;  ///< Matrix cases, leg by leg.
  std::size_t settings = 0;                               ///< Invalid settings and warnings.
  std::size_t stories = 0;

  bool any() const { return inbound + outbound + disclosure + settings + stories > 0; }
};

/// citations gives every requirement of the catalogue what cites it.
std::map<std::string, Cited> citations(const Catalogue& catalogue);

/// cases_citing lists the ids of the cases that cite `requirement`, each once, in the catalogue's
/// order.
std::vector<std::string> cases_citing(const Catalogue& catalogue, const std::string& requirement);

/// in_order lists the requirements as their file does.
std::vector<const Requirement*> in_order(const Catalogue& catalogue);

}  // namespace postern
