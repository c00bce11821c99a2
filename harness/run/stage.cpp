#include "run/stage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <map>
#include <set>
#include <unordered_map>

#include "control/time_scale.hpp"
#include "judge/sentinel.hpp"
#include "peers/jitter.hpp"
#include "peers/meetings.hpp"
#include "peers/scene.hpp"
#include "run/message.hpp"

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace postern {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kWaitLimit = std::chrono::seconds(10);  // One wait of a peer.
constexpr auto kCaseLimit = std::chrono::seconds(20);  // From the client's end to a known fate.
constexpr auto kLetGoLimit = std::chrono::seconds(2);  // For a queue behind its record.
constexpr auto kEndLimit =
    std::chrono::milliseconds(500);  // For the end of a gateway that closed its port.
constexpr auto kFarewellLimit = std::chrono::seconds(1);  // For a QUIT behind a known fate.
constexpr auto kApplyLimit = std::chrono::seconds(10);    // For the answer to new settings.
constexpr auto kDrainLimit = std::chrono::seconds(10);    // For connections of a stopped gateway.

// The host every route names: the name in the good servers' certificate.
constexpr const char* kNextHopHost = "mx.postern.test";

// address_of gives every case an address of its own, apart for its client and its servers.
asio::ip::address address_of(unsigned kind, std::size_t index) {
  return asio::ip::make_address(
      fmt::format("127.{}.{}.{}", kind, index / 250 + 1, index % 250 + 1));
}

/// Actor of the play: one case with its peers and what it waits for.
struct CastCase {
  PlayedCase* played = nullptr;
  Scene scene;
  std::vector<std::unique_ptr<Listener>> servers;  ///< Next hops, in the order of preference.
  std::unique_ptr<Listener> mailbox;
  std::unique_ptr<Meetings> meetings;
  std::string domain, sender_domain;
  asio::steady_timer changed;
  bool in_hand = false;

  explicit CastCase(asio::io_context& io) : changed(io) {}
};

// servers_of gives the scripts of a case's next hops; nullptr stands for a peer that plays.
std::vector<const Script*> servers_of(const StageCase& what) {
  std::vector<const Script*> servers;
  if (what.story != nullptr)
    for (const Script& script : what.story->scripts)
      if (script.role == Role::kServer) servers.push_back(&script);
  if (servers.empty()) servers.push_back(nullptr);
  return servers;
}

std::string id_of(const StageCase& what) {
  return what.matrix != nullptr ? what.matrix->id() : what.story->id();
}

int count_of(const Observation& observation, std::string_view kind) {
  return static_cast<int>(std::count_if(observation.record.begin(), observation.record.end(),
                                        [&](const RecordFact& fact) { return fact.kind == kind; }));
}

}  // namespace

std::size_t descriptors_needed(std::size_t cases, std::size_t in_flight) {
  return 2 * cases + 6 * in_flight + 64;
}

struct Stage::State {
  State(asio::io_context& the_io, StagePlan the_plan)
      : io(the_io), plan(std::move(the_plan)), patience(io.get_executor()), epoch(Clock::now()) {}

  asio::awaitable<StageReport> play();
  asio::awaitable<void> play_all();
  void cast(std::unique_ptr<PlayedCase> played, std::size_t index);
  asio::awaitable<bool> start();
  asio::awaitable<std::string> apply(Assignment changes);
  asio::awaitable<bool> play_round();
  asio::awaitable<void> work();
  asio::awaitable<void> play_case(CastCase& one);
  asio::awaitable<void> play_client_of(CastCase& one);
  asio::awaitable<void> play_scripts(CastCase& one, const Story& story);
  asio::awaitable<void> watch(int start);
  void blame(const Exit& ended);
  asio::awaitable<void> let_go();
  asio::awaitable<void> close(bool died);
  asio::awaitable<void> drain(Clock::duration limit);
  asio::awaitable<void> await_change(CastCase& one, Clock::time_point deadline);
  bool settled(const CastCase& one) const;
  bool hears_out(const CastCase& one) const;
  bool was_refused(const CastCase& one) const;
  bool quiet();
  std::string stray_in_queue(const std::vector<std::string>& queued) const;
  void serve(CastCase& one);
  void on_record(const RecordEvent& event);
  void add_fact(CastCase& one, const RecordEvent& event, const std::string& prefix);
  void note_problem(CastCase& one, std::exception_ptr error);
  const Peer& peer(const std::map<std::string, Peer>& peers, const std::string& name) const;

