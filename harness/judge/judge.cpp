#include "judge/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

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

int count_of(const Observation& observation, std::string_view kind) {
  return static_cast<int>(std::count_if(observation.record.begin(), observation.record.end(),
                                        [&](const RecordFact& fact) { return fact.kind == kind; }));
}

// A temporary refusal that no rule names says that the gateway was busy, not what its policy is.
bool is_unnamed_temporary(const reports::Outcome& observed) {
  const std::string* reply = fact_of(observed, "reply");
  return reply != nullptr && reply->starts_with('4');
}

// disclosed notes that the last thing wrong is of where the message was seen, by a requirement that
// is not the leg's.
void disclosed(const Citation& by, Judgement& result) {
  if (by.ref.empty()) return;
  ++result.outbound.disclosures;
  result.broken.push_back(by.ref);
}

void judge_disclosure(const Bench& bench, const Observation& observation, Judgement& result) {
  for (const Sighting& sighting : observation.sightings) {
    const auto& allowed = sighting.side == Side::kSender ? bench.sender : bench.next_hop;
    const bool foreign = sighting.place == "foreign-listener";
    if (!foreign && !bench.disclosure) continue;
    if (!foreign && sighting.coding != "ciphertext" && has(allowed, sighting.place)) continue;
    const Citation& by = foreign ? bench.foreign_by : bench.places_by;
    const std::string allows =
        by.ref.empty() ? ""
                       : fmt::format("{} allows {}", by.ref,
                                     foreign || allowed.empty()
                                         ? "nothing"
                                         : fmt::format("only {}", fmt::join(allowed, ", ")));
    result.outbound.wrong.push_back(fmt::format(
        "leak: the message was seen {} ({}) on connection {} to {}{}, at about byte {}{}",
        sighting.place == "tls" ? "inside TLS"
        : foreign               ? "where it does not belong"
                                : sighting.place,
        sighting.coding, sighting.connection,
        sighting.side == Side::kSender ? "the sender's mailbox" : "the next hop",
        foreign ? " of another case" : "", sighting.offset,
        allows.empty() ? "" : fmt::format("; {}: {}", allows, by.text)));
    disclosed(by, result);
    result.leaks.push_back(
        {sighting, "the token of this message" + (allows.empty() ? "" : ", where " + allows)});
  }
}

// judge_connections holds each connection of the gateway to what no setting allows.
void judge_connections(const Bench& bench, const std::deque<ConnectionFacts>& connections,
                       const char* whose, LegJudgement& leg) {
  for (const ConnectionFacts& connection : connections) {
    const std::string where = fmt::format("connection {} to {}", connection.number, whose);
    for (const std::string& fault : connection.faults)
      leg.wrong.push_back(fmt::format("{} on {}", fault, where));
    if (connection.bytes_behind_close_notify > 0)
      leg.wrong.push_back(fmt::format("{} bytes came behind the close_notify of {}",
                                      connection.bytes_behind_close_notify, where));
    if (connection.record_behind_close_notify && bench.held_to == Grade::kForm)
      leg.wrong.push_back("a TLS record came behind the close_notify of " + where);
    if (connection.smtp_after_failed_tls)
      leg.wrong.push_back("SMTP went on in clear text after failed TLS on " + where);
    if (connection.ending == Ending::kTlsError && connection.ended_by == Actor::kGateway)
      leg.wrong.push_back("bytes that are no TLS came inside TLS on " + where);
  }
}

// judge_taken holds one delivered message to OUT-6: its envelope and its content.
void judge_taken(const Bench& bench, const Observation& observation, const Taken& taken,
                 LegJudgement& leg) {
  if (bench.checks != nullptr && bench.checks->by_hand) return;
  if (taken.sender != observation.sender || taken.recipients != std::vector{observation.recipient})
    leg.wrong.push_back(fmt::format("the envelope came changed: MAIL <{}>, RCPT <{}>", taken.sender,
                                    fmt::join(taken.recipients, ">, <")));
  std::string problem;
  if (!intact(observation.message, taken.content, problem)) leg.wrong.push_back(problem);
  if (bench.held_to == Grade::kForm && !taken.content.starts_with("Received:"))
    leg.wrong.emplace_back("the message came without a Received header");
}

