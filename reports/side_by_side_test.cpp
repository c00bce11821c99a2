#include "side_by_side.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_results.hpp"

namespace postern::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two gateways and two modes that differ in one sending setting.
class SideBySideTest : public ::testing::Test {
 protected:
  CaseResult& add(const std::string& gateway, const std::string& levels, const std::string& client,
                  const std::string& server, const std::string& inbound,
                  const std::string& outbound) {
    cases_.push_back(matrix_case(levels, client, server, inbound, outbound));
    cases_.back().gateway = gateway;
    if (outbound != "nothing") cases_.back().outbound.requirement = "OUT-1";
    return cases_.back();
  }

  SideBySide sides() const {
    SideBySide made;
    for (const CaseResult& one : cases_) made.add(one);
    return made;
  }

  std::vector<CaseResult> cases_;
};

constexpr const char* kVerify = "require none verify";
constexpr const char* kNone = "require none none";

TEST_F(SideBySideTest, ComparesDecisionsAndPutsDifferencesFirst) {
  add("one", kVerify, "starttls", "expired", "accept tls=yes", "hold code=4.7.5");
  add("one", kVerify, "plain", "good", "drop reply=530", "nothing");
  add("two", kVerify, "starttls", "expired", "accept tls=yes", "hold");
  add("two", kVerify, "plain", "good", "refuse reply=503", "nothing").verdict = Verdict::kFail;
  cases_.back().inbound.grade = "";
  const auto rows = sides().rows();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_TRUE(rows[0].differs);
  EXPECT_THAT(rows[0].peers, ElementsAre("plain"));
  EXPECT_THAT(rows[0].cells, ElementsAre("drop", "❌ refuse"));
  EXPECT_FALSE(rows[1].differs);
  EXPECT_THAT(rows[2].cells, ElementsAre("hold", "hold"));
}

TEST_F(SideBySideTest, LeavesOutWhatNothingDependsOn) {
  for (const char* levels : {kVerify, kNone})
    for (const char* gateway : {"one", "two"}) {
      const bool verify = levels == kVerify;
      add(gateway, levels, "starttls", "expired", "accept tls=yes",
          verify ? "hold" : "redirect tls=no");
      add(gateway, levels, "starttls", "wrong-host", "accept tls=yes",
          verify ? "hold" : "redirect tls=no");
    }
  // One that cannot express a mode hides nothing of the others.
  cases_.back().verdict = Verdict::kSkip;
  const auto rows = sides().rows();
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_TRUE(rows[0].settings.empty());
  EXPECT_EQ(rows[0].leg, "inbound");
  EXPECT_THAT(rows[1].settings, ElementsAre(std::make_pair("client-level", "verify")));
  EXPECT_THAT(rows[1].peers, ElementsAre("expired", "wrong-host"));
  EXPECT_THAT(rows[3].cells, ElementsAre("redirect clear", ""));
}

TEST_F(SideBySideTest, CountsWhatEachReachedAndMarksWhatIsKnown) {
  add("one", kVerify, "starttls", "good", "accept tls=yes", "redirect tls=yes").grade = "letter";
  CaseResult& known = add("two", kVerify, "starttls", "good", "accept tls=yes", "redirect tls=no");
  known.verdict = Verdict::kSkip;
  known.deviation = "goes-in-clear";
  known.outbound.grade = "";
  const SideBySide made = sides();
  EXPECT_EQ(made.reached()[0].letter, 1);
  EXPECT_EQ(made.reached()[1].deviating, 1);
  EXPECT_THAT(side_by_side_text(made), HasSubstr("| one | 0 | 1 | 0 | 0 | 0 | 0 | 0 |\n"));
  EXPECT_THAT(side_by_side_text(made), HasSubstr("| redirect tls | ⚠️ redirect clear |\n"));
}

TEST_F(SideBySideTest, SaysNothingOfOneGatewayAlone) {
  add("one", kVerify, "starttls", "good", "accept tls=yes", "redirect tls=yes");
  EXPECT_EQ(side_by_side_text(sides()), "");
}

}  // namespace
}  // namespace postern::reports