  asio::io_context& io;
  StagePlan plan;
  StageReport report;
  Patience patience;
  TlsContexts contexts;
  TokenOwners owners;
  Clock::time_point epoch;
  std::vector<std::unique_ptr<CastCase>> cast_;
  std::unordered_map<std::string, CastCase*> by_recipient, by_sender, by_client;
  std::vector<CastCase*> waiting;  ///< Not yet played, last first.
  std::unique_ptr<Gateway> gateway;
  Exit exit;
  bool records_sessions = false;
  bool interrupted = false;
  int working = 0;
  bool stopping = false;
  bool blamed = false;  ///< The end of this gateway was told to a case.
  CastCase* last_settled = nullptr;
  std::string foreign;  ///< A line of the record that tells of mail of no case.
  std::unique_ptr<asio::steady_timer> round_over, drained, answered;
  std::optional<std::string> answer;  ///< The gateway's to new settings: "" or its refusal.
};

const Peer& Stage::State::peer(const std::map<std::string, Peer>& peers,
                               const std::string& name) const {
  return peers.at(name);
}

void Stage::State::note_problem(CastCase& one, std::exception_ptr error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& problem) {
    one.played->observation.harness_error = problem.what();
  }
  one.changed.cancel();
  one.meetings->end();
}

void Stage::State::cast(std::unique_ptr<PlayedCase> played, std::size_t index) {
  auto one = std::make_unique<CastCase>(io);
  one->played = played.get();
  Observation& observation = played->observation;
  const std::uint64_t number = played->what.number;
  one->domain = fmt::format("r{}.case.test", index + 1);
  one->sender_domain = fmt::format("s{}.case.test", index + 1);
  observation.token = make_token(plan.seed, number);
  observation.recipient = observation.token + "@" + one->domain;
  observation.sender = observation.token + "@" + one->sender_domain;
  observation.message =
      make_message(observation.token, observation.sender, observation.recipient, number);

  Scene& scene = one->scene;
  scene.observation = &observation;
  scene.executor = io.get_executor();
  scene.epoch = epoch;
  scene.owners = &owners;
  scene.patience = &patience;
  scene.contexts = &contexts;
  scene.authority = plan.authority;
  scene.client_address = address_of(10, index);
  scene.limit = scaled(kWaitLimit);
  if (plan.jitter) scene.jitter = jitter_seed(*plan.jitter, id_of(played->what));
  CastCase* self = one.get();
  scene.apply = [this](const Assignment& changes) { return apply(changes); };
  one->meetings = std::make_unique<Meetings>(io.get_executor(), scene.limit);
  scene.meetings = one->meetings.get();
  scene.changed = [this, self] {
    self->changed.cancel();
    self->meetings->wake();
    if (drained) drained->cancel();
  };
  std::optional<asio::ip::address> together;
  if (!plan.gateway->next_hops_at.empty())
    together = asio::ip::make_address(plan.gateway->next_hops_at);
  for (const Script* script : servers_of(played->what))
    one->servers.push_back(
        script == nullptr || script->address.empty()
            ? std::make_unique<Listener>(
                  io.get_executor(),
                  address_of(20 + static_cast<unsigned>(one->servers.size()), index), together)
            : std::make_unique<Listener>(io.get_executor(),
                                         asio::ip::make_address(script->address)));
  one->mailbox = std::make_unique<Listener>(io.get_executor(), address_of(50, index), together);

  owners[observation.token] = &observation;
  by_recipient[observation.recipient] = self;
  by_sender[observation.sender] = self;
  by_client[scene.client_address.to_string()] = self;
  report.cases.push_back(std::move(played));
  cast_.push_back(std::move(one));
}

namespace {

// expect_meetings says how many scripts will come to each meeting of a story.
void expect_meetings(const Story& story, Meetings& meetings) {
  for (const Script& script : story.scripts) {
    std::set<std::string> names;
    for (const Step& step : script.steps)
      if (step.kind == StepKind::kMeet) names.insert(step.name);
    for (const std::string& name : names) meetings.expect(name);
  }
}

}  // namespace

