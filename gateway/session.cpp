#include "session.hpp"

#include <algorithm>

#include "data_reader.hpp"
#include "delivery.hpp"
#include "incoming.hpp"
#include "trace_header.hpp"

namespace gateway {
namespace {

// Octets a second that data must reach on the whole, once data-time has passed: whoever drips holds
// a session and its memory.
constexpr std::int64_t kSlowestData = 1024;

// How long a client may take to read a last reply once the gateway is stopping.
constexpr Duration kShutdownDrain = std::chrono::milliseconds(200);

// How long one that is turned away may take for that reply and its own close: it is over a limit,
// and to wait for it costs what the limit is to save.
constexpr Duration kTurnAwayTime = std::chrono::milliseconds(200);

// The detail of a session that was cut short amid a handshake or a reply.
constexpr const char* kCutShort = "interrupted: stopping";

IpAddress client_address(const Channel& channel) {
  return IpAddress::parse(channel.remote().address).value_or(IpAddress());
}

}  // namespace

Session::Session(Services& services, std::unique_ptr<Channel> channel, std::uint64_t number)
    : services_(services),
      settings_(services.settings),
      channel_(std::move(channel)),
      reception_(settings_->reception_of(client_address(*channel_))),
      id_("S" + std::to_string(number)),
      dialogue_(settings_->config, client_address(*channel_)),
      lines_(settings_->config.limits.command_line),
      drain_time_(settings_->config.limits.drain_time) {}

void Session::stop() {
  if (awaited_ == Awaited::command) channel_->interrupt();
  if (draining_) channel_->limit(kShutdownDrain);
}

void Session::abort() {
  aborted_ = true;
  if (awaited_ == Awaited::nothing) {
    channel_->abort();  // amid a handshake or a reply nothing else can be said
  } else {
    channel_->interrupt();
  }
}

asio::awaitable<void> Session::run() {
  record_start();
  Ending ending = Ending::closed;
  std::string detail;
  bool disconnected = false;
  try {
    co_await serve();
  } catch (const Disconnected& gone) {
    disconnected = true;
    ending = gone.ending;
    detail = gone.detail;
  }
  if (disconnected) co_await lost(ending, std::move(detail));
  hand_over();
  co_await close();
}

asio::awaitable<void> Session::turn_away(std::string reason) {
  drain_time_ = std::min(drain_time_, kTurnAwayTime);
  record_start();
  ended_ = "dropped";
  const Reply refusal(421, "4.7.0", reason);
  record_dropped(refusal);
  try {
    channel_->limit(drain_time_);
    reply(refusal);
    co_await flush();
  } catch (const Disconnected& gone) {
    detail_ = gone.detail;
  }
  co_await close();
}

asio::awaitable<void> Session::serve() {
  if (channel_->has_arrived()) {
    // RFC 5321 section 3.1: a client waits for the greeting. One that does not speaks another
    // protocol, or sends without listening.
    const Reply refusal(554, "5.5.1", "You spoke before the greeting");
    Answer answer{refusal, Next::drop};
    co_await act(std::move(answer));
    co_return;
  }
  reply(dialogue_.greeting());
  for (;;) {
    const Line line = co_await next_line();
    const std::string helo = dialogue_.helo();
    Answer answer = dialogue_.on_line(line);
    const bool go_on = co_await act(std::move(answer));
    if (!go_on) co_return;
    if (dialogue_.helo() != helo) note_facts({});
  }
}

Duration Session::command_limit() const {
  if (!dialogue_.must_use_tls()) return limits().command_time;
  const Duration left = limits().without_tls_time - (now() - started_);
  return std::clamp(left, Duration(1), limits().command_time);
}
// data_limit is the time left for the next piece: data-time, and for all of the data so far that
// and what kSlowestData allows.
Duration Session::data_limit(std::chrono::steady_clock::time_point began,
                             std::uint64_t octets) const {
  const auto passed =
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began);
  const std::chrono::seconds earned(static_cast<std::int64_t>(octets) / kSlowestData);
  return std::clamp(limits().data_time + earned - passed, Duration(1), limits().data_time);
}

