#include "judge/judge.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace postern {
namespace {

using reports::Verdict;

const std::string* fact_of(const reports::Outcome& outcome, std::string_view name) {
  for (const auto& [key, value] : outcome.facts)
    if (key == name) return &value;
  return nullptr;
}

bool fits(const std::string& pattern, const std::string& value) {
  if (pattern == value) return true;
  if (pattern.size() != 3 || value.size() != 3) return false;  // Only reply codes have patterns.
  for (std::size_t i = 0; i < 3; ++i)
    if (pattern[i] != value[i] && pattern[i] != 'y' && pattern[i] != 'z') return false;
  return true;
}

bool any_fits(const std::vector<std::string>& patterns, const std::string& value) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fits(pattern, value); });
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool all_ended(const std::deque<ConnectionFacts>& connections) {
  return std::all_of(connections.begin(), connections.end(), [](const ConnectionFacts& connection) {
    return connection.ending != Ending::kOpen && connection.ending != Ending::kTimeout;
  });
}

int count_of(const Observation& observation, std::string_view kind) {
  return static_cast<int>(std::count_if(observation.record.begin(), observation.record.end(),
                                        [&](const RecordFact& fact) { return fact.kind == kind; }));
}

bool client_accepted(const Observation& observation) {
  return std::any_of(observation.client.begin(), observation.client.end(),
                     [](const ConnectionFacts& connection) { return connection.accepted; });
}

// A temporary refusal that no rule names says that the gateway was busy, not what its policy is.
bool is_unnamed_temporary(const reports::Outcome& observed) {
  const std::string* reply = fact_of(observed, "reply");
  return reply != nullptr && reply->starts_with('4');
}

void judge_disclosure(const Bench& bench, const Observation& observation, LegJudgement& leg) {
  if (!bench.disclosure) return;
  for (const Sighting& sighting : observation.sightings) {
    const auto& allowed = sighting.side == Side::kSender ? bench.sender : bench.next_hop;
    if (sighting.place != "foreign-listener" && sighting.coding != "ciphertext" &&
        has(allowed, sighting.place))
      continue;
    leg.wrong.push_back(fmt::format(
        "leak: the message was seen {} ({}) on connection {} to {}, at about byte {}",
        sighting.place == "tls" ? "inside TLS" : sighting.place, sighting.coding,
        sighting.connection,
        sighting.side == Side::kSender ? "the sender's mailbox" : "the next hop", sighting.offset));
  }
}

void judge_delivery(const Observation& observation, LegJudgement& leg) {
  int took = 0;
  for (const ConnectionFacts& connection : observation.server) {
    if (connection.bytes_behind_close_notify > 0)
      leg.wrong.push_back(fmt::format("{} bytes came behind the close_notify of connection {}",
                                      connection.bytes_behind_close_notify, connection.number));
    if (!connection.took) continue;
    ++took;
    std::string problem;
    if (!intact(observation.message, connection.message, problem)) leg.wrong.push_back(problem);
  }
  if (took > 1) leg.wrong.push_back(fmt::format("the message was delivered {} times", took));
  const int recorded = count_of(observation, "delivered");
  if (took > 0 && recorded == 0 && observation.gateway_died.empty())
    leg.wrong.push_back(
        "the next hop took the message, and the gateway's record says nothing of it");
  if (took == 0 && recorded > 0)
    leg.wrong.push_back("the gateway's record says delivered, and the next hop took no message");
}

void judge_queue(const Fence& fence, const Observation& observation, LegJudgement& leg) {
  if (!fence.queue_known) return;
  const bool queued = has(fence.queued, observation.recipient);
  const bool held = leg.observed.word == "hold";
  if (queued && !held) leg.wrong.push_back("the message is still in the gateway's queue");
  if (!queued && held) leg.wrong.push_back("held on record, and not in the gateway's queue: lost");
}

void weigh_inbound(const Observation& observation, const Fence& fence, LegJudgement& leg) {
  const bool session = count_of(observation, "session-end") > 0;
  const bool taken = count_of(observation, "accepted") > 0;
  if (taken && !client_accepted(observation))
    leg.wrong.push_back(
        "the gateway's record says it took the message, and no 250 was given for it");
  if (fence.stopped) leg.evidence.emplace_back("fence");
  if (session && !taken) leg.evidence.emplace_back("record");
  if (all_ended(observation.client)) leg.evidence.emplace_back("session-end");
  if (!leg.negative) return;
  if (!fence.stopped) leg.missing.emplace_back("fence");
  if (!session || taken) leg.missing.emplace_back("record");
  if (!all_ended(observation.client)) leg.missing.emplace_back("session-end");
}

void weigh_outbound(const Bench& bench, const Observation& observation, const Fence& fence,
                    LegJudgement& leg) {
  const int attempts = count_of(observation, "deferred");
  const bool none = observation.server.empty();
  const bool silent_session =
      count_of(observation, "session-end") > 0 && count_of(observation, "accepted") == 0;
  const bool on_record =
      bench.expects_nothing
          ? silent_session
          : attempts + count_of(observation, "bounced") + count_of(observation, "discarded") > 0;
  if (fence.stopped) leg.evidence.emplace_back("fence");
  if (on_record) leg.evidence.emplace_back("record");
  if (none) {
    leg.evidence.emplace_back("no-connection");
  } else if (all_ended(observation.server)) {
    leg.evidence.emplace_back("session-end");
  }
  if (leg.observed.word == "hold")
    leg.evidence.emplace_back(attempts >= 2 ? "second-attempt" : "one-attempt");
  if (!leg.negative) return;
  if (!fence.stopped) leg.missing.emplace_back("fence");
  if (!on_record) leg.missing.emplace_back("record");
  if (!none && !all_ended(observation.server)) leg.missing.emplace_back("session-end");
  if (leg.observed.word == "hold" && bench.second_attempt && attempts < 2)
    leg.missing.emplace_back("second-attempt");
}

