#include "conversation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "data_reader.hpp"
#include "smtp_command.hpp"

namespace gateway {
namespace {

constexpr Duration kClosing = std::chrono::seconds(1);

// plain is a reply as it came, in one line.
std::string plain(const PeerReply& reply) {
  return fmt::format("{} {}", reply.code, reply.text());
}

std::string said(const PeerReply& reply, std::string_view command) {
  return fmt::format("{} (in reply to {})", plain(reply), command);
}

}  // namespace

asio::awaitable<std::string> BodySource::piece() {
  const std::uint64_t sequence = next_++;
  if (!memory_) co_return co_await queue_.body_piece(id_, sequence);
  co_return sequence == 0 ? *memory_ : std::string();
}

Conversation::Conversation(std::shared_ptr<const Settings> settings, NextHop hop, bool falling_back)
    : settings_(std::move(settings)), falling_back_(falling_back) {
  report_.hop = std::move(hop);
}

bool Conversation::may_carry(const NextHop& hop, const Settings& settings) const {
  return polite_ && clean_ && interrupted_.empty() && may_share_connection(report_.cause) &&
         report_.hop == hop && settings_.get() == &settings &&
         report_.reused < settings.config.limits.messages_per_connection;
}

void Conversation::interrupt(std::string_view why) {
  interrupted_ = why;
  if (channel_) channel_->interrupt();
}

bool Conversation::any_open() const {
  return std::any_of(report_.outcomes.begin(), report_.outcomes.end(),
                     [](const Outcome& outcome) { return outcome.fate == Fate::undecided; });
}

void Conversation::settle_open(Fate fate, std::string_view enhanced, std::string_view reason,
                               std::string_view reply) {
  for (auto& outcome : report_.outcomes) {
    if (outcome.fate != Fate::undecided) continue;
    outcome = {fate, std::string(enhanced), std::string(reason), std::string(reply)};
  }
}

asio::awaitable<Report> Conversation::run(const Parcel& parcel, BodySource& body) {
  parcel_ = &parcel;
  body_source_ = &body;
  report_.outcomes.assign(parcel.recipients.size(), Outcome());
  if (report_.connected) ++report_.reused;
  mail_answered_ = false;
  early_ = true;
  try {
    co_await talk();
  } catch (const Stop&) {
    // Decided on the way.
  } catch (const Disconnected& gone) {
    polite_ = false;
    if (gone.ending == Ending::interrupted) {
      report_.interrupted = true;
      settle_open(Fate::deferred, "4.3.2", interrupted_);
    } else if (report_.reused > 1 && !mail_answered_) {
      report_.stale = true;
    } else if (in_tls_window_) {
      report_.tls_failed = true;
      const auto decision = after_tls_failure();
      settle_open(
          Fate::deferred, decision.enhanced,
          fmt::format("{}: {}: {}", decision.reason, ending_word(gone.ending), gone.detail));
    } else if (!report_.connected) {
      settle_open(Fate::deferred, "4.4.1", "cannot connect: " + gone.detail);
    } else {
      settle_open(
          Fate::deferred, "4.4.2",
          fmt::format("lost the connection: {}: {}", ending_word(gone.ending), gone.detail));
    }
  } catch (const std::exception& error) {
    // A body that cannot be read, or no memory: the trouble is ours, and the message is kept.
    polite_ = false;
    settle_open(Fate::deferred, "4.3.0", error.what());
  }
  early_ = false;
  co_return report_;
}

asio::awaitable<void> Conversation::finish() {
  if (!channel_) co_return;
  try {
    if (polite_) {
      buffer_.clear();
      channel_->limit(limits().quit_time);
      co_await channel_->write("QUIT\r\n");
      co_await hear(limits().quit_time);
    }
  } catch (const Disconnected&) {
    // It is over either way.
  }
  co_await channel_->finish();
  const Duration patience = interrupted_.empty() ? kClosing : Duration(0);
  co_await channel_->drain(patience);
}

asio::awaitable<void> Conversation::talk() {
  if (report_.reused == 0) {
    co_await open();
  } else if (reset_first_) {
    co_await reset();
  }
  co_await transaction();
}

// open connects and goes as far as the policy lets it: to where MAIL may be said.
asio::awaitable<void> Conversation::open() {
  co_await connect();
  co_await greet();
  co_await say_hello();
  const ClientLevel level = report_.hop.level;
  SendingDecision decision = after_ehlo(level, features_.starttls, falling_back_);
  if (decision.step == SendingStep::start_tls) decision = co_await starttls();
  obey(decision, PeerReply());
}

asio::awaitable<void> Conversation::reset() {
  const PeerReply reply = co_await command("RSET");
  if (!reply.positive()) throw Disconnected(Ending::bad_reply, said(reply, "RSET"));
  reset_first_ = false;
}

// obey ends the dialogue unless the decision is to send.
void Conversation::obey(const SendingDecision& decision, const PeerReply& reply) {
  const std::string reason =
      reply.code == 0 ? std::string(decision.reason)
                      : fmt::format("{}: {} {}", decision.reason, reply.code, reply.text());
  switch (decision.step) {
    case SendingStep::send_clear:
      report_.cause = decision.cause;
      return;
    case SendingStep::start_tls:
    case SendingStep::send_tls:
      return;
    case SendingStep::tls_failed:
      // Not a byte of SMTP in clear text on this connection any more, QUIT included (OUT-2).
      polite_ = false;
      report_.tls_failed = true;
      break;
    case SendingStep::hold:
      break;
  }
  settle_open(Fate::deferred, decision.enhanced, reason,
              reply.code == 0 ? std::string() : plain(reply));
  throw Stop();
}

asio::awaitable<void> Conversation::connect() {
  const NextHop hop = report_.hop;
  if (!interrupted_.empty()) throw Disconnected(Ending::interrupted, interrupted_);
  channel_ = Channel::unconnected(co_await asio::this_coro::executor);
  try {
    co_await channel_->connect(hop.address, hop.port, limits().connect_time);
  } catch (const Disconnected&) {
    channel_.reset();  // there is nothing to end
    throw;
  }
  report_.connected = true;
  report_.reused = 1;
}

asio::awaitable<void> Conversation::greet() {
  const PeerReply greeting = co_await hear(limits().greeting_time);
  polite_ = greeting.code != 421;
  if (greeting.code == 220) co_return;
  settle_open(Fate::deferred, "4.3.0", said(greeting, "the connection"), plain(greeting));
  throw Stop();
}

asio::awaitable<void> Conversation::say_hello() {
  features_ = {};
  PeerReply reply = co_await command("EHLO " + settings_->config.name);
  in_tls_window_ = false;
  if (reply.positive()) {
    read_features(reply);
    co_return;
  }
  if (reply.permanent()) {
    // RFC 5321 section 3.2: a server that does not know EHLO is greeted with HELO.
    reply = co_await command("HELO " + settings_->config.name);
    if (reply.positive()) co_return;
  }
  if (reply.code == 421) polite_ = false;
  settle_open(Fate::deferred, "4.3.0", said(reply, "EHLO"), plain(reply));
  throw Stop();
}

void Conversation::read_features(const PeerReply& reply) {
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {
    const Command line = parse_command(reply.lines[i]);
    if (line.name == "PIPELINING") features_.pipelining = true;
    if (line.name == "8BITMIME") features_.eight_bit = true;
    if (line.name == "SMTPUTF8") features_.smtputf8 = true;
    if (line.name == "STARTTLS") features_.starttls = true;
    if (line.name == "SIZE") {
      features_.size = true;
      features_.size_limit = parse_number(line.argument).value_or(0);
    }
  }
}

asio::awaitable<SendingDecision> Conversation::starttls() {
  const ClientLevel level = report_.hop.level;
  co_await send("STARTTLS\r\n");
  // What came before it was sent is a fault of the session in clear text, not failed TLS.
  in_tls_window_ = true;
  const PeerReply reply = co_await hear(limits().reply_time);
  SendingDecision decision = after_starttls(level, reply.code);
  if (decision.step == SendingStep::start_tls) co_return co_await handshake();
  in_tls_window_ = false;
  obey(decision, reply);
  co_return decision;
}

asio::awaitable<SendingDecision> Conversation::handshake() {
  // OUT-7: what came behind the 220 line is not read as SMTP, what was said before is forgotten.
  buffer_.clear();
  replies_ = {};
  polite_ = false;
  channel_->limit(limits().tls_time);
  SslHandle handle = client_handle(settings_->sending.get(), report_.hop.host);
  report_.tls = co_await channel_->start_tls(std::move(handle));
  if (report_.tls.verified && !certificate_names_host(channel_->ssl(), report_.hop.host)) {
    report_.tls.verified = false;
    report_.tls.error = "the certificate is not for " + report_.hop.host;
  }
  report_.verified = report_.tls.verified;
  const auto verification = report_.verified ? Verification::verified : Verification::not_verified;
  SendingDecision decision = after_handshake(report_.hop.level, verification);
  polite_ = true;
  if (decision.step == SendingStep::hold) {
    in_tls_window_ = false;
    const std::string reason = fmt::format("{}: {}", decision.reason, report_.tls.error);
    settle_open(Fate::deferred, decision.enhanced, reason);
    throw Stop();
  }
  co_await say_hello();
  co_return decision;
}

asio::awaitable<void> Conversation::send(std::string bytes) {
  // Every reply is awaited, so nothing may wait here: it would be taken for the reply to what is
  // sent now.
  if (!buffer_.empty()) throw Disconnected(Ending::bad_reply, "a reply nobody asked for");
  channel_->limit(limits().send_time);
  co_await channel_->write(std::move(bytes));
}

asio::awaitable<PeerReply> Conversation::hear(Duration limit) {
  channel_->limit(limit);
  PeerReply reply;
  for (;;) {
    switch (replies_.take(buffer_, reply)) {
      case PeerReplyReader::Status::complete:
        co_return reply;
      case PeerReplyReader::Status::invalid:
        throw Disconnected(Ending::bad_reply, "not an SMTP reply");
      case PeerReplyReader::Status::incomplete:
        break;
    }
    co_await channel_->read(buffer_);
  }
}

asio::awaitable<PeerReply> Conversation::command(std::string line) {
  co_await send(line + "\r\n");
  co_return co_await hear(limits().reply_time);
}

// OUT-6: what the next hop cannot carry unchanged is not sent at all.
void Conversation::check_can_carry() {
  // RFC 6531 section 3.1: SMTPUTF8 is nothing without 8BITMIME.
  const bool smtputf8 = features_.smtputf8 && features_.eight_bit;
  if (parcel_->needs_smtputf8 && !smtputf8) {
    settle_open(Fate::failed, "5.6.7",
                "the next hop does not take UTF-8 in addresses and headers (SMTPUTF8)");
    throw Stop();
  }
  if (parcel_->eight_bit && !features_.eight_bit) {
    settle_open(Fate::failed, "5.6.3", "the next hop does not take 8-bit content (8BITMIME)");
    throw Stop();
  }
  if (features_.size && features_.size_limit > 0 && parcel_->size > features_.size_limit) {
    settle_open(Fate::failed, "5.3.4",
                fmt::format("the message has {} octets, the next hop takes {}", parcel_->size,
                            features_.size_limit));
    throw Stop();
  }
}

asio::awaitable<void> Conversation::transaction() {
  clean_ = true;
  check_can_carry();
  clean_ = false;
  early_ = false;
  std::string mail = "MAIL FROM:<" + parcel_->sender + ">";
  if (features_.size) mail += fmt::format(" SIZE={}", parcel_->size);
  if (features_.eight_bit && (parcel_->eight_bit || parcel_->declared_8bit))
    mail += " BODY=8BITMIME";
  if (features_.smtputf8 && features_.eight_bit && parcel_->smtputf8) mail += " SMTPUTF8";
  if (features_.pipelining) {
    co_await envelope_pipelined(std::move(mail));
  } else {
    co_await envelope_in_steps(std::move(mail));
  }
  co_await body();
}

asio::awaitable<void> Conversation::envelope_pipelined(std::string mail) {
  std::string group = mail + "\r\n";
  for (const auto& recipient : parcel_->recipients) group += "RCPT TO:<" + recipient + ">\r\n";
  group += "DATA\r\n";
  co_await send(std::move(group));
  PeerReply reply = co_await hear(limits().reply_time);
  judge_mail(reply);
  for (std::size_t i = 0; i < parcel_->recipients.size(); ++i) {
    reply = co_await hear(limits().reply_time);
    judge(i, reply, "RCPT");
  }
  reply = co_await hear(limits().reply_time);
  if (reply.intermediate()) {
    if (any_open()) co_return;
    co_await cancel_data();
  } else {
    if (reply.code < 400) throw Disconnected(Ending::bad_reply, said(reply, "DATA"));
    judge_open(reply, "DATA");
  }
  leave_transaction();
}

// cancel_data ends data that nobody is to get: with no recipient left the server has to refuse it.
asio::awaitable<void> Conversation::cancel_data() {
  co_await send(".\r\n");
  const PeerReply reply = co_await hear(limits().end_of_data_time);
  if (reply.code == 421) polite_ = false;
}

asio::awaitable<void> Conversation::envelope_in_steps(std::string mail) {
  PeerReply reply = co_await command(std::move(mail));
  judge_mail(reply);
  if (!any_open()) leave_transaction();
  for (std::size_t i = 0; i < parcel_->recipients.size(); ++i) {
    reply = co_await command("RCPT TO:<" + parcel_->recipients[i] + ">");
    judge(i, reply, "RCPT");
  }
  if (!any_open()) leave_transaction();
  reply = co_await command("DATA");
  if (reply.intermediate()) co_return;
  if (reply.code < 400) throw Disconnected(Ending::bad_reply, said(reply, "DATA"));
  judge_open(reply, "DATA");
  leave_transaction();
}

asio::awaitable<void> Conversation::body() {
  polite_ = false;
  DotStuffer stuffer;
  body_source_->rewind();
  std::string piece = co_await body_source_->piece();
  for (;;) {
    std::string wire = stuffer.stuff(piece);
    piece = co_await body_source_->piece();
    const bool last = piece.empty();
    if (last) wire += stuffer.end();
    co_await send(std::move(wire));
    if (last) break;
  }
  const PeerReply reply = co_await hear(limits().end_of_data_time);
  polite_ = reply.code != 421;
  clean_ = true;  // the end of data ends the transaction (RFC 5321 section 4.1.1.4)
  if (reply.positive()) {
    settle_open(Fate::relayed, reply.enhanced_or("2.0.0"), said(reply, "end of data"),
                plain(reply));
    co_return;
  }
  if (reply.code < 400) throw Disconnected(Ending::bad_reply, said(reply, "end of data"));
  judge_open(reply, "end of data");
}

// judge_mail takes the reply to MAIL. On a kept connection 421 says that it has served its time,
// and nothing about this message.
void Conversation::judge_mail(const PeerReply& reply) {
  if (report_.reused > 1 && reply.code == 421) {
    throw Disconnected(Ending::closed, said(reply, "MAIL"));
  }
  mail_answered_ = true;
  judge_open(reply, "MAIL");
}

// leave_transaction ends a dialogue whose transaction has no data: the next hop may still have its
// beginning.
void Conversation::leave_transaction() {
  clean_ = true;
  reset_first_ = true;
  throw Stop();
}

void Conversation::judge(std::size_t recipient, const PeerReply& reply, std::string_view command) {
  Outcome& outcome = report_.outcomes[recipient];
  if (reply.code == 421) {
    polite_ = false;
    settle_open(Fate::deferred, reply.enhanced_or("4.3.2"), said(reply, command), plain(reply));
    throw Stop();
  }
  if (outcome.fate != Fate::undecided || reply.positive()) return;
  if (reply.code < 400) throw Disconnected(Ending::bad_reply, said(reply, command));
  // OUT-9: a 4yz holds, a 5yz bounces.
  outcome.fate = reply.permanent() ? Fate::failed : Fate::deferred;
  outcome.enhanced = reply.enhanced_or(reply.permanent() ? "5.0.0" : "4.0.0");
  outcome.reason = said(reply, command);
  outcome.reply = plain(reply);
}

void Conversation::judge_open(const PeerReply& reply, std::string_view command) {
  for (std::size_t i = 0; i < report_.outcomes.size(); ++i) {
    if (report_.outcomes[i].fate == Fate::undecided) judge(i, reply, command);
  }
}

}  // namespace gateway
