#include "catalogue/gaps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"
#include "catalogue/skeleton.hpp"

namespace postern {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class GapsTest : public testing::Test {
 protected:
  std::vector<std::string> gaps(const std::vector<std::string>& certificates = {}) {
    catalogue_ = scenarios_.load();
    EXPECT_TRUE(catalogue_) << scenarios_.problems();
    std::vector<std::string> ids;
    if (catalogue_)
      for (const Gap& gap : find_gaps(*catalogue_, certificates)) ids.push_back(gap.id);
    return ids;
  }

  SampleScenarios scenarios_;
  std::unique_ptr<Catalogue> catalogue_;
};

TEST_F(GapsTest, ARequirementThatNothingCites) {
  EXPECT_THAT(gaps(), Not(Contains("requirement/IN-1")));
  scenarios_.replace("requirements.xml", "</requirements>",
                     "<requirement id=\"NEW-1\" source=\"x\" level=\"MUST\">x</requirement>"
                     "</requirements>");
  EXPECT_THAT(gaps(), Contains("requirement/NEW-1"));
}

TEST_F(GapsTest, SettingsWithoutACase) {
  const auto found = gaps();
  EXPECT_THAT(found,
              Contains("settings/server-level=none/client-certificate=none/client-level=none"));
  EXPECT_THAT(
      found,
      Not(Contains("settings/server-level=require/client-certificate=none/client-level=verify")));
}

TEST_F(GapsTest, ACertificateThatNobodyShows) {
  const auto found = gaps({"gateway", "server-good", "server-odd"});
  EXPECT_THAT(found, Contains("certificate/server-odd"));
  EXPECT_THAT(found, Not(Contains("certificate/server-good")));
  EXPECT_THAT(found, Not(Contains("certificate/gateway")));
}

TEST_F(GapsTest, AFaultThatNoPeerHas) {
  EXPECT_THAT(gaps(), Contains("fault/server/mail/reset"));
  scenarios_.replace("peers.xml", "certificate=\"server-expired\"/>",
                     "certificate=\"server-expired\"><deviate at=\"mail\" do=\"reset\"/></peer>");
  EXPECT_THAT(gaps(), Not(Contains("fault/server/mail/reset")));
}

TEST_F(GapsTest, AFaultThatIsPlayedUnderSomeLevelsOnly) {
  scenarios_.replace("peers.xml", "certificate=\"server-expired\"/>",
                     "certificate=\"server-expired\"><deviate at=\"ehlo\" do=\"stall\"/></peer>");
  const auto found = gaps();
  EXPECT_THAT(found, Not(Contains("fault/server/ehlo/stall")));
  EXPECT_THAT(found, Not(Contains("fault/server/ehlo/stall/attempt")));
  EXPECT_THAT(found, Contains("fault/server/ehlo/stall/none"));
  EXPECT_THAT(found, Contains("fault/server/ehlo/stall/require"));
  EXPECT_THAT(found, Contains("fault/server/client-hello/truncate"));
  EXPECT_THAT(found, Not(Contains("fault/server/certificate/truncate")));
}

TEST_F(GapsTest, AHandshakeOfAStoryCoversItsFaults) {
  EXPECT_THAT(gaps(), Contains("fault/client/client-hello/reset"));
  scenarios_.replace(
      "hello.xml", "<starttls may=\"fail\" trust=\"root\" asked=\"no\"/>",
      "<starttls may=\"fail\"><deviate at=\"client-hello\" do=\"reset\"/></starttls>");
  const auto found = gaps();
  EXPECT_THAT(found, Not(Contains("fault/client/client-hello/reset")));
  EXPECT_THAT(found, Not(Contains("fault/client/client-hello/reset/attempt")));
  // There is no handshake without TLS.
  EXPECT_THAT(found, Not(Contains("fault/client/client-hello/reset/none")));
  EXPECT_THAT(found, Contains("fault/client/client-hello/reset/require"));
}

TEST_F(GapsTest, APeerOnNoAxisCoversNothing) {
  scenarios_.replace("peers.xml", "</peers>",
                     "<peer role=\"server\" name=\"idle\" like=\"good\"><deviate at=\"mail\" "
                     "do=\"reset\"/></peer></peers>");
  EXPECT_THAT(gaps(), Contains("fault/server/mail/reset"));
}

TEST_F(GapsTest, AStoryCoversWhatItsPeersDo) {
  EXPECT_THAT(gaps(), Contains("fault/server/quit/reset"));
  scenarios_.write("stories/sending/a.xml", R"xml(<story ref="OUT-1" why="w">
  <gateway client-level="attempt"/>
  <client peer="plain"/>
  <server>
    <say>220 server.postern.test ESMTP</say>
    <hear command="EHLO"/>
    <say>250 server.postern.test</say>
    <deliver/>
    <hear command="QUIT"/>
    <reset/>
  </server>
</story>)xml");
  const auto found = gaps();
  EXPECT_THAT(found, Not(Contains("fault/server/quit/reset")));
  EXPECT_THAT(found, Contains("fault/server/ehlo/say"));
  EXPECT_THAT(found, Contains("story/sending/tls-1.3"));
  EXPECT_THAT(found, Not(Contains("story/sending/clear")));
}

TEST_F(GapsTest, AFaultThatNothingCaught) {
  std::vector<std::string> ids;
  for (const Gap& gap : uncaught_faults("# Faulty gateways\n\n| fault | what it is | cells of "
                                        "matrices | stories |\n|---|---|---|---|\n"
                                        "| `a` | caught by cells | 3 |  |\n"
                                        "| `b` | caught by a story | 0 | one two |\n"
                                        "| `c` | a \\| b | 0 |  |\n"))
    ids.push_back(gap.id);
  EXPECT_THAT(ids, ElementsAre("uncaught/c"));
  EXPECT_THAT(uncaught_faults(""), IsEmpty());
}

TEST_F(GapsTest, AStoryCoversWhatItsClientDoesInTurn) {
  // After the reply to EHLO a client may be on its way to STARTTLS or to MAIL.
  for (const std::string point : {"starttls", "mail", "rcpt", "body"}) {
    EXPECT_THAT(gaps(), Contains("fault/client/" + point + "/reset"));
    scenarios_.write("stories/a.xml", fault_story_text("IN-1", "w", point, "reset"));
    EXPECT_THAT(gaps(), Not(Contains("fault/client/" + point + "/reset"))) << point;
    scenarios_.write("stories/a.xml", fault_story_text("IN-1", "w", "quit", "close"));
  }
  EXPECT_THAT(gaps(), Not(Contains("fault/client/quit/close")));
  scenarios_.write("stories/a.xml", fault_story_text("IN-1", "w", "rcpt", "say"));
  EXPECT_THAT(gaps(), Not(Contains("fault/client/rcpt/say")));
}

/// What is begun has to load as it is, among all the other scenarios.
class SkeletonTest : public testing::Test {
 protected:
  SampleScenarios scenarios_{POSTERN_SOURCE_DIR "/scenarios"};
};

TEST_F(SkeletonTest, StoriesLoad) {
  for (const Role side : {Role::kClient, Role::kServer})
    for (const bool tls : {false, true})
      for (const TlsVersion version : {TlsVersion::k12, TlsVersion::k13}) {
        StorySkeleton story{"IN-3", "\"<&> why", side, tls, version};
        scenarios_.write("stories/starttls/brand-new.xml", story_text(story));
        const auto catalogue = scenarios_.load();
        ASSERT_TRUE(catalogue) << scenarios_.problems();
        EXPECT_EQ(folder_for(*catalogue, "SMTP-1", Role::kClient), "data");
        EXPECT_EQ(folder_for(*catalogue, "LEAK-1", Role::kServer), "sending");
      }
}

TEST_F(SkeletonTest, StoriesOfAFaultLoad) {
  for (const char* act : {"say", "close", "reset"})
    for (const char* point : {"ehlo", "starttls", "after-tls", "mail", "rcpt", "data", "quit"}) {
      scenarios_.write("stories/data/brand-new.xml", fault_story_text("SMTP-3", "w", point, act));
      EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
    }
  for (const char* point : {"body", "dot"}) {
    scenarios_.write("stories/data/brand-new.xml", fault_story_text("SMTP-3", "w", point, "reset"));
    EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
    EXPECT_EQ(fault_story_text("SMTP-3", "w", point, "say"), "");
  }
  scenarios_.write("stories/data/brand-new.xml",
                   fault_story_text("SMTP-3", "w", "client-hello", "reset"));
  EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
  EXPECT_EQ(fault_story_text("SMTP-3", "w", "certificate", "reset"), "");
}

TEST_F(SkeletonTest, StoriesOfSettingsAndOfFaultyGatewaysLoad) {
  scenarios_.write(
      "stories/settings/brand-new.xml",
      settings_story_text("SET-1", "w", {"server-level=require", "client-level=none"}));
  EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
  StorySkeleton story{"IN-3", "w"};
  story.note = "odd: a -- b --- c -";
  scenarios_.write("stories/settings/brand-new.xml", story_text(story));
  EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
}

TEST_F(SkeletonTest, AMatrixOfOneLevelLoads) {
  for (const Role role : {Role::kClient, Role::kServer})
    for (const char* level : {"none", "attempt", "require", "verify"}) {
      if (role == Role::kClient && level == std::string_view("verify")) continue;
      PeerSkeleton peer;
      peer.role = role;
      peer.name = "brand-new";
      peer.point = "client-hello";
      peer.act = "alert";
      peer.level = level;
      scenarios_.write("peers/brand-new.xml", peer_text(peer));
      scenarios_.write("matrices/brand-new.xml", matrix_text(peer));
      EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
      peer.hold = false;
      scenarios_.write("matrices/brand-new.xml", matrix_text(peer));
      EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
    }
}

TEST_F(SkeletonTest, PeersAndTheirMatricesLoad) {
  for (const Role role : {Role::kClient, Role::kServer})
    for (const char* act : {"say", "close", "reset", ""}) {
      PeerSkeleton peer;
      peer.role = role;
      peer.name = "brand-new";
      peer.act = act;
      peer.point = peer.act.empty() ? "" : "mail";
      if (peer.act.empty())
        peer.certificate = role == Role::kClient ? "client-good" : "server-good";
      scenarios_.write("peers/brand-new.xml", peer_text(peer));
      scenarios_.write("matrices/brand-new.xml", matrix_text(peer));
      EXPECT_TRUE(scenarios_.load()) << scenarios_.problems();
    }
}

}  // namespace
}  // namespace postern
