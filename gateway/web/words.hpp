// What the page says, in English and Japanese. The words themselves stand in words.xml.
#pragma once

#include <map>
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

}  // namespace gateway::web
