#pragma once

#include <string>
#include <vector>

#include "catalogue/selection.hpp"
#include "judge/judge.hpp"
#include "result.hpp"
#include "run/stage.hpp"

// From what was seen of a case to what a report says of it.

namespace postern {

/// ResultContext is what all results of one run share.
struct ResultContext {
  const Catalogue* catalogue = nullptr;
  const GatewayFile* gateway = nullptr;
  std::string today;    ///< For deviations that expire.
  std::string prefix;   ///< Before each id and suite, where several gateways are run: "exim/".
  std::string program;  ///< How this program was called, for the command to run a case again.
  /// What else decides a case, for that command: " --scenarios DIR --gateway NAME --seed N", each
  /// only where it was given.
  std::string options;
};

/// JudgedCase is one case with its judgement; its twins are not weighed yet.
struct JudgedCase {
  const PlayedCase* played = nullptr;
  Judgement judgement;
  reports::CaseResult result;
};

/// judge_stage judges all cases of one configuration and weighs the twins: a negative whose control
/// did not pass is invalid. Cases cut short by an interrupt are left out.
std::vector<JudgedCase> judge_stage(const ResultContext& context, const StageReport& report);

/// skipped gives the result of a case that this gateway is not asked, with the reason.
reports::CaseResult skipped(const ResultContext& context, const Chosen& one,
                            const std::string& why);

/// result_of_invalid says what came of settings that a gateway has to reject.
reports::CaseResult result_of_invalid(const ResultContext& context, const InvalidCase& invalid,
                                      bool started, const std::string& ending,
                                      const std::vector<std::string>& output, bool said_why);

}  // namespace postern
