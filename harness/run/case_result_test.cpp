#include "run/case_result.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/vocabulary.hpp"
#include "run/message.hpp"

namespace postern {
namespace {

using reports::Verdict;
using ::testing::HasSubstr;

/// The project's own scenarios, and a report of two cases that are each other's negative and
/// control: an expired next hop under verify, and a good one.
class CaseResultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Problems problems;
    authority_ = certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    ASSERT_TRUE(authority_) << problems.text();
    catalogue_ = load_catalogue(POSTERN_SOURCE_DIR "/scenarios", *authority_, problems);
    ASSERT_TRUE(catalogue_) << problems.text();
    context_.catalogue = catalogue_.get();
    context_.gateway = &catalogue_->gateways.at("reference");
    context_.program = "postern";
    report_.fence.stopped = report_.fence.clean_exit = report_.fence.queue_known = true;
    report_.fence.exit = "exited 0";
  }

  PlayedCase& add(const std::string& id) {
    auto played = std::make_unique<PlayedCase>();
    for (const MatrixCase& cell : catalogue_->matrix_cases)
      if (cell.id() == id) played->what.matrix = &cell;
    EXPECT_NE(played->what.matrix, nullptr) << id;
    played->played = true;
    Observation& seen = played->observation;
    seen.sender = "token@s1.case.test";
    seen.recipient = "token" + std::to_string(report_.cases.size()) + "@r1.case.test";
    seen.message = "Subject: x\r\n\r\nbody\r\n";
    ConnectionFacts client;
    client.number = 1;
    client.connected = true;
    client.accepted = 1;
    client.farewell = 221;
    client.ended_by = Actor::kGateway;
    client.ending = Ending::kClose;
    seen.client.push_back(client);
    seen.record.push_back({0, "accepted", {}, "accepted"});
    seen.record.push_back({0, "session-end", {}, "session-end"});
    report_.cases.push_back(std::move(played));
    return *report_.cases.back();
  }

  PlayedCase& add_delivered(const std::string& id) {
    PlayedCase& played = add(id);
    Observation& seen = played.observation;
    ConnectionFacts server;
    server.number = 1;
    server.starttls_sent = true;
    server.ended_by = Actor::kGateway;
    server.ending = Ending::kCloseNotify;
    server.taken.push_back({seen.sender, {seen.recipient}, "Received: x\r\n" + seen.message, true});
    seen.server.push_back(server);
    seen.record.push_back({0, "delivered", {}, "delivered"});
    return played;
  }

  PlayedCase& add_held(const std::string& id) {
    PlayedCase& played = add(id);
    Observation& seen = played.observation;
    for (int attempt = 1; attempt <= 2; ++attempt) {
      ConnectionFacts server;
      server.number = attempt;
      server.ended_by = Actor::kGateway;
      server.ending = Ending::kAlert;
      seen.server.push_back(server);
      seen.record.push_back({0, "deferred", {{"code", "4.7.5"}}, "deferred"});
    }
    report_.fence.queued.push_back(seen.recipient);
    return played;
  }

  // What the case is held to beside its legs; what was broken has a "!".
  static std::string held_to(const reports::CaseResult& result) {
    std::string text;
    for (const reports::Demand& one : result.demands)
      text += (text.empty() ? "" : " ") + one.requirement + (one.broken ? "!" : "");
    return text;
  }

  static constexpr const char* kMode =
      "tls-modes/server-level=none/client-certificate=none/client-level=verify";
  const std::string good_ = std::string(kMode) + "/client=plain/server=good";
  const std::string expired_ = std::string(kMode) + "/client=plain/server=expired";
  std::optional<certs::Authority> authority_;
  std::unique_ptr<Catalogue> catalogue_;
  ResultContext context_;
  StageReport report_;
};

TEST_F(CaseResultTest, ANegativePassesBesideItsControl) {
  add_held(expired_);
  add_delivered(good_);
  const auto judged = judge_stage(context_, report_);
  ASSERT_EQ(judged.size(), 2U);
  EXPECT_EQ(judged[0].result.verdict, Verdict::kPass) << judged[0].result.reason;
  EXPECT_EQ(judged[1].result.verdict, Verdict::kPass) << judged[1].result.reason;
  EXPECT_EQ(judged[0].result.rerun, "postern run " + expired_);
}

TEST_F(CaseResultTest, ANegativeWhoseControlFailsIsInvalid) {
  add_held(expired_);
  add_delivered(good_).observation.record.pop_back();
  const auto judged = judge_stage(context_, report_);
  EXPECT_EQ(judged[0].result.verdict, Verdict::kInvalid);
  EXPECT_THAT(judged[0].result.reason, HasSubstr(good_));
  EXPECT_EQ(judged[1].result.verdict, Verdict::kFail);
}

