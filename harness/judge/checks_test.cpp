#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/judge.hpp"

namespace postern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Place kHere{"story.xml", 7, 3};

Observation with_message(const std::string& content) {
  Observation observation;
  observation.server.emplace_back().taken.push_back({"s", {"r"}, content, false});
  return observation;
}

TEST(Checks, HoldDeliveredTextToWhatItMustHaveAndMustNot) {
  Checks checks;
  checks.texts.push_back({false, "X-One:", "X-Two:", kHere});
  EXPECT_THAT(judge_checks(checks, with_message("X-One: 1\r\n")), IsEmpty());
  EXPECT_THAT(judge_checks(checks, with_message("X-Two: 2\r\n")),
              ElementsAre(HasSubstr("story.xml:7:3: expected \"X-One:\" in the delivered message"),
                          HasSubstr("expected no \"X-Two:\"")));
}

TEST(Checks, FindThatNothingCameToBeHeld) {
  Checks checks;
  checks.texts.push_back({true, "Status: 5", "", kHere});
  EXPECT_THAT(judge_checks(checks, Observation()), ElementsAre(HasSubstr("expected a bounce")));
}

TEST(Checks, CountEventsOfTheRecord) {
  Observation observation;
  observation.record.push_back({0, "deferred", {}, "attempt 1 to mx1"});
  observation.record.push_back({0, "deferred", {}, "attempt 2 to mx2"});
  Checks checks;
  checks.record.push_back({"deferred", 1, "mx2", kHere});
  checks.record.push_back({"deferred", std::nullopt, "", kHere});
  EXPECT_THAT(judge_checks(checks, observation), IsEmpty());
  checks.record.push_back({"deferred", 1, "", kHere});
  checks.record.push_back({"bounced", std::nullopt, "", kHere});
  EXPECT_THAT(judge_checks(checks, observation),
              ElementsAre(HasSubstr("expected deferred on record 1 times, got it 2 times"),
                          HasSubstr("expected bounced on record at least once")));
}

TEST(Checks, PutInWhatTheStoryCaptured) {
  Observation observation = with_message("Received: id 4A7; token\r\n");
  observation.token = "token";
  observation.captured = {{"id", "4A7"}};
  observation.record.push_back({0, "delivered", {}, "4A7 sent"});
  Checks checks;
  checks.texts.push_back({false, "id ${id};", "id ${token}", kHere});
  checks.record.push_back({"delivered", 1, "${id} sent", kHere});
  EXPECT_THAT(judge_checks(checks, observation), IsEmpty());
  EXPECT_EQ(unset_in(checks, observation), "");
  checks.texts = {{false, "id ${token}", "${id}", kHere}};
  EXPECT_THAT(judge_checks(checks, observation),
              ElementsAre(HasSubstr("expected \"id token\""), HasSubstr("expected no \"4A7\"")));
}

TEST(Checks, AreAnErrorOfTheStoryWhereNothingWasCaptured) {
  const Observation observation = with_message("${id}");
  Checks checks;
  checks.texts.push_back({false, "${id}", "", kHere});
  checks.texts.push_back({false, "", "${id}", kHere});
  EXPECT_THAT(judge_checks(checks, observation), IsEmpty());
  EXPECT_THAT(unset_in(checks, observation), HasSubstr("story.xml:7:3: the story is wrong"));
  checks.texts.clear();
  checks.record.push_back({"delivered", 1, "${id}", kHere});
  EXPECT_THAT(unset_in(checks, observation), HasSubstr("nothing has set ${id}"));
}

TEST(Checks, WeighTheMemory) {
  Checks checks;
  checks.memory = 1000;
  checks.memory_place = kHere;
  Observation observation;
  EXPECT_THAT(judge_checks(checks, observation), ElementsAre(HasSubstr("could not be told")));
  observation.memory = 1000;
  EXPECT_THAT(judge_checks(checks, observation), IsEmpty());
  observation.memory = 1001;
  EXPECT_THAT(judge_checks(checks, observation), ElementsAre(HasSubstr("1000 octets at most")));
}

TEST(Checks, SayNothingOfAGatewayThatDied) {
  Checks checks;
  checks.record.push_back({"deferred", std::nullopt, "", kHere});
  Observation observation;
  observation.gateway_died = "killed by signal 11";
  EXPECT_THAT(judge_checks(checks, observation), IsEmpty());
}

}  // namespace
}  // namespace postern
