#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "catalogue/loaders.hpp"
#include "catalogue/story_tls.hpp"

namespace postern {
namespace {

const std::map<std::string, StepKind>& step_kinds() {
  static const std::map<std::string, StepKind> kKinds = {{"say", StepKind::kSay},
                                                         {"hear", StepKind::kHear},
                                                         {"starttls", StepKind::kStarttls},
                                                         {"deliver", StepKind::kDeliver},
                                                         {"message", StepKind::kMessage},
                                                         {"connect", StepKind::kConnect},
                                                         {"close", StepKind::kClose},
                                                         {"reset", StepKind::kReset},
                                                         {"end", StepKind::kEnd},
                                                         {"apply", StepKind::kApply},
                                                         {"renegotiate", StepKind::kRenegotiate},
                                                         {"hear-alert", StepKind::kHearAlert}};
  return kKinds;
}

/// check_variables complains of any ${…} that steps do not know.
void check_variables(const Reader& reader, pugi::xml_node node, const std::string& text) {
  static const std::vector<std::string> kKnown = {"recipient", "sender", "token"};
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    const std::size_t end = text.find('}', at);
    const std::string name = text.substr(at + 2, end == std::string::npos ? end : end - at - 2);
    if (end != std::string::npos && std::count(kKnown.begin(), kKnown.end(), name) > 0) continue;
    reader.complain(
        node, fmt::format("found \"${{{}}}\" in <say>, allowed: {}{}", name,
                          "${recipient}, ${sender} and ${token}", did_you_mean(name, kKnown)));
  }
}

void read_say(const Reader& reader, pugi::xml_node node, Step& step) {
  const std::string text = reader.content(node);
  if (text.empty() == !reader.has(node, "raw")) {
    reader.complain(node,
                    "found <say> with neither or both of text and \"raw\", allowed: one of "
                    "them");
    return;
  }
  if (reader.has(node, "raw")) {
    step.bytes = reader.raw(node, "raw");
  } else if (text.find_first_of("\r\n") != std::string::npos) {
    reader.complain(node,
                    "found a line break in the text of <say>, allowed: one line; "
                    "use raw=\"…\\r\\n…\" for more");
  } else {
    step.bytes = text + "\r\n";
  }
  check_variables(reader, node, step.bytes);
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
}

void read_hear(const Reader& reader, pugi::xml_node node, Step& step) {
  const std::string replies = reader.text(node, "reply");
  for (std::string_view reply : split(replies, '|')) {
    if (!reply.empty()) step.replies.emplace_back(reply);
  }
  step.enhanced = reader.text(node, "enhanced");
  step.offers = strings_of(reader.text(node, "offers"));
  step.lacks = strings_of(reader.text(node, "lacks"));
  step.contains = reader.text(node, "contains");
  step.command = reader.text(node, "command");
}

void read_apply(const Reader& reader, pugi::xml_node node, Step& step) {
  for (pugi::xml_attribute attribute : node.attributes())
    if (std::string_view(attribute.name()) != "refused")
      step.changes.set(attribute.name(), attribute.value());
  step.refused = reader.has(node, "refused");
  if (step.changes.values().empty())
    reader.complain(node, "found <apply> without a setting, allowed: at least one");
}

Step read_step(const Reader& reader, pugi::xml_node node, Role role, StepKind kind) {
  Step step;
  step.kind = kind;
  step.place = reader.place(node);
  if (kind == StepKind::kSay) read_say(reader, node, step);
  if (kind == StepKind::kHear) read_hear(reader, node, step);
  if (kind == StepKind::kApply) read_apply(reader, node, step);
  read_tls(reader, node, role, step);
  return step;
}

/// Lint walks the steps of one script and complains of what can never happen.
class Lint {
 public:
  explicit Lint(const Reader& reader) : reader_(reader) {}

  void step(pugi::xml_node node, const Step& step) {
    if (step.kind == StepKind::kConnect) {
      over_.clear();
      encrypted_ = go_ahead_ = notified_ = false;
      return;
    }
    // What the gateway is set to has nothing to do with the connection.
    if (step.kind == StepKind::kApply) return;
    if (!over_.empty()) {
      // After FIN the other direction is still open: replies may come, and the end.
      const bool half_open =
          over_ == "close" && (step.kind == StepKind::kHear || step.kind == StepKind::kEnd ||
                               step.kind == StepKind::kReset || step.kind == StepKind::kHearAlert ||
                               (notified_ && (step.tls.wire || step.how == "fin")));
      const bool told = over_ == "renegotiate" && step.kind == StepKind::kEnd;
      if (!half_open && !told) {
        reader_.complain(node, fmt::format("found <{}> after <{}>, allowed: <connect> first",
                                           node.name(), over_));
      }
    }
    follow(node, step);
  }

