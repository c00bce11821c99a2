#include <re2/re2.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "judge/words.hpp"
#include "peers/meetings.hpp"
#include "peers/script_tls.hpp"
#include "peers/talk.hpp"

// A story's steps, played one after the other on the actions that matrix peers are made of too.

namespace asio = boost::asio;

namespace postern {
namespace {

// pieces gives the offsets that cut `size` octets into writes of `each`.
std::vector<std::size_t> pieces(std::size_t size, std::size_t each) {
  std::vector<std::size_t> offsets;
  for (std::size_t at = each; at < size; at += each) offsets.push_back(at);
  return offsets;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : "|") + word;
  return text;
}

/// ScriptRun plays the steps of one script; `talk_` is the connection under way.
class ScriptRun {
 public:
  ScriptRun(Scene& scene, const Script& script, Listener* listener)
      : scene_(scene), script_(script), listener_(listener) {}

  asio::awaitable<void> run();

 private:
  bool client() const { return script_.role == Role::kClient; }
  asio::awaitable<void> open(Place place, std::size_t next);
  bool speaks_first(std::size_t next) const;
  asio::awaitable<void> play(const Step& step);
  asio::awaitable<void> hear_reply(const Step& step);
  asio::awaitable<void> hear_command(const Step& step);
  asio::awaitable<void> expect_reply(Place place, std::string command, std::string pattern);
  asio::awaitable<void> hand_in(const Step& step);
  asio::awaitable<void> take(const Step& step);
  asio::awaitable<void> read_message(const Step& step);
  asio::awaitable<void> end(const Step& step);
  asio::awaitable<void> leave();
  asio::awaitable<void> apply(const Step& step);
  asio::awaitable<void> say(const Step& step);
  asio::awaitable<void> meet(const Step& step);
  asio::awaitable<void> await_record(const Step& step);
  asio::awaitable<void> nobody(const Step& step);
  void be_silent(const Step& step);
  void check_text(const Step& step, const std::string& text);
  void leave_meetings(std::size_t from);
  void note_said(const std::string& bytes);
  void leave_unanswered();

