#pragma once

#include <set>
#include <string>
#include <vector>

#include "catalogue/condition.hpp"
#include "catalogue/loaders.hpp"

// The ${…} of gateway files: which there are, and the settings whose texts they stand for.

namespace postern {

/// Variables says where a text stands: ${value} is known in a <setting> only.
enum class Variables { kText, kSettingText };

/// unknown_variables returns a message for each ${…} in `text` that is not known there. "$${" is a
/// plain "${" and no variable.
std::vector<std::string> unknown_variables(const std::string& text, Variables where,
                                           const PkiNames& pki);

/// variable_list names all that are known there, for people.
std::string variable_list(Variables where);

/// combinations_of gives every combination of the values of the settings named; the others have
/// their defaults. A setting that takes any delay is represented by 0, a moment and never.
std::vector<Assignment> combinations_of(const std::set<std::string>& names);

}  // namespace postern
