#include "catalogue/expectation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const char* text, LegName leg) {
  std::string error;
  parse_outcomes(text, leg, error);
  return error;
}

TEST(Expectation, ReadsWholeOutcomesAsAlternatives) {
  std::string error;
  const auto outcomes = parse_outcomes(
      "drop reply=421|5yz closed=clean | refuse reply=5yz | broken", LegName::kInbound, error);
  EXPECT_EQ(error, "");
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0].word, "drop");
  EXPECT_THAT(*outcomes[0].fact("reply"), ElementsAre("421", "5yz"));
  EXPECT_THAT(*outcomes[0].fact("closed"), ElementsAre("clean"));
  EXPECT_EQ(outcomes[1].word, "refuse");
  EXPECT_EQ(outcomes[2].word, "broken");
  EXPECT_EQ(outcomes[2].fact("reply"), nullptr);
}

TEST(Expectation, KnowsTheWordsAndFactsOfEachLeg) {
  EXPECT_EQ(error_of("redirect tls=no connection=2 cause=tls-failed | hold code=4.7.5",
                     LegName::kOutbound),
            "");
  EXPECT_THAT(error_of("redirect", LegName::kInbound), HasSubstr("found the outcome \"redirect\""));
  EXPECT_THAT(error_of("accept code=4.7.5", LegName::kInbound), HasSubstr("found \"code=4.7.5\""));
  EXPECT_THAT(error_of("hold reply=450", LegName::kOutbound), HasSubstr("found \"reply=450\""));
}

TEST(Expectation, SaysWhatIsWrongWithAFact) {
  EXPECT_THAT(error_of("accept tls=maybe", LegName::kInbound), HasSubstr("allowed: \"yes\""));
  EXPECT_THAT(error_of("drop reply=6yz", LegName::kInbound), HasSubstr("found reply=\"6yz\""));
  EXPECT_THAT(error_of("drop relpy=530", LegName::kInbound), HasSubstr("did you mean \"reply\""));
  EXPECT_THAT(error_of("drop reply", LegName::kInbound), HasSubstr("found \"reply\""));
  EXPECT_THAT(error_of("drop reply=530 reply=554", LegName::kInbound), HasSubstr("twice"));
  EXPECT_THAT(error_of("hold code=4.7", LegName::kOutbound), HasSubstr("found code=\"4.7\""));
}

TEST(Expectation, SaysWhereAnOutcomeIsMissing) {
  EXPECT_THAT(error_of("", LegName::kInbound), HasSubstr("found no outcome"));
  EXPECT_THAT(error_of("drop |", LegName::kInbound), HasSubstr("found no outcome after"));
  EXPECT_THAT(error_of("| drop", LegName::kInbound), HasSubstr("found the outcome \"|\""));
  EXPECT_THAT(error_of("drp", LegName::kInbound), HasSubstr("did you mean \"drop\""));
}

}  // namespace
}  // namespace postern
