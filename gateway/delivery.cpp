#include "delivery.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bounce.hpp"
#include "durable_file.hpp"
#include "smtp_command.hpp"

namespace gateway {
namespace {

std::string line_key(const std::vector<NextHop>& hops) {
  return hops.empty() ? std::string() : endpoint_text(hops.front().address, hops.front().port);
}

// RFC 5321 section 4.5.3.1.8: what every server takes in one transaction.
constexpr std::size_t kMostRecipients = 100;

constexpr std::string_view kStopping = "the gateway is stopping";
constexpr std::string_view kApplied = "new settings were applied meanwhile";

// level_of is empty where nothing was to be sent over the network.
std::string_view level_of(const NextHop& hop) {
  return hop.address.empty() ? std::string_view() : level_word(hop.level);
}

bool soft(const Outcome& outcome) {
  return outcome.fate == Fate::deferred;
}

}  // namespace

Delivery::Delivery(Services& services) : services_(services), timer_(services.executor) {}

void Delivery::add(Envelope envelope, BodyInMemory body) {
  const std::uint64_t id = envelope.id;
  Message& message = messages_[id];
  message.envelope = std::move(envelope);
  message.body = std::move(body);
  message.held = is_held(message.envelope);
  for (const auto& recipient : message.envelope.recipients) {
    if (recipient.next_attempt > now()) due_.emplace(recipient.next_attempt, id);
  }
  dispatch(message);
  set_timer();
}

void Delivery::stop() {
  stopping_ = true;
  timer_.cancel();
}

void Delivery::abort() {
  aborted_ = true;
  for (Conversation* conversation : conversations_) conversation->interrupt(kStopping);
}

// SET-5: an attempt that has not said MAIL would hand the message over under a level that no longer
// holds.
void Delivery::settings_changed() {
  for (Conversation* conversation : conversations_) {
    if (conversation->early()) conversation->interrupt(kApplied);
  }
  pump();
}

// dispatch groups what is due of a message by its way, and sends every group off on its own.
void Delivery::dispatch(Message& message) {
  if (stopping_ || message.held) return;
  const Settings& settings = *services_.settings;
  const TimePoint time = now();
  std::vector<Group> groups;
  for (const auto& recipient : message.envelope.recipients) {
    if (recipient.next_attempt > time || message.in_flight.contains(recipient.number)) continue;
    const auto hops = settings.config.next_hops(domain_of(recipient.address));
    const bool needs_utf8 = needs_smtputf8(message.envelope, recipient.address);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& other) {
      return other.hops == hops && other.needs_smtputf8 == needs_utf8 &&
             other.recipients.size() < kMostRecipients;
    });
    if (group == groups.end()) {
      Group fresh;
      fresh.id = message.envelope.id;
      fresh.hops = hops;
      fresh.needs_smtputf8 = needs_utf8;
      fresh.settings = services_.settings;
      group = groups.insert(groups.end(), std::move(fresh));
    }
    group->recipients.push_back(recipient);
    message.in_flight.insert(recipient.number);
  }
  for (auto& group : groups) enqueue(std::move(group));
}

void Delivery::enqueue(Group group) {
  const std::string key = line_key(group.hops);
  lines_[key].waiting.push_back(std::move(group));
  crowded_.insert(key);
  pump();
}

// pump starts what may start. Nothing that it starts runs inside it: an attempt that began, ended
// or was sent again here would change the lines under our feet, and nest as deep as the queue is
// long.
void Delivery::pump() {
  if (std::exchange(pumping_, true)) return;
  const std::vector<std::string> keys(crowded_.begin(), crowded_.end());
  for (const auto& key : keys) {
    const auto line = lines_.find(key);
    if (line == lines_.end()) continue;
    while (!line->second.waiting.empty() && start(line->second)) {
    }
    if (!line->second.waiting.empty()) continue;
    crowded_.erase(key);
    if (line->second.running == 0) lines_.erase(line);
  }
  pumping_ = false;
}

