#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "catalogue/loaders.hpp"
#include "catalogue/rehearsal.hpp"
#include "catalogue/story_parts.hpp"

// What a story expects, held against what its steps make possible.

namespace postern {
namespace {

template <typename Holds>
bool any_step(const std::vector<const Script*>& scripts, Holds holds) {
  return std::any_of(scripts.begin(), scripts.end(), [&](const Script* script) {
    return std::any_of(script->steps.begin(), script->steps.end(), holds);
  });
}

bool any_peer(const std::vector<const Script*>& scripts) {
  return scripts.empty() || std::any_of(scripts.begin(), scripts.end(),
                                        [](const Script* script) { return !script->peer.empty(); });
}

/// needs_handshake complains where TLS is expected of scripts that never do it.
void needs_handshake(const Reader& reader, pugi::xml_node node, const char* attribute,
                     const std::vector<ExpectedOutcome>& outcomes, const Story& story, Role role) {
  const auto scripts = scripts_of(story, role);
  if (any_peer(scripts)) return;
  if (any_step(scripts, [](const Step& step) { return step.kind == StepKind::kStarttls; })) return;
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

/// needs_message complains where a message is expected to pass a script that never hands one in, or
/// never takes one.
void needs_message(const Reader& reader, pugi::xml_node node, const char* attribute,
                   const std::vector<ExpectedOutcome>& outcomes, const Story& story, Role role) {
  const bool client = role == Role::kClient;
  const auto scripts = scripts_of(story, role);
  if (any_peer(scripts)) return;
  const bool passes = any_step(scripts, [&](const Step& step) {
    return step.kind == StepKind::kDeliver || step.kind == StepKind::kMessage ||
           (client && step.bytes.ends_with(".\r\n")) ||
           (!client && step.bytes.find("354") != std::string::npos);
  });
  const bool every = std::all_of(outcomes.begin(), outcomes.end(), [&](const auto& outcome) {
    return outcome.word == (client ? "accept" : "redirect");
  });
  if (passes || !every) return;
  reader.complain(node, attribute,
                  fmt::format("found {}=\"{}\", which the steps contradict, allowed: only where a "
                              "{} a message",
                              attribute, reader.text(node, attribute),
                              client ? "client hands in" : "server takes"));
}

/// needs_end complains where the gateway is expected to close on a client that always leaves first.
void needs_end(const Reader& reader, pugi::xml_node node, const char* attribute,
               const std::vector<ExpectedOutcome>& outcomes, const Story& story) {
  const auto clients = scripts_of(story, Role::kClient);
  if (any_peer(clients)) return;
  const bool waits = any_step(
      clients, [](const Step& step) { return step.kind == StepKind::kEnd || step.or_end; });
  const bool every = std::all_of(outcomes.begin(), outcomes.end(),
                                 [](const auto& outcome) { return outcome.word == "drop"; });
  if (waits || !every) return;
  reader.complain(node, attribute,
                  fmt::format("found {}=\"{}\", which no step waits for, allowed: only where a "
                              "client has an <end> or or=\"end\"",
                              attribute, reader.text(node, attribute)));
}

/// surely_takes tells whether a server that is played to its end has taken a message.
bool surely_takes(const Script& script) {
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    if (script.steps[i].or_end || script.steps[i].tls.may_fail) return false;
    if (takes_message(script.steps, i)) return true;
  }
  return false;
}

/// takes_no_message complains where no message is expected to pass and a server takes one.
void takes_no_message(const Reader& reader, pugi::xml_node node,
                      const std::vector<ExpectedOutcome>& outcomes, const Story& story) {
  const auto servers = scripts_of(story, Role::kServer);
  const bool takes = std::any_of(servers.begin(), servers.end(),
                                 [](const Script* script) { return surely_takes(*script); });
  const bool none = std::all_of(outcomes.begin(), outcomes.end(), [](const auto& outcome) {
    return outcome.word == "hold" || outcome.word == "nothing";
  });
  if (!takes || !none) return;
  reader.complain(node, "outbound",
                  fmt::format("found outbound=\"{}\", which the steps contradict, allowed: only "
                              "where no server takes a message",
                              reader.text(node, "outbound")));
}

std::size_t connections_of(const std::vector<const Script*>& scripts) {
  std::size_t connections = 0;
  for (const Script* script : scripts)
    for (std::size_t i = 0; i < script->steps.size(); ++i)
      connections += (i == 0 && script->steps[i].kind != StepKind::kNobody) +
                     (script->steps[i].kind == StepKind::kConnect);
  return connections;
}

/// opens_it complains of an outcome on a connection that no step opens.
void opens_it(const Reader& reader, pugi::xml_node node, const char* attribute,
              const std::vector<ExpectedOutcome>& outcomes, const Story& story, Role role) {
  const auto scripts = scripts_of(story, role);
  if (any_peer(scripts)) return;
  const std::size_t opened = connections_of(scripts);
  for (const ExpectedOutcome& outcome : outcomes) {
    const auto* numbers = outcome.fact("connection");
    if (numbers == nullptr) continue;
    for (const std::string& number : *numbers) {
      std::size_t one = 0;
      std::from_chars(number.data(), number.data() + number.size(), one);
      if (one <= opened) continue;
      reader.complain(node, attribute,
                      fmt::format("found connection={}, allowed: {} at most, as many as the steps "
                                  "open",
                                  number, opened));
      return;
    }
  }
}

}  // namespace

std::vector<const Script*> scripts_of(const Story& story, Role role) {
  std::vector<const Script*> scripts;
  for (const Script& script : story.scripts)
    if (script.role == role) scripts.push_back(&script);
  return scripts;
}

std::optional<Expectation> read_expectation(const Reader& reader, pugi::xml_node node,
                                            const char* attribute, LegName leg,
                                            const Story& story) {
  Expectation expectation;
  expectation.form = reader.outcomes(node, attribute, leg);
  expectation.letter = expectation.policy = expectation.form;
  expectation.form_text = reader.text(node, attribute);
  const Role role = leg == LegName::kInbound ? Role::kClient : Role::kServer;
  needs_handshake(reader, node, attribute, expectation.form, story, role);
  needs_message(reader, node, attribute, expectation.form, story, role);
  opens_it(reader, node, attribute, expectation.form, story, role);
  if (role == Role::kServer) {
    takes_no_message(reader, node, expectation.form, story);
  } else {
    needs_end(reader, node, attribute, expectation.form, story);
  }
  return expectation;
}

std::vector<std::string> read_disclosure(const Reader& reader, pugi::xml_node node,
                                         const Story& story) {
  std::vector<std::string> places = read_places(reader, node, "next-hop");
  const auto servers = scripts_of(story, Role::kServer);
  const bool encrypts = any_peer(servers) || any_step(servers, [](const Step& step) {
                          return step.kind == StepKind::kStarttls;
                        });
  if (!encrypts && places == std::vector<std::string>{"tls"})
    reader.complain(node, "next-hop",
                    "found next-hop=\"tls\", which no server here can be reached by, allowed: only "
                    "where one has a <starttls>");
  return places;
}

}  // namespace postern
