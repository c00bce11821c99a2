// Strict reading of the XML configuration: every complaint says file:line:column, what was found
// and what was allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <pugixml.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

// ConfigError carries all complaints about a configuration, one a line.
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// XmlFile is one well-formed XML document with the positions of its elements. libxml2 proves that
// it is well-formed (pugixml accepts much that is not), pugixml reads it.
class XmlFile {
 public:
  // The constructor reads `path`. It throws ConfigError when the file cannot be read or is not
  // well-formed.
  explicit XmlFile(std::string path);

  // The other constructor reads `text` as if it stood in `path`.
  XmlFile(std::string path, std::string text);

  pugi::xml_node root() const { return document_.document_element(); }
  const std::string& path() const { return path_; }
  const std::string& text() const { return text_; }

  // place is file:line:column of an element, of one of its attributes, or of text.
  std::string place(pugi::xml_node node, std::string_view attribute = {}) const;

  // complain adds a complaint about `node`; raise throws ConfigError if there were any.
  void complain(pugi::xml_node node, std::string_view attribute, std::string_view text);
  void raise() const;

 private:
  void prove_well_formed() const;
  std::string position(std::size_t offset) const;

  std::string path_;
  std::string text_;
  pugi::xml_document document_;
  std::vector<std::string> complaints_;
};

// Element reads the attributes of one element and remembers which were asked for, so that the
// list of allowed ones in a complaint is always the true one.
class Element {
 public:
  Element(XmlFile& file, pugi::xml_node node) : file_(file), node_(node) {}

  // has tells whether the attribute is there.
  bool has(const char* name);

  // text returns the value or `fallback`.
  std::string text(const char* name, std::string_view fallback = {});

  // required is text, and a complaint where the attribute is missing or empty.
  std::string required(const char* name);

  // number, size and duration return `fallback` where the attribute is missing or wrong.
  std::uint64_t number(const char* name, std::uint64_t fallback, std::uint64_t low,
                       std::uint64_t high);
  std::uint64_t size(const char* name, std::uint64_t fallback, std::uint64_t low = 0);
  // `also` is a word that the caller takes besides, for the complaint.
  std::chrono::microseconds duration(const char* name, std::chrono::microseconds fallback,
                                     std::chrono::microseconds low = {},
                                     std::string_view also = {});

  // choice returns the index of the value in `words`, or `fallback`.
  std::size_t choice(const char* name, const std::vector<std::string_view>& words,
                     std::size_t fallback);

  // complain reports about an attribute (or the element where `name` is empty).
  void complain(std::string_view name, std::string_view text);

  // place is file:line:column of an attribute.
  std::string place(const char* name) const { return file_.place(node_, name); }

  // done complains about attributes that were never asked for, about text inside the element and
  // about children other than `children`.
  void done(const std::vector<std::string_view>& children = {});

 private:
  XmlFile& file_;
  pugi::xml_node node_;
  std::vector<std::string_view> asked_;
};

// allowed_text is "allowed: a, b, c", with "did you mean" in front where a word is close.
std::string allowed_text(std::string_view found, const std::vector<std::string_view>& allowed);

}  // namespace gateway