// serve puts the fake servers of a case behind their listeners, for as long as these are open.
void Stage::State::serve(CastCase& one) {
  const auto on_end = [this, self = &one](std::exception_ptr error) { note_problem(*self, error); };
  const Story* story = one.played->what.story;
  asio::co_spawn(
      io,
      play_server(one.scene, peer(plan.catalogue->servers, story ? story->mailbox : "good"),
                  *one.mailbox, Side::kSender),
      on_end);
  const StageCase& what = one.played->what;
  const std::vector<const Script*> scripts = servers_of(what);
  if (story != nullptr) expect_meetings(*story, *one.meetings);
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    const std::string name = what.matrix != nullptr  ? what.matrix->server
                             : scripts[i] == nullptr ? "good"
                                                     : scripts[i]->peer;
    if (name.empty()) {
      asio::co_spawn(io, play_server_script(one.scene, *scripts[i], *one.servers[i]), on_end);
    } else {
      asio::co_spawn(io,
                     play_server(one.scene, peer(plan.catalogue->servers, name), *one.servers[i],
                                 Side::kServer),
                     on_end);
    }
  }
}

void Stage::State::add_fact(CastCase& one, const RecordEvent& event, const std::string& prefix) {
  RecordFact fact;
  fact.at = std::chrono::duration_cast<std::chrono::microseconds>(event.at - epoch).count();
  fact.kind = prefix + event.kind;
  fact.fields = event.fields;
  fact.line = event.line;
  one.played->observation.record.push_back(std::move(fact));
  one.changed.cancel();
  one.meetings->wake();
}

// on_record gives each line of the gateway's record to the case it speaks of. A bounce has the
// sender as its recipient: its own fate is kept apart from the message's.
void Stage::State::on_record(const RecordEvent& event) {
  if (event.kind == "named") return;  // Its id was noted on the way here.
  if (event.kind == "settings-applied" || event.kind == "settings-refused") {
    const auto reason = event.fields.find("reason");
    const std::string said = reason == event.fields.end() ? event.line : reason->second;
    answer = event.kind == "settings-applied" ? std::string() : "a refusal: " + said;
    if (answered) answered->cancel();
  }
  if (event.kind == "warning") report.warnings.push_back(event.line);
  if (const auto commits = event.fields.find("commits"); commits != event.fields.end())
    report.commits += std::strtoull(commits->second.c_str(), nullptr, 10);
  const auto find = [&](const char* field, auto& index) -> CastCase* {
    const auto value = event.fields.find(field);
    if (value == event.fields.end()) return nullptr;
    const auto found = index.find(value->second);
    return found == index.end() ? nullptr : found->second;
  };
  if (CastCase* one = find("recipient", by_recipient)) {
    add_fact(*one, event, "");
  } else if (CastCase* bounce = find("recipient", by_sender)) {
    add_fact(*bounce, event, "bounce-");
  } else if (CastCase* client = find("client", by_client)) {
    add_fact(*client, event, "");
  } else if (CastCase* sender = find("sender", by_sender)) {
    add_fact(*sender, event, "");
  } else if (event.fields.contains("recipient") && event.kind != "session-end") {
    foreign = event.line;
  }
}

asio::awaitable<bool> Stage::State::start() {
  GatewayPlan gateway_plan;
  gateway_plan.file = plan.gateway;
  gateway_plan.settings = plan.settings;
  for (std::size_t i = 0; i < cast_.size(); ++i) {
    const CastCase& one = *cast_[i];
    const std::vector<const Script*> scripts = servers_of(one.played->what);
    for (std::size_t k = 0; k < one.servers.size(); ++k) {
      const Listener& server = *one.servers[k];
      const bool named = scripts[k] != nullptr && !scripts[k]->host.empty();
      Route next_hop{one.domain, named ? scripts[k]->host : kNextHopHost, server.address(),
                     server.port(), scripts[k] != nullptr ? scripts[k]->level : std::string()};
      gateway_plan.routes.push_back(std::move(next_hop));
    }
    Route sender{one.sender_domain, kNextHopHost, one.mailbox->address(), one.mailbox->port(), {}};
    gateway_plan.routes.push_back(std::move(sender));
  }
  gateway_plan.authority = plan.authority;
  gateway_plan.listen_address = plan.listen_address;
  gateway_plan.keep_directory = plan.keep_directory;
  gateway_plan.program_directory = plan.program_directory;
  std::function<void(const RecordEvent&)> on_event = [this](const RecordEvent& event) {
    on_record(event);
  };
  ++report.starts;
  try {
    gateway = co_await Gateway::start(std::move(gateway_plan), std::move(on_event));
  } catch (const GatewayDidNotStart& problem) {
    report.not_started = problem.what();
    report.last_output = problem.last_output;
    report.directory = problem.directory;
    co_return false;
  }
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(gateway->address()),
                                         gateway->port());
  for (const auto& one : cast_) one->scene.gateway = endpoint;
  if (plan.keep_directory) report.directory = gateway->directory();
  co_return true;
}

