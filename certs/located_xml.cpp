#include "located_xml.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <system_error>
#include <tuple>

namespace postern {
namespace {

constexpr std::size_t kLargestFile = std::size_t{8} << 20;  // bytes
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r\n";

std::string reason_of(int error) {
  return std::generic_category().message(error);
}

/// Descriptor closes the file that it holds.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

/// read_whole reads a regular file; on trouble it returns nothing and `why` says what it was.
std::optional<std::string> read_whole(const std::string& file, std::string& why) {
  // O_NONBLOCK: opening a pipe that nobody writes must not hang the program.
  const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (input.number() < 0 || ::fstat(input.number(), &facts) != 0) {
    why = "cannot be read: " + reason_of(errno);
    return std::nullopt;
  }
  if (!S_ISREG(facts.st_mode)) {
    why = S_ISDIR(facts.st_mode) ? "is a directory; a file is needed" : "is not a regular file";
    return std::nullopt;
  }
  // One byte more than it should be, to see the end; a file that grows meanwhile is read on.
  std::string text(std::min(static_cast<std::size_t>(facts.st_size), kLargestFile) + 1, '\0');
  std::size_t length = 0;
  while (length <= kLargestFile) {
    if (length == text.size()) text.resize(std::min(2 * length, kLargestFile + 1));
    const ssize_t got = ::read(input.number(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      why = "cannot be read: " + reason_of(errno);
      return std::nullopt;
    }
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  if (length > kLargestFile) {
    why = fmt::format("is larger than {} MiB, the most that is read", kLargestFile >> 20);
    return std::nullopt;
  }
  text.resize(length);
  return text;
}

/// Findings is what libxml2 reports while it reads: the first error, and whether there is a
/// DOCTYPE. Later errors mostly follow from the first.
struct Findings {
  bool doctype = false;
  bool error = false;
  unsigned line = 0;
  unsigned column = 0;
  std::string message;
};

Findings& findings_of(void* parser) {
  return *static_cast<Findings*>(static_cast<xmlParserCtxt*>(parser)->_private);
}

void on_error(void* parser, xmlErrorPtr error) {
  Findings& findings = findings_of(parser);
  if (findings.error || findings.doctype || error->level < XML_ERR_ERROR) return;
  findings.error = true;
  findings.line = error->line > 0 ? static_cast<unsigned>(error->line) : 0;
  findings.column = error->int2 > 0 ? static_cast<unsigned>(error->int2) : 0;
  findings.message = error->message != nullptr ? error->message : "not well-formed";
  while (!findings.message.empty() && std::isspace(findings.message.back()) != 0) {
    findings.message.pop_back();
  }
}

void on_doctype(void* parser, const xmlChar*, const xmlChar*, const xmlChar*) {
  // Stopping here means that no entity declaration is ever read.
  findings_of(parser).doctype = true;
  xmlStopParser(static_cast<xmlParserCtxt*>(parser));
}

/// start_of_doctype finds where the DOCTYPE stands; only comments and instructions precede it.
std::size_t start_of_doctype(const std::string& text) {
  std::size_t at = 0;
  while ((at = text.find('<', at)) != std::string::npos) {
    if (text.compare(at, 9, "<!DOCTYPE") == 0) return at;
    const std::string_view end = text.compare(at, 4, "<!--") == 0 ? "-->" : ">";
    at = text.find(end, at);
  }
  return 0;
}

/// same_letters compares without regard to capitals.
bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// is_utf16 knows it by its byte order mark or by the zero in the first "<".
bool is_utf16(const std::string& text) {
  const std::string_view head = std::string_view(text).substr(0, 2);
  return head == "\xFF\xFE" || head == "\xFE\xFF" || head == std::string_view("<\0", 2) ||
         head == std::string_view("\0<", 2);
}

/// ParserCloser and DocumentCloser give back what libxml2 allocated.
struct ParserCloser {
  void operator()(xmlParserCtxt* parser) const { xmlFreeParserCtxt(parser); }
};
struct DocumentCloser {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

/// examine lets libxml2 read `text` and says what it found wrong.
Findings examine(const std::string& text) {
  static const bool ready = (xmlInitParser(), true);
  static_cast<void>(ready);
  Findings findings;
  if (is_utf16(text)) {
    findings.error = true;
    findings.line = findings.column = 1;
    findings.message = "the file is in UTF-16; only UTF-8 is read";
    return findings;
  }
  const std::unique_ptr<xmlParserCtxt, ParserCloser> parser(xmlNewParserCtxt());
  if (parser == nullptr) throw std::bad_alloc();
  parser->_private = &findings;
  parser->sax->serror = on_error;
  parser->sax->internalSubset = on_doctype;
  const std::unique_ptr<xmlDoc, DocumentCloser> document(
      xmlCtxtReadMemory(parser.get(), text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                        XML_PARSE_NONET | XML_PARSE_BIG_LINES));
  if (findings.error || findings.doctype) return findings;
  if (document == nullptr) {
    findings.error = true;
    findings.message = "not well-formed XML";
  } else if (document->encoding != nullptr) {
    const std::string encoding(document->encoding,
                               document->encoding + xmlStrlen(document->encoding));
    if (same_letters(encoding, "UTF-8") || same_letters(encoding, "US-ASCII")) return findings;
    findings.error = true;
    findings.line = findings.column = 1;
    findings.message = fmt::format("the file is in {}; only UTF-8 is read", encoding);
  }
  return findings;
}

std::vector<std::size_t> starts_of_lines(const std::string& text) {
  std::vector<std::size_t> starts{0};
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    starts.push_back(at + 1);
  }
  return starts;
}

/// place_at counts columns in characters, as editors do, not in bytes.
Place place_at(const std::string& file, const std::string& text,
               const std::vector<std::size_t>& starts, std::size_t offset) {
  const auto next = std::upper_bound(starts.begin(), starts.end(), offset);
  const auto start = static_cast<std::ptrdiff_t>(*std::prev(next));
  const auto characters =
      std::count_if(text.begin() + start, text.begin() + static_cast<std::ptrdiff_t>(offset),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return {file, static_cast<unsigned>(next - starts.begin()),
          static_cast<unsigned>(characters) + 1};
}

/// distance is the number of insertions, deletions, changes and swaps of neighbours that make one
/// word of the other, capitals aside.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                             std::vector<std::size_t>(b.size() + 1, 0));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string Place::text() const {
  if (line == 0) return file;
  if (column == 0) return fmt::format("{}:{}", file, line);
  return fmt::format("{}:{}:{}", file, line, column);
}

void Problems::add(Place place, std::string message) {
  // What is read several times over is wrong once.
  for (const Problem& known : all_)
    if (known.message == message && known.place.text() == place.text()) return;
  all_.push_back({std::move(place), std::move(message)});
}

std::string Problems::text() const {
  std::vector<const Problem*> sorted;
  for (const Problem& problem : all_) sorted.push_back(&problem);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem* a, const Problem* b) {
    return std::tie(a->place.file, a->place.line, a->place.column) <
           std::tie(b->place.file, b->place.line, b->place.column);
  });
  std::string text;
  for (const Problem* problem : sorted) {
    text += fmt::format("{}: {}\n", problem->place.text(), problem->message);
  }
  return text;
}

std::optional<LocatedXml> LocatedXml::load(const std::string& file, Problems& problems) {
  std::string why;
  std::optional<std::string> text = read_whole(file, why);
  if (!text) {
    problems.add({file}, why);
    return std::nullopt;
  }
  return parse(std::move(*text), file, problems);
}

std::optional<LocatedXml> LocatedXml::parse(std::string text, std::string name,
                                            Problems& problems) {
  if (text.size() > kLargestFile) {
    problems.add({name},
                 fmt::format("is larger than {} MiB, the most that is read", kLargestFile >> 20));
    return std::nullopt;
  }
  // An editor shows no byte order mark, so it is no column either.
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  LocatedXml xml;
  xml.file_ = std::move(name);
  xml.text_ = std::make_shared<std::string>(std::move(text));
  xml.line_starts_ = starts_of_lines(*xml.text_);
  const Findings findings = examine(*xml.text_);
  if (findings.doctype) {
    problems.add(place_at(xml.file_, *xml.text_, xml.line_starts_, start_of_doctype(*xml.text_)),
                 "found a DOCTYPE; no document type and no entities of one's own are allowed");
    return std::nullopt;
  }
  if (findings.error) {
    problems.add({xml.file_, findings.line, findings.column}, findings.message);
    return std::nullopt;
  }
  xml.document_ = std::make_shared<pugi::xml_document>();
  // A text of blanks alone counts where it is all that an element holds.
  const pugi::xml_parse_result result = xml.document_->load_buffer(
      xml.text_->data(), xml.text_->size(), pugi::parse_default | pugi::parse_ws_pcdata_single,
      pugi::encoding_utf8);
  if (!result) {
    problems.add(place_at(xml.file_, *xml.text_, xml.line_starts_,
                          std::min(static_cast<std::size_t>(result.offset), xml.text_->size())),
                 result.description());
    return std::nullopt;
  }
  return xml;
}

pugi::xml_node LocatedXml::root() const {
  return document_->document_element();
}

Place LocatedXml::place(pugi::xml_node node) const {
  const std::ptrdiff_t offset = node.offset_debug();
  if (!node || offset < 0 || node.root() != *document_) return {file_};
  return place_at(file_, *text_, line_starts_, static_cast<std::size_t>(offset));
}

Place LocatedXml::place_of_attribute(pugi::xml_node node, std::string_view attribute) const {
  const Place place = this->place(node);
  if (place.line == 0 || node.type() != pugi::node_element) return place;
  // The text is well-formed, so a start tag is NAME (BLANKS NAME = QUOTED)*.
  const std::string_view text(*text_);
  std::size_t at =
      static_cast<std::size_t>(node.offset_debug()) + std::string_view(node.name()).size();
  while ((at = text.find_first_not_of(kBlanks, at)) != std::string_view::npos) {
    if (text[at] == '>' || text[at] == '/') return place;
    const std::size_t end = text.find_first_of(" \t\r\n=", at);
    const std::size_t open = text.find_first_of("\"'", end);
    if (open == std::string_view::npos) return place;
    if (text.substr(at, end - at) == attribute) return place_at(file_, *text_, line_starts_, at);
    at = text.find(text[open], open + 1);
    if (at == std::string_view::npos) return place;
    ++at;
  }
  return place;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  // Two slips in a word of three letters make any word of any other.
  const std::size_t limit = word.size() < 4 ? 1 : std::max<std::size_t>(2, word.size() / 3);
  const std::string* nearest = nullptr;
  std::size_t least = limit + 1;
  for (const std::string& candidate : known) {
    // Lengths alone rule out most, and spare the table for a word of a megabyte.
    const std::size_t shorter = std::min(candidate.size(), word.size());
    const std::size_t longer = std::max(candidate.size(), word.size());
    if (longer - shorter > limit || longer > 100) continue;
    const std::size_t far = distance(word, candidate);
    if (far < least && far < longer) {
      least = far;
      nearest = &candidate;
    }
  }
  return nearest == nullptr ? "" : fmt::format(" (did you mean \"{}\"?)", *nearest);
}

std::string quoted_list(std::span<const std::string> words) {
  // Nobody reads a hundred names to find the one that was meant.
  constexpr std::size_t kMost = 50;
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i == kMost) return text + fmt::format(" and {} more", words.size() - kMost);
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += fmt::format("\"{}\"", words[i]);
  }
  return text;
}

}  // namespace postern
