#include <fmt/format.h>

#include <algorithm>

#include "catalogue/rehearsal.hpp"
#include "catalogue/story_parts.hpp"

// What the scripts of one story make of each other.

namespace postern {
namespace {

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// names_in lists every ${name} in `text`.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    const std::size_t end = text.find('}', at);
    names.push_back(text.substr(at + 2, end == std::string::npos ? end : end - at - 2));
  }
  return names;
}

/// shown gives a step as it stands in the file.
std::string shown(const Step& step) {
  if (step.kind == StepKind::kMeet) return fmt::format("<meet at=\"{}\">", step.name);
  return fmt::format("<await event=\"{}\">", step.name);
}

class Together {
 public:
  Together(const Reader& reader, const Story& story)
      : reader_(reader), story_(story), rehearsal_(story), reached_(rehearsal_.play()) {}

  void check() {
    for (std::size_t i = 0; i < story_.scripts.size(); ++i) {
      meetings(story_.scripts[i]);
      for (std::size_t k = 0; k < story_.scripts[i].steps.size(); ++k) names(i, k);
    }
    for (const MessageCheck& check : story_.checks.texts) {
      for (const std::string& name : names_in(check.contains)) known(name, check.place);
      for (const std::string& name : names_in(check.lacks)) known(name, check.place);
    }
    for (const RecordCheck& check : story_.checks.record)
      for (const std::string& name : names_in(check.contains)) known(name, check.place);
    waiting();
  }

 private:
  const Step& step(std::size_t script, std::size_t step) const {
    return story_.scripts[script].steps[step];
  }

  /// captured lists the names that steps keep something under.
  std::vector<std::string> captured() const {
    std::vector<std::string> names;
    for (const Script& script : story_.scripts)
      for (const Step& step : script.steps)
        if (!step.as.empty()) names.push_back(step.as);
    return names;
  }

  /// known complains of a name that no step ever sets.
  bool known(const std::string& name, const Place& place) const {
    std::vector<std::string> all = own_words();
    for (const std::string& one : captured())
      if (!has(all, one)) all.push_back(one);
    if (has(all, name)) return true;
    std::vector<std::string> written;
    for (const std::string& one : all) written.push_back("${" + one + "}");
    reader_.complain(place, fmt::format("found \"${{{}}}\", allowed: {}{}", name,
                                        quoted_list(written), did_you_mean(name, all)));
    return false;
  }

  void names(std::size_t script, std::size_t at) {
    const Step& here = step(script, at);
    for (const std::string& text : {here.bytes, here.contains, here.without, here.tls.early})
      for (const std::string& name : names_in(text))
        if (known(name, here.place) && !has(own_words(), name)) set_before(name, script, at);
  }

  /// set_before complains where a step can be come to without any capture of a name it needs.
  void set_before(const std::string& name, std::size_t script, std::size_t at) {
    if (reached_[script] < at) return;
    rehearsal_.play(name);
    if (!rehearsal_.comes_to(script, at)) return;
    reader_.complain(step(script, at).place,
                     fmt::format("found \"${{{}}}\" where nothing need have set it yet, allowed: "
                                 "behind the step that captures it; in another script behind a "
                                 "<meet> that comes after it",
                                 name));
  }

  void meetings(const Script& script) const {
    std::vector<std::string> held;
    bool may_be_over = false;
    for (const Step& step : script.steps) {
      may_be_over = may_be_over || step.or_end || step.tls.may_fail;
      if (step.kind != StepKind::kMeet) continue;
      if (has(held, step.name))
        reader_.complain(step.place, fmt::format("found the meeting \"{}\" a second time in one "
                                                 "script, allowed: once; it is over then",
                                                 step.name));
      if (may_be_over)
        reader_.complain(step.place,
                         "found <meet> behind a step that may end the script, allowed: "
                         "before it; the others would wait for nobody");
      held.push_back(step.name);
      meets_somebody(step);
    }
  }

  void meets_somebody(const Step& step) const {
    std::size_t scripts = 0;
    for (const Script& script : story_.scripts)
      scripts += std::any_of(script.steps.begin(), script.steps.end(), [&](const Step& other) {
        return other.kind == StepKind::kMeet && other.name == step.name;
      });
    if (scripts < 2)
      reader_.complain(step.place,
                       fmt::format("found the meeting \"{}\" in one script only, allowed: in two "
                                   "at least; it would wait for nobody",
                                   step.name));
  }

  /// waiting complains of scripts that wait for each other.
  void waiting() const {
    std::vector<const Step*> stuck;
    std::string idle;
    for (std::size_t i = 0; i < reached_.size(); ++i) {
      const Script& script = story_.scripts[i];
      if (reached_[i] == script.steps.size()) continue;
      const Step& at = step(i, reached_[i]);
      if (at.kind == StepKind::kMeet || at.kind == StepKind::kAwait) {
        stuck.push_back(&at);
      } else if (at.kind != StepKind::kNobody) {
        idle += fmt::format(", the <server> at {}", script.place.text());
      }
    }
    if (stuck.empty()) return;
    std::string others;
    for (std::size_t i = 1; i < stuck.size(); ++i)
      others += fmt::format(", {} at {}", shown(*stuck[i]), stuck[i]->place.text());
    others += idle;
    reader_.complain(
        stuck.front()->place,
        fmt::format("found {}, which can never be over{}{}, allowed: an order in which what is "
                    "waited for can come first",
                    shown(*stuck.front()), others.empty() ? "" : "; with it wait ",
                    others.empty() ? "" : others.substr(2)));
  }

  const Reader& reader_;
  const Story& story_;
  Rehearsal rehearsal_;
  std::vector<std::size_t> reached_;
};

}  // namespace

void lint_together(const Reader& reader, const Story& story) {
  Together(reader, story).check();
}

}  // namespace postern