// apply gives the gateway other settings and awaits its answer on the record. Only a story that is
// alone with its gateway does this.
asio::awaitable<std::string> Stage::State::apply(Assignment changes) {
  Assignment settings = plan.settings;
  for (const auto& [name, value] : changes.values()) settings.set(name, value);
  answer.reset();
  answered = std::make_unique<asio::steady_timer>(io, scaled(kApplyLimit));
  gateway->configure(settings);
  gateway->signal(signal_number(plan.gateway->apply_signal));
  while (!answer && answered->expiry() > Clock::now() && gateway->alive())
    co_await answered->async_wait(kAwait);
  if (!answer) throw std::runtime_error("the gateway gave no answer to new settings");
  // The files say what is in force: whoever reads them later must find that.
  if (answer->empty()) plan.settings = std::move(settings);
  if (!answer->empty()) gateway->configure(plan.settings);
  co_return *answer;
}

// settled tells whether all that a case waits for is known.
bool Stage::State::settled(const CastCase& one) const {
  const Observation& observation = one.played->observation;
  if (interrupted || !observation.harness_error.empty() || !observation.gateway_died.empty())
    return true;
  const bool accepted = std::any_of(observation.client.begin(), observation.client.end(),
                                    [](const ConnectionFacts& c) { return c.accepted; });
  // A connection that was refused is no session, and nobody records its end.
  const auto sessions = std::count_if(observation.client.begin(), observation.client.end(),
                                      [](const ConnectionFacts& c) { return c.connected; });
  if (!accepted) return !records_sessions || count_of(observation, "session-end") >= sessions;
  const Story* story = one.played->what.story;
  const int messages = story == nullptr ? 1 : std::max(1, story->checks.messages);
  if (count_of(observation, "delivered") >= messages || count_of(observation, "discarded") > 0)
    return true;
  if (count_of(observation, "bounced") > 0)
    return count_of(observation, "bounce-delivered") > 0 ||
           count_of(observation, "bounce-deferred") > 0 ||
           count_of(observation, "bounce-discarded") > 0;
  return count_of(observation, "deferred") >= (plan.gateway->second_attempt ? 2 : 1);
}

asio::awaitable<void> Stage::State::await_change(CastCase& one, Clock::time_point deadline) {
  one.changed.expires_at(deadline);
  co_await one.changed.async_wait(kAwait);
}

asio::awaitable<void> Stage::State::play_client_of(CastCase& one) {
  const StageCase& what = one.played->what;
  if (what.matrix != nullptr) {
    co_await play_client(one.scene, peer(plan.catalogue->clients, what.matrix->client));
    co_return;
  }
  co_await play_scripts(one, *what.story);
}

// play_scripts plays all clients of a story at once, to the end of the last.
asio::awaitable<void> Stage::State::play_scripts(CastCase& one, const Story& story) {
  std::size_t playing = 0;
  std::exception_ptr failed;
  asio::steady_timer over(io, Clock::time_point::max());
  for (const Script& script : story.scripts) {
    if (script.role != Role::kClient) continue;
    ++playing;
    const auto on_end = [&](std::exception_ptr error) {
      if (error) failed = error;
      if (--playing == 0) over.cancel();
    };
    if (script.peer.empty()) {
      asio::co_spawn(io, play_client_script(one.scene, script), on_end);
    } else {
      asio::co_spawn(io, play_client(one.scene, peer(plan.catalogue->clients, script.peer)),
                     on_end);
    }
  }
  while (playing > 0) co_await over.async_wait(kAwait);
  if (failed) std::rethrow_exception(failed);
}

// was_refused tells whether the gateway took no connection of a client, without having ended yet.
bool Stage::State::was_refused(const CastCase& one) const {
  const Observation& observation = one.played->observation;
  return !interrupted && observation.gateway_died.empty() &&
         std::any_of(observation.client.begin(), observation.client.end(),
                     [](const ConnectionFacts& client) { return !client.connected; });
}

// hears_out tells whether a script of a next hop still has a connection of the gateway.
bool Stage::State::hears_out(const CastCase& one) const {
  const Story* story = one.played->what.story;
  return story != nullptr && !interrupted && one.scene.open_connections > 0 &&
         one.played->observation.gateway_died.empty() &&
         std::any_of(story->scripts.begin(), story->scripts.end(), [](const Script& script) {
           return script.role == Role::kServer && !script.steps.empty();
         });
}