bool Delivery::start(Line& line) {
  const Limits& limits = services_.settings->config.limits;
  if (stopping_) return false;
  const bool old = superseded(line.waiting.front());
  if (!old && (running_ >= limits.deliveries || line.running >= limits.deliveries_per_next_hop)) {
    return false;
  }
  const auto group = std::make_shared<Group>(std::move(line.waiting.front()));
  line.waiting.pop_front();
  if (old) {
    send_again(*group);
    return true;
  }
  ++line.running;
  ++running_;
  asio::post(services_.executor, [this, group] {
    asio::co_spawn(services_.executor, attempt(std::move(*group)), asio::detached);
  });
  return true;
}

// superseded tells whether a group is no longer to be tried as it was made up: the routes and the
// level may have changed (SET-5), no time is left, or somebody holds the message.
bool Delivery::superseded(const Group& group) const {
  return services_.stopping || group.settings != services_.settings || messages_.at(group.id).held;
}

// send_again dispatches a message anew, under the settings that hold now.
void Delivery::send_again(const Group& group) {
  Message& message = messages_.at(group.id);
  for (const auto& recipient : group.recipients) message.in_flight.erase(recipient.number);
  asio::post(services_.executor, [this, id = group.id] {
    const auto found = messages_.find(id);
    if (found != messages_.end()) dispatch(found->second);
  });
}

// postpone makes those whose fate is open due again at once.
void Delivery::postpone(std::vector<Result>& results) {
  for (auto& result : results) {
    if (soft(result.outcome)) result.report.interrupted = true;
  }
}

asio::awaitable<void> Delivery::attempt(Group group) {
  std::unique_ptr<Conversation> last;
  do {
    if (superseded(group)) {
      send_again(group);
      break;
    }
    co_await carry(group, last);
  } while (next_on(last.get(), group));
  co_await finish(last.get());
  finished(group);
}

// carry tries one group to its end. `last` is the conversation that is to go on with it, if any,
// and then the one that is still open.
asio::awaitable<void> Delivery::carry(const Group& group, std::unique_ptr<Conversation>& last) {
  BodyInMemory memory = messages_.at(group.id).body;
  BodySource body(services_.queue, group.id, std::move(memory));
  std::vector<Result> results = co_await try_hops(group, body, last);
  co_await settle(group, std::move(results), body);
}

// next_on puts what waits longest for the next hop of `group` in its place, where the connection
// that is still open may carry it; false: there is nothing for it. A connection that is given back
// does more where others are kept waiting by the limit of all.
bool Delivery::next_on(const Conversation* kept, Group& group) {
  const std::string key = line_key(group.hops);
  Line& line = lines_.at(key);
  if (!kept || stopping_ || line.waiting.empty()) return false;
  const bool others_wait =
      crowded_.size() > 1 && running_ >= services_.settings->config.limits.deliveries;
  const Group& next = line.waiting.front();
  if (others_wait || superseded(next)) return false;
  if (!kept->may_carry(next.hops.front(), *services_.settings)) return false;
  group = std::move(line.waiting.front());
  line.waiting.pop_front();
  if (line.waiting.empty()) crowded_.erase(key);
  return true;
}

asio::awaitable<Report> Delivery::talk(Conversation& conversation, const Parcel& parcel,
                                       BodySource& body) {
  if (aborted_) conversation.interrupt(kStopping);
  conversations_.insert(&conversation);
  Report report = co_await conversation.run(parcel, body);
  conversations_.erase(&conversation);
  note_attempt(report);
  co_return report;
}

asio::awaitable<void> Delivery::finish(Conversation* conversation) {
  if (!conversation) co_return;
  conversations_.insert(conversation);
  if (aborted_) conversation->interrupt(kStopping);
  co_await conversation->finish();
  conversations_.erase(conversation);
}

