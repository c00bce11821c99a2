// Delivery: which messages are tried when, one attempt a next hop, retries, and the end of a
// message's lifetime.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clear_text_totals.hpp"
#include "conversation.hpp"
#include "services.hpp"

namespace gateway {

class Delivery {
 public:
  explicit Delivery(Services& services);

  // add takes a durably stored message over. What is due is tried at once; `body` may be null.
  void add(Envelope envelope, BodyInMemory body);

  // stop starts no further attempts; abort cuts those under way short.
  void stop();
  void abort();

  // settings_changed sends again, under the new settings, what waits and what has not said MAIL.
  void settings_changed();

  // Waiting is a message of the queue as people are shown it.
  struct Waiting {
    Envelope envelope;
    bool trying = false;  // an attempt is under way, or about to be
    bool held = false;    // no attempt is begun until try_now
  };

  // waiting lists the oldest messages, `most` at the most. Those that follow say whether there is
  // such a message; what they change is durable soon after.
  std::vector<Waiting> waiting(std::size_t most) const;

  // try_now makes a message due, one that was held too.
  bool try_now(std::uint64_t id);

  // hold makes no further attempt with a message. One under way goes on with its next hop, and to
  // no other.
  bool hold(std::uint64_t id);

  // remove takes a message out of the queue, and tells nobody. false also where an attempt is under
  // way. `who` asked for it; the journal says so for each recipient.
  bool remove(std::uint64_t id, const std::string& who);

  // write_totals journals what was sent in clear text so far.
  void write_totals() const { clear_text_.write(services_.journal); }

  // running counts attempts under way; queued counts messages.
  std::size_t running() const { return running_; }
  std::size_t queued() const { return messages_.size(); }

 private:
  struct Message {
    Envelope envelope;
    BodyInMemory body;
    std::set<std::uint64_t> in_flight;  // numbers of recipients being tried
    bool held = false;
  };

  // Group is recipients of one message that go the same way in one attempt.
  struct Group {
    std::uint64_t id = 0;
    std::vector<NextHop> hops;
    std::vector<Recipient> recipients;
    bool needs_smtputf8 = false;
    std::shared_ptr<const Settings> settings;  // those that chose the hops
  };

  // Line is what waits for, and runs to, one first hop.
  struct Line {
    std::size_t running = 0;
    std::deque<Group> waiting;
  };

  // Result is the last word on each recipient of a group, and on which connection it was said.
  struct Result {
    Outcome outcome;
    Report report;  // outcomes left empty
    unsigned connection = 0;
    bool falls_back_later = false;  // TLS failed toward a hop that may get clear text later
  };

  // Settlement is what the queue and the journal are told of an attempt.
  struct Settlement {
    std::vector<JournalLine> lines;
    std::vector<std::pair<std::string, std::string>> clear;  // host and cause, one a recipient
    std::vector<Recipient> deferred;
    std::vector<std::uint64_t> removed;
    bool gone = false;  // no recipient is left
    Envelope bounce;    // id 0: none
    std::string bounce_body;
  };

  void dispatch(Message& message);
  void enqueue(Group group);
  void leave_lines(Message& message);
  void pump();
  bool start(Line& line);
  void send_again(const Group& group);
  bool superseded(const Group& group) const;
  static void postpone(std::vector<Result>& results);
  void set_timer();
  void on_timer();

  asio::awaitable<void> attempt(Group group);
  asio::awaitable<void> carry(const Group& group, std::unique_ptr<Conversation>& last);
  bool next_on(const Conversation* kept, Group& group);
  asio::awaitable<std::vector<Result>> try_hops(const Group& group, BodySource& body,
                                                std::unique_ptr<Conversation>& last);
  asio::awaitable<void> try_hop(NextHop hop, bool clear, const Group& group, BodySource& body,
                                std::vector<Result>& results, unsigned& connection,
                                std::unique_ptr<Conversation>& last);
  asio::awaitable<Report> talk(Conversation& conversation, const Parcel& parcel, BodySource& body);
  asio::awaitable<void> finish(Conversation* conversation);
  asio::awaitable<void> drop_into_folder(NextHop hop, std::uint64_t id, BodySource& body,
                                         std::vector<Result>& results);
  asio::awaitable<void> write_bounce(const Group& group, const std::vector<Result>& results,
                                     BodySource& body, Settlement& settlement);
  void apply(const Group& group, const std::vector<Result>& results, Settlement& settlement);
  asio::awaitable<void> settle(Group group, std::vector<Result> results, BodySource& body);
  void give_up_expired(const Group& group, std::vector<Result>& results);
  void schedule(Message& message, Recipient& recipient, const Result& result);
  JournalLine journal_line(const Envelope& envelope, const Recipient& recipient,
                           const Result& result, std::string_view event) const;
  void finished(const Group& group);
  void set_due(Message& message, TimePoint time);
  void note_attempt(const Report& report) const;

  Services& services_;
  asio::steady_timer timer_;
  std::unordered_map<std::uint64_t, Message> messages_;
  std::multimap<TimePoint, std::uint64_t> due_;
  std::map<std::string, Line> lines_;
  std::set<std::string> crowded_;  // keys of lines with something waiting
  std::set<Conversation*> conversations_;
  ClearTextTotals clear_text_;
  std::size_t running_ = 0;
  bool pumping_ = false;
  bool stopping_ = false;
  bool aborted_ = false;
};

}  // namespace gateway
