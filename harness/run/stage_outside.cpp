#include <fmt/core.h>

#include <limits>

#include "control/time_scale.hpp"
#include "judge/outside.hpp"
#include "run/stage_state.hpp"

// The play towards a gateway that is there already: one case after the other, with manners, and
// closed by what was seen from outside.

namespace postern {
namespace {

constexpr auto kFateLimit =
    std::chrono::seconds(20);  // From the client's end to the first attempt.
constexpr auto kFarewellLimit = std::chrono::seconds(2);   // For connections behind a known fate.
constexpr auto kNextWait = std::chrono::milliseconds(20);  // Of a conversation that is ended.
constexpr int kBlockedInARow = 3;                          // Then it is left alone.

std::size_t messages_of(const StageCase& what) {
  return what.story == nullptr ? 1
                               : static_cast<std::size_t>(std::max(1, what.story->checks.messages));
}

std::size_t budget_of(const Manners& manners) {
  return manners.budget > 0 ? manners.budget : std::numeric_limits<std::size_t>::max();
}

// took counts the messages of a case that its next hop took.
std::size_t took(const Observation& observation) {
  std::size_t count = 0;
  for (const ConnectionFacts& connection : observation.server)
    for (const Taken& mail : connection.taken)
      count += std::find(mail.recipients.begin(), mail.recipients.end(), observation.recipient) !=
                       mail.recipients.end()
                   ? 1
                   : 0;
  return count;
}

}  // namespace

std::size_t connections_of(const Catalogue& catalogue, const MatrixCase* cell, const Story* story) {
  const auto of_peer = [&](const std::string& name) -> std::size_t {
    return catalogue.clients.at(name).comes_back_in_clear ? 2 : 1;
  };
  if (cell != nullptr) return of_peer(cell->client);
  std::size_t count = 0;
  if (story == nullptr) return count;
  for (const Script& script : story->scripts) {
    if (script.role != Role::kClient) continue;
    count += script.peer.empty() ? 1 : of_peer(script.peer);
    for (const Step& step : script.steps) count += step.kind == StepKind::kConnect ? 1 : 0;
  }
  return count;
}

bool comes_through(const MatrixCase* cell, const Story* story) {
  const Expectation* outbound = nullptr;
  if (cell != nullptr && cell->outbound != nullptr) outbound = &cell->outbound->expect;
  if (story != nullptr && story->outbound) outbound = &*story->outbound;
  return outbound != nullptr &&
         std::any_of(outbound->form.begin(), outbound->form.end(),
                     [](const ExpectedOutcome& form) { return form.word == "redirect"; });
}

// order_for_outside puts the cases whose message comes through last: they are the canaries of the
// others.
void Stage::State::order_for_outside() {
  std::stable_partition(waiting.begin(), waiting.end(), [](const CastCase* one) {
    return comes_through(one->played->what.matrix, one->played->what.story);
  });
}

// reserved counts the connections that the cases still to come need as controls of others, or as
// the canary: without these nothing that was played counts.
std::size_t Stage::State::reserved() const {
  std::size_t count = 1;
  for (const CastCase* one : waiting)
    if (one->played->what.control)
      count += connections_of(*plan.catalogue, one->played->what.matrix, one->played->what.story);
  return count;
}

// admit waits as long as the gateway is to be left alone, then opens the next hop for this case.
// False: the case stays unplayed, since no more connections may be made for it.
asio::awaitable<bool> Stage::State::admit(CastCase& one) {
  Manners& manners = *plan.manners;
  const StageCase& what = one.played->what;
  const std::size_t needed =
      connections_of(*plan.catalogue, what.matrix, what.story) + (what.control ? 0 : reserved());
  const bool fits = manners.made + needed <= budget_of(manners);
  if (!fits)
    manners.spent = fmt::format(
        "the budget of {} connections is used up; --resume goes on where this run stopped",
        manners.budget);
  report.cut_short = manners.over.empty() ? manners.spent : manners.over;
  if (!manners.over.empty() || !fits) co_return false;
  const auto again = Clock::now() + plan.gateway->remote->pause;
  while (!interrupted && Clock::now() < again) co_await await_change(one, again);
  if (interrupted) co_return false;
  owners.clear();
  owners[one.played->observation.token] = &one.played->observation;
  try {
    listen(one);
  } catch (const boost::system::system_error& error) {
    const auto& at = plan.remote->next_hop;
    manners.over = fmt::format("the next hop cannot be played at {}:{}: {}",
                               at.address().to_string(), at.port(), error.code().message());
    report.cut_short = manners.over;
    co_return false;
  }
  serve(one);
  in_order.push_back(&one);
  co_return true;
}

// await_from_outside waits until the next hop has the message, or the gateway has given up its
// attempts for now: it has tried, and rests for longer than it does between two.
asio::awaitable<void> Stage::State::await_from_outside(CastCase& one) {
  const Observation& observation = one.played->observation;
  if (!was_accepted(observation)) co_return;
  const auto deadline = Clock::now() + scaled(kFateLimit);
  while (!interrupted && Clock::now() < deadline && observation.harness_error.empty()) {
    const bool rests = one.scene.open_connections == 0 && !observation.server.empty();
    if (rests && took(observation) >= messages_of(one.played->what)) co_return;
    const auto until =
        rests ? std::min(deadline, Clock::now() + scaled(plan.gateway->remote->settles)) : deadline;
    co_await await_change(one, until);
    if (rests && Clock::now() >= until) co_return;
  }
}

// leave closes the next hop behind a case, and looks whether the gateway closed itself.
asio::awaitable<void> Stage::State::leave(CastCase& one) {
  for (const auto& server : one.servers) server->close();
  one.mailbox->close();
  const auto farewell = Clock::now() + scaled(kFarewellLimit);
  while (one.scene.open_connections > 0 && Clock::now() < farewell)
    co_await await_change(one, farewell);
  // A gateway that keeps a connection for its next message must not find this case's server there.
  // None but this case's wait; each wait that ends may be followed by one more.
  const auto end = farewell + scaled(kFarewellLimit);
  while (one.scene.open_connections > 0 && !interrupted && Clock::now() < end) {
    patience.expire_all();
    co_await await_change(one, Clock::now() + kNextWait);
  }
  Observation& observation = one.played->observation;
  if (one.scene.open_connections > 0)
    observation.harness_error = "a connection to the next hop outlived its case";
  const bool disturbed = one.scene.open_connections == 0 && sort_out(observation);
  if (std::any_of(observation.server.begin(), observation.server.end(),
                  [](const ConnectionFacts& connection) { return connection.unspoken; }))
    observation.broken_steps.push_back("expected no further connection to the next hop, got one");
  if (disturbed && !observation.broken_steps.empty() && observation.harness_error.empty())
    observation.harness_error = "another message came into this story; run it again";
  one.in_hand = false;
  one.played->played = !interrupted;
  Manners& manners = *plan.manners;
  manners.made += observation.client.size();
  const std::string blocked = blocked_by(observation);
  manners.blocked = blocked.empty() ? 0 : manners.blocked + 1;
  if (blocked.empty()) co_return;
  if (observation.harness_error.empty()) observation.harness_error = "blocked: " + blocked;
  if (manners.blocked >= kBlockedInARow)
    manners.over = fmt::format(
        "blocked: {} closed itself to {} cases in a row ({}); --resume goes on where this run "
        "stopped",
        plan.remote->name, kBlockedInARow, blocked);
}

// play_canary hands in once more what came through before, where the last message did not: nothing
// else would tell that the gateway is through with it.
asio::awaitable<void> Stage::State::play_canary() {
  if (interrupted || in_order.empty() || took(in_order.back()->played->observation) > 0) co_return;
  const auto good = std::find_if(in_order.rbegin(), in_order.rend(), [](const CastCase* one) {
    return took(one->played->observation) > 0;
  });
  if (good == in_order.rend()) co_return;
  auto again = std::make_unique<PlayedCase>();
  again->what = (*good)->played->what;
  again->what.control = true;
  again->what.number += 1U << 19;  // Beyond those of the configuration, which has 1 << 20.
  const asio::ip::tcp::endpoint gateway_at = (*good)->scene.gateway;
  cast(std::move(again), cast_.size());
  CastCase& canary = *cast_.back();
  canary.scene.gateway = gateway_at;
  if (co_await admit(canary)) co_await play_case(canary);
}

// look_from_outside closes each case by the messages that came through behind it, and writes down
// what was seen as a record would say it.
void Stage::State::look_from_outside() {
  bool later = false;
  for (auto it = in_order.rbegin(); it != in_order.rend(); ++it) {
    Observation& observation = (*it)->played->observation;
    observation.canary = later;
    later = later || took(observation) > 0;
    tell_from_outside(observation);
  }
}

}  // namespace postern
