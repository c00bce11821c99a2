#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"
#include "catalogue/selection.hpp"

// What stories can say beyond one client and one server line by line.

namespace postern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Stories loads one story, written as the inside of <story>.
class StoryLanguage : public testing::Test {
 protected:
  std::unique_ptr<Catalogue> load(const std::string& inside) {
    scenarios_.write("hello.xml", "<story ref=\"IN-1\" why=\"w\">\n" + inside + "\n</story>");
    auto catalogue = scenarios_.load();
    problems_ = scenarios_.problems();
    return catalogue;
  }
  std::string problems_of(const std::string& inside) {
    EXPECT_FALSE(load(inside)) << "this should not load: " << inside;
    return problems_;
  }
  static std::string client(const std::string& steps) {
    return "<client><hear reply=\"220\"/>" + steps + "</client>";
  }

  SampleScenarios scenarios_;
  std::string problems_;
};

TEST_F(StoryLanguage, AnAxisMakesACaseOfEachValue) {
  const auto catalogue = load(
      "<axis setting=\"server-level\" values=\"attempt require\"/>"
      "<axis name=\"version\" values=\"1.2 1.3\"/>" +
      client("<say>EHLO a</say><hear reply=\"250\"/>"
             "<say when=\"server-level=attempt\">NOOP ${version}</say>"
             "<hear reply=\"250\" when=\"server-level=attempt\"/>"));
  ASSERT_TRUE(catalogue) << problems_;
  std::vector<std::string> ids;
  for (const auto& story : catalogue->stories) ids.push_back(story->id());
  EXPECT_THAT(ids, ElementsAre("stories/hello/server-level=attempt/version=1.2",
                               "stories/hello/server-level=attempt/version=1.3",
                               "stories/hello/server-level=require/version=1.2",
                               "stories/hello/server-level=require/version=1.3"));
  EXPECT_EQ(*catalogue->stories[2]->settings.get("server-level"), "require");
  EXPECT_EQ(catalogue->stories[2]->scripts[0].steps.size(), 3U);
  EXPECT_EQ(catalogue->stories[1]->scripts[0].steps[3].bytes, "NOOP 1.3\r\n");
  EXPECT_EQ(select(*catalogue, {{"hello/server-level=require"}, {}}).chosen, 2U);
}

TEST_F(StoryLanguage, CombinationsCanBeLeftOut) {
  const auto catalogue = load(
      "<axis setting=\"server-level\" values=\"attempt require\"/>"
      "<axis setting=\"client-certificate\" values=\"none require\"/>"
      "<except when=\"server-level=attempt client-certificate=require\"/>" +
      client(""));
  ASSERT_TRUE(catalogue) << problems_;
  EXPECT_EQ(catalogue->stories.size(), 3U);
  EXPECT_THAT(problems_of("<axis name=\"a\" values=\"x y\"/><except when=\"a=z\"/>" + client("")),
              HasSubstr("found the value \"z\""));
}

TEST_F(StoryLanguage, RefusesAxesThatCannotBe) {
  EXPECT_THAT(problems_of("<axis setting=\"server-level\" values=\"atempt\"/>" + client("")),
              HasSubstr("did you mean \"attempt\""));
  EXPECT_THAT(problems_of("<axis name=\"token\" values=\"a\"/>" + client("")),
              HasSubstr("a name that is not taken"));
  EXPECT_THAT(problems_of("<axis values=\"a\"/>" + client("")), HasSubstr("neither or both"));
  EXPECT_THAT(problems_of("<axis setting=\"server-level\" values=\"attempt\"/>"
                          "<gateway server-level=\"none\"/>" +
                          client("")),
              HasSubstr("in <gateway> and as an <axis>"));
  EXPECT_THAT(problems_of("<axis name=\"a\" values=\"x\"/>" + client("<say when=\"b=x\">A</say>")),
              HasSubstr("found the key \"b\""));
}

