#include "run/stage_state.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <map>
#include <set>

#include "control/time_scale.hpp"
#include "peers/jitter.hpp"
#include "run/message.hpp"

namespace postern {
namespace {

constexpr auto kWaitLimit = std::chrono::seconds(10);   // One wait of a peer.
constexpr auto kApplyLimit = std::chrono::seconds(10);  // For the answer to new settings.

// The host every route names: the name in the good servers' certificate.
constexpr const char* kNextHopHost = "mx.postern.test";

// address_of gives every case an address of its own, apart for its client and its servers.
asio::ip::address address_of(unsigned kind, std::size_t index) {
  return asio::ip::make_address(
      fmt::format("127.{}.{}.{}", kind, index / 250 + 1, index % 250 + 1));
}

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

}  // namespace

std::size_t descriptors_needed(std::size_t cases, std::size_t in_flight) {
  return 2 * cases + 6 * std::min(cases, in_flight) + 64;
}

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
  if (plan.keep_traffic) observation.traffic = std::make_shared<Traffic>();
  if (plan.remote != nullptr) one->domain = one->sender_domain = plan.remote->domain;
  observation.recipient = observation.token + "@" + one->domain;
  observation.sender =
      (plan.remote != nullptr ? "from-" : "") + observation.token + "@" + one->sender_domain;
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
  scene.elsewhere_address = address_of(11, index);
  if (plan.remote != nullptr && !plan.remote->at.address().is_loopback())
    scene.client_address = scene.elsewhere_address =
        plan.remote->at.address().is_v6() ? asio::ip::address(asio::ip::address_v6::any())
                                          : asio::ip::address(asio::ip::address_v4::any());
  scene.limit = scaled(kWaitLimit);
  if (plan.remote != nullptr) scene.stand_in = &peer(plan.catalogue->servers, "good");
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
  one->index = index;
  // The one next hop of a gateway that is there already is played by one case after the other.
  if (plan.remote == nullptr) {
    listen(*one);
    owners[observation.token] = &observation;
  }
  by_recipient[observation.recipient] = self;
  by_sender[observation.sender] = self;
  by_client[scene.client_address.to_string()] = self;
  by_client[scene.elsewhere_address.to_string()] = self;
  report.cases.push_back(std::move(played));
  cast_.push_back(std::move(one));
}

// listen opens what a case's next hops and the sender's mailbox listen at.
void Stage::State::listen(CastCase& one) {
  std::optional<asio::ip::tcp::endpoint> together;
  if (!plan.gateway->next_hops_at.empty())
    together.emplace(asio::ip::make_address(plan.gateway->next_hops_at), 0);
  for (const Script* script : servers_of(one.played->what)) {
    const auto own = address_of(20 + static_cast<unsigned>(one.servers.size()), one.index);
    if (plan.remote != nullptr) {
      one.servers.push_back(
          std::make_unique<Listener>(io.get_executor(), own, plan.remote->next_hop));
    } else if (script == nullptr || script->address.empty()) {
      one.servers.push_back(std::make_unique<Listener>(io.get_executor(), own, together));
    } else {
      one.servers.push_back(
          std::make_unique<Listener>(io.get_executor(), asio::ip::make_address(script->address)));
    }
  }
  one.mailbox = std::make_unique<Listener>(io.get_executor(), address_of(50, one.index), together);
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
  gateway_plan.remote = plan.remote;
  for (std::size_t i = 0; plan.remote == nullptr && i < cast_.size(); ++i) {
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
  report.configuration = gateway->configuration();
  const auto since = std::chrono::system_clock::now() - (Clock::now() - epoch);
  report.epoch =
      std::chrono::duration_cast<std::chrono::microseconds>(since.time_since_epoch()).count();
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

}  // namespace postern
