#include "stability.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_results.hpp"

namespace postern::reports {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<Unstable> unstable_of(const std::vector<CaseResult>& cases) {
  TemporaryFile results;
  write_results(results.path(), cases);
  ResultsReader reader(results.path());
  return find_unstable(reader);
}

TEST(Stability, CasesThatEndTheSameEachTimeAreStable) {
  CaseResult slower = sample_pass();
  slower.seconds = 9;
  EXPECT_THAT(unstable_of({sample_pass(), sample_failure(), slower, sample_failure()}), IsEmpty());
}

TEST(Stability, AVerdictThatChangesIsToldOnce) {
  CaseResult failed = sample_pass();
  failed.verdict = Verdict::kFail;
  const auto found = unstable_of({sample_pass(), failed, sample_pass(), failed});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].text(), "unstable " + sample_pass().id +
                                 ": pass, accept tls=yes, redirect tls=yes connection=1; another "
                                 "time fail, accept tls=yes, redirect tls=yes connection=1");
  EXPECT_EQ(found[0].first.line, 2U);
  EXPECT_EQ(found[0].other.line, 3U);
}

TEST(Stability, AnOutcomeThatChangesIsTold) {
  CaseResult held = sample_pass();
  held.outbound.observed = {"hold", {{"code", "4.7.5"}}};
  const auto found = unstable_of({sample_pass(), held});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].became, "pass, accept tls=yes, hold code=4.7.5");
}

TEST(Stability, AnotherGatewayMayBehaveOtherwise) {
  CaseResult other = sample_failure();
  other.gateway = "another";
  other.verdict = Verdict::kPass;
  EXPECT_THAT(unstable_of({sample_failure(), other}), IsEmpty());
}

}  // namespace
}  // namespace postern::reports
