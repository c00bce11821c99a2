#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "parts.hpp"
#include "results_file.hpp"
#include "results_json.hpp"

// The reading half: one line in memory at a time, parsed into one block that is used again.

namespace postern::reports {

namespace json = boost::json;

class ResultsReader::Body {
 public:
  explicit Body(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "re")) {
    if (file_ == nullptr) throw ResultsError(path_ + ": cannot be read: " + std::strerror(errno));
    try {
      read_header();
    } catch (...) {
      close();
      throw;
    }
  }
  ~Body() { close(); }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  std::optional<CaseResult> next();
  CaseResult read_again(const Spot& spot);
  std::string line_again(const Spot& spot) const;

  RunHeader header_;
  std::optional<RunFooter> footer_;
  std::vector<std::string> remarks_;
  Spot spot_;

 private:
  void close() {
    std::fclose(file_);
    std::free(line_);  // getline allocates with malloc.
  }
  void read_header();
  bool read_line();
  void take_header(const json::object& line);
  void take_footer(const json::object& line);
  void miss_footer();
  void weigh_whole();
  template <typename Take>
  auto with_parsed(std::string_view text, unsigned number, Take take);

  std::string path_;
  std::FILE* file_;
  char* line_ = nullptr;
  std::size_t capacity_ = 0;
  std::string_view text_;  // The line read last, in line_.
  Spot here_;              // Where it stands.
  std::uint64_t offset_ = 0;
  bool open_run_ = false;  // A header was read and its footer was not yet.
  bool all_ended_ = true;
  bool any_ = false;  // A case was read that is counted.
  bool weighed_ = false;
  Parts parts_;
  std::vector<unsigned char> block_ = std::vector<unsigned char>(std::size_t{64} * 1024);
};

// Parses `text` and hands the object to `take` while its memory lives.
template <typename Take>
auto ResultsReader::Body::with_parsed(std::string_view text, unsigned number, Take take) {
  json::monotonic_resource memory(block_.data(), block_.size());
  unsigned char scratch[4096];
  json::parser parser(json::storage_ptr(), json::parse_options(), scratch, sizeof scratch);
  parser.reset(&memory);
  json::error_code failed;
  const std::size_t good = parser.write(text.data(), text.size(), failed);
  if (failed) {
    throw ResultsError(fmt::format("{}:{}:{}: found what is no JSON ({}), allowed: one JSON object",
                                   path_, number, good + 1, failed.message()));
  }
  const json::value value = parser.release();
  if (!value.is_object()) {
    throw ResultsError(fmt::format(
        "{}:{}:1: found JSON that is no object, allowed: one JSON object", path_, number));
  }
  try {
    return take(value.get_object());
  } catch (const WrongMember& trouble) {
    throw ResultsError(fmt::format("{}:{}:1: {}", path_, number, trouble.what()));
  }
}

// Reads the next whole line; false at the end of the file. A line without its end is where the
// writing program or the machine died.
bool ResultsReader::Body::read_line() {
  const ssize_t got = ::getline(&line_, &capacity_, file_);
  if (got <= 0) {
    if (std::ferror(file_) != 0) {
      throw ResultsError(path_ + ": cannot be read: " + std::strerror(errno));
    }
    return false;
  }
  const auto size = static_cast<std::size_t>(got);
  ++here_.line;
  here_.offset = offset_;
  offset_ += size;
  if (line_[size - 1] != '\n') {
    remarks_.push_back(
        fmt::format("{}:{}:{}: found the end of the file within a line, allowed: whole lines; this "
                    "line is left "
                    "out",
                    path_, here_.line, size + 1));
    return false;
  }
  here_.length = size - 1;
  text_ = std::string_view(line_, here_.length);
  return true;
}

void ResultsReader::Body::read_header() {
  if (!read_line()) {
    throw ResultsError(path_ + ":1:1: found no line, allowed: the header of a results file");
  }
  with_parsed(text_, here_.line, [&](const json::object& line) {
    if (type_of(line) != "header") {
      throw WrongMember("\"type\": found \"" + type_of(line) + "\", allowed: header (first line)");
    }
    header_ = header_from(line);
    parts_.add(header_);
  });
  open_run_ = true;
}

