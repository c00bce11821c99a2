#include "catalogue/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace postern {
namespace {

/// The attributes that every root may have, so that an editor finds the schema.
constexpr std::string_view kSchemaAttributes[] = {"xmlns:xsi", "xsi:noNamespaceSchemaLocation"};

std::vector<std::string> names_of(const std::vector<const ElementEntry*>& entries) {
  std::vector<std::string> names;
  for (const ElementEntry* entry : entries) names.push_back(entry->name);
  return names;
}

/// where_else tells in which elements one of this name may stand.
std::string where_else(std::string_view name) {
  std::vector<std::string> parents;
  bool is_root = false;
  for (const ElementEntry& entry : elements()) {
    if (entry.name != name) continue;
    is_root = is_root || entry.parents.empty();
    for (const std::string& parent : entry.parents) {
      for (const ElementEntry& other : elements()) {
        if (other.id == parent) parents.push_back(fmt::format("<{}>", other.name));
      }
    }
  }
  if (is_root) parents.push_back("a file of its own");
  return parents.empty() ? "" : fmt::format("; <{}> stands in {}", name, fmt::join(parents, ", "));
}

class Check {
 public:
  Check(const LocatedXml& document, Problems& problems, const Assignment& bound)
      : document_(document), problems_(problems), bound_(bound) {}

  void element(pugi::xml_node node, const ElementEntry& entry) {
    attributes(node, entry);
    children(node, entry);
  }

 private:
  void attributes(pugi::xml_node node, const ElementEntry& entry) {
    std::vector<std::string> known;
    for (const AttributeEntry& attribute : entry.attributes) known.push_back(attribute.name);
    for (pugi::xml_attribute attribute : node.attributes()) {
      const std::string name = attribute.name();
      if (const AttributeEntry* expected = entry.attribute(name)) {
        value(node, attribute, *expected);
      } else if (!entry.parents.empty() || std::count(std::begin(kSchemaAttributes),
                                                      std::end(kSchemaAttributes), name) == 0) {
        const std::string allowed = known.empty() ? "none" : quoted_list(known);
        complain(node, name,
                 fmt::format("found the attribute \"{}\" in <{}>, allowed: {}{}", name, entry.name,
                             allowed, did_you_mean(name, known)));
      }
    }
    for (const AttributeEntry& attribute : entry.attributes) {
      if (!attribute.required || node.attribute(attribute.name.c_str())) continue;
      problems_.add(document_.place(node),
                    fmt::format("found <{}> without the attribute \"{}\", which it must have ({})",
                                entry.name, attribute.name, about(attribute)));
    }
  }

  static std::string about(const AttributeEntry& attribute) {
    return attribute.words.empty() ? value_form(attribute.type).allowed
                                   : quoted_list(attribute.words);
  }

  void value(pugi::xml_node node, pugi::xml_attribute attribute, const AttributeEntry& entry) {
    const std::string text = with_values(attribute.value(), bound_);
    // Their readers tell more exactly what is wrong.
    if (!text.empty() && (entry.type == ValueType::kCondition ||
                          entry.type == ValueType::kOutcomes || entry.type == ValueType::kRaw)) {
      return;
    }
    std::vector<std::string> given = {text};
    if (entry.type == ValueType::kWords) given = strings_of(text);
    if (given.empty()) given.emplace_back();
    for (const std::string& word : given) {
      const bool right = entry.words.empty()
                             ? is_value(entry.type, word)
                             : std::count(entry.words.begin(), entry.words.end(), word) > 0;
      if (right) continue;
      complain(node, entry.name,
               fmt::format("found {}=\"{}\", allowed: {}{}", entry.name, word, about(entry),
                           did_you_mean(word, entry.words)));
    }
  }

  void children(pugi::xml_node node, const ElementEntry& entry) {
    const auto allowed = children_of(entry.id);
    std::map<const ElementEntry*, int> counts;
    bool has_text = false;
    for (pugi::xml_node child : node.children()) {
      if (child.type() == pugi::node_element) {
        if (const ElementEntry* known = find(child, entry, allowed)) {
          once(child, *known, ++counts[known]);
          element(child, *known);
        }
      } else if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        const std::string_view text = child.value();
        has_text = has_text || text.find_first_not_of(" \t\r\n") != std::string_view::npos;
      }
    }
    for (const ElementEntry* child : allowed) {
      if (child->occurs != Occurs::kOnce || counts[child] > 0) continue;
      problems_.add(
          document_.place(node),
          fmt::format("found <{}> without <{}>, which it must have", entry.name, child->name));
    }
    if (has_text && entry.text == Text::kNone) {
      problems_.add(document_.place(node),
                    fmt::format("found text in <{}>, allowed: {}", entry.name,
                                allowed.empty() ? "nothing" : elements_text(allowed)));
    } else if (!has_text && entry.text == Text::kRequired) {
      problems_.add(document_.place(node),
                    fmt::format("found <{}> without text, which it must have", entry.name));
    }
  }

