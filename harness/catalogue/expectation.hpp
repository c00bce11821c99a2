#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalogue/values.hpp"
#include "result.hpp"

// Expected outcomes as scenarios write them: `drop reply=530 | refuse`.

namespace postern {

enum class LegName { kInbound, kOutbound };

/// ExpectedOutcome is one alternative: a word and the facts that must be seen with it. A fact's
/// value may list alternatives (`reply=421|5yz`); in reply codes y and z stand for any digit.
struct ExpectedOutcome {
  std::string word;
  std::vector<std::pair<std::string, std::vector<std::string>>> facts;

  const std::vector<std::string>* fact(std::string_view name) const;
};

/// Expectation holds the three grades, each wider than the one before. letter and policy are as
/// wide as the grade before where a rule does not state them.
struct Expectation {
  std::vector<ExpectedOutcome> form, letter, policy;
  std::string form_text, letter_text, policy_text;  ///< As written.
};

/// parse_outcomes reads alternatives joined by " | " with the words and facts of `leg`; on a
/// mistake it returns what it has and says in `error` what was found and what is allowed.
std::vector<ExpectedOutcome> parse_outcomes(std::string_view text, LegName leg, std::string& error);

/// is_positive tells accept and redirect from the negatives.
bool is_positive(const ExpectedOutcome& outcome);

/// is_positive tells whether every alternative of the form is one; a leg that is not needs a
/// control.
bool is_positive(const Expectation& expectation);

/// may_be_positive tells whether any alternative of the form is one: a message may go on.
bool may_be_positive(const Expectation& expectation);

/// outcome_words lists the words of a leg.
const std::vector<std::string>& outcome_words(LegName leg);

/// outcome_about says in words what an outcome word means.
const char* outcome_about(std::string_view word);

/// FactForm is a fact that outcomes may state: some words, or a form, and the legs that have it.
struct FactForm {
  std::string name;
  std::vector<std::string> words;
  ValueType type = ValueType::kWord;
  bool inbound = false, outbound = false;
  const char* about = "";
};

/// fact_forms lists them all.
const std::vector<FactForm>& fact_forms();

}  // namespace postern