void ResultsReader::Body::take_header(const json::object& line) {
  parts_.add(header_from(line));  // Its version decides whether the lines below can be read.
  miss_footer();
  open_run_ = true;
}

void ResultsReader::Body::take_footer(const json::object& line) {
  const RunFooter footer = footer_from(line);
  open_run_ = false;
  if (!footer_) {
    footer_ = footer;
    return;
  }
  footer_->seconds += footer.seconds;
  footer_->exit_code = std::max(footer_->exit_code, footer.exit_code);
  footer_->interrupted = footer_->interrupted || footer.interrupted;
  if (!footer.reason.empty())
    footer_->reason += (footer_->reason.empty() ? "" : "; ") + footer.reason;
  footer_->counters.insert(footer_->counters.end(), footer.counters.begin(), footer.counters.end());
  footer_->notes.insert(footer_->notes.end(), footer.notes.begin(), footer.notes.end());
}

void ResultsReader::Body::miss_footer() {
  if (!open_run_) return;
  open_run_ = false;
  all_ended_ = false;
  remarks_.push_back(
      fmt::format("{}:{}:1: found no footer, so the run did not end; what it found "
                  "until then is read",
                  path_, here_.line + 1));
}

std::optional<CaseResult> ResultsReader::Body::next() {
  while (read_line()) {
    std::optional<CaseResult> found =
        with_parsed(text_, here_.line, [&](const json::object& line) -> std::optional<CaseResult> {
          const std::string type = type_of(line);
          if (type == "case") return case_from(line);
          if (type == "header") {
            take_header(line);
          } else if (type == "footer") {
            take_footer(line);
          } else {
            throw WrongMember("\"type\": found \"" + type + "\", allowed: header, case, footer");
          }
          return std::nullopt;
        });
    if (found) {
      spot_ = here_;
      any_ = any_ || !found->control;
      return found;
    }
  }
  miss_footer();
  if (!all_ended_) footer_.reset();
  if (!weighed_) weigh_whole();
  return std::nullopt;
}

// What is wrong with the runs taken together is said as a remark; nothing that passed is left.
void ResultsReader::Body::weigh_whole() {
  weighed_ = true;
  std::vector<std::string> found = parts_.wrong();
  // Of a run that is shared a part may well have no case; the others have them.
  if (!any_ && !parts_.all_are_shards()) found.emplace_back("no case was judged");
  if (!found.empty() && footer_ && footer_->exit_code == 0) footer_->exit_code = 3;
  remarks_.insert(remarks_.end(), found.begin(), found.end());
}

std::string ResultsReader::Body::line_again(const Spot& spot) const {
  std::string text(spot.length, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::pread(::fileno(file_), text.data() + filled, text.size() - filled,
                                static_cast<off_t>(spot.offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw ResultsError(fmt::format("{}:{}: cannot be read again: {}", path_, spot.line,
                                     got == 0 ? "the file has shrunk" : std::strerror(errno)));
    }
    filled += static_cast<std::size_t>(got);
  }
  return text;
}

CaseResult ResultsReader::Body::read_again(const Spot& spot) {
  return with_parsed(line_again(spot), spot.line, case_from);
}

ResultsReader::ResultsReader(std::string path) : body_(std::make_unique<Body>(std::move(path))) {}
ResultsReader::~ResultsReader() = default;
const RunHeader& ResultsReader::header() const {
  return body_->header_;
}
std::optional<CaseResult> ResultsReader::next() {
  return body_->next();
}
const ResultsReader::Spot& ResultsReader::spot() const {
  return body_->spot_;
}
CaseResult ResultsReader::read_again(const Spot& spot) {
  return body_->read_again(spot);
}
std::string ResultsReader::line_again(const Spot& spot) const {
  return body_->line_again(spot);
}
const std::optional<RunFooter>& ResultsReader::footer() const {
  return body_->footer_;
}
const std::vector<std::string>& ResultsReader::remarks() const {
  return body_->remarks_;
}

}  // namespace postern::reports
