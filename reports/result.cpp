#include "result.hpp"

#include <algorithm>

namespace postern::reports {

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kError:
      return "error";
    case Verdict::kInconclusive:
      return "inconclusive";
    case Verdict::kInvalid:
      return "invalid";
    case Verdict::kSkip:
      return "skip";
  }
  return "error";
}

std::string Outcome::text() const {
  std::string text = word;
  for (const auto& [name, value] : facts) text.append(" ").append(name).append("=").append(value);
  return text;
}

namespace {

bool is_in_order(const CaseResult& result) {
  const bool in_order = result.verdict == Verdict::kPass || result.verdict == Verdict::kSkip;
  return in_order && result.deviation.empty();
}

bool any_broken(const std::vector<Demand>& demands) {
  return std::any_of(demands.begin(), demands.end(), [](const Demand& one) { return one.broken; });
}

// reach orders what a leg reached, from nothing to the form.
int reach(const Leg& leg) {
  return leg.grade.empty() ? 0 : leg.grade == "policy" ? 1 : leg.grade == "letter" ? 2 : 3;
}

}  // namespace

bool blames(const CaseResult& result, const Leg& leg, const Leg& other) {
  if (is_in_order(result)) return false;
  if (!leg.broken.empty() || !other.broken.empty() || any_broken(result.demands))
    return !leg.broken.empty();
  // A leg that is not judged took no message anywhere.
  const bool alone = other.requirement.empty() && other.expected.empty();
  return alone || reach(leg) <= reach(other);
}

bool troubles(const CaseResult& result, const Leg& leg, const Leg& other) {
  if (blames(result, leg, other)) return true;
  const char* name = &leg == &result.outbound ? "outbound" : "inbound";
  return !is_in_order(result) &&
         std::any_of(result.demands.begin(), result.demands.end(), [&](const Demand& one) {
           return one.broken && (one.leg.empty() || one.leg == name);
         });
}

std::vector<Requirement> broken_by(const CaseResult& result) {
  std::vector<Requirement> broken;
  const auto add = [&](const std::string& id, const std::string& text) {
    const bool known = std::any_of(broken.begin(), broken.end(),
                                   [&](const Requirement& one) { return one.first == id; });
    if (!id.empty() && !known) broken.emplace_back(id, text);
  };
  const Leg& in = result.inbound;
  const Leg& out = result.outbound;
  if (blames(result, in, out)) add(in.requirement, in.requirement_text);
  if (blames(result, out, in)) add(out.requirement, out.requirement_text);
  for (const Demand& one : result.demands)
    if (one.broken) add(one.requirement, one.requirement_text);
  if (broken.empty()) add(in.requirement, in.requirement_text);
  if (broken.empty()) add(out.requirement, out.requirement_text);
  return broken;
}

void Tally::count(const CaseResult& result) {
  if (result.control) {
    ++controls;
    return;
  }
  switch (result.verdict) {
    case Verdict::kPass:
      ++pass;
      break;
    case Verdict::kFail:
      ++fail;
      break;
    case Verdict::kError:
      ++error;
      break;
    case Verdict::kInconclusive:
      ++inconclusive;
      break;
    case Verdict::kInvalid:
      ++invalid;
      break;
    case Verdict::kSkip:
      ++skip;
      if (!result.deviation.empty()) ++deviations;
      break;
  }
}

int Tally::exit_code(int min) const {
  if (fail > 0) return 1;
  if (error > 0 || inconclusive > 0 || invalid > 0 || chosen() < min) return 3;
  return 0;
}

}  // namespace postern::reports