TEST_F(StoryLanguage, EachVariantHasOneExpectation) {
  const std::string axis = "<axis setting=\"server-level\" values=\"attempt require\"/>";
  const std::string deliver = client("<say>EHLO a</say><hear reply=\"250\"/><deliver/>");
  EXPECT_THAT(
      problems_of(axis + deliver + "<expect inbound=\"accept\" when=\"server-level=attempt\"/>"),
      HasSubstr("found no <expect> with \"inbound\" for server-level=require"));
  EXPECT_THAT(problems_of(axis + deliver +
                          "<expect inbound=\"accept\"/>"
                          "<expect inbound=\"drop\" when=\"server-level=require\"/>"),
              HasSubstr("found a second <expect> with \"inbound\" for server-level=require"));
}

TEST_F(StoryLanguage, APrefixIsPutIn) {
  scenarios_.write("prefixes.xml",
                   "<prefixes><client name=\"greeted\"><hear reply=\"220\"/><say>EHLO a</say>"
                   "<hear reply=\"250\"/></client></prefixes>");
  const auto catalogue =
      load("<client><use prefix=\"greeted\"/><say>QUIT</say><hear reply=\"221\"/><end/></client>");
  ASSERT_TRUE(catalogue) << problems_;
  EXPECT_EQ(catalogue->stories[0]->scripts[0].steps.size(), 6U);
  EXPECT_THAT(problems_of("<client><use prefix=\"greted\"/></client>"),
              HasSubstr("did you mean \"greeted\""));
  EXPECT_THAT(problems_of("<client peer=\"good-cert\"/><server><use prefix=\"greeted\"/></server>"),
              HasSubstr("allowed: none"));
}

TEST_F(StoryLanguage, MeetingsNeedTwoWhoComeInOneOrder) {
  EXPECT_THAT(problems_of(client("<meet at=\"dawn\"/>")),
              HasSubstr("found the meeting \"dawn\" in one script only"));
  EXPECT_TRUE(load(client("<meet at=\"dawn\"/>") + client("<meet at=\"dawn\"/>"))) << problems_;
}

TEST_F(StoryLanguage, ScriptsThatWaitForEachOtherAreToldWithTheirPlaces) {
  EXPECT_THAT(
      problems_of(client("<meet at=\"dawn\"/><meet at=\"dusk\"/>") + "\n" +
                  client("<meet at=\"dusk\"/><meet at=\"dawn\"/>")),
      HasSubstr("hello.xml:2:29: found <meet at=\"dawn\">, which can never be over; with it "
                "wait <meet at=\"dusk\"> at"));
  EXPECT_THAT(problems_of(client("<meet at=\"x\"/><meet at=\"y\"/>") +
                          client("<meet at=\"y\"/><meet at=\"z\"/>") +
                          client("<meet at=\"z\"/><meet at=\"x\"/>")),
              HasSubstr("can never be over"));
  EXPECT_TRUE(load(client("<meet at=\"x\"/><meet at=\"y\"/>") +
                   client("<meet at=\"y\"/><meet at=\"z\"/>") +
                   client("<meet at=\"x\"/><meet at=\"z\"/>")))
      << problems_;
  EXPECT_THAT(problems_of(client("<meet at=\"x\"/><meet at=\"x\"/>") + client("<meet at=\"x\"/>")),
              HasSubstr("found the meeting \"x\" a second time in one script"));
  EXPECT_THAT(problems_of(client("<say>STARTTLS</say><hear reply=\"220\"/><starttls may=\"fail\"/>"
                                 "<meet at=\"x\"/>") +
                          client("<meet at=\"x\"/>")),
              HasSubstr("found <meet> behind a step that may end the script"));
}

TEST_F(StoryLanguage, WhatIsAwaitedCanComeFirst) {
  const std::string greeted = "<say>EHLO a</say><hear reply=\"250\"/>";
  const std::string told = "<await event=\"delivered\"/>";
  const std::string server = "<say>220 a</say><hear command=\"EHLO\"/><say>250 a</say>";
  EXPECT_THAT(problems_of(client(greeted + told + "<deliver/>")),
              HasSubstr("found <await event=\"delivered\">, which can never be over, allowed"));
  EXPECT_TRUE(load(client(greeted + "<deliver/>" + told))) << problems_;
  EXPECT_THAT(problems_of(client(greeted + "<deliver/><await event=\"accepted\" count=\"2\"/>")),
              HasSubstr("found <await event=\"accepted\">, which can never be over"));
  EXPECT_THAT(problems_of(client(greeted + "<deliver/>" + told + "<meet at=\"a\"/>") + "<server>" +
                          server + "<meet at=\"a\"/><deliver/></server>"),
              HasSubstr("with it wait <meet at=\"a\"> at"));
  EXPECT_TRUE(load(client(greeted + "<deliver/>" + told + "<meet at=\"a\"/>") + "<server>" +
                   server + "<deliver/><meet at=\"a\"/></server>"))
      << problems_;
  // No gateway connects before it has a message.
  EXPECT_THAT(problems_of(client(greeted + "<meet at=\"a\"/><deliver/>") + "\n<server>" + server +
                          "<meet at=\"a\"/><deliver/></server>"),
              HasSubstr("with it wait the <server> at "));
}

