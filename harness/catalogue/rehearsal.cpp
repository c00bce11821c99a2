#include "catalogue/rehearsal.hpp"

#include <algorithm>

// Three things make a script wait for another one: a meeting, an event of the record, and a
// server's first connection, which no gateway makes before there is a message for it.

namespace postern {
namespace {

// More messages than any story awaits: how many come of lines said by hand is not counted.
constexpr int kMany = 1'000'000;

/// may_hand_in tells whether bytes said by hand may end a message.
bool may_hand_in(const std::string& bytes) {
  return bytes.find(".\r") != std::string::npos || bytes.find(".\n") != std::string::npos ||
         bytes.find("BDAT") != std::string::npos;
}

bool waits(const Step& step) {
  return step.kind == StepKind::kMeet || step.kind == StepKind::kAwait;
}

}  // namespace

int Rehearsal::handed_in() const {
  int messages = 0;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    const Script& script = story_.scripts[i];
    if (script.role != Role::kClient) continue;
    if (!script.peer.empty()) return kMany;
    for (std::size_t k = 0; k < script.steps.size() && k <= at_[i]; ++k) {
      const Step& step = script.steps[k];
      if (step.kind == StepKind::kMessage) return kMany;
      if (step.kind == StepKind::kSay && may_hand_in(step.bytes)) return kMany;
      if (step.kind == StepKind::kDeliver) ++messages;
    }
  }
  return messages;
}

int Rehearsal::taken() const {
  int messages = 0;
  bool scripted = false;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    const Script& script = story_.scripts[i];
    if (script.role != Role::kServer) continue;
    scripted = true;
    if (!script.peer.empty()) return kMany;
    for (std::size_t k = 0; k < at_[i]; ++k)
      if (takes_message(script.steps, k)) ++messages;
  }
  // One message may have several recipients where it was handed in by hand.
  return !scripted || (messages > 0 && handed_in() == kMany) ? kMany : messages;
}

bool Rehearsal::tells(const Step& await) const {
  if (await.name == "accepted") return handed_in() >= await.count;
  if (await.name == "delivered") return std::min(handed_in(), taken()) >= await.count;
  if (await.name == "deferred" || await.name == "bounced" || await.name == "discarded")
    return handed_in() > 0;
  return true;
}

bool Rehearsal::all_are_at(const std::string& meeting) const {
  for (std::size_t i = 0; i < at_.size(); ++i) {
    const Script& script = story_.scripts[i];
    for (std::size_t k = 0; k < script.steps.size(); ++k) {
      if (script.steps[k].kind != StepKind::kMeet || script.steps[k].name != meeting) continue;
      if (at_[i] < k || !begins(script)) return false;
    }
  }
  return true;
}

bool Rehearsal::passes(const Step& step) const {
  if (step.kind == StepKind::kMeet) return all_are_at(step.name);
  if (step.kind == StepKind::kAwait) return tells(step);
  return true;
}

bool Rehearsal::begins(const Script& script) const {
  return script.role == Role::kClient || handed_in() > 0;
}

bool Rehearsal::comes_to(std::size_t script, std::size_t step) const {
  return at_[script] >= step && begins(story_.scripts[script]);
}

bool takes_message(const std::vector<Step>& steps, std::size_t at) {
  if (steps[at].kind == StepKind::kDeliver) return true;
  if (steps[at].kind != StepKind::kSay || !steps[at].bytes.starts_with("250")) return false;
  while (at > 0 && waits(steps[at - 1])) --at;
  return at > 0 && steps[at - 1].kind == StepKind::kMessage;
}

std::vector<std::size_t> Rehearsal::play(const std::string& without) {
  at_.assign(story_.scripts.size(), 0);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < at_.size(); ++i) {
      const std::vector<Step>& steps = story_.scripts[i].steps;
      while (at_[i] < steps.size() && begins(story_.scripts[i]) && passes(steps[at_[i]]) &&
             (without.empty() || steps[at_[i]].as != without)) {
        ++at_[i];
        moved = true;
      }
    }
  }
  return at_;
}

}  // namespace postern
