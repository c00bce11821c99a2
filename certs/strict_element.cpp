#include "strict_element.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postern::certs {
namespace {

constexpr const char* kBlanks = " \t\r\n";

bool is_name(const std::string& word) {
  const bool known = std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  return known && !word.empty() && word.size() <= 64 && word.front() != '-';
}

}  // namespace

StrictElement::StrictElement(const LocatedXml& xml, pugi::xml_node node, Problems& problems,
                             const std::vector<std::string>& allowed)
    : xml_(xml), node_(node), problems_(problems) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    const std::string found = attribute.name();
    if (std::find(allowed.begin(), allowed.end(), found) != allowed.end()) continue;
    problems.add(xml.place_of_attribute(node, found),
                 fmt::format("<{}> has no attribute \"{}\"{}; allowed are {}", node.name(), found,
                             did_you_mean(found, allowed), quoted_list(allowed)));
  }
  for (const pugi::xml_node child : node.children()) refuse_element(xml, child, problems, {});
}

std::string StrictElement::required(const char* attribute) {
  const std::string value = text(attribute);
  if (!has(attribute)) {
    problems_.add(place(), fmt::format("<{}> lacks the attribute \"{}\"", node_.name(), attribute));
  } else if (value.find_first_not_of(kBlanks) == std::string::npos) {
    refuse(attribute, fmt::format("the attribute \"{}\" must not be empty", attribute));
  }
  return value;
}

std::string StrictElement::name(const char* attribute) {
  std::string value = required(attribute);
  if (!value.empty() && !is_name(value)) {
    refuse(attribute,
           fmt::format("found {}=\"{}\"; allowed are up to 64 small letters, digits and hyphens, "
                       "not beginning with a hyphen",
                       attribute, value));
  }
  return value;
}

std::vector<std::string> StrictElement::list(const char* attribute) const {
  std::vector<std::string> words;
  const std::string value = text(attribute);
  std::size_t begin = 0;
  while ((begin = value.find_first_not_of(kBlanks, begin)) != std::string::npos) {
    const std::size_t end = std::min(value.find_first_of(kBlanks, begin), value.size());
    words.push_back(value.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

void StrictElement::refuse(const char* attribute, std::string message) {
  problems_.add(xml_.place_of_attribute(node_, attribute), std::move(message));
}

void StrictElement::refuse_word(const char* attribute, const std::string& found,
                                const std::vector<std::string>& allowed) {
  refuse(attribute,
         fmt::format("found \"{}\" in {}=\"{}\"{}; allowed are {}", found, attribute,
                     text(attribute), did_you_mean(found, allowed), quoted_list(allowed)));
}

void refuse_element(const LocatedXml& xml, pugi::xml_node node, Problems& problems,
                    const std::vector<std::string>& allowed) {
  const std::string parent = node.parent().name();
  const std::string may =
      allowed.empty() ? "nothing" : fmt::format("the elements {}", quoted_list(allowed));
  const std::string found =
      node.type() == pugi::node_element
          ? fmt::format("<{}>{}", node.name(), did_you_mean(node.name(), allowed))
          : std::string("text");
  problems.add(xml.place(node),
               fmt::format("found {} inside <{}>; allowed is {}", found, parent, may));
}

}  // namespace postern::certs