// next_line has one limit a line, not one a piece of it.
asio::awaitable<Line> Session::next_line() {
  if (auto line = lines_.take()) co_return std::move(*line);
  channel_->limit(command_limit());
  for (;;) {
    co_await flush();
    if (services_.stopping) throw Disconnected(Ending::interrupted, "stopping");
    co_await hear(Awaited::command);
    if (auto line = lines_.take()) co_return std::move(*line);
  }
}

// hear reads on from the client, who owes `what`.
asio::awaitable<void> Session::hear(Awaited what) {
  awaited_ = what;
  try {
    co_await channel_->read(lines_.buffer());
  } catch (...) {
    awaited_ = Awaited::nothing;
    throw;
  }
  awaited_ = Awaited::nothing;
}

void Session::reply(const Reply& reply) {
  out_ += reply.wire();
  last_code_ = reply.code;
}

asio::awaitable<void> Session::flush() {
  if (out_.empty()) co_return;
  std::string bytes = std::move(out_);
  out_.clear();
  try {
    co_await channel_->write(std::move(bytes));
  } catch (...) {
    hand_over();
    throw;
  }
  hand_over();
}

// hand_over gives delivery what was acknowledged: after the 250 is on its way, so that the client
// does not wait for the next hop, and also where the 250 could not be sent, because the message is
// ours.
void Session::hand_over() {
  for (auto& [envelope, body] : std::exchange(stored_, {})) {
    services_.delivery->add(*envelope, std::move(body));
  }
}

// act sends the answer and does what comes next; false ends the session.
asio::awaitable<bool> Session::act(Answer answer) {
  record_reply(answer.reply);
  reply(answer.reply);
  switch (answer.next) {
    case Next::read_command:
      co_return true;
    case Next::receive_data:
      co_await receive_data();
      co_return true;
    case Next::start_tls: {
      const bool started = co_await start_tls();
      note_facts({});
      co_return started;
    }
    case Next::end:
      ended_ = "quit";
      break;
    case Next::drop:
      ended_ = "dropped";
      record_dropped(answer.reply);
      break;
  }
  channel_->limit(limits().command_time);
  co_await flush();
  co_return false;
}

asio::awaitable<bool> Session::start_tls() {
  // IN-8: what came in clear text behind STARTTLS, until the 220 goes out, is never executed.
  lines_.discard();
  channel_->discard_arrived();
  channel_->limit(limits().tls_time);
  co_await flush();
  TlsFacts facts;
  bool failed = false;
  try {
    SslHandle handle = server_handle(
        reception_.context, endpoint_text(channel_->local().address, channel_->local().port));
    facts = co_await channel_->start_tls(std::move(handle));
  } catch (const Disconnected& gone) {
    failed = true;
    ended_ = aborted_ ? "shutdown" : "tls-failed";
    detail_ = aborted_ ? kCutShort : std::string(ending_word(gone.ending)) + ": " + gone.detail;
  }
  if (failed) co_return false;
  dialogue_.tls_started(facts);
  co_return true;
}

asio::awaitable<void> Session::receive_data() {
  co_await flush();
  Envelope envelope;
  envelope.id = services_.queue.next_id();
  envelope.received = now();
  envelope.sender = dialogue_.transaction().sender;
  envelope.declared_8bit = dialogue_.transaction().declared_8bit;
  envelope.smtputf8 = dialogue_.transaction().smtputf8;
  for (const auto& address : dialogue_.transaction().recipients) {
    Recipient recipient;
    recipient.number = envelope.recipients.size();
    recipient.address = address;
    recipient.next_attempt = envelope.received;
    envelope.recipients.push_back(std::move(recipient));
  }
  Incoming incoming(services_, limits(), envelope.id);
  DataResult result;
  std::string queue_error;
  bool disconnected = false;
  Disconnected gone(Ending::closed, {});
  try {
    queue_error = co_await read_data(incoming, envelope, result);
  } catch (const Disconnected& ended) {
    disconnected = true;
    gone = ended;
  }
  if (disconnected) {
    incoming.discard();
    throw gone;
  }
  Reply refusal = dialogue_.refuse_data(result);
  if (refusal.code == 0 && !queue_error.empty()) {
    services_.journal.add(JournalLine("warning").add("reason", queue_error));
    refusal = Reply(452, "4.3.1", "Cannot store the message now");
  }
  if (refusal.code != 0) {
    incoming.discard();
    record_reply(refusal);
    reply(refusal);
    dialogue_.data_done();
    co_return;
  }
  co_await accept(incoming, std::move(envelope));
  dialogue_.data_done();
}

