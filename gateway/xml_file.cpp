#include "xml_file.hpp"

#include <fmt/format.h>
#include <libxml/parser.h>

#include <algorithm>
#include <climits>
#include <fstream>
#include <iterator>
#include <memory>

#include "values.hpp"

namespace gateway {
namespace {

constexpr std::size_t kLargestFile = 64 * 1024 * 1024;

std::string read_file(const std::string& path) {
  std::string text;
  bool good = false;
  try {
    std::ifstream in(path, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    good = static_cast<bool>(in);
  } catch (const std::ios_base::failure&) {
    good = false;  // a folder opens, but cannot be read
  }
  if (!good || text.size() > kLargestFile) throw ConfigError(path + ":1:1: cannot read this file");
  return text;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// find_attribute returns the offset of attribute `name` in the start tag that begins at `offset`.
std::size_t find_attribute(std::string_view text, std::size_t offset, std::string_view name) {
  char quote = 0;
  for (std::size_t i = offset; i < text.size(); ++i) {
    if (quote) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '>') {
      break;
    } else if (is_space(text[i]) && text.compare(i + 1, name.size(), name) == 0) {
      const std::size_t after = i + 1 + name.size();
      if (after < text.size() && (text[after] == '=' || is_space(text[after]))) return i + 1;
    }
  }
  return offset;
}

}  // namespace

XmlFile::XmlFile(std::string path) : XmlFile(path, read_file(path)) {}

XmlFile::XmlFile(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)) {
  prove_well_formed();
  const auto result = document_.load_buffer(text_.data(), text_.size(), pugi::parse_default);
  if (!result) {
    throw ConfigError(fmt::format("{}: {}", position(static_cast<std::size_t>(result.offset)),
                                  result.description()));
  }
}

void XmlFile::prove_well_formed() const {
  const auto context = std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)>(
      xmlNewParserCtxt(), &xmlFreeParserCtxt);
  if (!context) throw ConfigError(path_ + ":1:1: out of memory");
  const auto document = std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)>(
      xmlCtxtReadMemory(
          context.get(), text_.data(), static_cast<int>(text_.size()), path_.c_str(), nullptr,
          XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES),
      &xmlFreeDoc);
  if (document && context->wellFormed) return;
  const xmlError* error = xmlCtxtGetLastError(context.get());
  std::string message = error && error->message ? error->message : "not well-formed";
  while (!message.empty() && is_space(message.back())) message.pop_back();
  throw ConfigError(fmt::format("{}:{}:{}: not well-formed XML: {}", path_,
                                error ? std::max(error->line, 1) : 1,
                                error ? std::max(error->int2, 1) : 1, message));
}

std::string XmlFile::position(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto begin = text_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(offset);
  const auto line = std::count(begin, end, '\n') + 1;
  const auto newline = offset == 0 ? std::string::npos : text_.rfind('\n', offset - 1);
  const auto column = newline == std::string::npos ? offset + 1 : offset - newline;
  return fmt::format("{}:{}:{}", path_, line, column);
}

std::string XmlFile::place(pugi::xml_node node, std::string_view attribute) const {
  const std::size_t bom = text_.compare(0, 3, "\xef\xbb\xbf") == 0 ? 3 : 0;
  const auto offset =
      static_cast<std::size_t>(std::max<std::ptrdiff_t>(node.offset_debug(), 0)) + bom;
  if (node.type() == pugi::node_pcdata) return position(text_.find_first_not_of(" \t\r\n", offset));
  return position(attribute.empty() ? offset : find_attribute(text_, offset, attribute));
}

void XmlFile::complain(pugi::xml_node node, std::string_view attribute, std::string_view text) {
  complaints_.push_back(fmt::format("{}: {}", place(node, attribute), text));
}

void XmlFile::raise() const {
  if (!complaints_.empty()) throw ConfigError(fmt::format("{}", fmt::join(complaints_, "\n")));
}

