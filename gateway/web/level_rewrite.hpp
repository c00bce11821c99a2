// The configuration with other levels in it. What else stands there stays as it is, comments too.
#pragma once

#include <string>
#include <string_view>

#include "policy.hpp"

namespace gateway::web {

// Levels are what the page "TLS encryption" sets.
struct Levels {
  ReceivingPolicy receiving;
  ClientLevel sending = ClientLevel::attempt;
};

// with_levels is `text`, a configuration that can be loaded, with these levels in its <tls>: in
// place where they stand already, behind the other attributes where they do not, in a <tls> of
// their own behind the last <listen> where there is none. It throws std::runtime_error where it
// cannot.
std::string with_levels(std::string_view text, const Levels& levels);

// routes_with_levels counts the routes of `text` that have a level of their own.
std::size_t routes_with_levels(const std::string& text);

}  // namespace gateway::web