TEST_F(StoryLanguage, AMessageSaidByHandCanBeAwaited) {
  const std::string by_hand =
      "<say>EHLO a</say><hear reply=\"250\"/><say>MAIL FROM:&lt;${sender}&gt;</say>"
      "<hear reply=\"250\"/><say>RCPT TO:&lt;${recipient}&gt;</say><hear reply=\"250\"/>"
      "<say>DATA</say><hear reply=\"354\"/><say>.</say><hear reply=\"250\"/>";
  EXPECT_TRUE(load(client(by_hand + "<await event=\"delivered\" count=\"2\"/>") +
                   "<server><say>220 a</say><hear command=\"EHLO\"/><say>250 a</say><deliver/>"
                   "</server>"))
      << problems_;
  EXPECT_THAT(problems_of(client("<await event=\"deferred\"/>" + by_hand)),
              HasSubstr("can never be over"));
}

TEST_F(StoryLanguage, CapturesAreMadeBeforeTheyAreUsed) {
  const std::string noop = "<say>NOOP ${id}</say><hear reply=\"250\"/>";
  EXPECT_THAT(problems_of(client(noop)), HasSubstr("found \"${id}\", allowed: "));
  EXPECT_TRUE(
      load(client("<say>EHLO a</say><hear reply=\"250\" capture=\"(\\S+)\" as=\"id\"/>" + noop)))
      << problems_;
  EXPECT_THAT(problems_of(client("<starttls resume=\"made-up\" early=\"NOOP ${id}\"/>")),
              HasSubstr("found \"${id}\", allowed: "));
  const std::string keep = "<say>A</say><hear reply=\"250\" capture=\"(OK)\" as=\"id\"/>";
  EXPECT_THAT(problems_of(client("<say>NOOP ${id}</say><hear reply=\"250\" capture=\"(OK|Ok)\" "
                                 "as=\"id\"/>")),
              HasSubstr("hello.xml:2:29: found \"${id}\" where nothing need have set it yet"));
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"250\" contains=\"${id}\" "
                                 "capture=\"(OK)\" as=\"id\"/>")),
              HasSubstr("where nothing need have set it yet"));
  EXPECT_THAT(problems_of(client(keep) + client(noop)), HasSubstr("behind a <meet>"));
  EXPECT_THAT(problems_of(client(keep + "<meet at=\"a\"/>") + client(noop + "<meet at=\"a\"/>")),
              HasSubstr("behind a <meet>"));
  EXPECT_TRUE(load(client(keep + "<meet at=\"a\"/>") + client("<meet at=\"a\"/>" + noop)))
      << problems_;
  // The first connection of a server comes behind a message.
  EXPECT_TRUE(load(client(keep + "<deliver/>") + "<server><say>220 ${id}</say></server>"))
      << problems_;
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"250\" capture=\"(O)\" as=\"token\"/>")),
              HasSubstr("found as=\"token\", allowed: a name that is not taken"));
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"250\" capture=\"x\" as=\"id\"/>")),
              HasSubstr("a regular expression with one group"));
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"250\" as=\"id\"/>")),
              HasSubstr("found one of \"capture\" and \"as\""));
}

