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
  EXPECT_THAT(problems_of(client("<meet at=\"dawn\"/><meet at=\"dusk\"/>") +
                          client("<meet at=\"dusk\"/><meet at=\"dawn\"/>")),
              HasSubstr("allowed: one order; both would wait"));
  EXPECT_TRUE(load(client("<meet at=\"dawn\"/>") + client("<meet at=\"dawn\"/>"))) << problems_;
}

TEST_F(StoryLanguage, CapturesAreMadeBeforeTheyAreUsed) {
  const std::string noop = "<say>NOOP ${id}</say><hear reply=\"250\"/>";
  EXPECT_THAT(problems_of(client(noop)), HasSubstr("found \"${id}\", allowed: "));
  EXPECT_TRUE(
      load(client("<say>EHLO a</say><hear reply=\"250\" capture=\"(\\S+)\" as=\"id\"/>" + noop)))
      << problems_;
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"250\" capture=\"x\" as=\"id\"/>")),
              HasSubstr("a regular expression with one group"));
  EXPECT_THAT(problems_of(client("<say>A</say><hear reply=\"250\" as=\"id\"/>")),
              HasSubstr("found one of \"capture\" and \"as\""));
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

}  // namespace
}  // namespace postern
