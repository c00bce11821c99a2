#include <fmt/format.h>

#include "judge/judge.hpp"
#include "judge/words.hpp"

// What a story states beside its outcomes: texts, the record, memory.

namespace postern {
namespace {

std::string at(const Place& place, const std::string& message) {
  return place.text() + ": " + message;
}

/// has tells whether `content` has a text of the story; no text is not looked for.
bool has(const std::string& content, const std::string& text) {
  return !text.empty() && content.find(text) != std::string::npos;
}

/// check_text holds every message that came where the check looks to it.
void check_text(const MessageCheck& check, const Observation& observation,
                std::vector<std::string>& wrong) {
  const char* what = check.bounce ? "bounce" : "delivered message";
  const std::string contains = filled(check.contains, observation).text;
  const std::string lacks = filled(check.lacks, observation).text;
  int seen = 0;
  for (const ConnectionFacts& connection :
       check.bounce ? observation.mailbox : observation.server) {
    for (const Taken& taken : connection.taken) {
      ++seen;
      if (!contains.empty() && !has(taken.content, contains))
        wrong.push_back(
            at(check.place, fmt::format("expected \"{}\" in the {}, got none", contains, what)));
      if (has(taken.content, lacks))
        wrong.push_back(
            at(check.place, fmt::format("expected no \"{}\" in the {}, got it", lacks, what)));
    }
  }
  if (seen == 0) wrong.push_back(at(check.place, fmt::format("expected a {}, got none", what)));
}

void check_record(const RecordCheck& check, const Observation& observation,
                  std::vector<std::string>& wrong) {
  const std::string contains = filled(check.contains, observation).text;
  int seen = 0;
  for (const RecordFact& fact : observation.record)
    if (fact.kind == check.event && fact.line.find(contains) != std::string::npos) ++seen;
  if (check.count ? seen == *check.count : seen > 0) return;
  const std::string with = contains.empty() ? "" : fmt::format(" with \"{}\"", contains);
  const std::string wanted =
      check.count ? fmt::format("{} times", *check.count) : std::string("at least once");
  wrong.push_back(at(check.place, fmt::format("expected {}{} on record {}, got it {} times",
                                              check.event, with, wanted, seen)));
}

/// needs_unset tells whether a text of a check needs what no step captured.
bool needs_unset(const std::string& text, const Observation& observation) {
  return !filled(text, observation).unset.empty();
}

}  // namespace

std::string unset_in(const Checks& checks, const Observation& observation) {
  for (const MessageCheck& check : checks.texts)
    for (const std::string* text : {&check.contains, &check.lacks})
      if (needs_unset(*text, observation))
        return never_set(check.place.text(), filled(*text, observation).unset);
  for (const RecordCheck& check : checks.record)
    if (needs_unset(check.contains, observation))
      return never_set(check.place.text(), filled(check.contains, observation).unset);
  return {};
}

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
    if (needs_unset(check.contains + check.lacks, observation)) continue;
    check_text(check, observation, wrong);
  }
  for (const RecordCheck& check : checks.record)
    if (!needs_unset(check.contains, observation)) check_record(check, observation, wrong);
  if (checks.memory > 0 && observation.memory == 0)
    wrong.push_back(at(checks.memory_place, "the gateway's memory could not be told"));
  if (checks.memory > 0 && observation.memory > checks.memory)
    wrong.push_back(at(checks.memory_place,
                       fmt::format("expected the gateway to hold {} octets at most, got {}",
                                   checks.memory, observation.memory)));
  return wrong;
}

}  // namespace postern