TEST_F(StoryLanguage, ChecksInTheEndKnowTheNamesTheyUse) {
  const std::string plain = "<client peer=\"good-cert\"/>";
  EXPECT_THAT(problems_of(plain + "<delivered contains=\"${nix}\"/>"),
              HasSubstr("found \"${nix}\", allowed: \"${recipient}\""));
  EXPECT_THAT(problems_of(plain + "<bounce lacks=\"${tokn}\"/>"),
              HasSubstr("did you mean \"token\""));
  EXPECT_THAT(problems_of(plain + "<record event=\"delivered\" contains=\"${nix}\"/>"),
              HasSubstr("found \"${nix}\""));
  EXPECT_TRUE(load(client("<say>A</say><hear reply=\"250\" capture=\"(O)\" as=\"id\"/>") +
                   "<delivered contains=\"${id} ${token}\"/><record event=\"delivered\" "
                   "contains=\"${recipient}\"/>"))
      << problems_;
}

TEST_F(StoryLanguage, FindsBothSidesWaiting) {
  EXPECT_THAT(problems_of(client("<hear reply=\"250\"/>")),
              HasSubstr("found <hear> where every command has its reply"));
  EXPECT_THAT(problems_of("<client peer=\"good-cert\"/><server><hear command=\"EHLO\"/></server>"),
              HasSubstr("found <hear> on a connection where nothing was said"));
  EXPECT_THAT(problems_of("<client peer=\"good-cert\"/><server><say>220 a</say>"
                          "<hear command=\"EHLO\"/><hear command=\"MAIL\"/></server>"),
              HasSubstr("found <hear> where EHLO has no reply yet"));
}

TEST_F(StoryLanguage, SilenceIsProvedByWhatFollows) {
  EXPECT_THAT(problems_of(client("<silence/>")), HasSubstr("found <silence> that nothing follows"));
  EXPECT_THAT(problems_of(client("<say>NOOP</say><silence/><hear reply=\"250\"/>")),
              HasSubstr("found <silence> where a reply is due"));
  EXPECT_TRUE(load(client("<silence/><say>QUIT</say><hear reply=\"221\"/>"))) << problems_;
}

TEST_F(StoryLanguage, RefusesWhatTheStepsContradict) {
  EXPECT_THAT(problems_of(client("<say>QUIT</say>") + "<expect inbound=\"accept\"/>"),
              HasSubstr("which the steps contradict, allowed: only where a client hands in"));
  EXPECT_THAT(problems_of("<client peer=\"good-cert\"/><server><say>421 a</say></server>"
                          "<expect outbound=\"redirect\"/>"),
              HasSubstr("only where a server takes a message"));
  const std::string drop = "<expect inbound=\"drop reply=530\"/>";
  const std::string refused = "<say>MAIL FROM:&lt;a@b.test&gt;</say><hear reply=\"530\"";
  EXPECT_THAT(problems_of(client(refused + "/>") + drop),
              HasSubstr("found inbound=\"drop reply=530\", which no step waits for, allowed: only "
                        "where a client has an <end>"));
  EXPECT_TRUE(load(client(refused + "/><end/>") + drop)) << problems_;
  EXPECT_TRUE(load(client(refused + " or=\"end\"/>") + drop)) << problems_;
}

TEST_F(StoryLanguage, ServersAreRoutesInTheirOrder) {
  const auto catalogue = load(
      "<client peer=\"good-cert\"/>"
      "<server peer=\"good\" host=\"a.test\" address=\"::1\"/><server><nobody/></server>");
  ASSERT_TRUE(catalogue) << problems_;
  const std::vector<Script>& scripts = catalogue->stories[0]->scripts;
  ASSERT_EQ(scripts.size(), 3U);
  EXPECT_EQ(scripts[1].host, "a.test");
  EXPECT_EQ(scripts[2].steps[0].kind, StepKind::kNobody);
  EXPECT_THAT(
      problems_of("<client peer=\"good-cert\"/><server peer=\"good\" address=\"10.0.0.1\"/>"),
      HasSubstr("allowed: a loopback address"));
  EXPECT_THAT(problems_of("<server peer=\"good\"/>"), HasSubstr("found <story> without <client>"));
}

