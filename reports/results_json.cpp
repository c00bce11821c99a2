#include "results_json.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/kind.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <limits>
#include <string_view>

#include "results_file.hpp"
#include "results_text.hpp"

namespace postern::reports {

namespace json = boost::json;

namespace {

[[noreturn]] void wrong(std::string_view name, const json::value& found, std::string_view allowed) {
  const json::string_view kind = json::to_string(found.kind());
  throw WrongMember(fmt::format("\"{}\": found {}, allowed: {}", name,
                                std::string_view(kind.data(), kind.size()), allowed));
}

std::string bytes_of(std::string_view name, const json::value& value) {
  if (!value.is_string()) wrong(name, value, "a string");
  const json::string& carried = value.get_string();
  std::string bytes;
  if (!from_carried(std::string_view(carried.data(), carried.size()), bytes)) {
    throw WrongMember(
        fmt::format("\"{}\": found a backslash followed by neither a backslash nor xNN, allowed: "
                    "\\\\ and \\xNN",
                    name));
  }
  return bytes;
}

const json::value& required(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) {
    throw WrongMember(fmt::format("found no member \"{}\", which must be there", name));
  }
  return *value;
}

std::string text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr ? std::string() : bytes_of(name, *value);
}

template <typename Number>
Number integer(std::string_view name, const json::value& value) {
  json::error_code failed;
  const Number number = value.is_double() ? Number() : value.to_number<Number>(failed);
  if (value.is_double() || failed) {
    wrong(name, value,
          fmt::format("a whole number from {} to {}", std::numeric_limits<Number>::min(),
                      std::numeric_limits<Number>::max()));
  }
  return number;
}

template <typename Number>
Number optional_integer(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr ? Number() : integer<Number>(name, *value);
}

double seconds(const json::object& object) {
  const json::value& value = required(object, "seconds");
  if (!value.is_number()) wrong("seconds", value, "a number");
  return value.to_number<double>();
}

bool flag(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) return false;
  if (!value->is_bool()) wrong(name, *value, "true or false");
  return value->get_bool();
}

Facts facts(const json::object& object, std::string_view name) {
  Facts facts;
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) return facts;
  if (!value->is_object()) wrong(name, *value, "an object of strings");
  for (const json::key_value_pair& pair : value->get_object()) {
    const std::string key(pair.key().data(), pair.key().size());
    facts.emplace_back(key, bytes_of(key, pair.value()));
  }
  return facts;
}

const json::array* array(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value != nullptr && !value->is_array()) wrong(name, *value, "an array");
  return value == nullptr ? nullptr : &value->get_array();
}

std::vector<std::string> list(const json::object& object, std::string_view name) {
  std::vector<std::string> list;
  if (const json::array* values = array(object, name)) {
    for (const json::value& value : *values) list.push_back(bytes_of(name, value));
  }
  return list;
}

Leg leg(const json::object& object, std::string_view name) {
  const json::value& value = required(object, name);
  if (!value.is_object()) wrong(name, value, "an object");
  const json::object& from = value.get_object();
  Leg leg;
  leg.requirement = text(from, "requirement");
  leg.requirement_text = text(from, "requirement-text");
  leg.rule = text(from, "rule");
  leg.expected = text(from, "expected");
  leg.letter = text(from, "letter");
  leg.policy = text(from, "policy");
  leg.observed.word = text(from, "observed");
  leg.observed.facts = facts(from, "observed-facts");
  leg.grade = text(from, "grade");
  leg.evidence = list(from, "evidence");
  leg.broken = text(from, "broken");
  return leg;
}

Demand demand(const json::value& value) {
  if (!value.is_object()) wrong("demands", value, "an array of objects");
  const json::object& from = value.get_object();
  Demand demand;
  demand.requirement = bytes_of("requirement", required(from, "requirement"));
  demand.requirement_text = text(from, "requirement-text");
  demand.rule = text(from, "rule");
  demand.leg = text(from, "leg");
  demand.broken = flag(from, "broken");
  return demand;
}

