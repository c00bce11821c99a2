#include "catalogue/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"

// Decision tables that decide too little or too much.

namespace postern {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Decide : public testing::Test {
 protected:
  std::string spoil(const std::string& from, const std::string& to) {
    scenarios_.replace("matrix.xml", from, to);
    EXPECT_FALSE(scenarios_.load()) << "this should not load: " << to;
    return scenarios_.problems();
  }

  SampleScenarios scenarios_;
};

TEST_F(Decide, NamesAGap) {
  EXPECT_EQ(spoil("when=\"server-level=attempt\"", "when=\"server-level=attempt client=plain\""),
            "matrix.xml:6:4: found no inbound rule for the case "
            "small/server-level=attempt/client-level=attempt/client=good-cert, allowed: exactly "
            "one\n");
}

TEST_F(Decide, NamesAGapOfTheOutboundLeg) {
  EXPECT_THAT(spoil("when=\"client-level=verify server=good\"",
                    "when=\"client-level=attempt server=good\""),
              AllOf(HasSubstr("found no outbound rule for the case small/server-level=attempt/"
                              "client-level=verify/client=plain/server=good"),
                    HasSubstr("found a second outbound rule")));
}

TEST_F(Decide, CountsGapsBeyondTheFirst) {
  scenarios_.replace("matrix.xml", "values=\"plain good-cert\"",
                     "values=\"plain good-cert a b c d e\"");
  std::string more;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    more += std::string("<peer role='client' name='") + name + "'/>";
  }
  scenarios_.replace("peers.xml", "</peers>", more + "</peers>");
  EXPECT_FALSE(scenarios_.load());
  EXPECT_THAT(scenarios_.problems(), HasSubstr("client=c, allowed: exactly one (and 2 more like "
                                               "this)"));
}

TEST_F(Decide, NamesBothRulesOfAnOverlap) {
  EXPECT_THAT(spoil("when=\"server-level=require client=good-cert\"", "when=\"client=good-cert\""),
              HasSubstr("matrix.xml:8:6: found a second inbound rule (IN-1) for the case "
                        "small/server-level=attempt/client-level=attempt/client=good-cert, "
                        "allowed: exactly one; the first (IN-1) is at matrix.xml:7:6"));
}

TEST_F(Decide, RefusesADoubledRule) {
  const std::string rule =
      "<rule ref=\"OUT-1\" when=\"client-level=attempt\" expect=\"redirect tls=yes\"/>";
  EXPECT_THAT(spoil(rule, rule + "\n" + rule),
              HasSubstr("matrix.xml:13:2: found a second outbound rule (OUT-1) for the case "
                        "small/server-level=attempt/client-level=attempt/client=plain/server=good "
                        "and 1 more"));
}

TEST_F(Decide, RefusesADeletedDisclosure) {
  EXPECT_THAT(spoil("when=\"client-level=attempt|verify\"", "when=\"client-level=attempt\""),
              HasSubstr("found no disclosure rule for the case"));
}

TEST_F(Decide, RefusesARuleThatDecidesNothing) {
  EXPECT_THAT(spoil("<inbound>",
                    "<inbound><rule ref=\"IN-1\" when=\"server-level=attempt server-level=require\""
                    " expect=\"accept\"/>"),
              HasSubstr("found inbound rule (IN-1) that decides no case"));
}

TEST_F(Decide, RefusesAnIdleInvalidOrWarning) {
  EXPECT_THAT(
      spoil("<inbound>",
            "<warning ref=\"IN-1\" when=\"server-level=attempt client-level!=attempt|verify\"/>"
            "<invalid ref=\"IN-1\" when=\"server-level!=attempt|require\"/><inbound>"),
      AllOf(HasSubstr("found <invalid> that is no combination"),
            HasSubstr("found <warning> for no valid combination")));
}

TEST_F(Decide, RefusesAControlThatIsExpectedToFail) {
  EXPECT_THAT(
      spoil("when=\"client-level=verify server=good\" expect=\"redirect tls=yes\"",
            "when=\"client-level=verify server=good\" expect=\"hold\""),
      AllOf(HasSubstr("found outbound expect=\"hold code=4.7.5\" (OUT-1) for the case"),
            HasSubstr("but for its control server=good the rule (OUT-1) at matrix.xml:13:6 expects "
                      "\"hold\""),
            HasSubstr("but server=good is its own control")));
}