asio::awaitable<void> Stage::State::play_case(CastCase& one) {
  PlayedCase& played = *one.played;
  const auto begin = Clock::now();
  played.began = std::chrono::duration_cast<std::chrono::microseconds>(begin - epoch).count();
  one.in_hand = true;
  try {
    co_await play_client_of(one);
  } catch (const std::exception& problem) {
    played.observation.harness_error = problem.what();
  }
  const auto deadline = Clock::now() + scaled(kCaseLimit);
  while (!settled(one) && Clock::now() < deadline) co_await await_change(one, deadline);
  // A gateway that takes no connection any more is about to end, or has closed its port.
  const auto end_of_gateway = Clock::now() + scaled(kEndLimit);
  while (was_refused(one) && Clock::now() < end_of_gateway)
    co_await await_change(one, end_of_gateway);
  // Its servers hear the gateway out: one that is stopped now would never have said QUIT.
  const auto farewell = Clock::now() + scaled(kFarewellLimit);
  while (hears_out(one) && Clock::now() < farewell) co_await await_change(one, farewell);
  played.observation.in_time = settled(one);
  one.in_hand = false;
  last_settled = &one;
  played.played = !interrupted;
  played.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
}

// work plays one case after the other; as many of it run as cases may be in flight.
asio::awaitable<void> Stage::State::work() {
  while (!waiting.empty() && !interrupted && gateway->alive()) {
    CastCase* one = waiting.back();
    waiting.pop_back();
    co_await play_case(*one);
  }
}

// watch sees the gateway of this start end while it should serve.
asio::awaitable<void> Stage::State::watch(int start) {
  const Exit ended = co_await gateway->ended();
  if (!stopping && start == report.starts) blame(ended);
}

// blame tells each case in hand how the gateway ended; where none is, the one that this gateway
// settled last, and where there is none, the next in line: a crash is never nobody's.
void Stage::State::blame(const Exit& ended) {
  if (blamed) return;
  blamed = true;
  bool in_hand = false;
  for (const auto& one : cast_) {
    if (!one->in_hand) continue;
    in_hand = true;
    one->played->observation.gateway_died = ended.text;
    one->changed.cancel();
    one->meetings->end();
  }
  if (in_hand) return;
  CastCase* struck = last_settled;
  if (struck == nullptr && !waiting.empty()) {
    struck = waiting.back();
    waiting.pop_back();
    struck->played->played = true;
  }
  if (struck != nullptr) struck->played->observation.gateway_died = ended.text;
}

// play_round plays what waits against the gateway that runs now. True: the gateway died of it.
asio::awaitable<bool> Stage::State::play_round() {
  stopping = blamed = false;
  last_settled = nullptr;
  round_over = std::make_unique<asio::steady_timer>(io, Clock::time_point::max());
  asio::co_spawn(io, watch(report.starts), asio::detached);
  working = static_cast<int>(std::min(plan.in_flight, std::max<std::size_t>(waiting.size(), 1)));
  for (int i = working; i > 0; --i)
    asio::co_spawn(io, work(), [this](std::exception_ptr) {
      if (--working == 0) round_over->cancel();
    });
  while (working > 0) co_await round_over->async_wait(kAwait);
  if (gateway->alive()) co_return false;
  const Exit ended = co_await gateway->ended();
  blame(ended);
  co_return true;
}

// quiet is true when every connection that the gateway made has been taken and has ended.
bool Stage::State::quiet() {
  return std::all_of(cast_.begin(), cast_.end(), [](const auto& one) {
    return one->scene.open_connections == 0 && !one->mailbox->pending() &&
           std::none_of(one->servers.begin(), one->servers.end(),
                        [](const auto& server) { return server->pending(); });
  });
}

// drain waits until it is quiet, as long as `limit`.
asio::awaitable<void> Stage::State::drain(Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  drained = std::make_unique<asio::steady_timer>(io);
  while (!quiet() && Clock::now() < deadline) {
    drained->expires_after(std::chrono::milliseconds(20));
    co_await drained->async_wait(kAwait);
  }
}

