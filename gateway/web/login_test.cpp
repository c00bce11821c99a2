#include "login.hpp"

#include <gtest/gtest.h>

#include "password.hpp"

namespace gateway::web {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Clock::time_point kStart{hours(1)};

TEST(LoginLimit, FiveAMinuteFromOneAddress) {
  LoginLimit limit;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limit.try_one("192.0.2.1", kStart + seconds(i)));
  EXPECT_FALSE(limit.try_one("192.0.2.1", kStart + seconds(59)));
  EXPECT_TRUE(limit.try_one("192.0.2.2", kStart + seconds(59)));
  EXPECT_TRUE(limit.try_one("192.0.2.1", kStart + seconds(60)));
  EXPECT_FALSE(limit.try_one("192.0.2.1", kStart + seconds(60)));
}

TEST(LoginLimit, ThirtyAMinuteFromAll) {
  LoginLimit limit;
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(limit.try_one(std::to_string(i), kStart));
  EXPECT_FALSE(limit.try_one("another", kStart));
  EXPECT_TRUE(limit.try_one("another", kStart + minutes(1)));
}

TEST(LoginLimit, SuccessForgetsTheFailuresOfThatAddress) {
  LoginLimit limit;
  for (int i = 0; i < 5; ++i) limit.try_one("192.0.2.1", kStart);
  limit.succeeded("192.0.2.1");
  EXPECT_TRUE(limit.try_one("192.0.2.1", kStart));
}

TEST(LoginLimit, ARefusalIsPutOnRecordOnceAMinuteForEachAddress) {
  LoginLimit limit;
  EXPECT_TRUE(limit.first_refusal("192.0.2.1", kStart));
  EXPECT_FALSE(limit.first_refusal("192.0.2.1", kStart + seconds(59)));
  EXPECT_TRUE(limit.first_refusal("192.0.2.2", kStart + seconds(59)));
  EXPECT_TRUE(limit.first_refusal("192.0.2.1", kStart + seconds(60)));
  for (int i = 0; i < 28; ++i) limit.first_refusal(std::to_string(i), kStart + seconds(60));
  EXPECT_FALSE(limit.first_refusal("another", kStart + seconds(60)));
}

TEST(Visits, EndAfterThirtyMinutesWithoutUse) {
  Visits visits;
  const Visit visit = visits.begin(kStart);
  EXPECT_EQ(visit.token.size(), 64U);
  EXPECT_NE(visit.token, visit.csrf);
  EXPECT_TRUE(visits.find(visit.token, kStart + minutes(29)));
  EXPECT_TRUE(visits.find(visit.token, kStart + minutes(58)));
  EXPECT_FALSE(visits.find(visit.token, kStart + minutes(88)));
}

TEST(Visits, EndAfterTwelveHoursInAnyCase) {
  Visits visits;
  const Visit visit = visits.begin(kStart);
  for (auto age = minutes(20); age < hours(12); age += minutes(20)) {
    ASSERT_TRUE(visits.find(visit.token, kStart + age)) << age.count();
  }
  EXPECT_FALSE(visits.find(visit.token, kStart + hours(12)));
}

TEST(Visits, AreNotProlongedByAPageThatLooksForNews) {
  Visits visits;
  const Visit visit = visits.begin(kStart);
  EXPECT_TRUE(visits.find(visit.token, kStart + minutes(29), false));
  EXPECT_FALSE(visits.find(visit.token, kStart + minutes(30), false));
}

TEST(Visits, EndAtLogoutAndAreNobodyElses) {
  Visits visits;
  const Visit one = visits.begin(kStart);
  const Visit other = visits.begin(kStart);
  EXPECT_NE(one.token, other.token);
  EXPECT_FALSE(visits.find("", kStart));
  EXPECT_FALSE(visits.find(one.csrf, kStart));
  visits.end(one.token);
  EXPECT_FALSE(visits.find(one.token, kStart));
  EXPECT_TRUE(visits.find(other.token, kStart));
}

TEST(Visits, AreNotWithoutNumber) {
  Visits visits;
  const Visit first = visits.begin(kStart);
  const Visit second = visits.begin(kStart + seconds(1));
  for (std::size_t i = 2; i < Visits::kMost; ++i) visits.begin(kStart + seconds(2));
  EXPECT_TRUE(visits.find(first.token, kStart + seconds(3)));
  visits.begin(kStart + seconds(4));
  EXPECT_TRUE(visits.find(first.token, kStart + seconds(4)));
  EXPECT_FALSE(visits.find(second.token, kStart + seconds(4)));
}

TEST(Password, MatchesItsOwnHashOnly) {
  const std::string hash = hash_password("correct horse");
  EXPECT_EQ(password_hash_error(hash), "");
  EXPECT_TRUE(password_matches("correct horse", hash));
  EXPECT_FALSE(password_matches("correct horsf", hash));
  EXPECT_FALSE(password_matches("", hash));
  EXPECT_NE(hash_password("correct horse"), hash);
}

TEST(Password, TakesNoHashThatCostsTooMuchOrTooLittle) {
  const std::string rest = "$" + std::string(32, 'a') + "$" + std::string(64, 'b');
  EXPECT_EQ(password_hash_error("scrypt$16384$8$1" + rest), "");
  for (const char* bad : {"scrypt$1024$8$1", "scrypt$1073741824$8$1", "scrypt$16385$8$1",
                          "scrypt$16384$0$1", "scrypt$16384$8$17", "bcrypt$16384$8$1"}) {
    EXPECT_NE(password_hash_error(bad + rest), "") << bad;
  }
  EXPECT_NE(password_hash_error("hunter2hunter2"), "");
  EXPECT_NE(password_hash_error("scrypt$16384$8$1$aa$bb"), "");
  EXPECT_EQ(password_hash_error("hunter2hunter2").find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace gateway::web