TEST_F(Decide, RefusesAControlThatIsNotOnTheAxis) {
  scenarios_.replace("matrix.xml", "values=\"plain good-cert\"", "values=\"plain\"");
  EXPECT_THAT(spoil("    <rule ref=\"IN-1\" when=\"server-level=require client=good-cert\" "
                    "expect=\"accept tls=yes\"/>\n",
                    ""),
              HasSubstr("but its control client=good-cert is not on the axis"));
}

TEST_F(Decide, AsksNoControlOfARuleThatSaysWhy) {
  scenarios_.replace("matrix.xml", "values=\"plain good-cert\"", "values=\"plain\"");
  scenarios_.replace("matrix.xml",
                     "    <rule ref=\"IN-1\" when=\"server-level=require client=good-cert\" "
                     "expect=\"accept tls=yes\"/>\n",
                     "");
  scenarios_.replace("matrix.xml", "policy=\"drop | refuse\"", "no-control=\"nobody gets in\"");
  EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
}

TEST_F(Decide, RefusesNoControlWhereAMessagePasses) {
  EXPECT_THAT(spoil("expect=\"accept tls=yes\"", "expect=\"accept tls=yes\" no-control=\"why\""),
              HasSubstr("found \"no-control\" in a rule that expects a message to pass"));
}

TEST_F(Decide, RefusesKeysOfTheOtherLeg) {
  EXPECT_THAT(
      spoil("when=\"client-level=verify server=good\"",
            "when=\"client-level=verify server=good client=plain\""),
      HasSubstr("found the key \"client\" in a condition, allowed here: \"client-level\" or "
                "\"server\""));
  SampleScenarios other;
  other.replace("matrix.xml", "when=\"server-level=attempt\"",
                "when=\"server-level=attempt client-level=verify\"");
  EXPECT_FALSE(other.load());
  EXPECT_THAT(other.problems(), HasSubstr("found the key \"client-level\""));
}

TEST_F(Decide, RefusesUnknownValuesInConditions) {
  EXPECT_THAT(
      spoil("client-level=verify server=expired", "client-level=verify server=expird"),
      HasSubstr("found the value \"expird\" of \"server\", allowed: \"good\" or \"expired\" "
                "(did you mean \"expired\"?)"));
}

TEST_F(Decide, RefusesNothingInARule) {
  EXPECT_THAT(spoil("letter=\"hold\"", "letter=\"hold | nothing\""),
              HasSubstr("found \"nothing\" in a rule"));
}

TEST_F(Decide, RefusesAnUnknownRequirement) {
  const std::string said = spoil("ref=\"OUT-1\" when=\"client-level=attempt\"",
                                 "ref=\"OUT-11\" when=\"client-level=attempt\"");
  EXPECT_THAT(said, HasSubstr("found the requirement \"OUT-11\", which does not exist"));
  EXPECT_THAT(said, Not(HasSubstr("no outbound rule")));
}

TEST_F(Decide, RefusesValuesThatNoSettingHas) {
  EXPECT_THAT(spoil("values=\"attempt require\"", "values=\"attempt demand\""),
              HasSubstr("found the value \"demand\" of \"server-level\""));
  SampleScenarios other;
  other.replace("matrix.xml", "values=\"good expired\"", "values=\"good good\"");
  EXPECT_FALSE(other.load());
  EXPECT_THAT(other.problems(), HasSubstr("found \"good\" twice"));
}

TEST_F(Decide, KeepsTheOrderOfTheAxes) {
  const auto catalogue = scenarios_.load();
  ASSERT_TRUE(catalogue) << scenarios_.problems();
  EXPECT_EQ(catalogue->matrix_cases[1].id(),
            "small/server-level=attempt/client-level=attempt/client=plain/server=expired");
  EXPECT_EQ(catalogue->matrix_cases[15].id(),
            "small/server-level=require/client-level=verify/client=good-cert/server=expired");
}

}  // namespace
}  // namespace postern
