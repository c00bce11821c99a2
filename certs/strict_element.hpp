#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "located_xml.hpp"

// One XML element read strictly: what is not known is a problem, never passed over.

namespace postern::certs {

/// Word is a value's text in XML and what it stands for.
template <typename Value>
struct Word {
  const char* text;
  Value value;
};

/// StrictElement reads the attributes of one element and reports what is wrong with them.
class StrictElement {
 public:
  /// The element must have no attribute outside `allowed`, no child and no text.
  StrictElement(const LocatedXml& xml, pugi::xml_node node, Problems& problems,
                const std::vector<std::string>& allowed);

  bool has(const char* attribute) const { return !node_.attribute(attribute).empty(); }

  /// text gives the attribute's value, or "" where it is missing.
  std::string text(const char* attribute) const { return node_.attribute(attribute).value(); }

  /// required is text, and a problem where that is missing or blank.
  std::string required(const char* attribute);

  /// name is required, and made of small letters, digits and hyphens: it becomes a file's name.
  std::string name(const char* attribute);

  /// choice gives what the attribute's value stands for, or `otherwise` where it is missing.
  template <typename Value>
  Value choice(const char* attribute, std::initializer_list<Word<Value>> words, Value otherwise) {
    if (!has(attribute)) return otherwise;
    return word(attribute, text(attribute), words).value_or(otherwise);
  }

  /// word gives what `found` stands for; nothing, and a problem, where it is none of `words`.
  template <typename Value>
  std::optional<Value> word(const char* attribute, const std::string& found,
                            std::initializer_list<Word<Value>> words) {
    std::vector<std::string> allowed;
    for (const Word<Value>& known : words) {
      if (found == known.text) return known.value;
      allowed.emplace_back(known.text);
    }
    refuse_word(attribute, found, allowed);
    return std::nullopt;
  }

  /// list gives the words of the value, split at blanks; none where the attribute is missing.
  std::vector<std::string> list(const char* attribute) const;

  /// refuse reports a problem with the attribute, and refuse_word one with a word in it.
  void refuse(const char* attribute, std::string message);
  void refuse_word(const char* attribute, const std::string& found,
                   const std::vector<std::string>& allowed);

  Place place() const { return xml_.place(node_); }

 private:
  const LocatedXml& xml_;
  pugi::xml_node node_;
  Problems& problems_;
};

/// refuse_element reports an element, or text, that must not stand where it does.
void refuse_element(const LocatedXml& xml, pugi::xml_node node, Problems& problems,
                    const std::vector<std::string>& allowed);

}  // namespace postern::certs
