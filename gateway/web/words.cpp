#include "words.hpp"

#include <pugixml.hpp>
#include <stdexcept>

#include "page_text.hpp"

namespace gateway::web {
namespace {

Words read_words(const char* language) {
  pugi::xml_document document;
  if (!document.load_string(kWords)) throw std::logic_error("words.xml cannot be read");
  Words words;
  for (const auto& node : document.document_element().children("word")) {
    words.emplace(node.attribute("id").value(), node.attribute(language).value());
  }
  return words;
}

}  // namespace

const Words& words_in(std::string_view language) {
  static const Words english = read_words("en");
  static const Words japanese = read_words("ja");
  return language == "ja" ? japanese : english;
}

const std::string& word(std::string_view language, std::string_view id) {
  const Words& words = words_in(language);
  const auto found = words.find(id);
  if (found == words.end()) throw std::logic_error("no word is called " + std::string(id));
  return found->second;
}

std::string with_value(std::string word, std::string_view value) {
  const auto at = word.find("{}");
  if (at != std::string::npos) word.replace(at, 2, value);
  return word;
}

std::string reason_in(std::string_view language, const std::exception& error) {
  const auto* refusal = dynamic_cast<const Refusal*>(&error);
  return refusal ? refusal->in(language) : error.what();
}

}  // namespace gateway::web