// stray_in_queue names a message that a stopped gateway holds and that is of no case; "" if there
// is none.
std::string Stage::State::stray_in_queue(const std::vector<std::string>& queued) const {
  for (const std::string& recipient : queued) {
    if (by_recipient.contains(recipient)) continue;
    // A bounce may wait like any message.
    const auto sender = by_sender.find(recipient);
    if (sender != by_sender.end() && count_of(sender->second->played->observation, "bounced") > 0)
      continue;
    return "the queue holds what is no case's message, for " + recipient;
  }
  return {};
}

// let_go waits until the queue of a running gateway holds nothing that its record calls delivered:
// one that is stopped between the two sends it again.
asio::awaitable<void> Stage::State::let_go() {
  const auto deadline = Clock::now() + scaled(kLetGoLimit);
  const auto delivered = [this](const std::string& recipient) {
    const auto one = by_recipient.find(recipient);
    return one != by_recipient.end() && count_of(one->second->played->observation, "delivered") > 0;
  };
  while (gateway->alive() && Clock::now() < deadline) {
    const QueueState queue = co_await gateway->queue();
    if (std::none_of(queue.recipients.begin(), queue.recipients.end(), delivered)) co_return;
  }
}

// close is the fence: the gateway is stopped and reaped, its record read to the end, and the
// listeners stay open until nothing can come any more.
asio::awaitable<void> Stage::State::close(bool died) {
  stopping = true;
  const std::uint64_t memory = gateway->peak_memory();
  for (const auto& one : cast_) one->played->observation.memory = memory;
  if (!died) co_await drain(scaled(kFarewellLimit));
  if (!plan.gateway->queue.empty() && plan.gateway->queue.front().live) co_await let_go();
  const Exit ended = co_await gateway->stop();
  const QueueState queue = co_await gateway->queue();
  co_await drain(scaled(kDrainLimit));
  report.last_output = gateway->last_output();
  Fence& fence = report.fence;
  if (!gateway->record_problem().empty()) fence.problem = gateway->record_problem();
  if (!quiet()) fence.problem = "a connection of the gateway outlived it";
  if (!plan.gateway->queue.empty() && !queue.known && !died)
    fence.problem = "the queue cannot be told: " + queue.why;
  if (!foreign.empty())
    fence.stray = "the record tells of mail that belongs to no case: " + foreign;
  if (const std::string odd = stray_in_queue(queue.recipients); !odd.empty()) fence.stray = odd;
  fence.stopped = fence.problem.empty() && fence.stray.empty();
  // A crash is told to the cases it struck; the others have a fence all the same.
  fence.exit = ended.text;
  fence.clean_exit = (report.starts == 1 || fence.clean_exit) && (ended.clean || died);
  fence.queue_known = queue.known && report.crashes == 0;
  fence.queued = queue.recipients;
}

asio::awaitable<StageReport> Stage::State::play() {
  std::exception_ptr error;
  try {
    co_await play_all();
  } catch (...) {
    error = std::current_exception();
  }
  // Whatever happened, nothing may be left waiting: the executor has to run out of work.
  gateway.reset();
  for (const auto& one : cast_) {
    for (const auto& server : one->servers) server->close();
    if (one->mailbox) one->mailbox->close();
  }
  patience.expire_all();
  patience.stop();
  if (error) std::rethrow_exception(error);
  report.interrupted = interrupted;
  co_return std::move(report);
}

asio::awaitable<void> Stage::State::play_all() {
  for (const Record& record : plan.gateway->records)
    for (const RecordPattern& pattern : record.patterns)
      records_sessions = records_sessions || pattern.event == "session-end";
  std::size_t index = 0;
  for (const StageCase& what : plan.cases) {
    auto played = std::make_unique<PlayedCase>();
    played->what = what;
    cast(std::move(played), index++);
  }
  for (auto it = cast_.rbegin(); it != cast_.rend(); ++it) waiting.push_back(it->get());
  for (const auto& one : cast_) serve(*one);
  bool more = true;
  while (more && !interrupted) {
    if (!co_await start()) break;
    const bool died = co_await play_round();
    if (died) ++report.crashes;
    co_await close(died);
    more = died && !waiting.empty() && report.crashes < 50;
    gateway.reset();
  }
}

Stage::Stage(asio::io_context& io, StagePlan plan)
    : state_(std::make_unique<State>(io, std::move(plan))) {}
Stage::~Stage() = default;

asio::awaitable<StageReport> Stage::play() {
  return state_->play();
}

void Stage::interrupt() {
  state_->interrupted = true;
  for (const auto& one : state_->cast_) {
    one->changed.cancel();
    one->meetings->end();
  }
  state_->patience.expire_all();
}

}  // namespace postern
