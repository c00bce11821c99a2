#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"

namespace postern {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class GatewayLoader : public testing::Test {
 protected:
  std::string spoil(const std::string& from, const std::string& to) {
    SampleScenarios scenarios;
    scenarios.replace("gateway.xml", from, to);
    EXPECT_FALSE(scenarios.load()) << "this should not load: " << to;
    return scenarios.problems();
  }
};

TEST_F(GatewayLoader, ReadsTheWholeDescription) {
  SampleScenarios scenarios;
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  const GatewayFile& gateway = catalogue->gateways.at("sample");
  EXPECT_THAT(gateway.version.arguments, ElementsAre("gw", "--version"));
  EXPECT_THAT(gateway.requires_programs, ElementsAre("gw"));
  ASSERT_EQ(gateway.files.size(), 1U);
  EXPECT_EQ(gateway.files[0].mode, 0640U);
  EXPECT_EQ(gateway.files[0].text.substr(0, 50),
            "listen = ${listen.address}:${listen.port}\n  cert =");
  EXPECT_EQ(gateway.settings[1].text, "may");
  EXPECT_TRUE(gateway.own_pid_namespace);
  EXPECT_EQ(gateway.ready.from, Source::kStderr);
  EXPECT_EQ(gateway.ready.within, std::chrono::milliseconds(500));
  EXPECT_EQ(gateway.stop_signal, "INT");
  EXPECT_FALSE(gateway.second_attempt);
  ASSERT_EQ(gateway.records.size(), 1U);
  EXPECT_EQ(gateway.records[0].file, "log/mail.log");
  EXPECT_EQ(gateway.records[0].patterns[0].event, "delivered");
  ASSERT_EQ(gateway.queue.size(), 1U);
  EXPECT_THAT(gateway.queue[0].command.arguments, ElementsAre("gw", "queue"));
}

TEST_F(GatewayLoader, RefusesPatternsThatDoNotCompile) {
  EXPECT_THAT(spoil("sent to (?P", "sent (to (?P"),
              AllOf(HasSubstr("gateway.xml:22:6: found the pattern"), HasSubstr("missing )")));
}

TEST_F(GatewayLoader, RefusesUnknownGroups) {
  EXPECT_THAT(spoil("sent to (?P&lt;recipient&gt;", "sent to (?P&lt;recipent&gt;"),
              HasSubstr("did you mean \"recipient\""));
  EXPECT_THAT(spoil("line=\"^(?P&lt;recipient&gt;", "line=\"^("),
              HasSubstr("without the group (?P<recipient>"));
}

TEST_F(GatewayLoader, RefusesUnknownVariables) {
  EXPECT_THAT(spoil("${listen.port}", "${listen.prot}"),
              AllOf(HasSubstr("found \"${listen.prot}\", allowed: ${dir} "),
                    HasSubstr("did you mean \"listen.port\"")));
  EXPECT_THAT(spoil("${certificate.gateway}", "${certificate.gatway}"),
              HasSubstr("did you mean \"certificate.gateway\""));
  EXPECT_THAT(
      spoil("${trust.root}", "${trust.bogus}"),
      HasSubstr("found \"${trust.bogus}\", allowed: ${trust.NAME} with one of the names \""));
  EXPECT_THAT(spoil("${dir}/gw.conf", "${value}"), HasSubstr("found \"${value}\""));
  EXPECT_THAT(spoil("${trust.root}", "${trust.root"), HasSubstr("without its \"}\""));
}

TEST_F(GatewayLoader, LeavesOtherDollarsAlone) {
  SampleScenarios scenarios;
  scenarios.replace("gateway.xml", "${trust.root}", "$name $${name} ${env.HOME}");
  EXPECT_TRUE(scenarios.load()) << scenarios.problems();
}

TEST_F(GatewayLoader, WantsEveryValueToldOnce) {
  EXPECT_THAT(
      spoil("<setting name=\"server-level\" is=\"attempt\">may</setting>", ""),
      HasSubstr("found no <setting> for server-level=\"attempt\" (under server-level=attempt"
                "/client-certificate=none)"));
  EXPECT_THAT(
      spoil("<setting name=\"client-level\">",
            "<setting name=\"client-level\" is=\"verify\"/><setting name=\"client-level\">"),
      HasSubstr("for client-level=\"verify\""));
  EXPECT_THAT(spoil("is=\"attempt\">may", "is=\"atempt\">may"),
              HasSubstr("did you mean \"attempt\""));
}

TEST_F(GatewayLoader, WantsNothingForWhatItCannot) {
  SampleScenarios scenarios;
  scenarios.replace("gateway.xml", "<setting name=\"server-level\" is=\"attempt\">may</setting>",
                    "<cannot when=\"server-level=attempt\" why=\"no\"/>");
  EXPECT_TRUE(scenarios.load()) << scenarios.problems();
}

TEST_F(GatewayLoader, ReadsWhatTheGatewayAloneSees) {
  SampleScenarios scenarios;
  scenarios.replace("gateway.xml", "<requires",
                    "<package name=\"gw\"/><overlay on=\"/usr\" from=\"${packages}/usr\"/>"
                    "<bind on=\"/var\" from=\"${dir}/var\"/><requires");
  const auto catalogue = scenarios.load();
  ASSERT_TRUE(catalogue) << scenarios.problems();
  const GatewayFile& gateway = catalogue->gateways.at("sample");
  EXPECT_EQ(gateway.packages.at(0).kind, "debian");
  ASSERT_EQ(gateway.mounts.size(), 2U);
  EXPECT_EQ(gateway.mounts[0].kind, Mount::Kind::kOverlay);
  EXPECT_EQ(gateway.mounts[1].on, "/var");
}

TEST_F(GatewayLoader, RefusesMountsAndPackagesThatCannotBe) {
  EXPECT_THAT(spoil("<requires", "<bind on=\"var\" from=\"${dir}/var\"/><requires"),
              HasSubstr("found \"var\", allowed: a path from / on"));
  EXPECT_THAT(spoil("<requires", "<overlay on=\"/etc\" from=\"/opt\"/><requires"),
              HasSubstr("found \"/opt\", allowed: a path below ${dir} or ${packages}"));
  EXPECT_THAT(spoil("<requires", "<package name=\"gw\" kind=\"npm\"/><requires"),
              HasSubstr("\"version\" with npm, which must have it"));
}

TEST_F(GatewayLoader, RefusesContradictions) {
  EXPECT_THAT(spoil("<ready from=\"stderr\"", "<ready banner=\"yes\" from=\"stderr\""),
              HasSubstr("neither or both of \"match\" and \"banner\""));
  EXPECT_THAT(spoil("<record from=\"file\" file=\"log/mail.log\">", "<record from=\"file\">"),
              HasSubstr("allowed: both or neither"));
  EXPECT_THAT(spoil("<setting name=\"server-level\" is=\"none\">",
                    "<file name=\"gw.conf\"/><setting name=\"server-level\" is=\"none\">"),
              HasSubstr("found the file \"gw.conf\" a second time"));
  EXPECT_THAT(spoil("<record from", "<apply signal=\"HUP\"/><record from"),
              HasSubstr("found <apply>, allowed: only where a <record> has the events"));
  EXPECT_THAT(spoil("<arg>gw</arg><arg>--version</arg>", ""),
              HasSubstr("found <version> without <arg>"));
}

TEST_F(GatewayLoader, TakesOneThatIsThereAlready) {
  const auto load = [](const std::string& inside) {
    SampleScenarios scenarios;
    scenarios.write("gateway.xml",
                    "<gateway name=\"sample\" about=\"an appliance\">\n" + inside + "\n</gateway>");
    const auto catalogue = scenarios.load();
    return catalogue ? std::string() : scenarios.problems();
  };
  const std::string at = "<remote at=\"${env.AT}\" next-hop=\"127.0.0.1:25\" ";
  EXPECT_EQ(load(at + "settings=\"server-level=none\"/>"), "");
  EXPECT_THAT(load(at + "/>"), HasSubstr("gateway.xml:2:2: found <remote> without \"settings\""));
  EXPECT_THAT(load(at + "settings=\"${dir}\"/>"),
              HasSubstr("found \"${dir}\", allowed: no variable but ${env.NAME}"));
  EXPECT_THAT(load(at + "settings=\"server-level=none\"/>\n<stop/>"),
              HasSubstr("gateway.xml:3:2: found <stop> beside <remote>"));
  EXPECT_THAT(load(at + "/><prepare><arg>set</arg><arg>${server-level}</arg></prepare>"),
              HasSubstr("found no <setting> for server-level"));
  EXPECT_THAT(
      load("<start><arg>gw</arg></start>"),
      HasSubstr("found <gateway> without <ready>, allowed: <start> and <ready>, or <remote>"));
}

}  // namespace
}  // namespace postern
