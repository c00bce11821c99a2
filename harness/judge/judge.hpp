#pragma once

#include <string>
#include <vector>

#include "catalogue/expectation.hpp"
#include "catalogue/story.hpp"
#include "judge/observation.hpp"
#include "result.hpp"

// Judging: a pure function of what a requirement expects and what was seen. Nothing here computes
// an expectation; that one outcome is as good as another is always said by a rule.

namespace postern {

/// observe_inbound and observe_outbound put what was seen into the words of outcomes. A word that
/// no rule can expect (lost, hang, unreachable …) names an ending that is nobody's policy.
reports::Outcome observe_inbound(const Observation& observation);
reports::Outcome observe_outbound(const Observation& observation);

/// Grade orders the three grades; kNone: not even the policy was met.
enum class Grade { kForm, kLetter, kPolicy, kNone };

const char* word(Grade grade);
Grade grade_of(const std::string& word);

/// matches tells whether an observed outcome is the expected one: the word, and every fact stated.
/// `connection` is 1 unless stated; a 4yz reply fits only where a reply is stated that names it.
bool matches(const ExpectedOutcome& expected, const reports::Outcome& observed);

/// grade gives the narrowest grade whose alternatives hold the observed outcome.
Grade grade(const Expectation& expectation, const reports::Outcome& observed);

/// Citation names a requirement; nothing in it: none is named.
struct Citation {
  std::string ref, text;
};

/// Bench is what a case is judged by.
struct Bench {
  const Expectation* inbound = nullptr;   ///< nullptr: the leg is not judged.
  const Expectation* outbound = nullptr;  ///< nullptr with an inbound one: `nothing` is expected
                                          ///< unless the message was to be accepted.
  bool expects_nothing = false;           ///< Outbound: no message, no connection.
  std::vector<std::string> next_hop;      ///< Places where the message may be seen.
  std::vector<std::string> sender;        ///< Places where its bounce may be seen.
  bool disclosure = true;                 ///< false: the scenario says nothing of places.
  Citation places_by;                     ///< What allows those places and no others.
  Citation foreign_by;                    ///< What forbids all listeners of other cases.
  Grade held_to = Grade::kForm;
  bool second_attempt = true;      ///< A hold needs a second recorded attempt.
  const Checks* checks = nullptr;  ///< What a story states beside outcomes; nullptr: nothing.
  bool records_accepted = false;   ///< The gateway's record tells which messages it took.
  bool outside = false;  ///< The gateway has no record and is not stopped: a canary is its fence.
};

/// LegJudgement is what came of one leg.
struct LegJudgement {
  reports::Outcome observed;
  Grade grade = Grade::kForm;
  bool negative = false;             ///< It is a negative, so evidence is needed.
  std::string mismatch;              ///< Expected and got, where they differ; else empty.
  std::vector<std::string> wrong;    ///< What else the gateway did wrong, each one line.
  std::vector<std::string> missing;  ///< Evidence that is missing for a negative.
  std::vector<std::string> evidence;
  std::size_t disclosures = 0;  ///< How many of the wrong are of where the message was seen.
  std::string broken;           ///< As reports::Leg has it.

  bool good() const { return mismatch.empty() && wrong.empty() && missing.empty(); }
};

/// Leak is one sighting where none is allowed.
struct Leak {
  Sighting sighting;
  std::string text;  ///< What it is, as it is marked in the dialogue.
};

struct Judgement {
  LegJudgement inbound, outbound;
  std::vector<Leak> leaks;
  std::vector<std::string> broken;  ///< Requirements that were, of where the message may be seen.
  bool busy = false;  ///< It refused for now (4yz) and did nothing else: an error, no failure.
  reports::Verdict verdict = reports::Verdict::kError;
  Grade grade = Grade::kForm;
  std::string reason;  ///< One line; empty for pass.
  std::vector<std::string> details;
};

/// judge needs the fence of the configuration: without it no negative passes.
Judgement judge(const Bench& bench, const Observation& observation, const Fence& fence);

/// judge_checks holds what was seen to what a story states beside its outcomes; each line of the
/// answer is one check that does not hold, with its place. A check that needs a ${name} which no
/// step captured is passed over.
std::vector<std::string> judge_checks(const Checks& checks, const Observation& observation);

/// unset_in names the first ${…} in the checks that no step captured, with its place; "" where all
/// are set.
std::string unset_in(const Checks& checks, const Observation& observation);

/// intact tells whether `received` is `submitted` with nothing but trace headers put before it
/// (RFC 5321 §4.4); `problem` says where they part.
bool intact(const std::string& submitted, const std::string& received, std::string& problem);

}  // namespace postern