// judge_fate finds what contradicts itself: more than one fate, or a record unlike what was seen.
void judge_fate(const Bench& bench, const Observation& observation, int took, LegJudgement& leg) {
  const int due = bench.checks != nullptr ? bench.checks->messages : 1;
  const int recorded = count_of(observation, "delivered");
  if (took > due || (took > 0 && took < due))
    leg.wrong.push_back(
        due == 1 ? fmt::format("the message was delivered {} times", took)
                 : fmt::format("the message was delivered {} times, {} were due", took, due));
  if (took > 0 && recorded == 0 && observation.gateway_died.empty())
    leg.wrong.emplace_back(
        "the next hop took the message, and the gateway's record says nothing of it");
  if (took == 0 && recorded > 0)
    leg.wrong.emplace_back("the gateway's record says delivered, and the next hop took no message");
  if (took > 0 && recorded > took)
    leg.wrong.push_back(
        fmt::format("the record says delivered {} times, it was {}", recorded, took));
  const std::string& word = leg.observed.word;
  if (word != "bounce" && word != "bounce-untold" && count_of(observation, "bounced") > 0)
    leg.wrong.emplace_back("a bounce is on record beside another fate of the message");
  if (word != "discard" && count_of(observation, "discarded") > 0)
    leg.wrong.emplace_back("the message was discarded on record beside another fate");
}

// judge_mailbox holds what came to the sender's mailbox to what a bounce is (RFC 5321 §6.1).
void judge_mailbox(const Observation& observation, LegJudgement& leg) {
  int told = 0;
  for (const ConnectionFacts& connection : observation.mailbox) {
    for (const Taken& taken : connection.taken) {
      ++told;
      if (!taken.sender.empty() || taken.recipients != std::vector{observation.sender})
        leg.wrong.push_back(
            fmt::format("what came to the sender's mailbox is no bounce: MAIL <{}>", taken.sender));
      if (taken.content.find(observation.recipient) == std::string::npos)
        leg.wrong.emplace_back("the bounce does not name the recipient");
    }
  }
  if (told > 0 && leg.observed.word != "bounce")
    leg.wrong.emplace_back("the sender was told of a failure, and the message had another fate");
  if (told > 1) leg.wrong.push_back(fmt::format("the sender was told {} times", told));
}

void judge_delivery(const Bench& bench, const Observation& observation, Judgement& result) {
  LegJudgement& leg = result.outbound;
  judge_connections(bench, observation.server, "the next hop", leg);
  judge_connections(bench, observation.mailbox, "the sender's mailbox", leg);
  int took = 0;
  int last = 0;
  for (const ConnectionFacts& connection : observation.server) {
    if (bench.disclosure && bench.next_hop.empty() && (connection.mail || connection.rcpt)) {
      leg.wrong.push_back(fmt::format("MAIL was disclosed on connection {}", connection.number));
      disclosed(bench.places_by, result);
    }
    for (const Taken& taken : connection.taken) {
      ++took;
      last = connection.number;
      judge_taken(bench, observation, taken, leg);
    }
  }
  if (bench.held_to == Grade::kForm && took > 0 &&
      static_cast<int>(observation.server.size()) > last)
    leg.wrong.emplace_back("the gateway connected to the next hop again after it had delivered");
  const int attempts = count_of(observation, "deferred");
  if (bench.held_to == Grade::kForm && static_cast<int>(observation.server.size()) < attempts)
    leg.wrong.push_back(fmt::format("the record tells of {} attempts, and {} connections came",
                                    attempts, observation.server.size()));
  judge_fate(bench, observation, took, leg);
  judge_mailbox(observation, leg);
}

void judge_queue(const Bench& bench, const Fence& fence, const Observation& observation,
                 LegJudgement& leg) {
  if (!fence.queue_known) return;
  const auto queued = std::count(fence.queued.begin(), fence.queued.end(), observation.recipient);
  const bool held = leg.observed.word == "hold";
  std::ptrdiff_t taken = 0;
  for (const ConnectionFacts& one : observation.client) taken += one.accepted;
  if (queued > 0 && !held) leg.wrong.push_back("the message is still in the gateway's queue");
  if (held && queued == 0)
    leg.wrong.push_back("held on record, and not in the gateway's queue: lost");
  else if (held && queued < taken)
    leg.wrong.push_back(
        fmt::format("the gateway took {} messages, and its queue holds {}: lost", taken, queued));
  const auto due =
      std::max<std::ptrdiff_t>(taken, bench.checks != nullptr ? bench.checks->messages : 1);
  if (queued > due)
    leg.wrong.push_back(fmt::format("the gateway's queue holds the message {} times", queued));
}

// judge_session holds the client's connections to what no setting allows.
void judge_session(const Bench& bench, const Observation& observation, LegJudgement& leg) {
  const bool accepted = was_accepted(observation);
  const int taken = count_of(observation, "accepted");
  if (taken > 0 && !accepted)
    leg.wrong.emplace_back(
        "the gateway's record says it took the message, and no 250 was given for it");
  if (taken == 0 && accepted && bench.records_accepted && observation.gateway_died.empty())
    leg.wrong.emplace_back(
        "a 250 was given for the message, and the gateway's record does not have it");
  for (const ConnectionFacts& connection : observation.client) {
    for (const std::string& fault : connection.faults) leg.wrong.push_back(fault);
    if (connection.accepted == 0 || connection.farewell < 0) continue;
    if (connection.ending == Ending::kTimeout || connection.ending == Ending::kReset ||
        connection.farewell != 221)
      leg.wrong.push_back(
          fmt::format("after the message was taken, QUIT got {} and the connection {}",
                      connection.farewell, word(connection.ending)));
  }
}