TEST_F(CaseResultTest, AControlMayDoWhatIsKnownBesideWhatItHasTo) {
  add_held(expired_);
  add_delivered(good_).observation.server.front().taken.front().content =
      "Received: x\r\nOther\r\n";
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kInvalid);
  Departure rewrites;
  rewrites.name = "rewrites-what-it-relays";
  rewrites.seen = {"the message came changed"};
  rewrites.observed = {"redirect"};
  rewrites.until = "9999-12-31";
  catalogue_->departures["reference"].all.push_back(rewrites);
  const auto judged = judge_stage(context_, report_);
  EXPECT_EQ(judged[0].result.verdict, Verdict::kPass) << judged[0].result.reason;
  EXPECT_EQ(judged[1].result.verdict, Verdict::kSkip) << judged[1].result.reason;
}

TEST_F(CaseResultTest, ARefusalForNowIsAnErrorUnlessItIsKnown) {
  PlayedCase& refused =
      add("tls-modes/server-level=require/client-certificate=none/client-level=verify/client=plain/"
          "server=good");
  ConnectionFacts& client = refused.observation.client.front();
  client.accepted = false;
  client.last_reply = 400;
  client.usable = true;
  refused.observation.record.erase(refused.observation.record.begin());
  refused.what.control = true;
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kError);
  Departure puts_off;
  puts_off.name = "puts-off-whom-it-refuses";
  puts_off.seen = {"got refuse tls=no reply=400"};
  puts_off.until = "9999-12-31";
  catalogue_->departures["reference"].all.push_back(puts_off);
  const auto judged = judge_stage(context_, report_);
  EXPECT_EQ(judged[0].result.verdict, Verdict::kSkip) << judged[0].result.reason;
}

TEST_F(CaseResultTest, AControlThatTheGatewayDidNotSurviveShowsNothing) {
  add_held(expired_);
  add_delivered(good_).observation.gateway_died = "killed by signal 11 (SEGV)";
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kInvalid);
}

TEST_F(CaseResultTest, ACaseWithoutAGatewayIsAnErrorAndMetNothing) {
  add_held(expired_).played = false;
  add_delivered(good_).played = false;
  report_.not_started = "reference gave no ready sign within 10000ms and was killed";
  for (const JudgedCase& one : judge_stage(context_, report_)) {
    EXPECT_EQ(one.result.verdict, Verdict::kError);
    EXPECT_EQ(one.result.reason, report_.not_started);
    EXPECT_EQ(one.result.grade + one.result.inbound.grade + one.result.outbound.grade, "");
    EXPECT_NE(one.result.outbound.expected, "");
  }
}

TEST_F(CaseResultTest, ANegativeWithoutItsControlIsAnError) {
  add_held(expired_);
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kError);
}

TEST_F(CaseResultTest, AFailureStaysAFailureWhateverItsControlDoes) {
  add_delivered(expired_);
  add_delivered(good_).observation.record.pop_back();
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kFail);
}

TEST_F(CaseResultTest, AMissingWarningFailsTheWholeConfiguration) {
  const std::string mode =
      "tls-modes/server-level=attempt/client-certificate=require/client-level=attempt";
  add_delivered(mode + "/client=plain/server=good");
  const reports::CaseResult missing = judge_stage(context_, report_)[0].result;
  EXPECT_THAT(missing.reason, HasSubstr("SET-3"));
  EXPECT_EQ(held_to(missing), "LEAK-2 SET-3!");
  EXPECT_EQ(missing.file + ":" + std::to_string(missing.line), missing.demands[1].rule);
  report_.warnings.emplace_back(
      R"({"event":"warning","requirement":"SET-4","reason":"not for a public MX"})");
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kFail);
  report_.warnings.clear();
  report_.warnings.emplace_back(
      R"({"event":"warning","requirement":"SET-3","reason":"works properly only under require"})");
  const auto judged = judge_stage(context_, report_);
  EXPECT_EQ(judged[0].result.verdict, Verdict::kPass) << judged[0].result.reason;
  EXPECT_EQ(judged[0].result.warnings, report_.warnings);
  EXPECT_EQ(held_to(judged[0].result), "LEAK-2 SET-3");
}

TEST_F(CaseResultTest, AWarningThatIsDueUnderOtherSettingsFailsTheWholeConfiguration) {
  add_delivered(
      "tls-modes/server-level=attempt/client-certificate=request/client-level=attempt/client=plain/"
      "server=good");
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kPass);
  report_.warnings.emplace_back(
      R"({"event":"warning","reason":"works properly only under require"})");
  const auto judged = judge_stage(context_, report_);
  EXPECT_EQ(judged[0].result.verdict, Verdict::kFail);
  EXPECT_THAT(judged[0].result.reason, HasSubstr("SET-3: expected no such warning"));
  EXPECT_EQ(broken_by(judged[0].result).front().first, "SET-3");
}

TEST_F(CaseResultTest, ACaseOfAGatewayThatNeverStartedIsAnError) {
  add(good_).played = false;
  report_.not_started = "the gateway was not ready in time";
  const auto judged = judge_stage(context_, report_);
  ASSERT_EQ(judged.size(), 1U);
  EXPECT_EQ(judged[0].result.verdict, Verdict::kError);
  EXPECT_EQ(judged[0].result.reason, report_.not_started);
}