  Scene& scene_;
  const Script& script_;
  Listener* listener_;
  std::unique_ptr<Talk> talk_;
  std::size_t at_ = 0;                 ///< The step under way, as an index.
  std::string last_said_ = "connect";  ///< Client: the command a reply will answer.
  std::string last_heard_;             ///< Server: the command a reply answers.
  bool answered_in_tls_ = false;       ///< Server: EHLO inside TLS had its reply.
  bool closed_ = false;                ///< The script itself ended this connection.
};

// speaks_first tells whether a client sends before it hears, from the step `next` on.
bool ScriptRun::speaks_first(std::size_t next) const {
  while (next < script_.steps.size() && script_.steps[next].kind == StepKind::kUse) ++next;
  return next < script_.steps.size() && script_.steps[next].kind == StepKind::kSay;
}

asio::awaitable<void> ScriptRun::open(Place place, std::size_t next) {
  if (client()) {
    if (talk_ && !closed_ && !talk_->ahead().empty())
      fail(place, "nothing more on the connection before", talk_->ahead());
    closed_ = false;
    talk_ = std::make_unique<Talk>(scene_);
    const auto& from = script_.elsewhere ? scene_.elsewhere_address : scene_.client_address;
    const Ending ending = co_await talk_->connect(from, speaks_first(next));
    if (ending != Ending::kOpen) fail(place, "a connection", ending);
  } else {
    if (talk_) --scene_.open_connections;
    talk_.reset();
    auto socket = co_await listener_->accept();
    if (!socket) throw StepFailed{place, "expected a connection of the gateway, got none"};
    ++scene_.open_connections;
    talk_ = std::make_unique<Talk>(scene_, std::move(*socket), Side::kServer);
    // Clear text sent before EHLO is judged by what the script will offer.
    for (const Step& step : script_.steps)
      if (step.kind == StepKind::kSay && step.bytes.find("STARTTLS") != std::string::npos)
        talk_->facts().starttls_offered = true;
  }
}

asio::awaitable<void> ScriptRun::hear_reply(const Step& step) {
  Reply reply;
  const Ending ending = co_await talk_->hear_reply(reply, last_said_);
  std::string expected = "a reply " + joined(step.replies) + " to " + last_said_;
  if (step.or_end) expected += ", or the gateway to close";
  if (ending != Ending::kOpen) {
    if (step.or_end && talk_->facts().ended_by == Actor::kGateway && ending != Ending::kReset &&
        ending != Ending::kTlsError)
      throw ScriptEnds();
    fail(step.place, expected, ending);
  }
  const std::string got = reply.text();
  if (!reply.problem.empty()) fail(step.place, expected, reply.problem);
  bool found = step.replies.empty();
  for (const std::string& pattern : step.replies)
    found = found || matches_reply(pattern, reply.code);
  if (!found) fail(step.place, expected, got);
  if (!step.enhanced.empty() && reply.enhanced != step.enhanced)
    fail(step.place, "the enhanced code " + step.enhanced, got);
  for (const std::string& keyword : step.offers)
    if (!reply.offers(keyword)) fail(step.place, "an offer of " + keyword, got);
  for (const std::string& keyword : step.lacks)
    if (reply.offers(keyword)) fail(step.place, "no offer of " + keyword, got);
  check_text(step, got);
  ConnectionFacts& facts = talk_->facts();
  if (last_said_ == "EHLO" && reply.code == 250) facts.starttls_offered = reply.offers("STARTTLS");
  if (last_said_ == "STARTTLS") facts.starttls_reply = reply.code;
  if (last_said_ == "end of data" && reply.code == 250) ++facts.accepted;
}

asio::awaitable<void> ScriptRun::hear_command(const Step& step) {
  std::string line;
  const Ending ending = co_await talk_->hear_line(line);
  const std::string expected = "the command " + joined(step.commands);
  if (ending != Ending::kOpen) fail(step.place, expected, ending);
  const std::string verb = verb_of(line);
  ConnectionFacts& facts = talk_->facts();
  if (verb == "MAIL") facts.mail = true;
  if (verb == "RCPT") facts.rcpt = true;
  if (verb == "STARTTLS") facts.starttls_sent = true;
  last_heard_ = verb;
  const bool due =
      std::any_of(step.commands.begin(), step.commands.end(),
                  [&](const std::string& command) { return same_word(verb, command); });
  if (!due) fail(step.place, expected, line);
  if (verb == "MAIL") facts.transaction.sender = path_of(line);
  if (verb == "RCPT") facts.transaction.recipients.push_back(path_of(line));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  check_text(step, line);
}

// words puts the words of the case into a text of the story.
// check_text holds a reply or a command to the text it must have, and keeps what is to be captured.
void ScriptRun::check_text(const Step& step, const std::string& text) {
  const std::string contains = words(*scene_.observation, step.place, step.contains);
  if (!contains.empty() && text.find(contains) == std::string::npos)
    fail(step.place, "the text \"" + contains + "\"", text);
  const std::string without = words(*scene_.observation, step.place, step.without);
  if (!without.empty() && text.find(without) != std::string::npos)
    fail(step.place, "no \"" + without + "\"", text);
  if (step.as.empty()) return;
  std::string kept;
  if (!RE2::PartialMatch(text, step.capture, &kept))
    fail(step.place, "something that matches " + step.capture, text);
  scene_.observation->captured[step.as] = std::move(kept);
}

asio::awaitable<void> ScriptRun::expect_reply(Place place, std::string command,
                                              std::string pattern) {
  Reply reply;
  const Ending ending = co_await talk_->hear_reply(reply, command);
  if (ending != Ending::kOpen) fail(place, "a reply " + pattern + " to " + command, ending);
  if (!matches_reply(pattern, reply.code))
    fail(place, "a reply " + pattern + " to " + command, reply.text());
}

asio::awaitable<void> ScriptRun::hand_in(const Step& step) {
  const Observation& observation = *scene_.observation;
  if (step.kind == StepKind::kDeliver) {
    co_await talk_->say("MAIL FROM:<" + observation.sender + ">\r\n");
    co_await expect_reply(step.place, "MAIL", "250");
    co_await talk_->say("RCPT TO:<" + observation.recipient + ">\r\n");
    co_await expect_reply(step.place, "RCPT", "250");
    co_await talk_->say("DATA\r\n");
    co_await expect_reply(step.place, "DATA", "354");
  }
  co_await talk_->say(dot_stuffed(observation.message));
  last_said_ = "end of data";
  if (step.kind != StepKind::kDeliver) co_return;
  co_await expect_reply(step.place, last_said_, "250");
  ++talk_->facts().accepted;
}

// take is the server's <deliver/>: one message from MAIL to its 250.
asio::awaitable<void> ScriptRun::take(const Step& step) {
  for (;;) {
    std::string line;
    const Ending ending = co_await talk_->hear_line(line);
    if (ending != Ending::kOpen) fail(step.place, "a message", ending);
    const std::string verb = verb_of(line);
    ConnectionFacts& facts = talk_->facts();
    if (verb == "MAIL" || verb == "RCPT") {
      (verb == "MAIL" ? facts.mail : facts.rcpt) = true;
      if (verb == "MAIL") facts.transaction.sender = path_of(line);
      if (verb == "RCPT") facts.transaction.recipients.push_back(path_of(line));
      co_await talk_->say("250 2.1.0 Taken\r\n");
    } else if (verb == "DATA") {
      co_await talk_->say("354 End data with <CRLF>.<CRLF>\r\n");
      const Ending body = co_await talk_->take_message();
      if (body != Ending::kOpen) fail(step.place, "the end of the message", body);
      talk_->took();
      co_await talk_->say("250 2.0.0 Taken\r\n");
      scene_.changed();
      co_return;
    } else {
      fail(step.place, "MAIL, RCPT or DATA", line);
    }
  }
}

asio::awaitable<void> ScriptRun::read_message(const Step& step) {
  const Ending ending = co_await talk_->take_message();
  if (ending != Ending::kOpen) fail(step.place, "the end of the message", ending);
  last_heard_ = "end of data";
}

asio::awaitable<void> ScriptRun::end(const Step& step) {
  if (client() && !talk_->ahead().empty())
    fail(step.place, "only the end of the connection", talk_->ahead());
  const std::size_t before = scene_.observation->events.size();
  const Ending ending = co_await talk_->await_end();
  expect_no_data(*talk_, before, step.place);
  if (talk_->facts().ended_by != Actor::kGateway || !ends_as(step.how, ending))
    fail(step.place, "the gateway to end the connection: " + step.how, ending);
}

// leave ends what a client's last step left open. Nobody asked for what comes then, but a server
// that gives up may say 421 (RFC 5321 §3.8).
asio::awaitable<void> ScriptRun::leave() {
  if (!client() || closed_ || talk_->facts().ending != Ending::kOpen) co_return;
  const Place& place = script_.steps.back().place;
  if (!talk_->ahead().empty()) fail(place, "nothing more behind this step", talk_->ahead());
  const std::size_t before = scene_.observation->events.size();
  co_await talk_->finish();
  co_await talk_->await_end();
  const std::string more = data_since(*talk_, before);
  if (!more.empty() && !more.starts_with("421")) fail(place, "nothing more behind this step", more);
}

// leave_unanswered: a server that ends the stream before its reply to EHLO inside TLS has made TLS
// fail.
void ScriptRun::leave_unanswered() {
  if (!client() && talk_->phase() == Phase::kTls && !answered_in_tls_)
    talk_->wire().handshake_failed_late();
}

// note_said keeps the facts that follow from what the script itself says.
void ScriptRun::note_said(const std::string& bytes) {
  ConnectionFacts& facts = talk_->facts();
  if (!client()) {
    if (last_heard_ == "EHLO" && talk_->phase() == Phase::kClear)
      facts.starttls_offered = bytes.find("STARTTLS") != std::string::npos;
    if (last_heard_ == "STARTTLS") facts.starttls_reply = std::atoi(bytes.c_str());
    if (last_heard_ == "EHLO" && talk_->phase() == Phase::kTls) answered_in_tls_ = true;
    if (last_heard_ == "end of data" && bytes.starts_with("250")) {
      last_heard_.clear();
      talk_->took();
      scene_.changed();
    }
    return;
  }
  const bool whole = bytes == ".\r\n" || (facts.last_reply == 354 && bytes.ends_with("\r\n.\r\n"));
  last_said_ = whole ? "end of data" : name_of(bytes.substr(0, bytes.find('\n')));
  if (last_said_ == "STARTTLS") facts.starttls_sent = true;
}

asio::awaitable<void> ScriptRun::apply(const Step& step) {
  const std::string refusal = co_await scene_.apply(step.changes);
  const std::string settings = step.changes.text();
  if (step.refused && refusal.empty()) fail(step.place, settings + " to be refused", "applied");
  if (!step.refused && !refusal.empty()) fail(step.place, settings + " to be applied", refusal);
}

asio::awaitable<void> ScriptRun::say(const Step& step) {
  std::string bytes = words(*scene_.observation, step.place, step.bytes);
  if (step.tls.wire) {
    co_await talk_->wire().write_beneath(std::move(bytes));
    co_return;
  }
  note_said(bytes);
  if (step.times > 1) {
    co_await talk_->wire().flood(std::move(bytes), step.times);
    co_return;
  }
  std::vector<std::size_t> splits =
      step.dribble > 0 ? pieces(bytes.size(), step.dribble) : step.splits;
  co_await talk_->say(std::move(bytes), std::move(splits));
}

asio::awaitable<void> ScriptRun::meet(const Step& step) {
  std::string meeting = step.name;
  const std::string trouble = co_await scene_.meetings->arrive(std::move(meeting));
  if (!trouble.empty()) fail(step.place, "the others at the meeting " + step.name, trouble);
}

asio::awaitable<void> ScriptRun::await_record(const Step& step) {
  const auto seen = [&] {
    return static_cast<int>(
        std::count_if(scene_.observation->record.begin(), scene_.observation->record.end(),
                      [&](const RecordFact& fact) { return fact.kind == step.name; }));
  };
  std::function<bool()> holds = [&] { return seen() >= step.count; };
  const bool came = co_await scene_.meetings->until(std::move(holds));
  if (!came)
    fail(step.place, step.name + " " + std::to_string(step.count) + " times on record",
         std::to_string(seen()));
}

// nobody takes whatever comes, and finds fault with it.
asio::awaitable<void> ScriptRun::nobody(const Step& step) {
  auto socket = co_await listener_->accept();
  if (!socket) co_return;
  ++scene_.open_connections;
  talk_ = std::make_unique<Talk>(scene_, std::move(*socket), Side::kServer);
  fail(step.place, "no connection", "one");
}

// be_silent looks at what has arrived; what was still on its way the next step will meet.
void ScriptRun::be_silent(const Step& step) {
  if (!talk_->ahead().empty()) fail(step.place, "silence", talk_->ahead());
  // Inside TLS what has arrived may be a ticket; it says nothing.
  if (talk_->phase() == Phase::kClear && talk_->wire().readable())
    fail(step.place, "silence", "bytes, or an end");
}

asio::awaitable<void> ScriptRun::play(const Step& step) {
  switch (step.kind) {
    case StepKind::kSay:
      co_await say(step);
      break;
    case StepKind::kHear:
      if (client()) {
        co_await hear_reply(step);
      } else {
        co_await hear_command(step);
      }
      break;
    case StepKind::kStarttls:
      answered_in_tls_ = false;
      co_await play_starttls(*talk_, script_.role, step);
      break;
    case StepKind::kDeliver:
      if (client()) {
        co_await hand_in(step);
      } else {
        co_await take(step);
      }
      break;
    case StepKind::kMessage:
      if (client()) {
        co_await hand_in(step);
      } else {
        co_await read_message(step);
      }
      break;
    case StepKind::kConnect:
      co_await open(step.place, at_ + 1);
      last_said_ = "connect";
      break;
    case StepKind::kClose:
      closed_ = true;
      leave_unanswered();
      co_await play_close(*talk_, step);
      break;
    case StepKind::kRenegotiate:
      co_await play_renegotiate(*talk_, step);
      break;
    case StepKind::kHearAlert:
      leave_unanswered();
      co_await play_hear_alert(*talk_, step);
      break;
    case StepKind::kReset:
      closed_ = true;
      leave_unanswered();
      talk_->reset();
      break;
    case StepKind::kEnd:
      co_await end(step);
      break;
    case StepKind::kApply:
      co_await apply(step);
      break;
    case StepKind::kMeet:
      co_await meet(step);
      break;
    case StepKind::kAwait:
      co_await await_record(step);
      break;
    case StepKind::kSilence:
      be_silent(step);
      break;
    case StepKind::kNobody:
    case StepKind::kUse:
      break;
  }
}

// leave_meetings lets nobody wait for a script that has ended.
void ScriptRun::leave_meetings(std::size_t from) {
  for (std::size_t i = from; i < script_.steps.size(); ++i)
    if (script_.steps[i].kind == StepKind::kMeet) scene_.meetings->left(script_.steps[i].name);
}

asio::awaitable<void> ScriptRun::run() {
  try {
    if (script_.steps.front().kind == StepKind::kNobody) {
      co_await nobody(script_.steps.front());
    } else {
      co_await open(script_.place, 0);
      for (; at_ < script_.steps.size(); ++at_) co_await play(script_.steps[at_]);
      co_await leave();
    }
  } catch (const StepFailed& failure) {
    scene_.observation->broken_steps.push_back(failure.place.text() + ": " + failure.message);
    if (talk_)
      talk_->wire().recorder().note(Actor::kNone, What::kDiffers, failure.message, talk_->phase());
  } catch (const NeverSet& unset) {
    // Where a step broke before it could capture, that tells all.
    Observation& observation = *scene_.observation;
    if (observation.broken_steps.empty())
      observation.harness_error = never_set(unset.place.text(), unset.name);
    scene_.meetings->end();
  } catch (const ScriptEnds&) {
  }
  leave_meetings(at_);
  if (talk_ && talk_->facts().ending == Ending::kOpen) {
    co_await talk_->finish();
    co_await talk_->await_end();
  }
  if (talk_ && !client()) --scene_.open_connections;
  scene_.changed();
}

}  // namespace

asio::awaitable<void> play_client_script(Scene& scene, const Script& script) {
  ScriptRun run(scene, script, nullptr);
  co_await run.run();
}

asio::awaitable<void> play_server_script(Scene& scene, const Script& script, Listener& listener) {
  ScriptRun run(scene, script, &listener);
  co_await run.run();
  if (scene.stand_in != nullptr) {
    std::deque<ConnectionFacts>& connections = scene.observation->server;
    const std::size_t spoken_of = connections.size();
    co_await play_server(scene, *scene.stand_in, listener, Side::kServer);
    for (std::size_t i = spoken_of; i < connections.size(); ++i) connections[i].unspoken = true;
    co_return;
  }
  // A connection that the story does not speak of is a failure, not silence.
  for (;;) {
    auto extra = co_await listener.accept();
    if (!extra) co_return;
    scene.observation->broken_steps.push_back(script.place.text() +
                                              ": expected no further connection, got one");
    Talk(scene, std::move(*extra), Side::kServer).reset();
    scene.changed();
  }
}

}  // namespace postern
