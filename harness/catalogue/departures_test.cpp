#include "catalogue/departures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"

namespace postern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kFile = "sample.deviations.xml";

// document gives a deviations file with one deviation, whose attributes are `attributes`.
std::string document(const std::string& attributes, const std::string& root = "gateway=\"sample\"",
                     const std::string& content = "<seen>got x</seen><why>It does.</why>") {
  return "<deviations " + root + " not-asked=\"1000\">\n  <deviation " + attributes + ">" +
         content + "</deviation>\n</deviations>\n";
}

constexpr const char* kRight =
    R"(name="one" cases="client-level=verify" until="2027-06-30" source="seen by hand")";

std::string refused(const std::string& text) {
  SampleScenarios scenarios;
  scenarios.write(kFile, text);
  EXPECT_FALSE(scenarios.load()) << "this should not load: " << text;
  return scenarios.problems();
}

TEST(Departures, AreReadFromAFileOfTheGateway) {
  SampleScenarios scenarios;
  scenarios.write(kFile, document(kRight));
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  const Departures& known = catalogue->departures.at("sample");
  ASSERT_EQ(known.all.size(), 1U);
  EXPECT_EQ(known.all[0].name, "one");
  EXPECT_EQ(known.all[0].until, "2027-06-30");
  EXPECT_THAT(known.all[0].seen, ::testing::ElementsAre("got x"));
  EXPECT_EQ(known.all[0].why, "It does.");
}

TEST(Departures, SpeakOfAGatewayAndOfCasesThatThereAre) {
  EXPECT_THAT(refused(document(kRight, "gateway=\"simple\"")),
              AllOf(HasSubstr("found the gateway \"simple\""), HasSubstr("allowed: \"sample\"")));
  EXPECT_THAT(
      refused(document(R"(name="one" cases="client-levle=verify" until="2027-06-30" source="x")")),
      HasSubstr("did you mean \"client-level\""));
  EXPECT_THAT(
      refused(document(
          R"(name="one" cases="client-level=verify client-level=none" until="2027-06-30" source="x")")),
      HasSubstr("found the deviation \"one\" of no case that sample is asked"));
}

TEST(Departures, HaveADayAndSayWhatIsSeen) {
  EXPECT_THAT(refused(document(R"(name="one" cases="kind=matrix" until="2027-13-01" source="x")")),
              HasSubstr("sample.deviations.xml:2:45: found \"2027-13-01\", allowed: a day as"));
  EXPECT_THAT(refused(document(kRight, "gateway=\"sample\"", "<why>It does.</why>")),
              HasSubstr("found <deviation> without <seen>"));
}

}  // namespace
}  // namespace postern
