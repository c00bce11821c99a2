#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The one grammar of conditions: terms `key=a|b` and `key!=a`, joined by spaces; all must hold.
// Rules, <invalid>, <cannot>, deviations and --filter use it.

namespace postern {

/// Assignment gives each key (a setting, "client", "server", "phase") its value.
class Assignment {
 public:
  Assignment() = default;
  Assignment(std::initializer_list<std::pair<std::string, std::string>> values);

  void set(std::string_view key, std::string_view value);
  /// get returns nullptr where the key has no value.
  const std::string* get(std::string_view key) const;
  const std::vector<std::pair<std::string, std::string>>& values() const { return values_; }

  /// text gives "a=1/b=2" in the order in which the keys were set.
  std::string text() const;
  bool operator==(const Assignment&) const = default;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

/// Term is one comparison; a key without a value in the assignment makes `=` false, `!=` true.
struct Term {
  std::string key;
  bool negated = false;
  std::vector<std::string> values;
};

/// Condition is a conjunction of terms; the empty one always holds.
class Condition {
 public:
  /// parse reads `text`; on a mistake it returns the empty condition and says in `error` what was
  /// found and what is allowed.
  static Condition parse(std::string_view text, std::string& error);

  bool holds(const Assignment& assignment) const;
  const std::vector<Term>& terms() const { return terms_; }
  std::string text() const;

 private:
  std::vector<Term> terms_;
};

/// KnownKeys lists the keys that may stand in a condition, each with its values; no values: any.
using KnownKeys = std::map<std::string, std::vector<std::string>>;

/// unknown_in tells what in `condition` is not among `known` and what is allowed; "" if all is
/// known.
std::string unknown_in(const Condition& condition, const KnownKeys& known);

}  // namespace postern