std::string allowed_text(std::string_view found, const std::vector<std::string_view>& allowed) {
  std::string out;
  std::size_t best = 3;
  for (const auto word : allowed) {
    const auto distance = edit_distance(found, word);
    if (distance < best && distance < word.size()) {
      best = distance;
      out = fmt::format("did you mean \"{}\"? ", word);
    }
  }
  if (allowed.empty()) return out + "nothing is allowed here";
  return out + fmt::format("allowed: {}", fmt::join(allowed, ", "));
}

bool Element::has(const char* name) {
  if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) asked_.emplace_back(name);
  return !node_.attribute(name).empty();
}

std::string Element::text(const char* name, std::string_view fallback) {
  return has(name) ? std::string(node_.attribute(name).value()) : std::string(fallback);
}

std::string Element::required(const char* name) {
  std::string value = text(name);
  if (value.empty()) {
    complain({}, fmt::format("<{}> has no {}=\"...\", which it needs", node_.name(), name));
  }
  return value;
}

std::uint64_t Element::number(const char* name, std::uint64_t fallback, std::uint64_t low,
                              std::uint64_t high) {
  if (!has(name)) return fallback;
  const std::string value = text(name);
  const auto number = parse_number(value);
  if (number && *number >= low && *number <= high) return *number;
  complain(name,
           fmt::format("found {}=\"{}\"; allowed: a number from {} to {}", name, value, low, high));
  return fallback;
}

std::uint64_t Element::size(const char* name, std::uint64_t fallback, std::uint64_t low) {
  if (!has(name)) return fallback;
  const std::string value = text(name);
  const auto size = parse_size(value);
  if (size && *size >= low) return *size;
  const std::string least = low == 0 ? std::string() : fmt::format(", at least {}", low);
  complain(name, fmt::format("found {}=\"{}\"; allowed: octets, with an optional k, M or G{}", name,
                             value, least));
  return fallback;
}

std::chrono::microseconds Element::duration(const char* name, std::chrono::microseconds fallback,
                                            std::chrono::microseconds low, std::string_view also) {
  if (!has(name)) return fallback;
  const std::string value = text(name);
  const auto duration = parse_duration(value);
  if (duration && *duration >= low) return *duration;
  std::string allowed = low.count() == 0 ? "0, or a number" : "a number above 0";
  if (!also.empty()) allowed = fmt::format("{}, {}", also, allowed);
  complain(name,
           fmt::format("found {}=\"{}\"; allowed: {} with ms, s, m, h or d", name, value, allowed));
  return fallback;
}

std::size_t Element::choice(const char* name, const std::vector<std::string_view>& words,
                            std::size_t fallback) {
  if (!has(name)) return fallback;
  const std::string value = text(name);
  const auto found = std::find(words.begin(), words.end(), value);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  complain(name, fmt::format("found {}=\"{}\"; {}", name, value, allowed_text(value, words)));
  return fallback;
}

void Element::complain(std::string_view name, std::string_view text) {
  file_.complain(node_, name, text);
}

void Element::done(const std::vector<std::string_view>& children) {
  for (const auto& attribute : node_.attributes()) {
    const std::string_view name = attribute.name();
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
      complain(name, fmt::format("found attribute \"{}\" in <{}>; {}", name, node_.name(),
                                 allowed_text(name, asked_)));
    }
  }
  for (const auto& child : node_.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      const std::string allowed = children.empty() ? "attributes only"
                                                   : fmt::format("attributes, and the elements {}",
                                                                 fmt::join(children, ", "));
      file_.complain(child, {},
                     fmt::format("found text in <{}>; allowed: {}", node_.name(), allowed));
    }
    if (child.type() != pugi::node_element) continue;
    const std::string_view name = child.name();
    if (std::find(children.begin(), children.end(), name) == children.end()) {
      file_.complain(
          child, {},
          fmt::format("found <{}> in <{}>; {}", name, node_.name(), allowed_text(name, children)));
    }
  }
}

}  // namespace gateway