// try_hops tries every next hop in turn for those whose fate is still soft, and falls back to clear
// text only after all were tried with TLS (OUT-2, OUT-9).
asio::awaitable<std::vector<Delivery::Result>> Delivery::try_hops(
    const Group& group, BodySource& body, std::unique_ptr<Conversation>& last) {
  std::vector<Result> results(group.recipients.size());
  for (auto& result : results) {
    result.outcome = {Fate::deferred, "4.4.4", "no route to this domain"};
  }
  unsigned connection = 0;
  std::vector<NextHop> failed_tls;
  for (const NextHop& hop : group.hops) {
    if (superseded(group)) {
      postpone(results);
      co_return results;
    }
    co_await try_hop(hop, false, group, body, results, connection, last);
    const bool tls_failed = std::any_of(results.begin(), results.end(), [&](const Result& result) {
      return soft(result.outcome) && result.report.tls_failed && result.report.hop == hop;
    });
    if (tls_failed) failed_tls.push_back(hop);
  }
  const Duration age = now() - messages_.at(group.id).envelope.received;
  const auto delay = group.settings->config.tls.clear_fallback_delay;
  for (const NextHop& hop : failed_tls) {
    if (!may_fall_back(hop.level, delay, age)) continue;
    if (superseded(group)) {
      postpone(results);
      break;
    }
    co_await try_hop(hop, true, group, body, results, connection, last);
  }
  co_return results;
}

asio::awaitable<void> Delivery::try_hop(NextHop hop, bool clear, const Group& group,
                                        BodySource& body, std::vector<Result>& results,
                                        unsigned& connection, std::unique_ptr<Conversation>& last) {
  const Envelope& envelope = messages_.at(group.id).envelope;
  Parcel parcel;
  parcel.sender = envelope.sender;
  parcel.size = envelope.size;
  parcel.eight_bit = envelope.eight_bit;
  parcel.declared_8bit = envelope.declared_8bit;
  parcel.smtputf8 = envelope.smtputf8;
  parcel.needs_smtputf8 = group.needs_smtputf8;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!soft(results[i].outcome)) continue;
    open.push_back(i);
    parcel.recipients.push_back(group.recipients[i].address);
  }
  if (open.empty()) co_return;
  Report report;
  // The first connection of an attempt may be one that others were sent on before.
  bool kept = connection == 0 && !clear && last && last->may_carry(hop, *group.settings);
  if (kept) {
    report = co_await talk(*last, parcel, body);
    kept = !report.stale;
    for (std::size_t i = 0; i < open.size() && !kept; ++i) {
      results[open[i]].outcome = {Fate::deferred, "4.4.2", "the connection that was kept is gone"};
    }
  }
  if (!kept) {
    co_await finish(last.get());
    last.reset();
    // The farewell to the hop before may have taken its time.
    if (superseded(group)) {
      postpone(results);
      co_return;
    }
    if (!hop.folder.empty()) {
      co_await drop_into_folder(std::move(hop), group.id, body, results);
      co_return;
    }
    last = std::make_unique<Conversation>(group.settings, std::move(hop), clear);
    report = co_await talk(*last, parcel, body);
  }
  if (report.connected) ++connection;
  std::vector<Outcome> outcomes = std::move(report.outcomes);
  report.outcomes.clear();
  for (std::size_t i = 0; i < open.size(); ++i) {
    Result& result = results[open[i]];
    result.outcome = std::move(outcomes[i]);
    result.report = report;
    result.falls_back_later =
        result.falls_back_later || (report.tls_failed && report.hop.level == ClientLevel::attempt);
    result.connection = connection;
  }
}

asio::awaitable<void> Delivery::drop_into_folder(NextHop hop, std::uint64_t id, BodySource& body,
                                                 std::vector<Result>& results) {
  const std::string path = hop.folder + "/" + queue_id(id) + ".eml";
  std::string error;
  try {
    body.rewind();
    const auto content = std::make_shared<std::string>();
    for (std::string piece = co_await body.piece(); !piece.empty();) {
      *content += piece;
      piece = co_await body.piece();
    }
    // The file may be written twice when its group of the queue is: it is the same file.
    std::function<void(Database&)> work = [path, content](Database&) {
      write_durably(path, *content);
    };
    error = co_await services_.queue.perform(std::move(work), nullptr);
  } catch (const DatabaseError& unreadable) {
    error = unreadable.what();
  }
  for (auto& result : results) {
    if (!soft(result.outcome)) continue;
    result.report.hop = hop;
    result.outcome = {Fate::relayed, "2.0.0", "written to " + path};
    if (!error.empty()) result.outcome = {Fate::deferred, "4.3.0", error};
  }
}

