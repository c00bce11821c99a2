#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"

namespace postern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoryLoader : public testing::Test {
 protected:
  std::string spoil(const std::string& from, const std::string& to) {
    SampleScenarios scenarios;
    scenarios.replace("hello.xml", from, to);
    EXPECT_FALSE(scenarios.load()) << "this should not load: " << to;
    return scenarios.problems();
  }
};

TEST_F(StoryLoader, ReadsStepsInTheirOrder) {
  SampleScenarios scenarios;
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  const Story& story = *catalogue->stories.at(0);
  EXPECT_EQ(story.name, "hello");
  EXPECT_EQ(*story.settings.get("server-level"), "attempt");
  ASSERT_EQ(story.scripts.size(), 2U);
  const std::vector<Step>& steps = story.scripts[0].steps;
  ASSERT_EQ(steps.size(), 10U);
  EXPECT_EQ(steps[1].bytes, "EHLO client.example\r\n");
  EXPECT_THAT(steps[2].offers, ElementsAre("STARTTLS"));
  EXPECT_EQ(steps[3].bytes, "STARTTLS\r\nRSET\r\n");
  EXPECT_THAT(steps[3].splits, ElementsAre(3U, 10U));
  EXPECT_TRUE(steps[5].tls.may_fail);
  EXPECT_EQ(steps[5].tls.asked, false);
  EXPECT_EQ(steps[9].how, "close");
  EXPECT_EQ(story.scripts[1].peer, "good");
  ASSERT_TRUE(story.inbound);
  EXPECT_TRUE(story.discloses);
  EXPECT_THAT(story.disclosure, ElementsAre("tls"));
}

TEST_F(StoryLoader, HoldsTheNameAgainstTheFile) {
  EXPECT_THAT(spoil("name=\"hello\"", "name=\"hallo\""),
              HasSubstr("hello.xml:1:8: found name=\"hallo\", allowed: \"hello\""));
}

TEST_F(StoryLoader, RefusesStepsAfterTheEnd) {
  EXPECT_THAT(spoil("<end/>", "<end/><say>QUIT</say>"),
              HasSubstr("found <say> after <end>, allowed: <connect> first"));
  EXPECT_THAT(spoil("<end/>", "<reset/><hear reply=\"250\"/>"),
              HasSubstr("found <hear> after <reset>"));
}

TEST_F(StoryLoader, AllowsReadingAfterTheSendingSideEnded) {
  SampleScenarios scenarios;
  scenarios.replace("hello.xml", "<end/>",
                    "<close/><hear reply=\"421\"/><end/><connect/><hear reply=\"220\"/>");
  EXPECT_TRUE(scenarios.load()) << scenarios.problems();
}

TEST_F(StoryLoader, RefusesTlsThatNobodyStarts) {
  EXPECT_THAT(spoil("<starttls may=\"fail\" trust=\"root\" asked=\"no\"/>", ""),
              HasSubstr("found inbound=\"accept tls=yes\", which needs TLS"));
  EXPECT_THAT(spoil("<starttls", "<starttls/><starttls"), HasSubstr("found a second <starttls>"));
  EXPECT_THAT(spoil("may=\"fail\"", "may=\"fail\" must=\"fail\""),
              HasSubstr("found both \"may\" and \"must\""));
  EXPECT_THAT(spoil("may=\"fail\"", "version=\"1.2\""),
              HasSubstr("allowed: one that \"tls\" lists"));
}

TEST_F(StoryLoader, AppliesSettings) {
  SampleScenarios scenarios;
  scenarios.replace("hello.xml", "<end/>",
                    "<apply server-level=\"require\" client-level=\"verify\"/><end/>"
                    "<apply client-level=\"none\" refused=\"yes\"/>");
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  const Story& story = *catalogue->stories.front();
  EXPECT_TRUE(story.applies());
  const Step& refused = story.scripts.front().steps.back();
  EXPECT_EQ(refused.kind, StepKind::kApply);
  EXPECT_TRUE(refused.refused);
  EXPECT_EQ(refused.changes.text(), "client-level=none");
  EXPECT_THAT(spoil("<end/>", "<apply/><end/>"), HasSubstr("found <apply> without a setting"));
  EXPECT_THAT(spoil("<end/>", "<apply client-level=\"verfy\"/><end/>"),
              HasSubstr("did you mean \"verify\""));
}

TEST_F(StoryLoader, RefusesAMessageThatWasNotAskedFor) {
  EXPECT_THAT(spoil("<end/>", "<message/><end/>"), HasSubstr("found <message> before any"));
}

TEST_F(StoryLoader, RefusesWhatIsNoLine) {
  EXPECT_THAT(spoil("<say>QUIT</say>", "<say>QUIT\n</say>"), HasSubstr("found a line break"));
  EXPECT_THAT(spoil("<say>QUIT</say>", "<say/>"),
              HasSubstr("found <say> with none of text, \"raw\""));
  EXPECT_THAT(spoil("raw=\"STARTTLS\\r\\n", "raw=\"STARTTLS\\q\\n"),
              HasSubstr("found the escape \"\\q"));
  EXPECT_THAT(spoil("split=\"3 10\"", "split=\"10 3\""), HasSubstr("allowed: rising offsets"));
  EXPECT_THAT(spoil("split=\"3 10\"", "split=\"3 99\""), HasSubstr("below 16"));
  EXPECT_THAT(spoil("<say>QUIT</say>", "<say>RCPT TO:&lt;${recipent}&gt;</say>"),
              HasSubstr("did you mean \"recipient\""));
}

TEST_F(StoryLoader, RefusesUnknownNames) {
  EXPECT_THAT(spoil("ref=\"IN-1\"", "ref=\"IN-11\""), HasSubstr("found the requirement \"IN-11\""));
  EXPECT_THAT(spoil("peer=\"good\"", "peer=\"goood\""), HasSubstr("found the server \"goood\""));
  EXPECT_THAT(spoil("trust=\"root\"", "trust=\"rot\""), HasSubstr("found the trust \"rot\""));
  EXPECT_THAT(spoil("may=\"fail\"", "may=\"fail\" certificate=\"client-god\""),
              HasSubstr("found the certificate \"client-god\""));
  EXPECT_THAT(spoil("server-level=\"attempt\"", "server-level=\"atempt\""),
              HasSubstr("did you mean \"attempt\""));
}

TEST_F(StoryLoader, RefusesAPeerThatHasStepsToo) {
  EXPECT_THAT(spoil("<server peer=\"good\"/>", "<server peer=\"good\"><deliver/></server>"),
              HasSubstr("found <server> with neither or both of \"peer\" and steps"));
}

TEST_F(StoryLoader, RefusesSettingsThatAGatewayMustReject) {
  SampleScenarios scenarios;
  scenarios.replace("matrix.xml", "values=\"attempt require\"", "values=\"none attempt require\"");
  scenarios.replace("matrix.xml", "<inbound>",
                    "<invalid ref=\"IN-1\" when=\"server-level=none\"/><inbound>");
  EXPECT_TRUE(scenarios.load()) << scenarios.problems();
  scenarios.replace("hello.xml", "server-level=\"attempt\"", "server-level=\"none\"");
  EXPECT_FALSE(scenarios.load());
  EXPECT_THAT(scenarios.problems(),
              HasSubstr("found a story under settings that a gateway must reject (IN-1, "));
}

}  // namespace
}  // namespace postern
