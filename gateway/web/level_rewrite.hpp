// The configuration with other attributes in its <tls>. What else stands there stays as it is,
// comments too.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy.hpp"

namespace gateway::web {

// Levels are what the page "TLS encryption" sets.
struct Levels {
  ReceivingPolicy receiving;
  ClientLevel sending = ClientLevel::attempt;
};

// Attributes are names and values for <tls>.
using Attributes = std::vector<std::pair<std::string, std::string>>;

// attributes_of are those that set these levels.
Attributes attributes_of(const Levels& levels);

// with_attributes is `text`, a configuration that can be loaded, with these attributes in its
// <tls>: in place where they stand already, behind the other attributes where they do not, in a
// <tls> of their own behind the last <listen> where there is none. It throws std::runtime_error
// where it cannot.
std::string with_attributes(std::string_view text, const Attributes& attributes);

// has_attributes tells whether the <tls> of `text` has these attributes with these values.
bool has_attributes(const std::string& text, const Attributes& attributes);

// routes_with_levels counts the routes of `text` that have a level of their own.
std::size_t routes_with_levels(const std::string& text);

}  // namespace gateway::web