// give_up_expired turns soft failures at the end of the lifetime into final ones (OUT-5, OUT-6).
void Delivery::give_up_expired(const Group& group, std::vector<Result>& results) {
  const Envelope& envelope = messages_.at(group.id).envelope;
  if (now() < envelope.received + services_.settings->config.lifetime) return;
  for (auto& result : results) {
    if (!soft(result.outcome) || result.report.interrupted) continue;
    result.outcome.fate = Fate::failed;
    result.outcome.reason += " (the lifetime of the message has ended)";
  }
}

void Delivery::schedule(Message& message, Recipient& recipient, const Result& result) {
  const Config& config = services_.settings->config;
  const TimePoint received = message.envelope.received;
  const TimePoint time = now();
  recipient.enhanced = result.outcome.enhanced;
  recipient.reason = result.outcome.reason;
  recipient.next_attempt = time;
  if (!result.report.interrupted) {
    ++recipient.attempts;
    TimePoint next = time + config.retry_delay(recipient.attempts);
    next = std::min(next, std::max(time, received + config.lifetime));
    const auto& delay = config.tls.clear_fallback_delay;
    if (result.falls_back_later && delay && received + *delay > time) {
      next = std::min(next, received + *delay);
    }
    recipient.next_attempt = next;
  }
  due_.emplace(recipient.next_attempt, message.envelope.id);
  // Held meanwhile: what is due above will find nothing to try.
  if (message.held) recipient.next_attempt = kHeld;
}

JournalLine Delivery::journal_line(const Envelope& envelope, const Recipient& recipient,
                                   const Result& result, std::string_view event) const {
  const Report& report = result.report;
  const TlsFacts& tls = report.tls;
  const std::string_view certificate = !tls.active       ? ""
                                       : report.verified ? "verified"
                                                         : "not-verified";
  const bool folder = !report.hop.folder.empty();
  JournalLine line(event);
  line.add("queue-id", queue_id(envelope.id))
      .add("sender", envelope.sender)
      .add("recipient", recipient.address)
      .add("host", folder ? report.hop.folder : report.hop.host)
      .add("address", report.hop.address)
      .add("port", report.hop.address.empty() ? 0 : report.hop.port)
      .add("attempt", recipient.attempts + 1)
      .add("connection", result.connection)
      .add("tls", tls.version)
      .add("cipher", tls.cipher)
      .add("certificate", certificate)
      .add("certificate-error", tls.error)
      .add("cause", report.cause)
      .add("enhanced", result.outcome.enhanced)
      .add("reason", result.outcome.reason);
  return line;
}

// write_bounce tells the sender of what was given up, unless that is nobody (OUT-6).
asio::awaitable<void> Delivery::write_bounce(const Group& group, const std::vector<Result>& results,
                                             BodySource& body, Settlement& settlement) {
  const Envelope& envelope = messages_.at(group.id).envelope;
  std::vector<Failure> failures;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Outcome& outcome = results[i].outcome;
    if (outcome.fate != Fate::failed) continue;
    const Report& report = results[i].report;
    failures.push_back({group.recipients[i].address, outcome.enhanced, outcome.reason,
                        outcome.reply, report.connected ? report.hop.host : std::string()});
  }
  if (failures.empty() || envelope.sender.empty()) co_return;
  std::string header;
  try {
    body.rewind();
    header = header_of(co_await body.piece());
  } catch (const DatabaseError& error) {
    services_.journal.add(JournalLine("warning").add("reason", error.what()));
  }
  Envelope& bounce = settlement.bounce;
  bounce.id = services_.queue.next_id();
  bounce.received = now();
  Recipient sender;
  sender.address = envelope.sender;
  sender.next_attempt = bounce.received;
  bounce.recipients.push_back(std::move(sender));
  settlement.bounce_body =
      make_bounce(services_.settings->config.name, bounce, envelope, failures, header);
}

