#include <fmt/format.h>

#include "judge/judge.hpp"

// What a story states beside its outcomes: texts, the record, memory.

namespace postern {
namespace {

std::string at(const Place& place, const std::string& message) {
  return place.text() + ": " + message;
}

/// check_text holds every message that came where the check looks to it.
void check_text(const MessageCheck& check, const Observation& observation,
                std::vector<std::string>& wrong) {
  const char* what = check.bounce ? "bounce" : "delivered message";
  int seen = 0;
  for (const ConnectionFacts& connection :
       check.bounce ? observation.mailbox : observation.server) {
    for (const Taken& taken : connection.taken) {
      ++seen;
      if (!check.contains.empty() && taken.content.find(check.contains) == std::string::npos)
        wrong.push_back(at(
            check.place, fmt::format("expected \"{}\" in the {}, got none", check.contains, what)));
      if (!check.lacks.empty() && taken.content.find(check.lacks) != std::string::npos)
        wrong.push_back(at(check.place,
                           fmt::format("expected no \"{}\" in the {}, got it", check.lacks, what)));
    }
  }
  if (seen == 0) wrong.push_back(at(check.place, fmt::format("expected a {}, got none", what)));
}

void check_record(const RecordCheck& check, const Observation& observation,
                  std::vector<std::string>& wrong) {
  int seen = 0;
  for (const RecordFact& fact : observation.record)
    if (fact.kind == check.event && fact.line.find(check.contains) != std::string::npos) ++seen;
  if (check.count ? seen == *check.count : seen > 0) return;
  const std::string with =
      check.contains.empty() ? "" : fmt::format(" with \"{}\"", check.contains);
  const std::string wanted =
      check.count ? fmt::format("{} times", *check.count) : std::string("at least once");
  wrong.push_back(at(check.place, fmt::format("expected {}{} on record {}, got it {} times",
                                              check.event, with, wanted, seen)));
}

}  // namespace

std::vector<std::string> judge_checks(const Checks& checks, const Observation& observation) {
  std::vector<std::string> wrong;
  // What a died gateway did not do is told by its death.
  if (!observation.gateway_died.empty()) return wrong;
  if (checks.messages != 1 || !checks.texts.empty()) {
    int took = 0;
    for (const ConnectionFacts& connection : observation.server)
      took += static_cast<int>(connection.taken.size());
    if (took == 0 && checks.messages > 1)
      wrong.push_back(
          fmt::format("expected {} messages at the next hop, got none", checks.messages));
  }
  for (const MessageCheck& check : checks.texts) {
    if (check.contains.empty() && check.lacks.empty()) continue;
    check_text(check, observation, wrong);
  }
  for (const RecordCheck& check : checks.record) check_record(check, observation, wrong);
  if (checks.memory > 0 && observation.memory == 0)
    wrong.push_back(at(checks.memory_place, "the gateway's memory could not be told"));
  if (checks.memory > 0 && observation.memory > checks.memory)
    wrong.push_back(at(checks.memory_place,
                       fmt::format("expected the gateway to hold {} octets at most, got {}",
                                   checks.memory, observation.memory)));
  return wrong;
}

}  // namespace postern