// What closes a case, and what tells of it: the fence and the record of a gateway that Postern
// runs, a canary and what was seen on the wire where it is only seen from outside.
const char* fence_word(const Bench& bench) {
  return bench.outside ? "canary" : "fence";
}

const char* record_word(const Bench& bench) {
  return bench.outside ? "seen" : "record";
}

void weigh_inbound(const Bench& bench, const Observation& observation, const Fence& fence,
                   LegJudgement& leg) {
  const bool session = count_of(observation, "session-end") > 0;
  const bool taken = count_of(observation, "accepted") > 0;
  if (fence.stopped) leg.evidence.emplace_back(fence_word(bench));
  if (session && !taken) leg.evidence.emplace_back(record_word(bench));
  if (all_ended(observation.client)) leg.evidence.emplace_back("session-end");
  if (!leg.negative) return;
  if (!fence.stopped) leg.missing.emplace_back(fence_word(bench));
  if (!session || taken) leg.missing.emplace_back(record_word(bench));
  if (!all_ended(observation.client)) leg.missing.emplace_back("session-end");
}

void weigh_outbound(const Bench& bench, const Observation& observation, const Fence& fence,
                    LegJudgement& leg) {
  const int attempts = count_of(observation, "deferred");
  const bool none = observation.server.empty() && observation.mailbox.empty();
  const bool silent_session =
      count_of(observation, "session-end") > 0 && count_of(observation, "accepted") == 0;
  const bool on_record =
      bench.expects_nothing
          ? silent_session
          : attempts + count_of(observation, "bounced") + count_of(observation, "discarded") > 0;
  if (fence.stopped) leg.evidence.emplace_back(fence_word(bench));
  if (on_record) leg.evidence.emplace_back(record_word(bench));
  if (none) {
    leg.evidence.emplace_back("no-connection");
  } else if (all_ended(observation.server)) {
    leg.evidence.emplace_back("session-end");
  }
  if (leg.observed.word == "hold")
    leg.evidence.emplace_back(attempts >= 2 ? "second-attempt" : "one-attempt");
  if (!leg.negative) return;
  if (!fence.stopped) leg.missing.emplace_back(fence_word(bench));
  if (!on_record) leg.missing.emplace_back(record_word(bench));
  if (!none && !all_ended(observation.server)) leg.missing.emplace_back("session-end");
  if (leg.observed.word == "hold" && bench.second_attempt && attempts < 2)
    leg.missing.emplace_back("second-attempt");
}

// wanted_text gives what a gateway held to this grade is expected to do. A grade that is left out
// is the one before.
const std::string& wanted_text(const Expectation& expectation, Grade held_to) {
  if (held_to >= Grade::kPolicy && !expectation.policy_text.empty()) return expectation.policy_text;
  if (held_to >= Grade::kLetter && !expectation.letter_text.empty()) return expectation.letter_text;
  return expectation.form_text;
}

void compare(const Expectation& expectation, Grade held_to, const char* leg_name,
             LegJudgement& leg) {
  const std::string& word = leg.observed.word;
  // Where a wider grade admits that the message passes, and it did, there is no negative to prove.
  leg.negative = word != "accept" && word != "redirect";
  leg.grade = grade(expectation, leg.observed);
  if (leg.grade <= held_to) return;
  leg.mismatch = fmt::format("{}: expected {}, got {}", leg_name, wanted_text(expectation, held_to),
                             leg.observed.text());
}

void expect_nothing(LegJudgement& leg) {
  leg.negative = true;
  if (leg.observed.word != "nothing")
    leg.mismatch = "outbound: expected nothing, got " + leg.observed.text();
}

// is_busy tells a gateway that refused for now and did nothing else: that is not its policy.
bool is_busy(const Judgement& result) {
  const std::string& word = result.inbound.observed.word;
  return result.inbound.grade == Grade::kNone && (word == "refuse" || word == "drop") &&
         is_unnamed_temporary(result.inbound.observed) && result.inbound.wrong.empty() &&
         result.outbound.wrong.empty() && result.outbound.observed.word == "nothing";
}