// apply moves the results into the message in memory and notes what the queue and the journal are
// to be told.
void Delivery::apply(const Group& group, const std::vector<Result>& results,
                     Settlement& settlement) {
  Message& message = messages_.at(group.id);
  Envelope& envelope = message.envelope;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Result& result = results[i];
    const auto it = std::find_if(
        envelope.recipients.begin(), envelope.recipients.end(),
        [&](const Recipient& other) { return other.number == group.recipients[i].number; });
    message.in_flight.erase(it->number);
    const Recipient before = *it;
    if (result.outcome.fate == Fate::deferred) {
      schedule(message, *it, result);
      settlement.deferred.push_back(*it);
    } else {
      settlement.removed.push_back(it->number);
    }
    const std::string_view event = result.outcome.fate == Fate::deferred  ? "deferred"
                                   : result.outcome.fate == Fate::relayed ? "relayed"
                                   : envelope.sender.empty()              ? "discarded"
                                                                          : "bounced";
    JournalLine line = journal_line(envelope, before, result, event);
    if (event == "bounced") line.add("bounce-id", queue_id(settlement.bounce.id));
    if (event == "deferred") line.add("next-attempt", rfc3339(it->next_attempt));
    line.add("level", level_of(result.report.hop)).add("reused", result.report.reused);
    settlement.lines.push_back(std::move(line));
    if (result.outcome.fate == Fate::relayed && !result.report.cause.empty()) {
      settlement.clear.emplace_back(result.report.hop.host, result.report.cause);
    }
    if (result.outcome.fate != Fate::deferred) envelope.recipients.erase(it);
  }
  settlement.gone = envelope.recipients.empty();
}

// settle notes every recipient's fate: in the queue, in the journal once the queue has it, in the
// schedule.
asio::awaitable<void> Delivery::settle(Group group, std::vector<Result> results, BodySource& body) {
  // A message on hold does not expire.
  if (!messages_.at(group.id).held) give_up_expired(group, results);
  const auto settlement = std::make_shared<Settlement>();
  co_await write_bounce(group, results, body, *settlement);
  apply(group, results, *settlement);
  std::function<void(Database&)> work = [id = group.id, settlement](Database& database) {
    if (settlement->bounce.id != 0) database.insert(settlement->bounce, settlement->bounce_body);
    for (const auto& recipient : settlement->deferred) database.defer_recipient(id, recipient);
    for (const auto number : settlement->removed) database.remove_recipient(id, number);
    if (settlement->gone) database.remove(id);
  };
  std::function<void(const std::string&)> recorded = [this, settlement](const std::string& error) {
    if (!error.empty()) services_.journal.add(JournalLine("warning").add("reason", error));
    for (const auto& line : settlement->lines) services_.journal.add(line);
    for (const auto& [host, cause] : settlement->clear) clear_text_.count(host, cause);
  };
  if (settlement->gone) {
    messages_.erase(group.id);
  } else {
    // A held message needs no memory: its body is read again when it is due.
    Message& message = messages_.at(group.id);
    if (message.in_flight.empty()) message.body = nullptr;
    set_timer();
  }
  // After a crash in this moment a message may arrive twice, but none is lost.
  const bool lazy = settlement->bounce.id == 0;
  std::string error = co_await services_.queue.perform(work, std::move(recorded), lazy);
  while (!error.empty() && !stopping_) {
    // The fates stand in memory; the disk is told again until it takes them.
    asio::steady_timer pause(services_.executor, std::chrono::seconds(1));
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    error = co_await services_.queue.perform(work, nullptr);
  }
  if (settlement->bounce.id != 0 && error.empty()) add(std::move(settlement->bounce), nullptr);
}

void Delivery::finished(const Group& group) {
  const auto line = lines_.find(line_key(group.hops));
  --line->second.running;
  --running_;
  if (line->second.running == 0 && line->second.waiting.empty()) lines_.erase(line);
  pump();
  if (services_.attempt_ended) services_.attempt_ended();
}

void Delivery::set_timer() {
  if (due_.empty() || stopping_) return;
  // The wall clock may be set while we wait: look at it at least once a minute.
  const Duration wait =
      std::clamp(due_.begin()->first - now(), Duration(0), Duration(std::chrono::minutes(1)));
  timer_.expires_after(wait);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
}

void Delivery::on_timer() {
  while (!due_.empty() && due_.begin()->first <= now()) {
    const std::uint64_t id = due_.begin()->second;
    due_.erase(due_.begin());
    const auto message = messages_.find(id);
    if (message != messages_.end()) dispatch(message->second);
  }
  set_timer();
}

}  // namespace gateway
