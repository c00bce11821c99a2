#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "control/time_scale.hpp"
#include "run/stage_state.hpp"

namespace postern {
namespace {

constexpr auto kCaseLimit = std::chrono::seconds(20);  // From the client's end to a known fate.
constexpr auto kEndLimit =
    std::chrono::milliseconds(500);  // For the end of one that closed its port.
constexpr auto kFarewellLimit = std::chrono::seconds(1);  // For a QUIT behind a known fate.
constexpr auto kLetGoLimit = std::chrono::seconds(2);     // For a queue behind its record.
constexpr auto kDrainLimit = std::chrono::seconds(10);    // For connections of a stopped gateway.

}  // namespace

// settled tells whether all that a case waits for is known.
bool Stage::State::settled(const CastCase& one) const {
  const Observation& observation = one.played->observation;
  if (interrupted || !observation.harness_error.empty() || !observation.gateway_died.empty())
    return true;
  const bool accepted = was_accepted(observation);
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
    co_await play_client(one.scene, peer(plan.catalogue->clients, what.matrix->client),
                         one.scene.client_address);
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
      const auto& from = script.elsewhere ? one.scene.elsewhere_address : one.scene.client_address;
      asio::co_spawn(io, play_client(one.scene, peer(plan.catalogue->clients, script.peer), from),
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
  if (plan.remote != nullptr) {
    co_await await_from_outside(one);
    co_await leave(one);
    played.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    co_return;
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
    if (plan.remote != nullptr && !co_await admit(*one)) continue;
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
    return one->scene.open_connections == 0 && (!one->mailbox || !one->mailbox->pending()) &&
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

// let_go waits until the queue of a running gateway holds nothing that its record calls delivered,
// bounced or discarded: one that is stopped between the two does it again.
asio::awaitable<void> Stage::State::let_go() {
  const auto deadline = Clock::now() + scaled(kLetGoLimit);
  const auto done_with = [this](const std::string& recipient) {
    const auto one = by_recipient.find(recipient);
    if (one == by_recipient.end()) return false;
    const Observation& seen = one->second->played->observation;
    return count_of(seen, "delivered") + count_of(seen, "bounced") + count_of(seen, "discarded") >
           0;
  };
  while (gateway->alive() && Clock::now() < deadline) {
    const QueueState queue = co_await gateway->queue();
    if (std::none_of(queue.recipients.begin(), queue.recipients.end(), done_with)) co_return;
  }
}

// close is the fence: the gateway is stopped and reaped, its record read to the end, and the
// listeners stay open until nothing can come any more.
asio::awaitable<void> Stage::State::close(bool died) {
  stopping = true;
  const std::uint64_t memory = gateway->peak_memory();
  for (const auto& one : cast_) one->played->observation.memory = memory;
  if (!died) co_await drain(scaled(kFarewellLimit));
  if (plan.remote != nullptr) look_from_outside();
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
  if (plan.remote != nullptr) order_for_outside();
  if (plan.remote == nullptr)
    for (const auto& one : cast_) serve(*one);
  bool more = true;
  while (more && !interrupted) {
    if (!co_await start()) break;
    const bool died = co_await play_round();
    if (plan.remote != nullptr) co_await play_canary();
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