asio::awaitable<std::string> Session::read_data(Incoming& incoming, Envelope& envelope,
                                                DataResult& result) {
  Arrival arrival;
  arrival.helo = dialogue_.helo();
  arrival.extended = dialogue_.extended();
  arrival.client = client_address(*channel_);
  arrival.tls = dialogue_.tls();
  arrival.certificate_requested = requested();
  DataReader reader(settings_->config.name);
  const auto began = std::chrono::steady_clock::now();
  std::string content = received_header(arrival, settings_->config.name, envelope);
  const std::uint64_t header_size = content.size();
  std::string error;
  for (;;) {
    const std::size_t used = reader.feed(lines_.buffer(), content);
    lines_.buffer().erase(0, used);
    result.bare_line_ending = reader.bare_line_ending();
    result.too_large = reader.size() > limits().message;
    result.line_too_long = reader.longest_line() > limits().text_line;
    result.loops = reader.received_headers() > limits().received_headers;
    result.came_back = reader.own_received_headers() > limits().own_received_headers;
    // What will be refused is read to its end, but not kept.
    if (dialogue_.refuse_data(result).code == 0 && error.empty()) {
      error = co_await incoming.absorb(std::move(content));
    }
    content.clear();
    if (reader.ended()) break;
    channel_->limit(data_limit(began, reader.size()));
    co_await hear(Awaited::data);
  }
  envelope.size = header_size + reader.size();
  envelope.eight_bit = reader.eight_bit();
  envelope.utf8_header = reader.utf8_header();
  co_return error;
}

asio::awaitable<void> Session::accept(Incoming& incoming, Envelope envelope) {
  const std::string id = queue_id(envelope.id);
  const auto shared = std::make_shared<const Envelope>(std::move(envelope));
  std::function<void()> record = [this, shared] { record_received(*shared); };
  BodyInMemory kept;
  const std::string error = co_await incoming.store(shared, kept, std::move(record));
  if (!error.empty()) {
    services_.journal.add(JournalLine("warning").add("reason", error));
    const Reply refusal(452, "4.3.1", "Cannot store the message now");
    record_reply(refusal);
    reply(refusal);
    co_return;
  }
  ++messages_;
  stored_.emplace_back(shared, std::move(kept));
  reply(Reply(250, "2.0.0", "Ok: queued as " + id));
  note_facts({});
}

// lost ends a session whose stream has ended or whose time is up. In clear text and inside working
// TLS the client is told (RFC 5321 section 3.8).
asio::awaitable<void> Session::lost(Ending ending, std::string detail) {
  if (aborted_ && ending != Ending::interrupted) {
    ended_ = "shutdown";
    detail_ = kCutShort;
    co_return;
  }
  detail_ = std::string(ending_word(ending)) + ": " + detail;
  if (ending == Ending::timeout || ending == Ending::interrupted) {
    ended_ = ending == Ending::timeout ? "timeout" : "shutdown";
    Reply farewell(421, "4.4.2", "Timed out, closing connection");
    if (ending == Ending::interrupted) farewell = Reply(421, "4.3.2", "Shutting down");
    if (ending == Ending::timeout && dialogue_.must_use_tls()) {
      farewell = too_long_in_clear();
      ended_ = "dropped";
      record_dropped(farewell);
    }
    reply(farewell);
    try {
      channel_->limit(limits().drain_time);
      co_await flush();
    } catch (const Disconnected&) {
      // Told as well as could be.
    }
  } else {
    const bool by_peer = ending == Ending::closed || ending == Ending::close_notify;
    ended_ = by_peer ? "client-closed" : "lost";
  }
}

