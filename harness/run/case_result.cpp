#include "run/case_result.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "catalogue/vocabulary.hpp"
#include "run/dialogue.hpp"
#include "run/weigh_departures.hpp"

namespace postern {
namespace {

using reports::Verdict;

// A message reaches no listener but its own, whatever the settings.
constexpr const char* kForeignListener = "LEAK-5";

// phase_of gives the phase of bytes at a place.
Phase phase_of(const Sighting& sighting) {
  if (sighting.coding == "ciphertext") return Phase::kHandshake;
  return sighting.place == "tls" ? Phase::kTls : Phase::kClear;
}

void add_events(const PlayedCase& played, const std::vector<Leak>& leaks,
                reports::CaseResult& result) {
  result.events = dialogue_of(played.observation, played.began);
  for (const auto& [sighting, text] : leaks) {
    // The connection of another case is none of this one's.
    const int connection = sighting.place == "foreign-listener" ? 0 : sighting.connection;
    result.events.push_back({sighting.at - played.began, connection, word(sighting.side), "",
                             word(phase_of(sighting)), "leak", text});
  }
  for (const RecordFact& fact : played.observation.record) result.record.push_back(fact.line);
}

// citation gives a requirement with its words; nothing where these scenarios do not know it.
Citation citation(const Catalogue& catalogue, const std::string& ref) {
  const auto requirement = catalogue.requirements.find(ref);
  return requirement == catalogue.requirements.end() ? Citation()
                                                     : Citation{ref, requirement->second.text};
}

// disclosure_under finds the rule of a matrix that is about a story's settings; peers, which a
// story has of its own, are passed over. nullptr: there is none.
const DisclosureRule* disclosure_under(const Catalogue& catalogue, const Assignment& settings) {
  for (const auto& matrix : catalogue.matrices) {
    for (const DisclosureRule& rule : matrix->disclosure) {
      const auto& terms = rule.when.terms();
      // One that speaks of peers alone is about the settings of its matrix, not of this story.
      const bool about_level = std::any_of(
          terms.begin(), terms.end(), [](const Term& term) { return term.key == "client-level"; });
      if (!about_level) continue;
      const bool holds = std::all_of(terms.begin(), terms.end(), [&](const Term& term) {
        const std::string* value = settings.get(term.key);
        if (value == nullptr) return true;
        const bool among =
            std::find(term.values.begin(), term.values.end(), *value) != term.values.end();
        return among != term.negated;
      });
      if (holds) return &rule;
    }
  }
  return nullptr;
}

Bench bench_of(const ResultContext& context, const StageCase& what) {
  Bench bench;
  bench.foreign_by = citation(*context.catalogue, kForeignListener);
  bench.held_to = grade_of(context.gateway->grade);
  bench.second_attempt = context.gateway->second_attempt;
  bench.outside = context.gateway->remote.has_value();
  for (const Record& record : context.gateway->records)
    for (const RecordPattern& pattern : record.patterns)
      bench.records_accepted = bench.records_accepted || pattern.event == "accepted";
  if (what.matrix != nullptr) {
    const MatrixCase& cell = *what.matrix;
    bench.inbound = &cell.inbound->expect;
    bench.outbound = cell.outbound != nullptr ? &cell.outbound->expect : nullptr;
    bench.expects_nothing = cell.outbound == nullptr;
    if (cell.disclosure != nullptr) {
      const DisclosureRule& rule = *cell.disclosure;
      const bool wider = bench.held_to != Grade::kForm && rule.letter.has_value();
      bench.next_hop = wider ? *rule.letter : rule.next_hop;
      bench.sender = cell.disclosure->sender;
      bench.places_by = citation(*context.catalogue, cell.disclosure->ref);
    }
    return bench;
  }
  const Story& story = *what.story;
  bench.inbound = story.inbound ? &*story.inbound : nullptr;
  bench.outbound = story.outbound ? &*story.outbound : nullptr;
  bench.next_hop = story.disclosure;
  bench.sender = story.sender.value_or(story.disclosure);
  if (const DisclosureRule* rule = disclosure_under(*context.catalogue, complete(story.settings)))
    bench.places_by = citation(*context.catalogue, rule->ref);
  if (!story.sender) bench.sender.emplace_back("tls");
  bench.checks = &story.checks;
  return bench;
}

void add_leg(const ResultContext& context, const std::string& ref, const Place& place,
             const Expectation* expectation, const LegJudgement& judged, reports::Leg& leg) {
  leg.requirement = ref;
  const auto requirement = context.catalogue->requirements.find(ref);
  if (requirement != context.catalogue->requirements.end())
    leg.requirement_text = requirement->second.text;
  leg.rule = place.file + ":" + std::to_string(place.line);
  if (expectation != nullptr) {
    leg.expected = expectation->form_text;
    leg.letter = expectation->letter_text;
    leg.policy = expectation->policy_text;
  }
  leg.observed = judged.observed;
  leg.grade = word(judged.grade);
  leg.evidence = judged.evidence;
  leg.broken = judged.broken;
}

reports::Demand demand_of(const ResultContext& context, const std::string& ref,
                          const Place* place) {
  reports::Demand demand;
  demand.requirement = ref;
  demand.requirement_text = citation(*context.catalogue, ref).text;
  if (place != nullptr) demand.rule = place->file + ":" + std::to_string(place->line);
  return demand;
}

// add_places puts what the case is held to of where its message may be seen before what else it is
// held to. What holds for every case, and what a story does not cite, is told where it was broken.
void add_places(const ResultContext& context, const DisclosureRule* rule,
                const Judgement& judgement, reports::CaseResult& result) {
  std::vector<reports::Demand> places;
  if (rule != nullptr) places.push_back(demand_of(context, rule->ref, &rule->place));
  for (const std::string& ref : judgement.broken) {
    auto known = std::find_if(places.begin(), places.end(),
                              [&](const reports::Demand& one) { return one.requirement == ref; });
    if (known == places.end()) known = places.insert(known, demand_of(context, ref, nullptr));
    known->broken = true;
  }
  for (reports::Demand& one : places) one.leg = "outbound";
  result.demands.insert(result.demands.begin(), places.begin(), places.end());
}

void add_matrix_case(const ResultContext& context, const MatrixCase& cell,
                     const Judgement& judgement, reports::CaseResult& result) {
  result.id = cell.id();
  result.suite = cell.suite;
  result.name = cell.name;
  result.kind = "matrix";
  result.client = cell.client;
  result.server = cell.server;
  for (const auto& [key, value] : cell.settings.values()) result.settings.emplace_back(key, value);
  add_leg(context, cell.inbound->ref, cell.inbound->place, &cell.inbound->expect, judgement.inbound,
          result.inbound);
  if (cell.outbound != nullptr) {
    add_leg(context, cell.outbound->ref, cell.outbound->place, &cell.outbound->expect,
            judgement.outbound, result.outbound);
  } else {
    result.outbound.expected = "nothing";
    result.outbound.observed = judgement.outbound.observed;
    result.outbound.grade = judgement.outbound.wrong.empty() ? "form" : "";
    result.outbound.evidence = judgement.outbound.evidence;
    result.outbound.broken = judgement.outbound.broken;
  }
  add_places(context, cell.disclosure, judgement, result);
  const bool outbound_decides = judgement.inbound.broken.empty() && cell.outbound != nullptr;
  const Place& place = outbound_decides ? cell.outbound->place : cell.inbound->place;
  result.file = place.file;
  result.line = place.line;
}

void add_story(const ResultContext& context, const Story& story, const Judgement& judgement,
               reports::CaseResult& result) {
  result.suite = "stories";
  result.name = story.id().substr(result.suite.size() + 1);
  result.id = result.suite + "/" + result.name;
  result.kind = "story";
  for (const auto& [key, value] : story.settings.values()) result.settings.emplace_back(key, value);
  for (const Script& script : story.scripts)
    (script.role == Role::kClient ? result.client : result.server) =
        script.peer.empty() ? "as the story tells" : script.peer;
  add_leg(context, story.ref, story.place, story.inbound ? &*story.inbound : nullptr,
          judgement.inbound, result.inbound);
  if (!story.inbound) {
    // Its steps are what is expected of it.
    result.inbound.observed = {};
    result.inbound.grade = judgement.details.empty() ? "form" : "";
    if (judgement.details.size() > judgement.outbound.disclosures) result.inbound.broken = "other";
  } else if (!story.outbound && result.inbound.broken.empty()) {
    result.inbound.broken = judgement.outbound.broken;
  }
  if (story.outbound)
    add_leg(context, story.ref, story.place, &*story.outbound, judgement.outbound, result.outbound);
  add_places(context, nullptr, judgement, result);
  result.file = story.place.file;
  result.line = story.place.line;
}

// name_demand gives the place of a demand that was broken, where it alone decided.
void name_demand(reports::CaseResult& result) {
  if (!result.inbound.broken.empty() || !result.outbound.broken.empty()) return;
  for (const reports::Demand& one : result.demands) {
    const std::size_t colon = one.rule.rfind(':');
    if (!one.broken || colon == std::string::npos) continue;
    result.file = one.rule.substr(0, colon);
    result.line = static_cast<unsigned>(std::stoul(one.rule.substr(colon + 1)));
    return;
  }
}

// forget_legs leaves the expectations of a case that was not judged, and nothing that was met.
void forget_legs(reports::CaseResult& result) {
  for (reports::Leg* leg : {&result.inbound, &result.outbound}) {
    leg->grade.clear();
    leg->evidence.clear();
    leg->observed = {};
    leg->broken.clear();
  }
  result.grade.clear();
}

// withhold turns a pass or an inconclusive negative into invalid where its control did not pass.
void withhold(JudgedCase& negative, const JudgedCase* control, const char* leg, bool control_good) {
  Verdict& verdict = negative.result.verdict;
  if (control_good || (verdict != Verdict::kPass && verdict != Verdict::kInconclusive)) return;
  if (control == nullptr) {
    verdict = Verdict::kError;
    negative.result.reason = fmt::format("its {} control was not played", leg);
    return;
  }
  verdict = Verdict::kInvalid;
  negative.result.reason = fmt::format("its {} control did not pass: {}", leg, control->result.id);
}

// believable: a control that was not played, or that the gateway or the harness did not survive,
// shows nothing.
bool believable(const JudgedCase* control) {
  return control != nullptr && control->played->played &&
         control->played->observation.gateway_died.empty() &&
         control->played->observation.harness_error.empty();
}

Chosen chosen_of(const JudgedCase& one) {
  const StageCase& what = one.played->what;
  return {what.matrix, nullptr, what.story, what.control};
}

// weigh_known holds a case to what its gateway is known to do otherwise. To refuse for now what it
// refuses for good can be that, too.
void weigh_known(const ResultContext& context, const JudgedCase& one, reports::CaseResult& result) {
  const auto known = context.catalogue->departures.find(context.gateway->name);
  if (known == context.catalogue->departures.end()) return;
  if (!one.judgement.busy) {
    weigh_departures(known->second, context.today, chosen_of(one), result);
    return;
  }
  reports::CaseResult refused = result;
  refused.verdict = Verdict::kFail;
  refused.reason.clear();
  weigh_departures(known->second, context.today, chosen_of(one), refused);
  if (refused.verdict == Verdict::kSkip) result = std::move(refused);
}

// shows tells whether a control did on this leg what it had to. What else its gateway is known to
// do, such as to change every message, takes nothing from that.
bool shows(const ResultContext& context, const JudgedCase& control, const LegJudgement& leg) {
  if (leg.good()) return true;
  if (!leg.mismatch.empty() || !leg.missing.empty()) return false;
  reports::CaseResult weighed = control.result;
  weigh_known(context, control, weighed);
  return weighed.verdict == Verdict::kSkip;
}

void weigh_twins(const ResultContext& context, std::vector<JudgedCase>& judged) {
  const Catalogue& catalogue = *context.catalogue;
  std::unordered_map<std::string, const JudgedCase*> by_id;
  for (const JudgedCase& one : judged) by_id[one.result.id] = &one;
  const auto find = [&](const std::string& id) {
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : found->second;
  };
  for (JudgedCase& one : judged) {
    const MatrixCase* cell = one.played->what.matrix;
    // A control is there for others; its own need not have been taken along.
    if (cell == nullptr || one.played->what.control) continue;
    const Twins twins = twins_of(catalogue, *cell);
    if (!twins.inbound.empty()) {
      const JudgedCase* control = find(twins.inbound);
      withhold(one, control, "inbound",
               believable(control) && shows(context, *control, control->judgement.inbound));
    }
    if (!twins.outbound.empty()) {
      const JudgedCase* control = find(twins.outbound);
      withhold(one, control, "outbound",
               believable(control) && shows(context, *control, control->judgement.outbound));
    }
  }
}

// weigh_warnings fails the cases of a configuration that came without a warning that is due, or
// with one that is due under other settings.
void weigh_warnings(const ResultContext& context, const StageReport& report, JudgedCase& one) {
  const MatrixCase* cell = one.played->what.matrix;
  if (cell == nullptr || grade_of(context.gateway->grade) != Grade::kForm) return;
  for (const auto& matrix : context.catalogue->matrices) {
    if (!cell->suite.starts_with(matrix->name + "/")) continue;
    for (const ExpectedWarning& warning : matrix->warnings) {
      const bool warned =
          std::any_of(report.warnings.begin(), report.warnings.end(), [&](const std::string& line) {
            return line.find(warning.mentions) != std::string::npos;
          });
      const bool due = warning.when.holds(cell->settings);
      if (!due && !warned) continue;
      one.result.demands.push_back(demand_of(context, warning.ref, &warning.place));
      if (warned == due) continue;
      one.result.demands.back().broken = true;
      one.judgement.details.push_back(
          warning.ref + (warned ? ": expected no such warning on the gateway's record, got one"
                                : ": expected a warning on the gateway's record, got none"));
      if (one.judgement.verdict != Verdict::kPass) continue;
      one.judgement.verdict = Verdict::kFail;
      one.judgement.reason = one.judgement.details.back();
    }
  }
}

}  // namespace

std::vector<JudgedCase> judge_stage(const ResultContext& context, const StageReport& report) {
  std::vector<JudgedCase> judged;
  judged.reserve(report.cases.size());
  for (const auto& played : report.cases) {
    const bool unstarted = !report.not_started.empty() && !played->played;
    if (!played->played && report.interrupted) continue;
    JudgedCase one;
    one.played = played.get();
    if (!played->played && !unstarted) {
      one.judgement.verdict = Verdict::kError;
      one.judgement.reason = "not played: " + report.cut_short;
    } else if (unstarted) {
      one.judgement.verdict = Verdict::kError;
      one.judgement.reason = report.not_started;
      one.judgement.details = report.last_output;
    } else {
      const Bench bench = bench_of(context, played->what);
      Fence fence = report.fence;
      if (bench.outside) fence.stopped = played->observation.canary;
      if (bench.outside && !fence.stopped)
        fence.problem = "no message that was handed in later came through the same path";
      one.judgement = judge(bench, played->observation, fence);
      weigh_warnings(context, report, one);
    }
    reports::CaseResult& result = one.result;
    if (played->what.matrix != nullptr) {
      add_matrix_case(context, *played->what.matrix, one.judgement, result);
    } else {
      add_story(context, *played->what.story, one.judgement, result);
    }
    name_demand(result);
    result.gateway = context.gateway->name;
    result.verdict = one.judgement.verdict;
    result.grade = word(one.judgement.grade);
    if (!played->played) forget_legs(result);
    result.reason = one.judgement.reason;
    result.warnings = report.warnings;
    result.details = one.judgement.details;
    if (!result.details.empty() && result.details.front() == result.reason)
      result.details.erase(result.details.begin());
    result.seconds = played->seconds;
    result.control = played->what.control;
    result.rerun = fmt::format("{} run{} {}", context.program, context.options, result.id);
    add_events(*played, one.judgement.leaks, result);
    judged.push_back(std::move(one));
  }
  weigh_twins(context, judged);
  for (JudgedCase& one : judged) weigh_known(context, one, one.result);
  return judged;
}

reports::CaseResult skipped(const ResultContext& context, const Chosen& one,
                            const std::string& why) {
  reports::CaseResult result;
  if (one.cell != nullptr) {
    add_matrix_case(context, *one.cell, Judgement(), result);
  } else if (one.story != nullptr) {
    add_story(context, *one.story, Judgement(), result);
  } else {
    result = result_of_invalid(context, *one.invalid, false, "", {}, false);
  }
  forget_legs(result);
  result.gateway = context.gateway->name;
  result.verdict = Verdict::kSkip;
  result.reason = "not asked of this gateway: " + why;
  result.control = one.control;
  result.rerun = fmt::format("{} run{} {}", context.program, context.options, result.id);
  return result;
}

reports::CaseResult result_of_invalid(const ResultContext& context, const InvalidCase& invalid,
                                      bool started, const std::string& ending,
                                      const std::vector<std::string>& output, bool said_why) {
  reports::CaseResult result;
  result.id = invalid.id();
  result.suite = invalid.suite;
  result.name = invalid.name;
  result.kind = "invalid-setting";
  result.gateway = context.gateway->name;
  for (const auto& [key, value] : invalid.settings.values())
    result.settings.emplace_back(key, value);
  result.inbound.requirement = invalid.rule->ref;
  const auto requirement = context.catalogue->requirements.find(invalid.rule->ref);
  if (requirement != context.catalogue->requirements.end())
    result.inbound.requirement_text = requirement->second.text;
  result.inbound.expected = "rejected";
  result.inbound.rule = invalid.rule->place.file + ":" + std::to_string(invalid.rule->place.line);
  result.file = invalid.rule->place.file;
  result.line = invalid.rule->place.line;
  result.record = output;
  const bool rejected =
      !started && ending.starts_with("exited ") && ending != "exited 0" && said_why;
  result.inbound.observed.word = rejected ? "rejected" : started ? "started" : "ended";
  if (!rejected) result.inbound.observed.facts.emplace_back("ending", started ? "ready" : ending);
  result.inbound.grade = rejected ? "form" : "";
  result.inbound.evidence.emplace_back(rejected ? "record" : "none");
  result.grade = result.inbound.grade;
  result.verdict = rejected ? Verdict::kPass : Verdict::kFail;
  if (!rejected)
    result.reason =
        started ? "the gateway started with settings it has to reject"
                : "the gateway ended (" + ending + ") and did not say that it rejects the settings";
  result.rerun = fmt::format("{} run{} {}", context.program, context.options, result.id);
  return result;
}

}  // namespace postern
