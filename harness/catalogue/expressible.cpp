#include "catalogue/expressible.hpp"

#include <algorithm>
#include <map>

#include "catalogue/vocabulary.hpp"

namespace postern {
namespace {

// tells says whether a gateway's file gives a setting any meaning.
bool tells(const GatewayFile& gateway, const std::string& name) {
  return std::any_of(gateway.settings.begin(), gateway.settings.end(),
                     [&](const SettingText& text) { return text.name == name; });
}

// is_form_alone: what is asked there is decided by us, so that nobody else has to agree.
bool is_form_alone(const Catalogue& catalogue, const Story& story) {
  if (!story.grade.empty()) return story.grade == "form";
  const auto requirement = catalogue.requirements.find(story.ref);
  return requirement != catalogue.requirements.end() && requirement->second.level == "decided";
}

std::string why_not_under(const GatewayFile& gateway, const Assignment& under) {
  for (const Cannot& cannot : gateway.cannot)
    if (cannot.when.holds(under)) return cannot.why;
  for (const Setting& one : settings()) {
    const std::string* value = under.get(one.name);
    if (!one.extra || value == nullptr || *value == one.default_value) continue;
    if (!tells(gateway, one.name)) return "its file says nothing of " + one.name;
  }
  return {};
}

// awaits_another_attempt: a next hop of the story waits for a further connection.
bool awaits_another_attempt(const Story& story) {
  return std::any_of(story.scripts.begin(), story.scripts.end(), [](const Script& script) {
    return script.role == Role::kServer &&
           std::any_of(script.steps.begin(), script.steps.end(),
                       [](const Step& step) { return step.kind == StepKind::kConnect; });
  });
}

// needs_a_record: it waits for what the gateway's record says of it, or counts that.
bool needs_a_record(const Story& story) {
  return !story.checks.record.empty() ||
         std::any_of(story.scripts.begin(), story.scripts.end(), [](const Script& script) {
           return std::any_of(script.steps.begin(), script.steps.end(),
                              [](const Step& step) { return step.kind == StepKind::kAwait; });
         });
}

// tells_the_sender: a bounce is expected, and it comes where a peer plays that would refuse it,
// too, or a peer of its own is to play.
bool tells_the_sender(const Story& story) {
  if (story.mailbox_place.line > 0) return true;
  const auto says = [](const ExpectedOutcome& one) { return one.word == "bounce"; };
  const bool bounces = std::any_of(story.checks.texts.begin(), story.checks.texts.end(),
                                   [](const MessageCheck& check) { return check.bounce; }) ||
                       (story.outbound && std::any_of(story.outbound->form.begin(),
                                                      story.outbound->form.end(), says));
  return bounces && std::any_of(story.scripts.begin(), story.scripts.end(), [](const Script& one) {
           return one.role == Role::kServer && !one.peer.empty();
         });
}

std::string why_not_told(const Catalogue& catalogue, const GatewayFile& gateway,
                         const Story& story) {
  if (gateway.grade != "form" && is_form_alone(catalogue, story))
    return "what the story shows is decided by us, and this gateway is held to the " +
           gateway.grade;
  if (story.has_levels() && !tells(gateway, "next-hop-level"))
    return "its file says nothing of next-hop-level";
  if (story.applies() && gateway.apply_signal.empty())
    return "its file does not say how it takes settings while it runs (<apply>)";
  const auto next_hops = std::count_if(story.scripts.begin(), story.scripts.end(),
                                       [](const Script& s) { return s.role == Role::kServer; });
  if (next_hops > 1 && !gateway.several_next_hops) return "its file has one next hop for a domain";
  if (gateway.remote && tells_the_sender(story))
    return "what goes back to the sender takes the way of all its mail";
  if (gateway.remote && story.checks.memory > 0) return "its memory cannot be seen";
  if (gateway.remote && needs_a_record(story)) return "it keeps no record that could be read";
  if (!gateway.second_attempt && awaits_another_attempt(story))
    return "it makes no second attempt within moments";
  return {};
}

}  // namespace

std::string why_skipped(const Catalogue& catalogue, const GatewayFile& gateway,
                        const Assignment& settings, const Chosen& one) {
  if (gateway.remote && one.invalid != nullptr) return "it is set already, and not started";
  std::string why = why_not_under(gateway, settings);
  if (why.empty() && one.story != nullptr) why = why_not_told(catalogue, gateway, *one.story);
  return why;
}

std::vector<Chosen> cases_asked(const Catalogue& catalogue, const GatewayFile& gateway) {
  std::map<std::string, bool> asked_under;  // By suite: its cases have the same settings.
  std::vector<Chosen> asked;
  for (const Chosen& one : all_cases(catalogue)) {
    const auto ask = [&] { return why_skipped(catalogue, gateway, settings_of(one), one).empty(); };
    bool is_asked = false;
    if (one.cell != nullptr) {
      auto known = asked_under.find(one.cell->suite);
      if (known == asked_under.end()) known = asked_under.emplace(one.cell->suite, ask()).first;
      is_asked = known->second;
    } else {
      is_asked = ask();
    }
    if (is_asked) asked.push_back(one);
  }
  return asked;
}

}  // namespace postern