void decide(const Bench& bench, const Observation& observation, const Fence& fence,
            Judgement& result) {
  for (LegJudgement* leg : {&result.inbound, &result.outbound}) {
    const bool other = leg->wrong.size() > leg->disclosures || !observation.broken_steps.empty();
    leg->broken = !leg->mismatch.empty() ? "outcome" : other ? "other" : "";
    if (!leg->mismatch.empty()) result.details.push_back(leg->mismatch);
    result.details.insert(result.details.end(), leg->wrong.begin(), leg->wrong.end());
  }
  result.details.insert(result.details.begin(), observation.broken_steps.begin(),
                        observation.broken_steps.end());
  // How the whole gateway fared, whatever else keeps the fence open.
  const bool bad_end = !fence.exit.empty() && !fence.clean_exit;
  if (bad_end)
    result.details.push_back("the gateway did not end in order when it was stopped: " + fence.exit);
  if (!fence.stray.empty()) result.details.push_back(fence.stray);
  const bool leaked =
      std::any_of(result.outbound.wrong.begin(), result.outbound.wrong.end(),
                  [](const std::string& line) { return line.starts_with("leak:"); });
  if (!observation.gateway_died.empty()) {
    result.verdict = Verdict::kFail;
    result.reason = "the gateway ended with this case in hand: " + observation.gateway_died;
  } else if (!observation.harness_error.empty() && !leaked) {
    result.verdict = Verdict::kError;
    result.reason = observation.harness_error;
  } else if (is_busy(result) && !bad_end) {
    result.busy = true;
    result.verdict = Verdict::kError;
    result.reason = "the gateway refused for now (4yz), which no rule names: limits or load?";
  } else if (!result.details.empty()) {
    result.verdict = Verdict::kFail;
    result.reason = result.details.front();
  } else if (const std::string unset =
                 bench.checks != nullptr ? unset_in(*bench.checks, observation) : "";
             !unset.empty()) {
    result.verdict = Verdict::kError;
    result.reason = unset;
  } else if (!result.inbound.missing.empty() || !result.outbound.missing.empty()) {
    result.verdict = Verdict::kInconclusive;
    for (LegJudgement* leg : {&result.inbound, &result.outbound})
      leg->broken = leg->missing.empty() ? "" : "other";
    result.reason = "evidence is missing:";
    for (const std::string& name : result.inbound.missing) result.reason += " inbound " + name;
    for (const std::string& name : result.outbound.missing) result.reason += " outbound " + name;
    if (!fence.problem.empty()) result.details.push_back(fence.problem);
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
  result.inbound.observed = observe_inbound(observation);
  result.outbound.observed = observe_outbound(observation);
  if (bench.inbound != nullptr) compare(*bench.inbound, bench.held_to, "inbound", result.inbound);
  // Where a wider grade admits a refusal, there is nothing to send on.
  const bool admitted_refusal = bench.inbound != nullptr && result.inbound.mismatch.empty() &&
                                result.inbound.observed.word != "accept";
  Bench weighed = bench;
  weighed.expects_nothing = bench.expects_nothing || admitted_refusal;
  // Where it admits that the message is taken, no rule says what becomes of it.
  const bool admitted_message = bench.expects_nothing && bench.inbound != nullptr &&
                                result.inbound.mismatch.empty() &&
                                result.inbound.observed.word == "accept";
  if (admitted_message) weighed.expects_nothing = weighed.disclosure = false;
  if (weighed.expects_nothing) {
    expect_nothing(result.outbound);
  } else if (bench.outbound != nullptr) {
    compare(*bench.outbound, bench.held_to, "outbound", result.outbound);
  }
  judge_session(bench, observation, result.inbound);
  weigh_inbound(bench, observation, fence, result.inbound);
  weigh_outbound(weighed, observation, fence, result.outbound);
  const bool shown = bench.outside && result.outbound.observed.word == "redirect";
  if (bench.inbound == nullptr && !fence.stopped && !shown)
    result.inbound.missing.emplace_back(fence_word(bench));
  judge_disclosure(weighed, observation, result);
  judge_delivery(weighed, observation, result);
  judge_queue(bench, fence, observation, result.outbound);
  if (bench.checks != nullptr)
    for (std::string& line : judge_checks(*bench.checks, observation))
      result.outbound.wrong.push_back(std::move(line));
  const bool accepted = was_accepted(observation);
  // From outside nobody can tell a message that is lost from one that will be sent on in a while.
  if (bench.outside && accepted && result.outbound.observed.word == "lost") {
    result.outbound.mismatch.clear();
    result.outbound.missing = {observation.server.empty() ? "attempt" : "canary"};
    decide(bench, observation, fence, result);
    return result;
  }
  if (!observation.in_time && accepted)
    result.outbound.wrong.emplace_back(
        "the message's fate was not on record within the time limit");
  if (accepted && result.outbound.observed.word == "lost")
    result.outbound.wrong.emplace_back("the message was taken, and nothing became of it on record");
  decide(bench, observation, fence, result);
  return result;
}

}  // namespace postern
