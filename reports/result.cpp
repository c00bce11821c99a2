#include "result.hpp"

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

bool blames(const CaseResult& result, const Leg& leg, const Leg& other) {
  const bool in_order = result.verdict == Verdict::kPass || result.verdict == Verdict::kSkip;
  if (in_order && result.deviation.empty()) return false;
  return leg.grade.empty() || !other.grade.empty();
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
