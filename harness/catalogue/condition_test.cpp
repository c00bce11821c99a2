#include "catalogue/condition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern {
namespace {

using testing::HasSubstr;

Condition parse(const char* text) {
  std::string error;
  Condition condition = Condition::parse(text, error);
  EXPECT_EQ(error, "");
  return condition;
}

std::string error_of(const char* text) {
  std::string error;
  EXPECT_TRUE(Condition::parse(text, error).terms().empty());
  return error;
}

TEST(Condition, HoldsWhereAllTermsHold) {
  const Condition condition = parse("level=none|attempt  client!=plain|helo-only");
  EXPECT_TRUE(condition.holds({{"level", "attempt"}, {"client", "good"}}));
  EXPECT_FALSE(condition.holds({{"level", "require"}, {"client", "good"}}));
  EXPECT_FALSE(condition.holds({{"level", "none"}, {"client", "helo-only"}}));
}

TEST(Condition, TakesAKeyWithoutValueForUnequal) {
  EXPECT_FALSE(parse("client=plain").holds({}));
  EXPECT_TRUE(parse("client!=plain").holds({}));
  EXPECT_TRUE(parse("").holds({}));
}

TEST(Condition, KeepsWhatFollowsTheFirstEqualsSign) {
  const Condition condition = parse("case=modes/level=none");
  ASSERT_EQ(condition.terms().size(), 1U);
  EXPECT_EQ(condition.terms()[0].values[0], "modes/level=none");
}

TEST(Condition, IsWrittenAsItWasRead) {
  EXPECT_EQ(parse(" a=b|c  d!=e ").text(), "a=b|c d!=e");
}

TEST(Condition, SaysWhatIsWrong) {
  EXPECT_THAT(error_of("level"), HasSubstr("found \"level\""));
  EXPECT_THAT(error_of("level=a|"), HasSubstr("found no value in \"level=a|\""));
  EXPECT_THAT(error_of("=a"), HasSubstr("as the key"));
  EXPECT_THAT(error_of("a=b | c"), HasSubstr("found \"|\""));
}

TEST(Condition, SaysWhatIsUnknown) {
  const KnownKeys known = {{"level", {"none", "attempt"}}, {"case", {}}};
  EXPECT_EQ(unknown_in(parse("level=none case=whatever"), known), "");
  EXPECT_THAT(unknown_in(parse("levle=none"), known), HasSubstr("did you mean \"level\""));
  EXPECT_THAT(unknown_in(parse("level=atempt"), known), HasSubstr("did you mean \"attempt\""));
}

TEST(Assignment, KeepsTheOrderInWhichKeysWereSet) {
  Assignment assignment = {{"b", "1"}, {"a", "2"}};
  assignment.set("b", "3");
  EXPECT_EQ(assignment.text(), "b=3/a=2");
  EXPECT_EQ(assignment.get("c"), nullptr);
}

}  // namespace
}  // namespace postern
