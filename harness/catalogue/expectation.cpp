#include "catalogue/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "catalogue/values.hpp"
#include "located_xml.hpp"

namespace postern {
namespace {

/// read_fact gives false and says why in `error` where `text` is no fact of `leg`.
bool read_fact(std::string_view text, LegName leg, ExpectedOutcome& outcome, std::string& error) {
  std::vector<std::string> names;
  const FactForm* form = nullptr;
  const std::size_t equals = text.find('=');
  const std::string name(text.substr(0, equals));
  for (const FactForm& known : fact_forms()) {
    if (leg == LegName::kInbound ? !known.inbound : !known.outbound) continue;
    names.push_back(known.name);
    if (known.name == name) form = &known;
  }
  if (!form || equals == std::string_view::npos) {
    error = fmt::format("found \"{}\" after \"{}\", allowed: a fact=value of {}{}", text,
                        outcome.word, quoted_list(names), did_you_mean(name, names));
    return false;
  }
  if (outcome.fact(name)) {
    error = fmt::format("found the fact \"{}\" twice in one outcome, allowed: once", name);
    return false;
  }
  std::vector<std::string> values;
  for (std::string_view value : split(text.substr(equals + 1), '|')) values.emplace_back(value);
  for (const std::string& value : values) {
    if (form->words.empty() ? is_value(form->type, value)
                            : std::count(form->words.begin(), form->words.end(), value) > 0) {
      continue;
    }
    error = form->words.empty()
                ? fmt::format("found {}=\"{}\", allowed: {}", name, value,
                              value_form(form->type).allowed)
                : fmt::format("found {}=\"{}\", allowed: {}{}", name, value,
                              quoted_list(form->words), did_you_mean(value, form->words));
    return false;
  }
  outcome.facts.emplace_back(name, std::move(values));
  return true;
}

}  // namespace

const std::vector<FactForm>& fact_forms() {
  constexpr bool kYes = true;
  constexpr bool kNo = false;
  static const std::vector<FactForm> kForms = {
      {"tls", {"yes", "no"}, ValueType::kWord, kYes, kYes, "whether it went over TLS"},
      {"reply",
       {},
       ValueType::kReplies,
       kYes,
       kNo,
       "the reply code; without it any 5yz will do, and no 4yz"},
      {"connection",
       {},
       ValueType::kNumbers,
       kYes,
       kYes,
       "on which connection; without it on the first"},
      {"earlier", outcome_words(LegName::kInbound), ValueType::kWord, kYes, kNo,
       "how the connections before it ended"},
      {"asked",
       {"yes", "no"},
       ValueType::kWord,
       kYes,
       kNo,
       "whether the handshake asked for a client certificate"},
      {"enhanced", {}, ValueType::kEnhanced, kYes, kNo, "the enhanced code of the reply"},
      {"closed", {"clean", "reset"}, ValueType::kWord, kYes, kNo, "how the gateway closed"},
      {"starttls",
       {"yes", "no"},
       ValueType::kWord,
       kNo,
       kYes,
       "whether STARTTLS was ever sent to the next hop"},
      {"code", {}, ValueType::kEnhanced, kNo, kYes, "the enhanced code on record"},
      {"cause",
       {"starttls-not-supported", "starttls-refused", "tls-failed"},
       ValueType::kWord,
       kNo,
       kYes,
       "why it went in clear text, on record"},
  };
  return kForms;
}

const char* outcome_about(std::string_view word) {
  static const std::map<std::string_view, const char*> kAbout = {
      {"accept", "250 after end-of-data"},
      {"refuse", "a 4yz or 5yz reply, and the connection stays usable"},
      {"drop", "no acceptance: after its reply the gateway closed, and our client had not"},
      {"broken", "STARTTLS got 220, the handshake was not completed, and the gateway closed"},
      {"redirect", "delivered to the next hop"},
      {"hold", "still queued, with the reason on record"},
      {"bounce", "given up, and the sender told"},
      {"nothing", "there was no message to send on, and no connection; no rule says so"}};
  const auto found = kAbout.find(word);
  return found == kAbout.end() ? "" : found->second;
}

const std::vector<std::string>& outcome_words(LegName leg) {
  static const std::vector<std::string> kInbound = {"accept", "refuse", "drop", "broken"};
  static const std::vector<std::string> kOutbound = {"redirect", "hold", "bounce", "nothing"};
  return leg == LegName::kInbound ? kInbound : kOutbound;
}

const std::vector<std::string>* ExpectedOutcome::fact(std::string_view name) const {
  for (const auto& [known, values] : facts) {
    if (known == name) return &values;
  }
  return nullptr;
}

std::vector<ExpectedOutcome> parse_outcomes(std::string_view text, LegName leg,
                                            std::string& error) {
  const std::vector<std::string>& words = outcome_words(leg);
  std::vector<ExpectedOutcome> outcomes;
  bool begins = true;
  for (std::string_view token : words_of(text)) {
    if (token == "|" && !begins) {
      begins = true;
    } else if (begins) {
      if (std::find(words.begin(), words.end(), token) == words.end()) {
        error = fmt::format("found the outcome \"{}\", allowed: {}{}", token, quoted_list(words),
                            did_you_mean(token, words));
        return outcomes;
      }
      outcomes.push_back({std::string(token), {}});
      begins = false;
    } else if (!read_fact(token, leg, outcomes.back(), error)) {
      return outcomes;
    }
  }
  if (begins) {
    error = fmt::format("found no outcome{}, allowed: {}", outcomes.empty() ? "" : " after \"|\"",
                        quoted_list(words));
  }
  return outcomes;
}

bool is_positive(const ExpectedOutcome& outcome) {
  return outcome.word == "accept" || outcome.word == "redirect";
}

bool is_positive(const Expectation& expectation) {
  return std::all_of(expectation.form.begin(), expectation.form.end(),
                     [](const ExpectedOutcome& outcome) { return is_positive(outcome); });
}

bool may_be_positive(const Expectation& expectation) {
  return std::any_of(expectation.form.begin(), expectation.form.end(),
                     [](const ExpectedOutcome& outcome) { return is_positive(outcome); });
}

}  // namespace postern
