#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "report_place.hpp"
#include "results_file.hpp"
#include "results_text.hpp"

// The writing half. It appends to one string, kept between lines: a document tree a case would cost
// more than playing some of the cases.

namespace postern::reports {

namespace {

/// Json appends members and elements and sets the commas.
class Json {
 public:
  explicit Json(std::string& out) : out_(out) {}

  void open(char bracket) {
    comma();
    out_ += bracket;
    fresh_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    fresh_ = false;
  }
  void key(std::string_view name) {
    comma();
    append_json_string(out_, name);
    out_ += ':';
    fresh_ = true;
  }
  void text(std::string_view value) {
    comma();
    append_json_string(out_, value);
  }
  void raw(std::string_view value) {
    comma();
    out_ += value;
  }

  void member(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  /// optional leaves an empty member out; the reader's default is the empty string.
  void optional(std::string_view name, std::string_view value) {
    if (!value.empty()) member(name, value);
  }
  template <typename Number>
  void number(std::string_view name, Number value) {
    key(name);
    raw(std::string_view(fmt::format_int(value).c_str()));
  }
  void seconds(std::string_view name, double value) {
    key(name);
    raw(fmt::format("{:.6f}", value));
  }
  void boolean(std::string_view name, bool value) {
    key(name);
    raw(value ? "true" : "false");
  }
  void facts(std::string_view name, const Facts& facts) {
    if (facts.empty()) return;
    key(name);
    open('{');
    for (const auto& [fact, value] : facts) member(fact, value);
    close('}');
  }
  void list(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    key(name);
    open('[');
    for (const std::string& value : values) text(value);
    close(']');
  }

 private:
  void comma() {
    if (!fresh_) out_ += ',';
    fresh_ = false;
  }

  std::string& out_;
  bool fresh_ = true;
};

void add_leg(Json& json, std::string_view name, const Leg& leg) {
  json.key(name);
  json.open('{');
  json.optional("requirement", leg.requirement);
  json.optional("requirement-text", leg.requirement_text);
  json.optional("rule", leg.rule);
  json.optional("expected", leg.expected);
  json.optional("letter", leg.letter);
  json.optional("policy", leg.policy);
  json.optional("observed", leg.observed.word);
  json.facts("observed-facts", leg.observed.facts);
  json.optional("grade", leg.grade);
  json.list("evidence", leg.evidence);
  json.optional("broken", leg.broken);
  json.close('}');
}

void add_demand(Json& json, const Demand& demand) {
  json.open('{');
  json.member("requirement", demand.requirement);
  json.optional("requirement-text", demand.requirement_text);
  json.optional("rule", demand.rule);
  json.optional("leg", demand.leg);
  if (demand.broken) json.boolean("broken", true);
  json.close('}');
}

void add_event(Json& json, const Line& line) {
  json.open('{');
  json.number("at", line.at);
  if (line.connection != 0) json.number("connection", line.connection);
  json.optional("side", line.side);
  json.optional("from", line.from);
  json.optional("phase", line.phase);
  json.optional("kind", line.kind);
  json.optional("text", line.text);
  json.close('}');
}

void add_case(Json& json, const CaseResult& result) {
  json.open('{');
  json.member("type", "case");
  json.member("id", result.id);
  json.member("suite", result.suite);
  json.member("name", result.name);
  json.member("verdict", word(result.verdict));
  json.optional("grade", result.grade);
  json.seconds("seconds", result.seconds);
  if (result.control) json.boolean("control", true);
  json.optional("kind", result.kind);
  json.optional("gateway", result.gateway);
  json.optional("reason", result.reason);
  json.optional("deviation", result.deviation);
  json.list("details", result.details);
  json.facts("settings", result.settings);
  json.optional("client", result.client);
  json.optional("server", result.server);
  add_leg(json, "inbound", result.inbound);
  add_leg(json, "outbound", result.outbound);
  if (!result.demands.empty()) {
    json.key("demands");
    json.open('[');
    for (const Demand& demand : result.demands) add_demand(json, demand);
    json.close(']');
  }
  json.optional("file", result.file);
  if (result.line != 0) json.number("line", result.line);
  if (!result.events.empty()) {
    json.key("events");
    json.open('[');
    for (const Line& line : result.events) add_event(json, line);
    json.close(']');
  }
  json.list("record", result.record);
  json.list("warnings", result.warnings);
  json.optional("rerun", result.rerun);
  json.close('}');
}

void add_header(Json& json, const RunHeader& header) {
  json.open('{');
  json.member("type", "header");
  json.member("format", "postern-results");
  json.number("version", kResultsVersion);
  json.member("started", header.started);
  json.optional("host", header.host);
  json.optional("postern", header.postern);
  json.optional("openssl", header.openssl);
  json.optional("gateway", header.gateway);
  json.optional("command", header.command);
  json.number("seed", header.seed);
  if (header.shard != 0) {
    json.number("shard", header.shard);
    json.number("shards", header.shards);
  }
  if (!header.axes.empty()) {
    json.key("axes");
    json.open('{');
    for (const auto& [name, values] : header.axes) {
      json.key(name);
      json.open('[');
      for (const std::string& value : values) json.text(value);
      json.close(']');
    }
    json.close('}');
  }
  json.close('}');
}

}  // namespace

ResultsWriter::ResultsWriter(std::string path, const RunHeader& header) : path_(std::move(path)) {
  descriptor_ =
      is_passing(path_)
          ? open_passing(path_)
          : ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw ResultsError(path_ + ": cannot be written: " + std::strerror(errno));
  Json json(buffer_);
  add_header(json, header);
  try {
    put_line();
  } catch (const ResultsError&) {
    ::close(descriptor_);
    throw;
  }
}

ResultsWriter::~ResultsWriter() {
  ::close(descriptor_);
}

void ResultsWriter::write(const CaseResult& result) {
  Json json(buffer_);
  add_case(json, result);
  put_line();
}

void ResultsWriter::finish(const RunFooter& footer) {
  Json json(buffer_);
  json.open('{');
  json.member("type", "footer");
  json.seconds("seconds", footer.seconds);
  json.number("exit-code", footer.exit_code);
  if (footer.interrupted) json.boolean("interrupted", true);
  json.optional("reason", footer.reason);
  json.facts("counters", footer.counters);
  json.list("notes", footer.notes);
  json.close('}');
  put_line();
  // A pipe or /dev/null cannot be synced, and need not be.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) {
    throw ResultsError(path_ + ": cannot be written: " + std::strerror(errno));
  }
}

// Writes the buffer as one line and empties it, whatever happens: a half line is never completed by
// the next case.
void ResultsWriter::put_line() {
  buffer_ += '\n';
  std::string_view rest = buffer_;
  int trouble = 0;
  while (!rest.empty() && trouble == 0) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      trouble = errno;
    }
  }
  buffer_.clear();
  if (trouble != 0) throw ResultsError(path_ + ": cannot be written: " + std::strerror(trouble));
}

}  // namespace postern::reports