TEST_F(CaseResultTest, ACaseThatNeverRanShowsNothingOfItsLegs) {
  add(good_).played = false;
  const reports::CaseResult unplayed = judge_stage(context_, report_)[0].result;
  EXPECT_EQ(unplayed.verdict, Verdict::kError);
  for (const reports::Leg& leg : {unplayed.inbound, unplayed.outbound}) {
    EXPECT_EQ(leg.grade, "");
    EXPECT_EQ(leg.observed.word, "");
    EXPECT_TRUE(leg.evidence.empty());
  }
  EXPECT_EQ(unplayed.grade, "");
}

TEST_F(CaseResultTest, AControlThatNeverRanShowsNothing) {
  add_held(expired_);
  add(good_).played = false;
  EXPECT_EQ(judge_stage(context_, report_)[0].result.verdict, Verdict::kInvalid);
}

TEST_F(CaseResultTest, ALeakIsMarkedAtItsMomentWithItsRequirement) {
  PlayedCase& played = add_held(expired_);
  add_delivered(good_);
  played.began = 1000;
  played.observation.sightings.push_back({Side::kServer, 1, "tls", "plain", 7, 7449});
  played.observation.sightings.push_back({Side::kServer, 3, "foreign-listener", "plain", 7, 7500});
  const reports::CaseResult result = judge_stage(context_, report_)[0].result;
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_THAT(result.reason, HasSubstr("LEAK-4 allows nothing: Client level verify"));
  EXPECT_EQ(held_to(result), "LEAK-4! LEAK-5!");
  EXPECT_EQ(broken_by(result).front().first, "LEAK-4");
  ASSERT_EQ(result.events.size(), 2U);
  EXPECT_EQ(result.events[0].at, 6449);
  EXPECT_EQ(result.events[0].connection, 1);
  EXPECT_EQ(result.events[0].phase, "tls");
  EXPECT_EQ(result.events[0].kind, "leak");
  EXPECT_THAT(result.events[0].text, HasSubstr("LEAK-4 allows nothing"));
  EXPECT_EQ(result.events[1].connection, 0);
  EXPECT_THAT(result.events[1].text, HasSubstr("LEAK-5 allows nothing"));
}

TEST_F(CaseResultTest, ALeakOfAStoryIsHeldToTheRuleOfItsSettings) {
  auto played = std::make_unique<PlayedCase>();
  for (const auto& story : catalogue_->stories)
    if (*complete(story->settings).get("client-level") == "verify")
      played->what.story = story.get();
  ASSERT_NE(played->what.story, nullptr);
  played->played = true;
  played->observation.sightings.push_back({Side::kServer, 1, "clear-untried", "plain", 7, 0});
  report_.cases.push_back(std::move(played));
  const reports::CaseResult result = judge_stage(context_, report_)[0].result;
  ASSERT_FALSE(result.events.empty());
  EXPECT_THAT(result.events.back().text, HasSubstr("LEAK-4 allows"));
}

TEST_F(CaseResultTest, ACaseCutShortByAnInterruptIsLeftOut) {
  add(good_).played = false;
  report_.interrupted = true;
  EXPECT_TRUE(judge_stage(context_, report_).empty());
}

TEST_F(CaseResultTest, ASkippedCaseSaysWhy) {
  Chosen one;
  one.cell = &catalogue_->matrix_cases.front();
  const reports::CaseResult result = skipped(context_, one, "it has no such setting");
  EXPECT_EQ(result.verdict, Verdict::kSkip);
  EXPECT_THAT(result.reason, HasSubstr("it has no such setting"));
  EXPECT_EQ(result.inbound.grade, "");
}

TEST_F(CaseResultTest, ARejectionIsAnEndWithAReasonAndNotACrash) {
  const InvalidCase& invalid = catalogue_->invalid_cases.front();
  const auto verdict = [&](bool started, const char* ending, bool said_why) {
    return result_of_invalid(context_, invalid, started, ending, {}, said_why).verdict;
  };
  EXPECT_EQ(verdict(false, "exited 2", true), Verdict::kPass);
  EXPECT_EQ(verdict(false, "exited 2", false), Verdict::kFail);
  EXPECT_EQ(verdict(false, "killed by signal 11 (SEGV)", true), Verdict::kFail);
  EXPECT_EQ(verdict(false, "exited 0", true), Verdict::kFail);
  EXPECT_EQ(verdict(true, "", false), Verdict::kFail);
}

TEST(Message, CarriesTheTokenWhereItMustBeAndNowhereElse) {
  const std::string message = make_message("TOKEN", "TOKEN@s.test", "TOKEN@r.test", 7);
  std::size_t count = 0;
  for (std::size_t at = message.find("TOKEN"); at != std::string::npos;
       at = message.find("TOKEN", at + 1))
    ++count;
  EXPECT_EQ(count, 6U);  // From, To, one header; start, middle and end of the body.
  EXPECT_EQ(message.find("@TOKEN"), std::string::npos);
  EXPECT_NE(message.find("\r\n.\r\n"), std::string::npos);
  EXPECT_NE(message.find("\r\n..a"), std::string::npos);
  EXPECT_TRUE(message.ends_with("\r\n"));
}

}  // namespace
}  // namespace postern