void compare(const Expectation& expectation, Grade held_to, const char* leg_name, LegJudgement& leg,
             bool& busy) {
  leg.negative = !is_positive(expectation.form.front());
  leg.grade = grade(expectation, leg.observed);
  if (leg.grade <= held_to) return;
  const std::string& wanted = held_to == Grade::kForm     ? expectation.form_text
                              : held_to == Grade::kLetter ? expectation.letter_text
                                                          : expectation.policy_text;
  if (leg.grade == Grade::kNone && is_unnamed_temporary(leg.observed)) busy = true;
  leg.wrong.push_back(
      fmt::format("{}: expected {}, got {}", leg_name, wanted, leg.observed.text()));
}

void decide(const Bench& bench, const Observation& observation, const Fence& fence, bool busy,
            Judgement& result) {
  for (const LegJudgement* leg : {&result.inbound, &result.outbound})
    result.details.insert(result.details.end(), leg->wrong.begin(), leg->wrong.end());
  if (!observation.gateway_died.empty()) {
    result.verdict = Verdict::kFail;
    result.reason = "the gateway ended with this case in hand: " + observation.gateway_died;
  } else if (!observation.harness_error.empty()) {
    result.verdict = Verdict::kError;
    result.reason = observation.harness_error;
  } else if (busy) {
    result.verdict = Verdict::kError;
    result.reason = "the gateway refused for now (4yz), which no rule names: limits or load?";
  } else if (!result.details.empty()) {
    result.verdict = Verdict::kFail;
    result.reason = result.details.front();
  } else if (fence.stopped && !fence.clean_exit) {
    result.verdict = Verdict::kFail;
    result.reason = "the gateway did not end in order when it was stopped: " + fence.exit;
  } else if (!result.inbound.missing.empty() || !result.outbound.missing.empty()) {
    result.verdict = Verdict::kInconclusive;
    result.reason = "evidence is missing:";
    for (const std::string& name : result.inbound.missing) result.reason += " inbound " + name;
    for (const std::string& name : result.outbound.missing) result.reason += " outbound " + name;
  } else {
    result.verdict = Verdict::kPass;
  }
  result.grade = std::max(bench.inbound != nullptr ? result.inbound.grade : Grade::kForm,
                          bench.outbound != nullptr ? result.outbound.grade : Grade::kForm);
}

}  // namespace

const char* word(Grade grade) {
  switch (grade) {
    case Grade::kForm:
      return "form";
    case Grade::kLetter:
      return "letter";
    case Grade::kPolicy:
      return "policy";
    case Grade::kNone:
      break;
  }
  return "";
}

Grade grade_of(const std::string& name) {
  for (Grade grade : {Grade::kForm, Grade::kLetter, Grade::kPolicy})
    if (name == word(grade)) return grade;
  return Grade::kNone;
}

bool matches(const ExpectedOutcome& expected, const reports::Outcome& observed) {
  if (expected.word != observed.word) return false;
  for (const auto& [name, values] : expected.facts) {
    const std::string* seen = fact_of(observed, name);
    const std::string value = seen != nullptr ? *seen : (name == "connection" ? "1" : "");
    if (!any_fits(values, value)) return false;
  }
  const std::string* connection = fact_of(observed, "connection");
  if (expected.fact("connection") == nullptr && connection != nullptr && *connection != "1")
    return false;
  const std::string* reply = fact_of(observed, "reply");
  return expected.fact("reply") != nullptr || reply == nullptr || !reply->starts_with('4');
}

Grade grade(const Expectation& expectation, const reports::Outcome& observed) {
  const auto any = [&](const std::vector<ExpectedOutcome>& alternatives) {
    return std::any_of(alternatives.begin(), alternatives.end(),
                       [&](const ExpectedOutcome& one) { return matches(one, observed); });
  };
  if (any(expectation.form)) return Grade::kForm;
  if (any(expectation.letter)) return Grade::kLetter;
  if (any(expectation.policy)) return Grade::kPolicy;
  return Grade::kNone;
}

Judgement judge(const Bench& bench, const Observation& observation, const Fence& fence) {
  Judgement result;
  bool busy = false;
  result.inbound.observed = observe_inbound(observation);
  result.outbound.observed = observe_outbound(observation);
  if (bench.inbound != nullptr)
    compare(*bench.inbound, bench.held_to, "inbound", result.inbound, busy);
  if (bench.outbound != nullptr) {
    compare(*bench.outbound, bench.held_to, "outbound", result.outbound, busy);
  } else if (bench.expects_nothing) {
    result.outbound.negative = true;
    if (result.outbound.observed.word != "nothing")
      result.outbound.wrong.push_back("outbound: expected nothing, got " +
                                      result.outbound.observed.text());
  }
  weigh_inbound(observation, fence, result.inbound);
  weigh_outbound(bench, observation, fence, result.outbound);
  judge_disclosure(bench, observation, result.outbound);
  judge_delivery(observation, result.outbound);
  judge_queue(fence, observation, result.outbound);
  if (!observation.in_time)
    result.outbound.wrong.emplace_back(
        "the message's fate was not on record within the time limit");
  for (const std::string& step : observation.broken_steps) result.inbound.wrong.push_back(step);
  decide(bench, observation, fence, busy, result);
  return result;
}

}  // namespace postern
