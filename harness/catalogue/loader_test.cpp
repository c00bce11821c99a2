#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"

// Documents that are wrong in one way, and the words in which the loader says so.

namespace postern {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Loader : public testing::Test {
 protected:
  /// spoil changes one thing and gives what the loader says.
  std::string spoil(const std::string& file, const std::string& from, const std::string& to) {
    scenarios_.replace(file, from, to);
    EXPECT_FALSE(scenarios_.load()) << "this should not load: " << to;
    return scenarios_.problems();
  }

  SampleScenarios scenarios_;
};

TEST_F(Loader, LoadsTheSample) {
  const auto catalogue = scenarios_.load();
  ASSERT_TRUE(catalogue) << scenarios_.problems();
  EXPECT_EQ(catalogue->files, 5U);
  EXPECT_EQ(catalogue->matrix_cases.size(), 16U);
  EXPECT_EQ(catalogue->requirements.at("OUT-1").text, "Two.");
}

TEST_F(Loader, ReadsAFileHoweverItsEndIsWritten) {
  scenarios_.write("more.XML", "<story");
  EXPECT_FALSE(scenarios_.load());
  EXPECT_THAT(scenarios_.problems(), HasSubstr("more.XML:1"));
}

TEST_F(Loader, TellsEveryMistakeAtOnce) {
  scenarios_.replace("peers.xml", "starttls=\"never\"", "starttls=\"nver\"");
  const std::string said = spoil("matrix.xml", "<disclosure>", "<disclosure now=\"yes\">");
  EXPECT_THAT(said, HasSubstr("peers.xml:3:"));
  EXPECT_THAT(said, HasSubstr("matrix.xml:16:"));
}

TEST_F(Loader, TellsWhereAndWhatIsAllowed) {
  EXPECT_EQ(spoil("peers.xml", "starttls=\"never\"", "starttls=\"nver\""),
            "peers.xml:3:36: found starttls=\"nver\", allowed: \"offered\" or \"never\" "
            "(did you mean \"never\"?)\n");
}

TEST_F(Loader, RefusesAnUnknownElement) {
  EXPECT_THAT(spoil("matrix.xml", "<inbound>", "<inbuond/><inbound>"),
              AllOf(HasSubstr("found <inbuond> in <matrix>, allowed: "),
                    HasSubstr("did you mean \"inbound\"")));
}

TEST_F(Loader, SaysWhereAMisplacedElementStands) {
  EXPECT_THAT(spoil("matrix.xml", "<inbound>", "<deviate at=\"mail\" do=\"skip\"/><inbound>"),
              HasSubstr("<deviate> stands in <peer>"));
}

TEST_F(Loader, RefusesAnUnknownRoot) {
  scenarios_.write("more.xml", "<scenario/>");
  EXPECT_FALSE(scenarios_.load());
  EXPECT_THAT(scenarios_.problems(), HasSubstr("found <scenario> as the root of a file"));
}

TEST_F(Loader, RefusesWhatIsNotWellFormed) {
  EXPECT_THAT(spoil("peers.xml", "</peers>", ""), HasSubstr("peers.xml:"));
}

TEST_F(Loader, RefusesASecondOfWhatMayStandOnce) {
  EXPECT_THAT(spoil("matrix.xml", "<inbound>", "<inbound/><inbound>"),
              HasSubstr("found <inbound> for the second time"));
}

TEST_F(Loader, MissesWhatMustStand) {
  EXPECT_THAT(spoil("hello.xml", "ref=\"IN-1\" ", ""),
              HasSubstr("found <story> without the attribute \"ref\""));
  EXPECT_THAT(spoil("matrix.xml", "<axis peer=\"server\" values=\"good expired\"/>", ""),
              HasSubstr("found <matrix> without <axis peer=\"server\">"));
}

TEST_F(Loader, RefusesTheSameNameTwice) {
  scenarios_.write("z.xml",
                   "<requirements><requirement id='IN-1' source='s' level='MUST'>t"
                   "</requirement></requirements>");
  EXPECT_FALSE(scenarios_.load());
  EXPECT_THAT(scenarios_.problems(), HasSubstr("found the requirement \"IN-1\" a second time, the "
                                               "first is at requirements.xml:2:4"));
}

TEST_F(Loader, RefusesADirectoryWithoutScenarios) {
  Problems problems;
  const auto authority =
      certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
  ASSERT_TRUE(authority);
  EXPECT_FALSE(load_catalogue("/nonexistent/scenarios", *authority, problems));
  EXPECT_THAT(problems.text(), HasSubstr("found no readable directory"));
}

// Peers.

TEST_F(Loader, RefusesCircularLikeness) {
  EXPECT_THAT(spoil("peers.xml", "name=\"good\"", "name=\"good\" like=\"expired\""),
              HasSubstr("found a circle: "));
}

TEST_F(Loader, RefusesAnUnknownModelOrControl) {
  EXPECT_THAT(spoil("peers.xml", "like=\"good\"", "like=\"godo\""),
              HasSubstr("found no server \"godo\" to be like (did you mean \"good\"?)"));
  SampleScenarios other;
  other.replace("peers.xml", "name=\"plain\"", "name=\"plain\" control=\"good\"");
  EXPECT_FALSE(other.load());
  EXPECT_THAT(other.problems(), HasSubstr("found no client \"good\" to be the control of"));
}

TEST_F(Loader, RefusesUnknownCertificates) {
  EXPECT_THAT(spoil("peers.xml", "\"server-expired\"", "\"server-expird\""),
              HasSubstr("peers.xml:5:50: found the certificate \"server-expird\""));
}

TEST_F(Loader, RefusesWhatMeansNothingForARole) {
  EXPECT_THAT(spoil("peers.xml", "name=\"plain\"", "name=\"plain\" asks=\"require\""),
              HasSubstr("found \"asks\" in a client, allowed: only in a server"));
}

TEST_F(Loader, RefusesAGapInVersions) {
  EXPECT_THAT(spoil("peers.xml", "name=\"plain\"", "name=\"plain\" tls=\"1.1 1.3\""),
              HasSubstr("found a gap in tls=\"1.1 1.3\""));
}

TEST_F(Loader, RefusesADeviationThatSaysNothing) {
  EXPECT_THAT(spoil("peers.xml", "starttls=\"never\"/>",
                    "starttls=\"never\"><deviate at=\"mail\" do=\"say\"/></peer>"),
              HasSubstr("without the attribute \"raw\""));
}

TEST_F(Loader, ReplacesAnInheritedDeviation) {
  scenarios_.replace("peers.xml", "</peers>",
                     "<peer role='server' name='a' certificate='server-good'>"
                     "<deviate at='mail' do='close'/><deviate at='quit' do='close'/></peer>"
                     "<peer role='server' name='b' like='a'><deviate at='mail' do='reset'/></peer>"
                     "</peers>");
  const auto catalogue = scenarios_.load();
  ASSERT_TRUE(catalogue) << scenarios_.problems();
  const Peer& peer = catalogue->servers.at("b");
  ASSERT_EQ(peer.deviations.size(), 2U);
  EXPECT_EQ(peer.deviations[0].act, Act::kReset);
  EXPECT_EQ(peer.deviations[1].at, Point::kQuit);
}

}  // namespace
}  // namespace postern