asio::awaitable<void> Session::close() {
  co_await channel_->finish();
  record_end();
  draining_ = true;
  Duration limit = drain_time_;
  if (services_.stopping) limit = std::min(limit, kShutdownDrain);
  co_await channel_->drain(limit);
}

void Session::record_start() {
  services_.journal.add(JournalLine("session-start")
                            .add("session", id_)
                            .add("client", channel_->remote().address)
                            .add("client-port", channel_->remote().port)
                            .add("local", channel_->local().address)
                            .add("local-port", channel_->local().port)
                            .add("server-level", word_of(reception_.policy.level))
                            .add("client-certificate", word_of(reception_.policy.certificate))
                            .add("network", reception_.network));
  if (services_.sessions) services_.sessions->begin(facts({}));
}

void Session::record_end() {
  JournalLine line("session-end");
  line.add("session", id_)
      .add("client", channel_->remote().address)
      .add("client-port", channel_->remote().port)
      .add("local", channel_->local().address)
      .add("local-port", channel_->local().port)
      .add("ended", ended_)
      .add("messages", messages_)
      .add("last-reply", static_cast<std::uint64_t>(last_code_))
      .add("helo", dialogue_.helo());
  add_client_tls(line, dialogue_.tls(), requested());
  line.add("detail", detail_);
  services_.journal.add(line);
  note_facts(ended_);
}

// facts are what is known of this session; `ended` is empty while it is under way.
SessionFacts Session::facts(const std::string& ended) const {
  const TlsFacts& tls = dialogue_.tls();
  SessionFacts facts;
  facts.id = id_;
  facts.client = channel_->remote().address;
  facts.helo = dialogue_.helo();
  facts.began = started_;
  facts.ended = ended;
  facts.messages = messages_;
  facts.last_reply = last_code_;
  facts.tls = tls.version;
  facts.cipher = tls.cipher;
  facts.certificate = client_certificate_word(tls, requested());
  facts.subject = tls.subject;
  facts.error = tls.error;
  facts.resumed = tls.resumed;
  return facts;
}

// note_facts has the settings page show them.
void Session::note_facts(const std::string& ended) const {
  if (services_.sessions) services_.sessions->note(facts(ended));
}

void Session::record_reply(const Reply& reply) {
  if (reply.code < 400) return;
  services_.journal.add(JournalLine("refused")
                            .add("session", id_)
                            .add("client", channel_->remote().address)
                            .add("client-port", channel_->remote().port)
                            .add("command", dialogue_.last_command())
                            .add("reply", static_cast<std::uint64_t>(reply.code))
                            .add("enhanced", reply.enhanced)
                            .add("reason", reply.lines.back())
                            .add("sender", dialogue_.transaction().sender)
                            .add("recipient", dialogue_.last_recipient()));
}

void Session::record_dropped(const Reply& reply) {
  services_.journal.add(JournalLine("dropped")
                            .add("session", id_)
                            .add("client", channel_->remote().address)
                            .add("client-port", channel_->remote().port)
                            .add("command", dialogue_.last_command())
                            .add("reply", static_cast<std::uint64_t>(reply.code))
                            .add("enhanced", reply.enhanced)
                            .add("reason", reply.lines.back()));
}

void Session::record_received(const Envelope& envelope) {
  for (const auto& recipient : envelope.recipients) {
    JournalLine line("received");
    line.add("session", id_)
        .add("client", channel_->remote().address)
        .add("client-port", channel_->remote().port)
        .add("queue-id", queue_id(envelope.id))
        .add("sender", envelope.sender)
        .add("recipient", recipient.address)
        .add("size", envelope.size);
    add_client_tls(line, dialogue_.tls(), requested());
    services_.journal.add(line);
  }
}

}  // namespace gateway
