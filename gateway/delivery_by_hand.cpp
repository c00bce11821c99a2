// What people do to the queue: look at it, have a message tried, held or removed; and what they are
// shown of attempts.
#include <algorithm>

#include "delivery.hpp"

namespace gateway {

std::vector<Delivery::Waiting> Delivery::waiting(std::size_t most) const {
  std::vector<std::uint64_t> ids;
  ids.reserve(messages_.size());
  for (const auto& [id, message] : messages_) ids.push_back(id);
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(most, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end());
  std::vector<Waiting> all;
  for (auto id = ids.begin(); id != end; ++id) {
    const Message& message = messages_.at(*id);
    all.push_back({message.envelope, !message.in_flight.empty(), message.held});
  }
  return all;
}

// set_due gives the recipients another time, in memory and on disk. For those being tried it holds
// where the program ends before the attempt does.
void Delivery::set_due(Message& message, TimePoint time) {
  for (Recipient& recipient : message.envelope.recipients) recipient.next_attempt = time;
  Job job;
  job.work = [id = message.envelope.id, changed = message.envelope.recipients](Database& database) {
    for (const Recipient& recipient : changed) database.defer_recipient(id, recipient);
  };
  job.record = [this](const std::string& error) {
    if (!error.empty()) services_.journal.add(JournalLine("warning").add("reason", error));
  };
  services_.queue.post(std::move(job));
}

bool Delivery::try_now(std::uint64_t id) {
  const auto found = messages_.find(id);
  if (found == messages_.end()) return false;
  found->second.held = false;
  set_due(found->second, now());
  dispatch(found->second);
  return true;
}

// leave_lines takes a message out of the lines that it waits in.
void Delivery::leave_lines(Message& message) {
  for (auto line = lines_.begin(); line != lines_.end();) {
    std::deque<Group>& waiting = line->second.waiting;
    const auto here =
        std::stable_partition(waiting.begin(), waiting.end(),
                              [&](const Group& group) { return group.id != message.envelope.id; });
    for (auto group = here; group != waiting.end(); ++group) {
      for (const Recipient& recipient : group->recipients)
        message.in_flight.erase(recipient.number);
    }
    waiting.erase(here, waiting.end());
    if (waiting.empty()) crowded_.erase(line->first);
    line = waiting.empty() && line->second.running == 0 ? lines_.erase(line) : std::next(line);
  }
  if (message.in_flight.empty()) message.body = nullptr;  // it is read again when it is due
}

bool Delivery::hold(std::uint64_t id) {
  const auto found = messages_.find(id);
  if (found == messages_.end()) return false;
  found->second.held = true;
  leave_lines(found->second);
  set_due(found->second, kHeld);
  return true;
}

bool Delivery::remove(std::uint64_t id, const std::string& who) {
  const auto found = messages_.find(id);
  if (found == messages_.end() || !found->second.in_flight.empty()) return false;
  std::vector<JournalLine> lines;
  for (const Recipient& recipient : found->second.envelope.recipients) {
    JournalLine line("deleted");
    line.add("queue-id", queue_id(id))
        .add("sender", found->second.envelope.sender)
        .add("recipient", recipient.address)
        .add("by", "web")
        .add("who", who);
    lines.push_back(std::move(line));
  }
  messages_.erase(found);
  Job job;
  job.work = [id](Database& database) { database.remove(id); };
  job.record = [this, lines](const std::string& error) {
    if (!error.empty()) services_.journal.add(JournalLine("warning").add("reason", error));
    if (error.empty()) {
      for (const JournalLine& line : lines) services_.journal.add(line);
    }
  };
  services_.queue.post(std::move(job));
  return true;
}

// note_attempt has the settings page show what came of one message on one connection.
void Delivery::note_attempt(const Report& report) const {
  if (!services_.sessions || report.stale || report.outcomes.empty()) return;
  AttemptFacts facts;
  facts.ended = now();
  facts.host = report.hop.host;
  facts.endpoint = endpoint_text(report.hop.address, report.hop.port);
  facts.level = level_word(report.hop.level);
  facts.connected = report.connected;
  facts.tls = report.tls.version;
  facts.cipher = report.tls.cipher;
  facts.cause = report.cause;
  if (report.tls.active) facts.certificate = report.verified ? "verified" : "not-verified";
  facts.error = report.tls.error;
  const auto unsent =
      std::find_if(report.outcomes.begin(), report.outcomes.end(),
                   [](const Outcome& outcome) { return outcome.fate != Fate::relayed; });
  facts.sent = unsent == report.outcomes.end();
  const Outcome& telling = facts.sent ? report.outcomes.back() : *unsent;
  facts.reason = telling.enhanced + " " + telling.reason;
  services_.sessions->note(std::move(facts));
}

}  // namespace gateway
