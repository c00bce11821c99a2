#pragma once

#include <string>
#include <string_view>
#include <vector>

// The alerts of TLS (RFC 8446 §6, RFC 5246 §7.2) by the names that scenarios use.

namespace postern {

/// alert_names lists them as their RFCs write them, in the order of their numbers.
const std::vector<std::string>& alert_names();

/// alert_number gives the number of a name, or that which `word` itself is (0 to 255); -1 if none.
int alert_number(std::string_view word);

/// alert_name gives a number's name; a number that has none stands for itself.
std::string alert_name(int number);

/// alert_conforms tells whether `number` is one of `alerts`: names, numbers, or "fatal" for any.
bool alert_conforms(const std::vector<std::string>& alerts, int number);

}  // namespace postern