  static std::string elements_text(const std::vector<const ElementEntry*>& entries) {
    return "the elements " + quoted_list(names_of(entries));
  }

  const ElementEntry* find(pugi::xml_node child, const ElementEntry& entry,
                           const std::vector<const ElementEntry*>& allowed) {
    const std::string name = child.name();
    for (const ElementEntry* known : allowed) {
      if (known->name == name) return known;
    }
    const std::vector<std::string> names = names_of(allowed);
    problems_.add(document_.place(child),
                  fmt::format("found <{}> in <{}>, allowed: {}{}{}", name, entry.name,
                              names.empty() ? "no element" : quoted_list(names),
                              did_you_mean(name, names), where_else(name)));
    return nullptr;
  }

  void once(pugi::xml_node child, const ElementEntry& entry, int count) {
    if (entry.occurs == Occurs::kAny || count != 2) return;
    problems_.add(document_.place(child),
                  fmt::format("found <{}> for the second time, allowed: once", entry.name));
  }

  void complain(pugi::xml_node node, const std::string& attribute, std::string message) {
    problems_.add(document_.place_of_attribute(node, attribute), std::move(message));
  }

  const LocatedXml& document_;
  Problems& problems_;
  const Assignment& bound_;
};

}  // namespace

std::string with_values(std::string text, const Assignment& bound) {
  for (const auto& [key, value] : bound.values()) {
    const std::string name = "${" + key + "}";
    for (std::size_t at = text.find(name); at != std::string::npos;
         at = text.find(name, at + value.size()))
      text.replace(at, name.size(), value);
  }
  return text;
}

const ElementEntry* check_document(const LocatedXml& document, Problems& problems,
                                   const Assignment& bound) {
  const pugi::xml_node root = document.root();
  const auto roots = children_of("");
  for (const ElementEntry* entry : roots) {
    if (entry->name != root.name()) continue;
    Check(document, problems, bound).element(root, *entry);
    return entry;
  }
  const std::vector<std::string> names = names_of(roots);
  problems.add(
      document.place(root),
      fmt::format("found <{}> as the root of a file, allowed: {}{}{}", root.name(),
                  quoted_list(names), did_you_mean(root.name(), names), where_else(root.name())));
  return nullptr;
}

std::string Reader::text(pugi::xml_node node, const char* attribute, const char* otherwise) const {
  return with_values(node.attribute(attribute).as_string(otherwise), bound_);
}

bool Reader::has(pugi::xml_node node, const char* attribute) const {
  return !node.attribute(attribute).empty();
}

Condition Reader::condition(pugi::xml_node node, const char* attribute,
                            const KnownKeys* known) const {
  std::string error;
  Condition condition = Condition::parse(text(node, attribute), error);
  if (error.empty() && known) error = unknown_in(condition, *known);
  if (!error.empty()) complain(node, attribute, error);
  return condition;
}

std::vector<ExpectedOutcome> Reader::outcomes(pugi::xml_node node, const char* attribute,
                                              LegName leg) const {
  const std::string value = text(node, attribute);
  if (value.empty()) return {};
  std::string error;
  std::vector<ExpectedOutcome> outcomes = parse_outcomes(value, leg, error);
  if (!error.empty()) complain(node, attribute, error);
  return outcomes;
}

std::string Reader::raw(pugi::xml_node node, const char* attribute) const {
  std::string error;
  const std::optional<std::string> bytes = bytes_of(text(node, attribute), error);
  if (!bytes) complain(node, attribute, error);
  return bytes.value_or("");
}

std::string Reader::content(pugi::xml_node node) const {
  std::string content;
  for (pugi::xml_node child : node.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      content += child.value();
    }
  }
  return with_values(std::move(content), bound_);
}

void Reader::complain(pugi::xml_node node, std::string message) const {
  problems_.add(place(node), std::move(message));
}

void Reader::complain(pugi::xml_node node, const char* attribute, std::string message) const {
  problems_.add(place(node, attribute), std::move(message));
}

void Reader::complain(const Place& place, std::string message) const {
  problems_.add(place, std::move(message));
}

std::size_t index_of(const std::vector<std::string>& words, std::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  return found == words.end() ? 0 : static_cast<std::size_t>(found - words.begin());
}

}  // namespace postern
