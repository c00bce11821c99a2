#include "run/weigh_departures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern {
namespace {

using reports::CaseResult;
using reports::Verdict;
using ::testing::HasSubstr;

/// One known deviation of cases with an expired next hop, and a case it speaks of.
class WeighDepartures : public ::testing::Test {
 protected:
  WeighDepartures() {
    Departure departure;
    departure.name = "takes-expired";
    std::string error;
    departure.cases = Condition::parse("server=expired", error);
    departure.seen = {"got redirect tls=yes", "leak:"};
    departure.until = "2027-06-30";
    departure.why = "It checks\n      no dates.\n";
    departure.place = {"gw.deviations.xml", 3, 3};
    known_.all.push_back(departure);
    cell_.client = "starttls";
    cell_.server = "expired";
  }

  CaseResult weighed(Verdict verdict, std::vector<std::string> lines,
                     const std::string& day = "2026-11-26", bool control = false) {
    CaseResult result;
    result.verdict = verdict;
    if (!lines.empty()) result.reason = lines.front();
    if (!lines.empty()) result.details.assign(lines.begin() + 1, lines.end());
    weigh_departures(known_, day, {&cell_, nullptr, nullptr, control}, result);
    return result;
  }

  Departures known_;
  MatrixCase cell_;
};

constexpr const char* kSeen = "outbound: expected hold, got redirect tls=yes";

TEST_F(WeighDepartures, SkipsWhatHappenedJustAsDescribed) {
  const CaseResult result = weighed(Verdict::kFail, {kSeen, "leak: seen inside TLS"});
  EXPECT_EQ(result.verdict, Verdict::kSkip);
  EXPECT_EQ(result.deviation, "takes-expired");
  EXPECT_EQ(result.reason, "known deviation takes-expired: It checks no dates.");
  EXPECT_THAT(result.details, ::testing::ElementsAre(kSeen, "leak: seen inside TLS"));
}

TEST_F(WeighDepartures, FailsWhatHappenedOtherwise) {
  const CaseResult result = weighed(Verdict::kFail, {kSeen, "the gateway delivered it twice"});
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.reason, kSeen);
  EXPECT_THAT(result.details.back(), HasSubstr("not what the deviation takes-expired"));
}

TEST_F(WeighDepartures, FailsWhatHappenedNoMore) {
  EXPECT_THAT(weighed(Verdict::kPass, {}).reason,
              HasSubstr("takes-expired (gw.deviations.xml:3:3) did not happen"));
  EXPECT_EQ(weighed(Verdict::kPass, {}).verdict, Verdict::kFail);
  EXPECT_EQ(weighed(Verdict::kPass, {}, "2026-11-26", true).verdict, Verdict::kPass);
}

TEST_F(WeighDepartures, FailsWhatHasExpired) {
  EXPECT_EQ(weighed(Verdict::kFail, {kSeen}, "2027-06-30").verdict, Verdict::kSkip);
  const CaseResult late = weighed(Verdict::kFail, {kSeen}, "2027-07-01");
  EXPECT_EQ(late.verdict, Verdict::kFail);
  EXPECT_THAT(late.reason, HasSubstr("has counted until 2027-06-30"));
  EXPECT_THAT(late.details, ::testing::ElementsAre(kSeen));
}

TEST_F(WeighDepartures, MaySpeakOfWhatWasObservedAlone) {
  known_.all.front().observed = {"redirect"};
  const auto after = [this](const char* outbound, Verdict verdict, std::vector<std::string> lines) {
    CaseResult result;
    result.outbound.observed.word = outbound;
    result.verdict = verdict;
    if (!lines.empty()) result.reason = lines.front();
    weigh_departures(known_, "2026-11-26", {&cell_}, result);
    return result.verdict;
  };
  EXPECT_EQ(after("redirect", Verdict::kFail, {kSeen}), Verdict::kSkip);
  EXPECT_EQ(after("redirect", Verdict::kPass, {}), Verdict::kFail);
  EXPECT_EQ(after("hold", Verdict::kPass, {}), Verdict::kPass);
  EXPECT_EQ(after("hold", Verdict::kFail, {kSeen}), Verdict::kFail);
}

TEST_F(WeighDepartures, LeavesEverythingElseAlone) {
  EXPECT_EQ(weighed(Verdict::kError, {kSeen}).verdict, Verdict::kError);
  EXPECT_EQ(weighed(Verdict::kInconclusive, {kSeen}).verdict, Verdict::kInconclusive);
  cell_.server = "wrong-host";
  EXPECT_EQ(weighed(Verdict::kFail, {kSeen}).verdict, Verdict::kFail);
  EXPECT_EQ(weighed(Verdict::kPass, {}).verdict, Verdict::kPass);
}

}  // namespace
}  // namespace postern
