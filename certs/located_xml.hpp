#pragma once

#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// XML read with places: where every element stands, so that an error can name it.
//
// Both the test PKI and the scenario catalogue read their files through this. libxml2 decides
// whether a file is well-formed (pugixml accepts duplicate attributes, two roots and bad UTF-8);
// pugixml then serves the tree. No entity is ever expanded and nothing is fetched.

namespace postern {

/// Place is a position in a file of the user's; line and column count from 1, 0 means unknown.
struct Place {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  /// text gives "file:line:column", or what of it is known.
  std::string text() const;
};

/// Problem is one thing wrong in the input: what was found, and what was allowed there.
struct Problem {
  Place place;
  std::string message;
};

/// Problems collects everything wrong with the input, so that one run shows all of it.
class Problems {
 public:
  /// add keeps a problem; one that is known already is passed over.
  void add(Place place, std::string message);
  bool empty() const { return all_.empty(); }
  const std::vector<Problem>& all() const { return all_; }

  /// text has one line a problem, "file:line:column: message", in order of file and position.
  std::string text() const;

 private:
  std::vector<Problem> all_;
};

/// LocatedXml is one well-formed XML file with the places of its elements.
class LocatedXml {
 public:
  /// load reads and parses `file`. Whatever is wrong is added to `problems` and nothing returned.
  static std::optional<LocatedXml> load(const std::string& file, Problems& problems);

  /// parse does the same for text already in memory; `name` stands in for the file's name.
  static std::optional<LocatedXml> parse(std::string text, std::string name, Problems& problems);

  /// root is the document's element. It lives as long as this object (moves included).
  pugi::xml_node root() const;

  /// place gives the position of `node`, just behind its '<'.
  Place place(pugi::xml_node node) const;

  /// place_of_attribute gives the position of the attribute's name, or of the node if it is not
  /// found.
  Place place_of_attribute(pugi::xml_node node, std::string_view attribute) const;

  const std::string& file() const { return file_; }

 private:
  LocatedXml() = default;

  std::string file_;
  std::shared_ptr<std::string> text_;
  std::vector<std::size_t> line_starts_;
  std::shared_ptr<pugi::xml_document> document_;
};

/// did_you_mean gives ` (did you mean "x"?)` for the nearest of `known`, or "" if none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

/// quoted_list gives `"a", "b" or "c"`, for telling what was allowed; of a long list its beginning.
std::string quoted_list(std::span<const std::string> words);

}  // namespace postern
