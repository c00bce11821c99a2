#include <algorithm>

#include "judge/judge.hpp"

namespace postern {
namespace {

const char* yes_no(bool value) {
  return value ? "yes" : "no";
}

// word_of names how one connection of the client ended.
std::string word_of(const ConnectionFacts& connection) {
  const bool closed = connection.ended_by == Actor::kGateway;
  if (!connection.connected) return "unreachable";
  if (connection.accepted > 0) return "accept";
  if (connection.starttls_reply == 220 && connection.handshake == Handshake::kFailed) {
    if (connection.smtp_after_failed_tls) return "clear-after-failed-tls";
    return closed ? "broken" : "hang";
  }
  if (connection.last_reply >= 400 && connection.usable) return "refuse";
  if (connection.left) return "unfinished";
  if (connection.last_reply >= 400) return closed ? "drop" : "hang";
  if (closed) return "lost";
  return connection.ending == Ending::kTimeout ? "hang" : "unfinished";
}

std::string closed_text(const ConnectionFacts& connection) {
  switch (connection.ending) {
    case Ending::kClose:
    case Ending::kCloseNotify:
      return "clean";
    case Ending::kReset:
      return "reset";
    case Ending::kTruncated:
      return "truncated";
    case Ending::kAlert:
      return "alert";
    default:
      return "no";
  }
}

bool asked_for_tls(const Observation& observation) {
  return std::any_of(observation.server.begin(), observation.server.end(),
                     [](const ConnectionFacts& c) { return c.starttls_sent; });
}

bool sender_told(const Observation& observation) {
  return std::any_of(observation.mailbox.begin(), observation.mailbox.end(),
                     [](const ConnectionFacts& c) { return !c.taken.empty(); });
}

const RecordFact* last_of(const Observation& observation, const char* kind) {
  const RecordFact* found = nullptr;
  for (const RecordFact& fact : observation.record)
    if (fact.kind == kind) found = &fact;
  return found;
}

void add_field(reports::Facts& facts, const char* name, const RecordFact& record,
               const char* field) {
  const auto it = record.fields.find(field);
  if (it != record.fields.end() && !it->second.empty()) facts.emplace_back(name, it->second);
}

}  // namespace

const char* word(Ending ending) {
  switch (ending) {
    case Ending::kOpen:
      return "open";
    case Ending::kClose:
      return "closed";
    case Ending::kCloseNotify:
      return "closed after close_notify";
    case Ending::kTruncated:
      return "closed without close_notify";
    case Ending::kReset:
      return "reset";
    case Ending::kAlert:
      return "TLS alert";
    case Ending::kTlsError:
      return "bytes that are no TLS";
    case Ending::kTimeout:
      return "time limit";
  }
  return "?";
}

reports::Outcome observe_inbound(const Observation& observation) {
  reports::Outcome outcome;
  if (observation.client.empty()) {
    outcome.word = "unplayed";
    return outcome;
  }
  const ConnectionFacts& last = observation.client.back();
  outcome.word = word_of(last);
  outcome.facts.emplace_back("tls", yes_no(last.handshake == Handshake::kCompleted));
  if (last.handshake == Handshake::kCompleted)
    outcome.facts.emplace_back("asked", yes_no(last.asked));
  const bool unfinished = outcome.word == "unfinished";
  if (outcome.word == "drop" || outcome.word == "refuse" || outcome.word == "hang" ||
      (unfinished && last.last_reply > 0)) {
    outcome.facts.emplace_back("reply", std::to_string(last.last_reply));
    if (!last.last_enhanced.empty()) outcome.facts.emplace_back("enhanced", last.last_enhanced);
  }
  if (outcome.word == "drop" || outcome.word == "broken")
    outcome.facts.emplace_back("closed", closed_text(last));
  if (outcome.word == "lost" || outcome.word == "hang" || unfinished)
    outcome.facts.emplace_back("after", last.last_command.empty() ? "connect" : last.last_command);
  if (observation.client.size() > 1) {
    std::string earlier;
    for (std::size_t i = 0; i + 1 < observation.client.size(); ++i)
      earlier += (i == 0 ? "" : ",") + word_of(observation.client[i]);
    outcome.facts.emplace_back("connection", std::to_string(observation.client.size()));
    outcome.facts.emplace_back("earlier", earlier);
  }
  return outcome;
}

reports::Outcome observe_outbound(const Observation& observation) {
  reports::Outcome outcome;
  for (const ConnectionFacts& connection : observation.server) {
    if (connection.taken.empty()) continue;
    outcome.word = "redirect";
    outcome.facts.emplace_back("tls", yes_no(connection.taken.front().in_tls));
    outcome.facts.emplace_back("starttls", yes_no(asked_for_tls(observation)));
    if (connection.number > 1)
      outcome.facts.emplace_back("connection", std::to_string(connection.number));
    if (const RecordFact* delivered = last_of(observation, "delivered"))
      add_field(outcome.facts, "cause", *delivered, "cause");
    return outcome;
  }
  const bool accepted = was_accepted(observation);
  const RecordFact* bounced = last_of(observation, "bounced");
  const RecordFact* deferred = last_of(observation, "deferred");
  if (last_of(observation, "delivered") != nullptr) {
    outcome.word = "delivered-elsewhere";
  } else if (bounced != nullptr) {
    outcome.word = sender_told(observation) ? "bounce" : "bounce-untold";
    add_field(outcome.facts, "code", *bounced, "code");
  } else if (last_of(observation, "discarded") != nullptr) {
    outcome.word = "discard";
  } else if (deferred != nullptr) {
    outcome.word = "hold";
    add_field(outcome.facts, "code", *deferred, "code");
  } else if (accepted) {
    outcome.word = "lost";
  } else {
    outcome.word = observation.server.empty() && observation.mailbox.empty()
                       ? "nothing"
                       : "connected-without-a-message";
  }
  return outcome;
}

}  // namespace postern