TEST_F(StoryLanguage, ReadsWhatIsCheckedInTheEnd) {
  const auto catalogue = load(
      "<client peer=\"good-cert\"/>"
      "<delivered messages=\"2\" contains=\"Subject:\" lacks=\"X-Bad:\"/>"
      "<bounce contains=\"Status: 5\"/>"
      "<record event=\"deferred\" count=\"0\"/><memory most=\"64M\"/>");
  ASSERT_TRUE(catalogue) << problems_;
  const Story& story = *catalogue->stories[0];
  EXPECT_EQ(story.checks.messages, 2);
  ASSERT_EQ(story.checks.texts.size(), 2U);
  EXPECT_TRUE(story.checks.texts[1].bounce);
  EXPECT_EQ(story.checks.record[0].count, 0);
  EXPECT_EQ(story.checks.memory, 64U * 1024 * 1024);
  EXPECT_TRUE(story.alone);
  EXPECT_FALSE(story.sender);
  const auto strict =
      load("<client peer=\"good-cert\"/><expect next-hop=\"tls\" sender=\"nothing\"/>");
  ASSERT_TRUE(strict) << problems_;
  ASSERT_TRUE(strict->stories[0]->sender);
  EXPECT_THAT(*strict->stories[0]->sender, IsEmpty());
  EXPECT_THAT(problems_of("<client peer=\"good-cert\"/><memory most=\"64MB\"/>"),
              HasSubstr("found most=\"64MB\", allowed: a number of octets"));
}

TEST_F(StoryLanguage, SaysAFileOrADribble) {
  scenarios_.write("bytes.bin", "abc");
  const auto catalogue = load(client("<say file=\"bytes.bin\" dribble=\"1\"/>"));
  ASSERT_TRUE(catalogue) << problems_;
  EXPECT_EQ(catalogue->stories[0]->scripts[0].steps[1].bytes, "abc");
  EXPECT_EQ(catalogue->stories[0]->scripts[0].steps[1].dribble, 1U);
  EXPECT_THAT(problems_of(client("<say file=\"nothing.bin\"/>")), HasSubstr("a readable file"));
  EXPECT_THAT(problems_of(client("<say split=\"1\" dribble=\"1\">QUIT</say>")),
              HasSubstr("both \"split\" and \"dribble\""));
}

TEST_F(StoryLanguage, NothingFollowsAHandshakeThatMustFail) {
  const std::string failed = "<say>STARTTLS</say><hear reply=\"220\"/><starttls must=\"fail\"/>";
  EXPECT_THAT(problems_of(client(failed + "<say>NOOP</say>")),
              HasSubstr("found <say> after <starttls must=\"fail\">, allowed: <connect> first"));
  EXPECT_THAT(problems_of(client(failed + "<close/><hear reply=\"250\"/>")),
              HasSubstr("found <hear> after <starttls must=\"fail\">"));
  EXPECT_THAT(problems_of(client(failed + "<deliver/>")), HasSubstr("found <deliver> after"));
  EXPECT_TRUE(load(client(failed + "<end/><connect/><hear reply=\"220\"/>"))) << problems_;
  EXPECT_TRUE(load(client(failed + "<hear-alert alert=\"fatal\"/><reset/>"))) << problems_;
}

TEST_F(StoryLanguage, AConditionKnowsTheValuesOfItsAxis) {
  EXPECT_THAT(
      problems_of("<axis name=\"a\" values=\"x y\"/>" + client("<say when=\"a=z\">A</say>")),
      HasSubstr("found the value \"z\" of \"a\", allowed: \"x\" or \"y\""));
  EXPECT_THAT(problems_of("<axis setting=\"server-level\" values=\"none attempt\"/>" +
                          client("<say when=\"server-level=require\">A</say>")),
              HasSubstr("found the value \"require\" of \"server-level\""));
}

TEST_F(StoryLanguage, RefusesOutcomesThatTheStepsContradict) {
  const std::string takes =
      "<client peer=\"good-cert\"/><server><say>220 a</say><hear command=\"EHLO\"/>"
      "<say>250 a</say><deliver/></server>";
  EXPECT_THAT(
      problems_of(takes + "<expect outbound=\"hold\"/>"),
      HasSubstr("found outbound=\"hold\", which the steps contradict, allowed: only where no "
                "server takes a message"));
  EXPECT_TRUE(load(takes + "<expect outbound=\"hold | redirect\"/>")) << problems_;
  EXPECT_THAT(problems_of(takes + "<expect outbound=\"redirect connection=2\"/>"),
              HasSubstr("found connection=2, allowed: 1 at most"));
  EXPECT_THAT(problems_of(client("<connect/><hear reply=\"220\"/>") +
                          "<expect inbound=\"drop connection=3\"/>"),
              HasSubstr("found connection=3, allowed: 2 at most"));
  EXPECT_THAT(problems_of(takes + "<expect next-hop=\"tls\"/>"),
              HasSubstr("found next-hop=\"tls\", which no server here can be reached by"));
}

