#include "catalogue/citations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"

namespace postern {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Citations, CountsEachLegAndTheStories) {
  SampleScenarios scenarios;
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  const auto cited = citations(*catalogue);
  EXPECT_EQ(cited.at("IN-1").inbound, 2U * 2 * 2 * 2);
  EXPECT_EQ(cited.at("IN-1").stories, 1U);
  EXPECT_EQ(cited.at("IN-1").outbound, 0U);
  // Of the clients under require only one is accepted.
  EXPECT_EQ(cited.at("OUT-1").outbound, 2U * 2 * 2 + 2 * 2);
  EXPECT_EQ(cited.at("OUT-1").disclosure, cited.at("OUT-1").outbound);
}

TEST(Citations, ARequirementThatNothingCitesHasNoCase) {
  SampleScenarios scenarios;
  scenarios.replace("requirements.xml", "</requirements>",
                    "<requirement id=\"NEW-1\" source=\"x\" level=\"MUST\">x</requirement>"
                    "</requirements>");
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  EXPECT_FALSE(citations(*catalogue).at("NEW-1").any());
  EXPECT_THAT(cases_citing(*catalogue, "NEW-1"), IsEmpty());
  EXPECT_EQ(in_order(*catalogue).back()->id, "NEW-1");
}

TEST(Citations, NamesEachCaseOnce) {
  SampleScenarios scenarios;
  scenarios.replace("matrix.xml", "<rule ref=\"OUT-1\" when=\"client-level=verify server=expired\"",
                    "<rule ref=\"IN-1\" when=\"client-level=verify server=expired\"");
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  const auto cases = cases_citing(*catalogue, "IN-1");
  EXPECT_EQ(cases.size(), 16U + 1);
  EXPECT_EQ(cases.back(), "stories/hello");
}

}  // namespace
}  // namespace postern
