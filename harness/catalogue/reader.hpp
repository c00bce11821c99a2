#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalogue/condition.hpp"
#include "catalogue/expectation.hpp"
#include "catalogue/vocabulary.hpp"
#include "located_xml.hpp"

// Reading one document: first whether it is written in the vocabulary, then its values, typed.

namespace postern {

/// check_document holds `document` against the vocabulary: unknown, misplaced, missing and repeated
/// elements and attributes, words that are not listed, values of the wrong form. It returns the
/// entry of the root, or nullptr if that is none of ours. Values are checked with `bound` put in.
const ElementEntry* check_document(const LocatedXml& document, Problems& problems,
                                   const Assignment& bound = {});

/// with_values puts the value of every ${key} that `bound` has into `text`; others stay.
std::string with_values(std::string text, const Assignment& bound);

/// Reader gives the values of a document's attributes and text, and says where one is wrong. What
/// check_document has told already it passes over in silence.
class Reader {
 public:
  /// `bound` are values that stand for ${key} in whatever is read.
  Reader(const LocatedXml& document, Problems& problems, Assignment bound = {})
      : document_(document), problems_(problems), bound_(std::move(bound)) {}

  const Assignment& bound() const { return bound_; }

  /// text gives an attribute's value, or `otherwise` if it is absent.
  std::string text(pugi::xml_node node, const char* attribute, const char* otherwise = "") const;
  bool has(pugi::xml_node node, const char* attribute) const;

  /// condition reads an attribute; with `known` its keys and values are checked too.
  Condition condition(pugi::xml_node node, const char* attribute, const KnownKeys* known) const;
  std::vector<ExpectedOutcome> outcomes(pugi::xml_node node, const char* attribute,
                                        LegName leg) const;
  std::string raw(pugi::xml_node node, const char* attribute) const;

  /// content gives the node's text, in one piece.
  std::string content(pugi::xml_node node) const;

  Place place(pugi::xml_node node) const { return document_.place(node); }
  Place place(pugi::xml_node node, const char* attribute) const {
    return document_.place_of_attribute(node, attribute);
  }

  /// complain adds a problem at the node, or at one of its attributes.
  void complain(pugi::xml_node node, std::string message) const;
  void complain(pugi::xml_node node, const char* attribute, std::string message) const;
  void complain(const Place& place, std::string message) const;

  pugi::xml_node root() const { return document_.root(); }
  const std::string& file() const { return document_.file(); }

 private:
  const LocatedXml& document_;
  Problems& problems_;
  Assignment bound_;
};

/// index_of gives the position of `word` in `words`, or 0: check_document has told of any other.
std::size_t index_of(const std::vector<std::string>& words, std::string_view word);

}  // namespace postern
