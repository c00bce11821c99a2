#include "judge/outside.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace postern {
namespace {

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_bounce_of(const Taken& mail, const Observation& observation) {
  return mail.sender.empty() && has(mail.recipients, observation.sender);
}

bool is_own(const Taken& mail, const Observation& observation) {
  return !mail.sender.empty() &&
         (mail.sender == observation.sender || has(mail.recipients, observation.recipient));
}

// is_of_others tells of a connection on which envelopes were spoken of, and this case's was not.
bool is_of_others(const ConnectionFacts& connection, const Observation& observation) {
  return connection.mail && !is_own(connection.transaction, observation) &&
         std::none_of(connection.taken.begin(), connection.taken.end(),
                      [&](const Taken& mail) { return is_own(mail, observation); });
}

// take_bounces gives what a connection brought of this case's bounces to the mailbox.
void take_bounces(ConnectionFacts& connection, Observation& observation) {
  ConnectionFacts bounces;
  for (const Taken& mail : connection.taken)
    if (is_bounce_of(mail, observation)) bounces.taken.push_back(mail);
  if (bounces.taken.empty()) return;
  bounces.number = static_cast<int>(observation.mailbox.size()) + 1;
  bounces.connected = true;
  bounces.ended_by = connection.ended_by;
  bounces.ending = connection.ending;
  for (Sighting& sighting : observation.sightings) {
    if (sighting.side != Side::kServer || sighting.connection != connection.number) continue;
    sighting.side = Side::kSender;
    sighting.connection = bounces.number;
  }
  observation.mailbox.push_back(std::move(bounces));
}

void add(Observation& observation, const char* kind, std::string line) {
  RecordFact fact;
  fact.at = observation.events.empty() ? 0 : observation.events.back().at;
  fact.kind = kind;
  fact.line = "seen from outside: " + std::move(line);
  observation.record.push_back(std::move(fact));
}

}  // namespace

bool sort_out(Observation& observation) {
  const std::size_t before = observation.server.size();
  std::map<int, int> renumbered;  // 0: of no concern to this case.
  std::deque<ConnectionFacts> kept;
  for (ConnectionFacts& connection : observation.server) {
    take_bounces(connection, observation);
    if (is_of_others(connection, observation)) {
      renumbered[connection.number] = 0;
      continue;
    }
    std::erase_if(connection.taken, [&](const Taken& mail) { return !is_own(mail, observation); });
    const int number = connection.number;
    connection.number = static_cast<int>(kept.size()) + 1;
    renumbered[number] = connection.number;
    kept.push_back(std::move(connection));
  }
  observation.server = std::move(kept);
  std::erase_if(observation.events, [&](Event& event) {
    if (event.side != Side::kServer) return false;
    event.connection = renumbered[event.connection];
    return event.connection == 0;
  });
  for (Sighting& sighting : observation.sightings)
    if (sighting.side == Side::kServer && renumbered[sighting.connection] > 0)
      sighting.connection = renumbered[sighting.connection];
  return observation.server.size() < before;
}

void tell_from_outside(Observation& observation) {
  for (const ConnectionFacts& connection : observation.client)
    if (connection.ending != Ending::kOpen && connection.ending != Ending::kTimeout)
      add(observation, "session-end",
          fmt::format("connection {} of the client ended: {}", connection.number,
                      word(connection.ending)));
  std::size_t took = 0;
  std::size_t told = 0;
  for (const ConnectionFacts& connection : observation.server)
    for (std::size_t i = 0; i < connection.taken.size(); ++i, ++took)
      add(observation, "delivered",
          fmt::format("the next hop took the message on connection {}", connection.number));
  for (const ConnectionFacts& connection : observation.mailbox)
    for (std::size_t i = 0; i < connection.taken.size(); ++i, ++told) {
      add(observation, "bounced", "the sender was told that the message failed");
      add(observation, "bounce-delivered", "the sender's next hop took the bounce");
    }
  const bool attempted = !observation.server.empty() && all_ended(observation.server);
  if (was_accepted(observation) && took + told == 0 && attempted && observation.canary)
    add(observation, "deferred",
        fmt::format("connection {} to the next hop ended without the message, and a later message "
                    "came through",
                    observation.server.back().number));
}

std::string blocked_by(const Observation& observation) {
  for (const ConnectionFacts& connection : observation.client) {
    const std::string& command = connection.last_command;
    const bool greeting = command.empty() || command == "connect";
    if (!connection.connected) return "no connection to it was made";
    if (greeting && connection.last_reply >= 400)
      return fmt::format("it greeted with {}", connection.last_reply);
    if (greeting && connection.ending == Ending::kTimeout)
      return "it did not greet within the time limit (a tarpit?)";
    if (connection.last_reply == 421) return fmt::format("421 to {}", command);
    const bool put_off = connection.last_reply >= 450 && connection.last_reply <= 452;
    if (put_off && (command.starts_with("MAIL") || command.starts_with("RCPT") ||
                    command.starts_with("DATA") || command == "." || command == "end of data"))
      return fmt::format("{} to {} (greylisting, or a limit)", connection.last_reply, command);
  }
  return {};
}

}  // namespace postern
