#pragma once

#include <functional>
#include <optional>
#include <string>

#include "catalogue/selection.hpp"

namespace postern {

/// Shard is one part of a run that several machines share.
struct Shard {
  unsigned index = 1;  ///< From 1.
  unsigned total = 1;
  std::string by;           ///< Who says so: "--shard", or the variable.
  std::string status_file;  ///< Bazel's, to be touched; empty: none is asked for.
};

/// find_shard reads `option` ("2/5"; empty: not given), else what a runner says in the environment:
/// GoogleTest's and Bazel's variables, which count from 0, or GitLab's, which count from 1. Nothing
/// where nobody says anything. Throws std::invalid_argument with what was found and what is
/// allowed.
std::optional<Shard> find_shard(const std::string& option,
                                const std::function<const char*(const std::string&)>& environment);

/// keep_shard leaves of a selection the configurations of one shard. The same selection is always
/// cut alike, into parts of about as many cases; a configuration is never cut, so that each
/// gateway is started once and every case has its controls.
void keep_shard(Selection& selection, const Shard& shard);

}  // namespace postern
