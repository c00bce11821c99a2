#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "catalogue/sample_scenarios.hpp"

// What the proof is worth: every rule of the mode matrix is deleted, doubled and changed in turn.

namespace postern {
namespace {

using testing::HasSubstr;

constexpr const char* kMatrix = "matrices/tls-modes.xml";

class EveryRule : public testing::Test {
 protected:
  EveryRule() : scenarios_(POSTERN_SOURCE_DIR "/scenarios"), original_(scenarios_.read(kMatrix)) {
    std::istringstream text(original_);
    for (std::string line; std::getline(text, line);) {
      if (line.find("<rule ") != std::string::npos) rules_.push_back(line);
    }
  }

  /// change puts `line` in place of `rule` and tells whether all is still proven.
  bool change(const std::string& rule, const std::string& line) {
    std::string text = original_;
    scenarios_.write(kMatrix, text.replace(text.find(rule), rule.size(), line));
    return scenarios_.load() != nullptr;
  }

  SampleScenarios scenarios_;
  std::string original_;
  std::vector<std::string> rules_;
};

TEST_F(EveryRule, IsMissedWhenDeleted) {
  ASSERT_GE(rules_.size(), 30U);
  for (const std::string& rule : rules_) {
    EXPECT_FALSE(change(rule, "")) << rule;
    EXPECT_THAT(scenarios_.problems(), HasSubstr("rule for the case tls-modes/")) << rule;
  }
}

TEST_F(EveryRule, IsSeenWhenDoubled) {
  for (const std::string& rule : rules_) {
    EXPECT_FALSE(change(rule, rule + "\n" + rule)) << rule;
    EXPECT_THAT(scenarios_.problems(), HasSubstr("found a second ")) << rule;
  }
}

/// with_word gives `rule` with `word` as the first of its form, or "" where it has that already.
std::string with_word(const std::string& rule, const std::string& word) {
  const std::size_t begin = rule.find("expect=\"");
  if (begin == std::string::npos) return "";
  const std::size_t at = begin + 8;
  const std::size_t end = rule.find_first_of(" \"", at);
  if (rule.substr(at, end - at) == word) return "";
  return rule.substr(0, at) + word + rule.substr(end);
}

TEST_F(EveryRule, CanBeChangedOnlyWhereItDecidesNoControl) {
  int proven = 0;
  int refused = 0;
  for (const std::string& rule : rules_) {
    const bool inbound = rule.find("ref=\"OUT-") == std::string::npos &&
                         rule.find("client-level") == std::string::npos;
    for (const std::string& word :
         outcome_words(inbound ? LegName::kInbound : LegName::kOutbound)) {
      const std::string changed = with_word(rule, word);
      if (changed.empty() || word == "nothing") continue;
      if (change(rule, changed)) {
        ++proven;
      } else {
        ++refused;
        EXPECT_THAT(scenarios_.problems(), HasSubstr("its control ")) << changed;
      }
    }
  }
  EXPECT_GE(proven, 20);
  EXPECT_GE(refused, 20);
}

}  // namespace
}  // namespace postern
