#include "level_rewrite.hpp"

#include <fmt/format.h>

#include <optional>
#include <pugixml.hpp>
#include <stdexcept>
#include <vector>

#include "config.hpp"

namespace gateway::web {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Tag is where a tag stands: from its "<" to behind its ">".
struct Tag {
  std::string_view name;  // begins with "/" where it is an end tag
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_empty = false;  // <x/>
};

// Scanner finds the tags of a well-formed document, and passes over all that only looks like one.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // next is the next tag, or nullopt at the end.
  std::optional<Tag> next();

 private:
  bool skip(std::string_view opening, std::string_view closing);
  void skip_doctype();

  std::string_view text_;
  std::size_t at_ = 0;
};

// skip passes over what begins with `opening` here, up to `closing`.
bool Scanner::skip(std::string_view opening, std::string_view closing) {
  if (text_.compare(at_, opening.size(), opening) != 0) return false;
  const auto end = text_.find(closing, at_ + opening.size());
  if (end == std::string_view::npos) throw std::runtime_error("it is not well-formed XML");
  at_ = end + closing.size();
  return true;
}

// skip_doctype passes over a document type declaration, whose own declarations stand in brackets.
void Scanner::skip_doctype() {
  int depth = 0;
  for (char quote = 0; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (text_.compare(at_, 4, "<!--") == 0) {
      skip("<!--", "-->");
      --at_;
    } else if (c == '[' || c == '<') {
      ++depth;
    } else if (c == ']' || c == '>') {
      if (--depth == 0) break;
    }
  }
  ++at_;
}

std::optional<Tag> Scanner::next() {
  for (;;) {
    at_ = text_.find('<', at_);
    if (at_ == std::string_view::npos) return std::nullopt;
    if (skip("<!--", "-->") || skip("<![CDATA[", "]]>") || skip("<?", "?>")) continue;
    if (text_.compare(at_, 2, "<!") != 0) break;
    skip_doctype();
  }
  Tag tag;
  tag.begin = at_;
  const auto name_end = text_.find_first_of(" \t\r\n/>", at_ + 2);
  tag.name = text_.substr(at_ + 1, name_end - at_ - 1);
  for (char quote = 0; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      break;
    }
  }
  if (at_ >= text_.size()) throw std::runtime_error("it is not well-formed XML");
  tag.is_empty = text_[at_ - 1] == '/';
  tag.end = ++at_;
  return tag;
}

// set_attribute gives the tag `text` this attribute: its value is changed where it stands already.
void set_attribute(std::string& text, std::string_view name, std::string_view value) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (is_space(text[i]) && text.compare(i + 1, name.size(), name) == 0) {
      const auto equals = text.find_first_not_of(" \t\r\n", i + 1 + name.size());
      if (equals == std::string::npos || text[equals] != '=') continue;
      const auto opening = text.find_first_of("\"'", equals);
      const auto closing = text.find(text[opening], opening + 1);
      text.replace(opening + 1, closing - opening - 1, value);
      return;
    }
  }
  auto end = text.size() - 1;  // the ">"
  if (text[end - 1] == '/') --end;
  while (is_space(text[end - 1])) --end;
  text.insert(end, fmt::format(" {}=\"{}\"", name, value));
}

std::string changed_tag(std::string tag, const Attributes& attributes) {
  for (const auto& [name, value] : attributes) set_attribute(tag, name, value);
  return tag;
}

}  // namespace

Attributes attributes_of(const Levels& levels) {
  return {{"server-level", std::string(word_of(levels.receiving.level))},
          {"client-certificate", std::string(word_of(levels.receiving.certificate))},
          {"client-level", std::string(level_word(levels.sending))}};
}

std::string with_attributes(std::string_view text, const Attributes& attributes) {
  if (text.find('\0') != std::string_view::npos || text.substr(0, 1) == "\xfe" ||
      text.substr(0, 1) == "\xff") {
    throw std::runtime_error("its encoding is not UTF-8 or another one that ASCII is a part of");
  }
  Scanner scanner(text);
  std::string out(text);
  std::size_t behind_listen = 0;
  std::string_view indent;
  std::vector<std::string_view> open;
  while (const auto tag = scanner.next()) {
    if (tag->name.substr(0, 1) == "/") {
      open.pop_back();
    } else if (open.size() == 1 && tag->name == "tls") {
      const std::string old = out.substr(tag->begin, tag->end - tag->begin);
      return out.replace(tag->begin, old.size(), changed_tag(old, attributes));
    } else if (!tag->is_empty) {
      open.push_back(tag->name);
    }
    const bool ends_listen = tag->name == "/listen" || (tag->name == "listen" && tag->is_empty);
    if (open.size() == 1 && ends_listen) behind_listen = tag->end;
    if (open.size() == 1 && tag->name == "listen" && tag->is_empty) {
      const auto line = text.rfind('\n', tag->begin);
      indent = line == std::string_view::npos ? std::string_view()
                                              : text.substr(line + 1, tag->begin - line - 1);
      if (indent.find_first_not_of(" \t") != std::string_view::npos) indent = {};
    }
  }
  if (behind_listen == 0) throw std::runtime_error("it has neither <tls> nor <listen>");
  return out.insert(behind_listen,
                    fmt::format("\n{}{}", indent, changed_tag("<tls/>", attributes)));
}

bool has_attributes(const std::string& text, const Attributes& attributes) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return false;
  const pugi::xml_node tls = document.document_element().child("tls");
  for (const auto& [name, value] : attributes) {
    if (tls.attribute(name.c_str()).value() != value) return false;
  }
  return true;
}

std::size_t routes_with_levels(const std::string& text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return 0;
  std::size_t count = 0;
  for (const auto& route : document.document_element().children("route")) {
    if (route.attribute("client-level")) ++count;
  }
  return count;
}

}  // namespace gateway::web
