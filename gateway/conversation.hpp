// A conversation with one next hop: connects, follows the TLS policy, hands a message over to as
// many of its recipients as the next hop takes, and then others that wait for the same next hop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channel.hpp"
#include "message.hpp"
#include "services.hpp"
#include "smtp_reply.hpp"

namespace gateway {

// BodySource reads a body from memory or from the queue, piece by piece.
class BodySource {
 public:
  BodySource(Queue& queue, std::uint64_t id, BodyInMemory memory)
      : queue_(queue), id_(id), memory_(std::move(memory)) {}

  void rewind() { next_ = 0; }

  // piece returns the next piece, empty behind the last one. It throws DatabaseError.
  asio::awaitable<std::string> piece();

 private:
  Queue& queue_;
  std::uint64_t id_;
  BodyInMemory memory_;
  std::uint64_t next_ = 0;
};

enum class Fate { undecided, relayed, deferred, failed };

// Outcome is what became of one recipient.
struct Outcome {
  Fate fate = Fate::undecided;
  std::string enhanced;
  std::string reason;
  std::string reply = {};  // of the next hop, where that is the reason
};

// Report is what is on record about one message in a conversation.
struct Report {
  NextHop hop;
  bool connected = false;
  TlsFacts tls;
  bool verified = false;  // chain and name
  std::string cause;      // of clear text, once it was chosen
  bool tls_failed = false;
  bool interrupted = false;
  std::uint64_t reused = 0;  // which message on its connection this was, from 1; 0: there was none
  bool stale = false;  // a kept connection was gone before it answered MAIL: nothing was tried
  std::vector<Outcome> outcomes;  // one for each recipient, in their order
};

// Parcel is what is to be handed over.
struct Parcel {
  std::string sender;
  std::uint64_t size = 0;
  bool eight_bit = false;
  bool declared_8bit = false;
  bool smtputf8 = false;        // MAIL said it
  bool needs_smtputf8 = false;  // nothing else will do
  std::vector<std::string> recipients;
};

class Conversation {
 public:
  // `falling_back`: in clear text, because TLS has failed before (OUT-2).
  Conversation(std::shared_ptr<const Settings> settings, NextHop hop, bool falling_back);

  // run talks until the fate of every recipient of `parcel` is decided; the first time it connects.
  // It never throws. Both arguments outlive the call.
  asio::awaitable<Report> run(const Parcel& parcel, BodySource& body);

  // may_carry tells whether a further message may be given to run: its next hop is this one in
  // name, address, port and level, it goes under the same generation of settings (SET-5), and the
  // last transaction has ended cleanly.
  bool may_carry(const NextHop& hop, const Settings& settings) const;

  // finish says QUIT where that is still possible and closes. It never throws.
  asio::awaitable<void> finish();

  // interrupt ends run() soon, or before it begins; what is undecided stays in the queue, and `why`
  // is on record as its reason.
  void interrupt(std::string_view why);

  // early tells whether run() is under way and has not said MAIL yet.
  bool early() const { return early_; }

 private:
  struct Features {
    bool pipelining = false;
    bool starttls = false;
    bool eight_bit = false;
    bool smtputf8 = false;
    bool size = false;
    std::uint64_t size_limit = 0;
  };
  struct Stop {};  // leaves the dialogue: every fate is decided

  asio::awaitable<void> talk();
  asio::awaitable<void> open();
  asio::awaitable<void> reset();
  asio::awaitable<void> connect();
  asio::awaitable<void> greet();
  asio::awaitable<void> say_hello();
  asio::awaitable<SendingDecision> starttls();
  asio::awaitable<SendingDecision> handshake();
  asio::awaitable<void> transaction();
  asio::awaitable<void> envelope_pipelined(std::string mail);
  asio::awaitable<void> envelope_in_steps(std::string mail);
  asio::awaitable<void> body();
  asio::awaitable<void> cancel_data();

  asio::awaitable<void> send(std::string bytes);
  asio::awaitable<PeerReply> hear(Duration limit);
  asio::awaitable<PeerReply> command(std::string line);

  void obey(const SendingDecision& decision, const PeerReply& reply);
  void read_features(const PeerReply& reply);
  void check_can_carry();
  void judge_mail(const PeerReply& reply);
  [[noreturn]] void leave_transaction();
  void judge(std::size_t recipient, const PeerReply& reply, std::string_view command);
  void judge_open(const PeerReply& reply, std::string_view command);
  void settle_open(Fate fate, std::string_view enhanced, std::string_view reason,
                   std::string_view reply = {});
  bool any_open() const;
  const Limits& limits() const { return settings_->config.limits; }

  std::shared_ptr<const Settings> settings_;
  bool falling_back_;
  const Parcel* parcel_ = nullptr;  // of the run under way
  BodySource* body_source_ = nullptr;
  std::unique_ptr<Channel> channel_;
  PeerReplyReader replies_;
  std::string buffer_;
  Report report_;
  Features features_;
  bool in_tls_window_ = false;  // between STARTTLS, once sent, and the reply to EHLO inside TLS
  bool polite_ = false;         // QUIT may be said
  bool early_ = false;
  bool mail_answered_ = false;
  bool clean_ = false;        // no transaction is under way, or it was left with every reply heard
  bool reset_first_ = false;  // RSET has to come before another MAIL
  std::string interrupted_;   // why; empty: it was not
};

}  // namespace gateway
