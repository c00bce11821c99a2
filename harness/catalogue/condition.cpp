#include "catalogue/condition.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "catalogue/values.hpp"
#include "located_xml.hpp"

namespace postern {
namespace {

constexpr const char* kAllowed =
    "allowed are terms key=value, key=a|b and key!=value, joined by spaces";

/// read_term gives false and says why in `error` where `word` is no term.
bool read_term(std::string_view word, Term& term, std::string& error) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    error = fmt::format("found \"{}\" in a condition; {}", word, kAllowed);
    return false;
  }
  std::string_view key = word.substr(0, equals);
  term.negated = !key.empty() && key.back() == '!';
  if (term.negated) key.remove_suffix(1);
  if (!is_value(ValueType::kName, key)) {
    error = fmt::format("found \"{}\" as the key of a condition; {}", key, kAllowed);
    return false;
  }
  term.key = key;
  for (std::string_view value : split(word.substr(equals + 1), '|')) {
    if (value.empty()) {
      error = fmt::format("found no value in \"{}\"; {}", word, kAllowed);
      return false;
    }
    term.values.emplace_back(value);
  }
  return true;
}

}  // namespace

Assignment::Assignment(std::initializer_list<std::pair<std::string, std::string>> values) {
  for (const auto& [key, value] : values) set(key, value);
}

void Assignment::set(std::string_view key, std::string_view value) {
  for (auto& [known, old] : values_) {
    if (known == key) {
      old = value;
      return;
    }
  }
  values_.emplace_back(key, value);
}

const std::string* Assignment::get(std::string_view key) const {
  for (const auto& [known, value] : values_) {
    if (known == key) return &value;
  }
  return nullptr;
}

std::string Assignment::text() const {
  std::string text;
  for (const auto& [key, value] : values_) {
    if (!text.empty()) text += '/';
    text += key;
    text += '=';
    text += value;
  }
  return text;
}

Condition Condition::parse(std::string_view text, std::string& error) {
  Condition condition;
  for (std::string_view word : words_of(text)) {
    Term term;
    if (!read_term(word, term, error)) return {};
    condition.terms_.push_back(std::move(term));
  }
  return condition;
}

bool Condition::holds(const Assignment& assignment) const {
  return std::all_of(terms_.begin(), terms_.end(), [&assignment](const Term& term) {
    const std::string* value = assignment.get(term.key);
    const bool among =
        value && std::find(term.values.begin(), term.values.end(), *value) != term.values.end();
    return among != term.negated;
  });
}

std::string Condition::text() const {
  std::string text;
  for (const Term& term : terms_) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}{}={}", term.key, term.negated ? "!" : "", fmt::join(term.values, "|"));
  }
  return text;
}

std::string unknown_in(const Condition& condition, const KnownKeys& known) {
  std::vector<std::string> keys;
  for (const auto& [key, values] : known) keys.push_back(key);
  for (const Term& term : condition.terms()) {
    const auto entry = known.find(term.key);
    if (entry == known.end()) {
      return fmt::format("found the key \"{}\" in a condition, allowed here: {}{}", term.key,
                         quoted_list(keys), did_you_mean(term.key, keys));
    }
    const std::vector<std::string>& allowed = entry->second;
    if (allowed.empty()) continue;
    for (const std::string& value : term.values) {
      if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) continue;
      return fmt::format("found the value \"{}\" of \"{}\", allowed: {}{}", value, term.key,
                         quoted_list(allowed), did_you_mean(value, allowed));
    }
  }
  return {};
}

}  // namespace postern
