#include "catalogue/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "catalogue/expectation.hpp"
#include "catalogue/gateway_variables.hpp"
#include "catalogue/vocabulary.hpp"

namespace postern {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string documentation(std::string_view indent, std::string_view text) {
  return fmt::format("{}<xs:annotation><xs:documentation>{}</xs:documentation></xs:annotation>\n",
                     indent, escaped(text));
}

/// simple_type gives a named type for one form.
std::string simple_type(const ValueForm& form) {
  std::string facet = "      <xs:minLength value=\"1\"/>\n";
  if (*form.pattern)
    facet = fmt::format("      <xs:pattern value=\"{}\"/>\n", escaped(form.pattern));
  return fmt::format(
      "  <xs:simpleType name=\"{}\">\n{}    <xs:restriction base=\"xs:string\">\n{}"
      "    </xs:restriction>\n  </xs:simpleType>\n",
      form.name, documentation("    ", form.allowed), facet);
}

/// words_type gives an unnamed type for listed words: one, or several joined by spaces.
std::string words_type(const AttributeEntry& attribute) {
  std::string words;
  for (const std::string& word : attribute.words) {
    words += fmt::format("<xs:enumeration value=\"{}\"/>", escaped(word));
  }
  const std::string one = fmt::format(
      "<xs:simpleType><xs:restriction base=\"xs:string\">{}</xs:restriction></xs:simpleType>",
      words);
  if (attribute.type == ValueType::kWord) return fmt::format("        {}\n", one);
  return fmt::format(
      "        <xs:simpleType><xs:restriction><xs:simpleType><xs:list>{}</xs:list>"
      "</xs:simpleType><xs:minLength value=\"1\"/></xs:restriction></xs:simpleType>\n",
      one);
}

/// below_story tells whether values of an axis may stand in an element, as ${NAME}.
bool below_story(const ElementEntry& entry) {
  return std::any_of(entry.parents.begin(), entry.parents.end(), [](const std::string& parent) {
    return parent == "story" || parent == "client" || parent == "server";
  });
}

/// or_variable gives a type for what `type` allows, and for text with a ${NAME} in it.
std::string or_variable(const std::string& members, const std::string& type) {
  return fmt::format(
      "        <xs:simpleType><xs:union memberTypes=\"{}\">\n{}        "
      "</xs:union></xs:simpleType>\n",
      members, type);
}

std::string attribute_declaration(const AttributeEntry& attribute, bool variables) {
  const std::string about =
      attribute.default_value.empty()
          ? attribute.about
          : fmt::format("{} Default: {}.", attribute.about, attribute.default_value);
  const bool listed = !attribute.words.empty();
  if (variables && (listed || *value_form(attribute.type).pattern)) {
    const std::string form = value_form(attribute.type).name;
    return fmt::format("      <xs:attribute name=\"{}\"{}>\n{}{}      </xs:attribute>\n",
                       attribute.name, attribute.required ? " use=\"required\"" : "",
                       documentation("        ", about),
                       listed ? or_variable("variable", words_type(attribute))
                              : or_variable(form + " variable", ""));
  }
  return fmt::format("      <xs:attribute name=\"{}\"{}{}>\n{}{}      </xs:attribute>\n",
                     attribute.name,
                     listed ? "" : fmt::format(" type=\"{}\"", value_form(attribute.type).name),
                     attribute.required ? " use=\"required\"" : "",
                     documentation("        ", about), listed ? words_type(attribute) : "");
}

/// children_model allows the children in any order. Where each may come but once, the schema can
/// hold that too.
std::string children_model(const std::vector<const ElementEntry*>& children) {
  if (children.empty()) return "";
  const bool all_once = std::none_of(children.begin(), children.end(), [](const ElementEntry* one) {
    return one->occurs == Occurs::kAny;
  });
  std::string list;
  for (const ElementEntry* child : children) {
    list += fmt::format("        <xs:element name=\"{}\" type=\"{}-element\"{}/>\n", child->name,
                        child->id,
                        all_once && child->occurs == Occurs::kAtMostOnce ? " minOccurs=\"0\"" : "");
  }
  return all_once ? fmt::format("      <xs:all>\n{}      </xs:all>\n", list)
                  : fmt::format(
                        "      <xs:choice minOccurs=\"0\" maxOccurs=\"unbounded\">\n{}"
                        "      </xs:choice>\n",
                        list);
}

std::string element_type(const ElementEntry& entry) {
  std::string attributes;
  for (const AttributeEntry& attribute : entry.attributes) {
    attributes += attribute_declaration(attribute, below_story(entry));
  }
  std::string body = children_model(children_of(entry.id)) + attributes;
  if (entry.text != Text::kNone) {
    body = fmt::format(
        "      <xs:simpleContent><xs:extension base=\"{}\">\n{}"
        "      </xs:extension></xs:simpleContent>\n",
        entry.text == Text::kRequired ? "text" : "xs:string", attributes);
  }
  return fmt::format("  <xs:complexType name=\"{}-element\">\n{}{}  </xs:complexType>\n", entry.id,
                     documentation("    ", entry.about), body);
}

std::string place_of(const ElementEntry& entry) {
  if (entry.parents.empty()) return "The root of a file.";
  std::vector<std::string> names;
  for (const std::string& parent : entry.parents) names.push_back(fmt::format("`<{}>`", parent));
  const char* occurs = entry.occurs == Occurs::kAny          ? "any number"
                       : entry.occurs == Occurs::kAtMostOnce ? "at most once"
                                                             : "exactly once";
  return fmt::format("In {}, {}.", fmt::join(names, ", "), occurs);
}

/// cell makes `text` safe inside a table of Markdown.
std::string cell(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string allowed_cell(const AttributeEntry& attribute) {
  if (attribute.words.empty()) return cell(value_form(attribute.type).name);
  std::vector<std::string> words;
  for (const std::string& word : attribute.words) words.push_back(fmt::format("`{}`", word));
  const char* several = attribute.type == ValueType::kWords ? "one or more of " : "";
  return fmt::format("{}{}", several, fmt::join(words, " "));
}

std::string outcomes_section(LegName leg) {
  const bool inbound = leg == LegName::kInbound;
  std::string text = fmt::format("\n## Outcomes, {}\n\n| word | meaning |\n|---|---|\n",
                                 inbound ? "inbound" : "outbound");
  for (const std::string& word : outcome_words(leg)) {
    text += fmt::format("| `{}` | {} |\n", word, outcome_about(word));
  }
  text += "\n| fact | value | meaning |\n|---|---|---|\n";
  for (const FactForm& fact : fact_forms()) {
    if (inbound ? !fact.inbound : !fact.outbound) continue;
    AttributeEntry entry;
    entry.type = fact.type;
    entry.words = fact.words;
    text += fmt::format("| `{}` | {} | {} |\n", fact.name, allowed_cell(entry), fact.about);
  }
  return text;
}

std::string variables_section() {
  return fmt::format(
      "\n## Variables of gateway files\n\nIn `<file>` and `<arg>`: {}.\n\nIn `<setting>`: {}.\n\n"
      "A line with a `${{route.…}}` is written once for each route. `$${{` is a plain `${{`.\n\n"
      "## Groups of records\n\nThe patterns of `<event>` may name: {}.\n",
      variable_list(Variables::kText), variable_list(Variables::kSettingText),
      fmt::join(event_groups(), ", "));
}

std::string element_section(const ElementEntry& entry) {
  const bool same_name = entry.id != entry.name;
  std::string text = fmt::format(
      "\n{} `<{}>`{}\n\n{} {}", entry.parents.empty() ? "##" : "###", entry.name,
      same_name ? fmt::format(" in `<{}>`", entry.parents[0]) : "", place_of(entry), entry.about);
  if (entry.text == Text::kRequired) text += " It holds text.";
  if (entry.text == Text::kOptional) text += " It may hold text.";
  text += '\n';
  if (entry.attributes.empty()) return text;
  text += "\n| attribute | value | default | meaning |\n|---|---|---|---|\n";
  for (const AttributeEntry& attribute : entry.attributes) {
    const char* absent = attribute.required ? "must be given" : "";
    text += fmt::format("| `{}` | {} | {} | {} |\n", attribute.name, allowed_cell(attribute),
                        attribute.default_value.empty() ? absent : cell(attribute.default_value),
                        cell(attribute.about));
  }
  return text;
}

}  // namespace

std::string xsd() {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<!-- Generated from the vocabulary (harness/catalogue/vocabulary.cpp); do not edit. -->\n"
      "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n";
  for (const ElementEntry* root : children_of("")) {
    text += fmt::format("  <xs:element name=\"{}\" type=\"{}-element\"/>\n", root->name, root->id);
  }
  for (const ElementEntry& entry : elements()) text += element_type(entry);
  for (const ValueForm& form : value_forms()) {
    if (form.type == ValueType::kWord || form.type == ValueType::kWords) continue;
    text += simple_type(form);
  }
  text +=
      "  <xs:simpleType name=\"variable\">\n    <xs:restriction base=\"xs:string\">\n"
      "      <xs:pattern value=\".*[$]\\{[a-z0-9.\\-]+\\}.*\"/>\n"
      "    </xs:restriction>\n  </xs:simpleType>\n";
  return text + "</xs:schema>\n";
}

std::string reference_markdown() {
  std::string text =
      "<!-- Generated from the vocabulary (harness/catalogue/vocabulary.cpp); do not edit. -->\n"
      "# Scenario reference\n\n"
      "Every element of the files below `scenarios/`, and every attribute. One file holds one "
      "root\n"
      "element. `postern check` holds a file against this table and against all others; editors\n"
      "find the same in `scenarios/postern.xsd`.\n\n"
      "## Forms of values\n\n| form | allowed |\n|---|---|\n";
  for (const ValueForm& form : value_forms()) {
    if (form.type == ValueType::kWord || form.type == ValueType::kWords) continue;
    text += fmt::format("| {} | {} |\n", form.name, cell(form.allowed));
  }
  text +=
      "\n## Settings\n\n| setting | values | default | on the settings page |\n|---|---|---|---|\n";
  for (const Setting& one : settings()) {
    std::vector<std::string> values;
    for (const std::string& value : one.values) values.push_back(fmt::format("`{}`", value));
    text += fmt::format("| `{}` | {} | `{}` | {} |\n", one.name,
                        values.empty() ? "a delay" : fmt::format("{}", fmt::join(values, " ")),
                        one.default_value, one.label);
  }
  text += outcomes_section(LegName::kInbound) + outcomes_section(LegName::kOutbound);
  for (const ElementEntry& entry : elements()) text += element_section(entry);
  text += variables_section();
  return text;
}

}  // namespace postern