TEST_F(StoryLanguage, RefusesWhatNoReplyCanBe) {
  const auto hear = [](const std::string& what) {
    return client("<say>EHLO a</say><hear " + what + "/>");
  };
  EXPECT_THAT(problems_of(hear("reply=\"250\" offers=\"SIZE DSN\" lacks=\"DSN\"")),
              HasSubstr("found \"DSN\" in \"offers\" and in \"lacks\""));
  EXPECT_THAT(problems_of(hear("reply=\"250\" enhanced=\"5.1.1\"")),
              HasSubstr("found enhanced=\"5.1.1\" beside reply=\"250\""));
  EXPECT_TRUE(load(hear("reply=\"421|5yz\" enhanced=\"5.1.1\""))) << problems_;
  EXPECT_THAT(problems_of(client("<say dribble=\"0\">A</say><hear reply=\"250\"/>")),
              HasSubstr("found dribble=\"0\""));
  EXPECT_THAT(problems_of("<client peer=\"good-cert\"/><server><say>220 a</say><hear "
                          "command=\"EHLO\" contains=\"abc\" without=\"b\"/></server>"),
              HasSubstr("found without=\"b\" beside contains=\"abc\""));
  EXPECT_THAT(problems_of("<client peer=\"good-cert\"/><delivered contains=\"abc\"/>"
                          "<delivered lacks=\"b\"/>"),
              HasSubstr("found lacks=\"b\" beside contains=\"abc\""));
}

TEST_F(StoryLanguage, AlertsComeOfTls) {
  EXPECT_THAT(problems_of(client("<say>EHLO a</say><hear-alert alert=\"fatal\"/>")),
              HasSubstr("found <hear-alert> where the gateway speaks no TLS"));
  EXPECT_TRUE(load(client("<say raw=\"\\x16\\x03\"/><hear-alert alert=\"fatal\"/>"))) << problems_;
  EXPECT_TRUE(
      load(client("<say>STARTTLS</say><hear reply=\"220\"/><say>NOOP</say>"
                  "<hear-alert alert=\"fatal\"/>")))
      << problems_;
}

TEST_F(StoryLanguage, AReplyIsNeverAnything) {
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"2yz|3yz|4yz|5yz\"/>")),
              HasSubstr("which admits any success and any failure"));
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"5yz|2yz\"/>")),
              HasSubstr("which admits any success and any failure"));
  EXPECT_TRUE(load(client("<say>A</say><hear reply=\"250|252|5yz\"/>"))) << problems_;
  EXPECT_TRUE(load(client("<say>A</say><hear reply=\"4yz|5yz\"/>"))) << problems_;
}

TEST_F(StoryLanguage, EveryReplyIsHeard) {
  const std::string two = "<say raw=\"NOOP\\r\\nNOOP\\r\\n\"/><hear reply=\"250\"/>";
  EXPECT_THAT(
      problems_of(client(two)),
      HasSubstr("found a reply to what is said that nobody hears, allowed: a <hear> for each "
                "before the end of the script"));
  EXPECT_THAT(problems_of(client(two + "<connect/><hear reply=\"220\"/>")),
              HasSubstr("before the next connection"));
  EXPECT_TRUE(load(client(two + "<hear reply=\"250\"/>"))) << problems_;
  for (const char* ending : {"<close/>", "<reset/>", "<end/>"})
    EXPECT_TRUE(load(client(two + ending))) << problems_;
  // What may be data, or is no line, has no count.
  EXPECT_TRUE(
      load(client("<say>DATA</say><hear reply=\"354\"/><say>a</say><say>.</say>"
                  "<hear reply=\"250\"/>")))
      << problems_;
  EXPECT_TRUE(load(client("<say raw=\"NO\"/>"))) << problems_;
  EXPECT_TRUE(load(client("<say raw=\"QUIT\\r\\nNOOP\\r\\n\"/><hear reply=\"221\"/>")))
      << problems_;
}

}  // namespace
}  // namespace postern