 private:
  void follow(pugi::xml_node node, const Step& step) {
    switch (step.kind) {
      case StepKind::kStarttls:
        if (encrypted_) {
          reader_.complain(node, "found a second <starttls> on one connection, allowed: one");
        }
        encrypted_ = true;
        break;
      case StepKind::kHear:
        for (const std::string& reply : step.replies) go_ahead_ = go_ahead_ || reply[0] == '3';
        break;
      case StepKind::kMessage:
        if (!go_ahead_) {
          reader_.complain(node,
                           "found <message> before any <hear reply=\"354\"> on this "
                           "connection, allowed: only after one");
        }
        go_ahead_ = false;
        break;
      case StepKind::kClose:
        notified_ = ends_half(step);
        over_ = node.name();
        break;
      case StepKind::kRenegotiate:
      case StepKind::kReset:
      case StepKind::kEnd:
        over_ = node.name();
        break;
      default:
        break;
    }
  }

  const Reader& reader_;
  std::string over_;  ///< What ended this connection; empty: it is open.
  bool encrypted_ = false;
  bool go_ahead_ = false;
  bool notified_ = false;  ///< Only close_notify was sent; the connection is open below TLS.
};

Script read_script(const Reader& reader, pugi::xml_node node, Role role) {
  Script script;
  script.role = role;
  script.place = reader.place(node);
  script.peer = reader.text(node, "peer");
  Lint lint(reader);
  TlsLint tls_lint(reader, role);
  for (pugi::xml_node child : node.children()) {
    const auto kind = step_kinds().find(child.name());
    if (kind == step_kinds().end()) continue;
    script.steps.push_back(read_step(reader, child, role, kind->second));
    lint.step(child, script.steps.back());
    tls_lint.step(child, script.steps.back());
  }
  if (script.peer.empty() == script.steps.empty()) {
    reader.complain(node, fmt::format("found <{}> with neither or both of \"peer\" and steps, "
                                      "allowed: one of them",
                                      node.name()));
  }
  return script;
}

/// needs_handshake complains where TLS is expected of a script that never does one.
void needs_handshake(const Reader& reader, pugi::xml_node node, const char* attribute,
                     const std::vector<ExpectedOutcome>& outcomes, const Story& story, Role role) {
  const auto script = std::find_if(story.scripts.begin(), story.scripts.end(),
                                   [role](const Script& s) { return s.role == role; });
  if (script == story.scripts.end() || !script->peer.empty()) return;
  const bool handshakes =
      std::any_of(script->steps.begin(), script->steps.end(),
                  [](const Step& step) { return step.kind == StepKind::kStarttls; });
  if (handshakes) return;
  for (const ExpectedOutcome& outcome : outcomes) {
    const auto* tls = outcome.fact("tls");
    const bool encrypted = tls && std::count(tls->begin(), tls->end(), "yes") > 0;
    if (!encrypted && !outcome.fact("asked") && outcome.word != "broken") continue;
    reader.complain(node, attribute,
                    fmt::format("found {}=\"{}\", which needs TLS, allowed: only where the {} has "
                                "a <starttls>",
                                attribute, reader.text(node, attribute),
                                role == Role::kClient ? "client" : "server"));
    return;
  }
}

std::optional<Expectation> read_expectation(const Reader& reader, pugi::xml_node node,
                                            const char* attribute, LegName leg,
                                            const Story& story) {
  if (!reader.has(node, attribute)) return std::nullopt;
  Expectation expectation;
  expectation.form = reader.outcomes(node, attribute, leg);
  expectation.letter = expectation.policy = expectation.form;
  expectation.form_text = reader.text(node, attribute);
  needs_handshake(reader, node, attribute, expectation.form, story,
                  leg == LegName::kInbound ? Role::kClient : Role::kServer);
  return expectation;
}

}  // namespace

std::unique_ptr<Story> load_story(const Reader& reader) {
  auto story = std::make_unique<Story>();
  const pugi::xml_node root = reader.root();
  const std::string stem = std::filesystem::path(reader.file()).stem().string();
  story->place = reader.place(root);
  story->name = reader.text(root, "name", stem.c_str());
  if (story->name != stem) {
    reader.complain(
        root, "name",
        fmt::format("found name=\"{}\", allowed: \"{}\", as the file is named", story->name, stem));
  } else if (!is_value(ValueType::kName, stem)) {
    reader.complain(root, fmt::format("found a story in a file named \"{}\", allowed: {}", stem,
                                      value_form(ValueType::kName).allowed));
  }
  story->ref = reader.text(root, "ref");
  story->why = reader.text(root, "why");
  for (pugi::xml_attribute attribute : root.child("gateway").attributes()) {
    story->settings.set(attribute.name(), attribute.value());
  }
  for (const auto& [name, role] : {std::pair{"client", Role::kClient}, {"server", Role::kServer}}) {
    if (const pugi::xml_node node = root.child(name)) {
      story->scripts.push_back(read_script(reader, node, role));
    }
  }
  for (const Script& script : story->scripts)
    for (const Step& step : script.steps)
      story->applies = story->applies || step.kind == StepKind::kApply;
  if (const pugi::xml_node node = root.child("expect")) {
    story->inbound = read_expectation(reader, node, "inbound", LegName::kInbound, *story);
    story->outbound = read_expectation(reader, node, "outbound", LegName::kOutbound, *story);
    story->discloses = reader.has(node, "next-hop");
    if (story->discloses) story->disclosure = read_places(reader, node, "next-hop");
  }
  return story;
}

}  // namespace postern
