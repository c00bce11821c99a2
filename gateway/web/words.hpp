// What the page says, in English and Japanese. The words themselves stand in words.xml.
#pragma once

#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gateway::web {

// kLanguages are those there are.
inline constexpr std::string_view kLanguages[] = {"en", "ja"};

using Words = std::map<std::string, std::string, std::less<>>;

// words_in are all words of a language, by their ids. An unknown language is English.
const Words& words_in(std::string_view language);

// word is one of them. It throws std::logic_error where there is none of this id.
const std::string& word(std::string_view language, std::string_view id);

// with_value is a word with `value` in place of its {}.
std::string with_value(std::string word, std::string_view value);

// Refusal is what the page says no with: a word, with `value` in place of its {}. Its what() is
// English, for the journal.
class Refusal : public std::runtime_error {
 public:
  explicit Refusal(std::string_view id, std::string value = {})
      : std::runtime_error(with_value(word("en", id), value)), id_(id), value_(std::move(value)) {}

  std::string in(std::string_view language) const {
    return with_value(word(language, id_), value_);
  }

 private:
  std::string id_;
  std::string value_;
};

// reason_in is why something failed: in this language where the page says it, else as it was said.
std::string reason_in(std::string_view language, const std::exception& error);

}  // namespace gateway::web
