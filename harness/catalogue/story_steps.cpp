#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "catalogue/loaders.hpp"
#include "catalogue/story_parts.hpp"
#include "catalogue/story_tls.hpp"

// Reading the single steps of stories.

namespace postern {
namespace {

constexpr std::size_t kLargestFile = 4'194'304;
constexpr std::size_t kLargestFlood = 268'435'456;

const std::map<std::string, StepKind, std::less<>>& step_kinds() {
  static const std::map<std::string, StepKind, std::less<>> kKinds = {
      {"say", StepKind::kSay},
      {"hear", StepKind::kHear},
      {"starttls", StepKind::kStarttls},
      {"deliver", StepKind::kDeliver},
      {"message", StepKind::kMessage},
      {"connect", StepKind::kConnect},
      {"close", StepKind::kClose},
      {"reset", StepKind::kReset},
      {"end", StepKind::kEnd},
      {"apply", StepKind::kApply},
      {"use", StepKind::kUse},
      {"meet", StepKind::kMeet},
      {"await", StepKind::kAwait},
      {"silence", StepKind::kSilence},
      {"nobody", StepKind::kNobody},
      {"renegotiate", StepKind::kRenegotiate},
      {"hear-alert", StepKind::kHearAlert}};
  return kKinds;
}

/// read_bytes gives what a <say> writes, from its text, its `raw` or its file.
std::string read_bytes(const Reader& reader, pugi::xml_node node) {
  const std::string text = reader.content(node);
  const int sources = (text.empty() ? 0 : 1) + (reader.has(node, "raw") ? 1 : 0) +
                      (reader.has(node, "file") ? 1 : 0);
  if (sources != 1) {
    reader.complain(node,
                    fmt::format("found <say> with {} of text, \"raw\" and \"file\", allowed: one "
                                "of them",
                                sources == 0 ? "none" : "several"));
    return {};
  }
  if (reader.has(node, "raw")) return reader.raw(node, "raw");
  if (!text.empty()) {
    if (text.find_first_of("\r\n") == std::string::npos) return text + "\r\n";
    reader.complain(node,
                    "found a line break in the text of <say>, allowed: one line; "
                    "use raw=\"…\\r\\n…\" for more");
    return {};
  }
  const std::filesystem::path path =
      std::filesystem::path(reader.file()).parent_path() / reader.text(node, "file");
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  if (!stream || bytes.str().empty() || bytes.str().size() > kLargestFile) {
    reader.complain(node, "file",
                    fmt::format("found file=\"{}\", allowed: a readable file beside this one, with "
                                "1 to {} octets",
                                reader.text(node, "file"), kLargestFile));
    return {};
  }
  return bytes.str();
}

void read_say(const Reader& reader, pugi::xml_node node, Step& step) {
  step.bytes = read_bytes(reader, node);
  if (step.bytes.empty()) return;
  for (const std::string& word : strings_of(reader.text(node, "split"))) {
    if (!is_value(ValueType::kNumbers, word)) return;
    step.splits.push_back(std::stoul(word));
  }
  if (!std::is_sorted(step.splits.begin(), step.splits.end(), std::less_equal<>()) ||
      (!step.splits.empty() && step.splits.back() >= step.bytes.size() &&
       step.bytes.find("${") == std::string::npos)) {
    reader.complain(node, "split",
                    fmt::format("found split=\"{}\", allowed: rising offsets below {}, the number "
                                "of bytes",
                                reader.text(node, "split"), step.bytes.size()));
  }
  const std::string times = reader.text(node, "times", "1");
  if (is_value(ValueType::kCount, times)) step.times = std::stoul(times);
  if (step.times == 0 || step.times * step.bytes.size() > kLargestFlood)
    reader.complain(node, "times",
                    fmt::format("found times=\"{}\", allowed: at least 1, and {} octets in all",
                                times, kLargestFlood));
  const std::string dribble = reader.text(node, "dribble");
  if (!is_value(ValueType::kCount, dribble)) return;
  step.dribble = std::stoul(dribble);
  if (step.dribble == 0)
    reader.complain(node, "dribble", "found dribble=\"0\", allowed: a number above 0");
  if (!step.splits.empty())
    reader.complain(node, "found <say> with both \"split\" and \"dribble\", allowed: one of them");
}

/// read_capture reads what a reply or a command is to leave behind under a name.
void read_capture(const Reader& reader, pugi::xml_node node, Step& step) {
  step.capture = reader.text(node, "capture");
  step.as = reader.text(node, "as");
  if (step.capture.empty() != step.as.empty())
    reader.complain(node, "found one of \"capture\" and \"as\", allowed: both or none");
  if (step.capture.empty()) return;
  if (std::count(own_words().begin(), own_words().end(), step.as) > 0 ||
      reader.bound().get(step.as))
    reader.complain(node, "as",
                    fmt::format("found as=\"{}\", allowed: a name that is not taken", step.as));
  const RE2 pattern(step.capture, RE2::Quiet);
  if (pattern.ok() && pattern.NumberOfCapturingGroups() == 1) return;
  reader.complain(node, "capture",
                  fmt::format("found capture=\"{}\", allowed: a regular expression with one group",
                              step.capture));
}

/// any_of_class tells whether one of the patterns admits a whole class, one of the two.
bool any_of_class(const std::vector<std::string>& replies, const char* first, const char* second) {
  return std::any_of(replies.begin(), replies.end(),
                     [&](const std::string& reply) { return reply == first || reply == second; });
}

/// check_hear complains of what nothing can fulfil, and of what everything does; the classes of
/// a reply code and of its enhanced code are the same (RFC 2034 §4).
void check_hear(const Reader& reader, pugi::xml_node node, const Step& step) {
  if (any_of_class(step.replies, "2yz", "3yz") && any_of_class(step.replies, "4yz", "5yz"))
    reader.complain(node, "reply",
                    fmt::format("found reply=\"{}\", which admits any success and any failure, "
                                "allowed: the replies that a standard allows",
                                reader.text(node, "reply")));
  const bool fits =
      std::any_of(step.replies.begin(), step.replies.end(),
                  [&](const std::string& reply) { return reply[0] == step.enhanced[0]; });
  if (!step.enhanced.empty() && !step.replies.empty() && !fits)
    reader.complain(node, "enhanced",
                    fmt::format("found enhanced=\"{}\" beside reply=\"{}\", allowed: one of the "
                                "same class",
                                step.enhanced, reader.text(node, "reply")));
  for (const std::string& keyword : step.offers)
    if (std::count(step.lacks.begin(), step.lacks.end(), keyword) > 0)
      reader.complain(node, "lacks",
                      fmt::format("found \"{}\" in \"offers\" and in \"lacks\", allowed: one of "
                                  "them",
                                  keyword));
  if (rules_out(step.contains, step.without))
    reader.complain(node, "without",
                    fmt::format("found without=\"{}\" beside contains=\"{}\", allowed: a text "
                                "that is not in it",
                                step.without, step.contains));
}

void read_hear(const Reader& reader, pugi::xml_node node, Step& step) {
  const std::string replies = reader.text(node, "reply");
  for (std::string_view reply : split(replies, '|'))
    if (!reply.empty()) step.replies.emplace_back(reply);
  const std::string commands = reader.text(node, "command");
  for (std::string_view command : split(commands, '|'))
    if (!command.empty()) step.commands.emplace_back(command);
  step.enhanced = reader.text(node, "enhanced");
  step.offers = strings_of(reader.text(node, "offers"));
  step.lacks = strings_of(reader.text(node, "lacks"));
  step.contains = reader.text(node, "contains");
  step.without = reader.text(node, "without");
  step.or_end = reader.has(node, "or");
  read_capture(reader, node, step);
  check_hear(reader, node, step);
}

void read_apply(const Reader& reader, pugi::xml_node node, Step& step) {
  for (pugi::xml_attribute attribute : node.attributes()) {
    const std::string name = attribute.name();
    if (setting(name)) step.changes.set(name, reader.text(node, name.c_str()));
  }
  step.refused = reader.has(node, "refused");
  if (step.changes.values().empty())
    reader.complain(node, "found <apply> without a setting, allowed: at least one");
}

void read_await(const Reader& reader, pugi::xml_node node, Step& step) {
  step.name = reader.text(node, "event");
  const std::string count = reader.text(node, "count", "1");
  if (is_value(ValueType::kCount, count)) step.count = std::stoi(count);
}

}  // namespace

bool rules_out(const std::string& contains, const std::string& lacks) {
  return !lacks.empty() && contains.find(lacks) != std::string::npos;
}

std::optional<StepKind> step_kind_of(std::string_view element) {
  const auto found = step_kinds().find(element);
  if (found == step_kinds().end()) return std::nullopt;
  return found->second;
}

Step read_step(const Reader& reader, pugi::xml_node node, Role role, StepKind kind) {
  Step step;
  step.kind = kind;
  step.place = reader.place(node);
  if (kind == StepKind::kSay) read_say(reader, node, step);
  if (kind == StepKind::kHear) read_hear(reader, node, step);
  if (kind == StepKind::kApply) read_apply(reader, node, step);
  if (kind == StepKind::kUse) step.name = reader.text(node, "prefix");
  if (kind == StepKind::kMeet) step.name = reader.text(node, "at");
  if (kind == StepKind::kAwait) read_await(reader, node, step);
  read_tls(reader, node, role, step);
  return step;
}

bool holds_here(const Reader& reader, pugi::xml_node node) {
  if (!reader.has(node, "when")) return true;
  KnownKeys keys;
  for (pugi::xml_node axis : reader.root().children("axis"))
    for (const char* named : {"setting", "name"})
      if (reader.has(axis, named))
        keys[reader.text(axis, named)] = strings_of(reader.text(axis, "values"));
  return reader.condition(node, "when", &keys).holds(reader.bound());
}

}  // namespace postern