Line event(const json::value& value) {
  if (!value.is_object()) wrong("events", value, "an array of objects");
  const json::object& from = value.get_object();
  Line line;
  line.at = integer<std::int64_t>("at", required(from, "at"));
  line.connection = optional_integer<int>(from, "connection");
  line.side = text(from, "side");
  line.from = text(from, "from");
  line.phase = text(from, "phase");
  line.kind = text(from, "kind");
  line.text = text(from, "text");
  return line;
}

Axes axes(const json::object& object) {
  Axes axes;
  const json::value* value = object.if_contains("axes");
  if (value == nullptr) return axes;
  if (!value->is_object()) wrong("axes", *value, "an object of arrays");
  for (const json::key_value_pair& pair : value->get_object()) {
    const std::string key(pair.key().data(), pair.key().size());
    axes.emplace_back(key, list(value->get_object(), key));
  }
  return axes;
}

Verdict verdict(const json::object& object) {
  const std::string found = bytes_of("verdict", required(object, "verdict"));
  for (const Verdict verdict : {Verdict::kPass, Verdict::kFail, Verdict::kError,
                                Verdict::kInconclusive, Verdict::kInvalid, Verdict::kSkip}) {
    if (found == word(verdict)) return verdict;
  }
  throw WrongMember(fmt::format(
      "\"verdict\": found \"{}\", allowed: pass, fail, error, inconclusive, invalid, skip", found));
}

}  // namespace

std::string type_of(const json::object& line) {
  return bytes_of("type", required(line, "type"));
}

RunHeader header_from(const json::object& line) {
  const std::string format = bytes_of("format", required(line, "format"));
  if (format != "postern-results") {
    throw WrongMember(fmt::format("\"format\": found \"{}\", allowed: postern-results", format));
  }
  const int version = integer<int>("version", required(line, "version"));
  if (version < 1 || version > kResultsVersion) {
    throw WrongMember(fmt::format(
        "\"version\": found {}, allowed: 1 to {} (a newer postern wrote this file; read "
        "it with that one)",
        version, kResultsVersion));
  }
  RunHeader header;
  header.started = text(line, "started");
  header.host = text(line, "host");
  header.postern = text(line, "postern");
  header.openssl = text(line, "openssl");
  header.gateway = text(line, "gateway");
  header.command = text(line, "command");
  header.seed = optional_integer<std::uint64_t>(line, "seed");
  header.shard = optional_integer<unsigned>(line, "shard");
  header.shards = optional_integer<unsigned>(line, "shards");
  header.axes = axes(line);
  return header;
}

CaseResult case_from(const json::object& line) {
  CaseResult result;
  result.id = bytes_of("id", required(line, "id"));
  result.suite = bytes_of("suite", required(line, "suite"));
  result.name = bytes_of("name", required(line, "name"));
  result.verdict = verdict(line);
  result.grade = text(line, "grade");
  result.seconds = seconds(line);
  result.control = flag(line, "control");
  result.kind = text(line, "kind");
  result.gateway = text(line, "gateway");
  result.reason = text(line, "reason");
  result.deviation = text(line, "deviation");
  result.details = list(line, "details");
  result.settings = facts(line, "settings");
  result.client = text(line, "client");
  result.server = text(line, "server");
  result.inbound = leg(line, "inbound");
  result.outbound = leg(line, "outbound");
  if (const json::array* demands = array(line, "demands"))
    for (const json::value& value : *demands) result.demands.push_back(demand(value));
  result.file = text(line, "file");
  result.line = optional_integer<unsigned>(line, "line");
  if (const json::array* events = array(line, "events")) {
    result.events.reserve(events->size());
    for (const json::value& value : *events) result.events.push_back(event(value));
  }
  result.record = list(line, "record");
  result.warnings = list(line, "warnings");
  result.rerun = text(line, "rerun");
  return result;
}

RunFooter footer_from(const json::object& line) {
  RunFooter footer;
  footer.seconds = seconds(line);
  footer.exit_code = integer<int>("exit-code", required(line, "exit-code"));
  footer.interrupted = flag(line, "interrupted");
  footer.reason = text(line, "reason");
  footer.counters = facts(line, "counters");
  footer.notes = list(line, "notes");
  return footer;
}

}  // namespace postern::reports
