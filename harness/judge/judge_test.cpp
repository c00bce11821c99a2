#include "judge/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern {
namespace {

using reports::Verdict;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Expectation expectation(LegName leg, const std::string& form, const std::string& letter = "",
                        const std::string& policy = "") {
  std::string error;
  Expectation made;
  made.form_text = form;
  made.letter_text = letter.empty() ? form : letter;
  made.policy_text = policy.empty() ? made.letter_text : policy;
  made.form = parse_outcomes(made.form_text, leg, error);
  EXPECT_EQ(error, "");
  made.letter = parse_outcomes(made.letter_text, leg, error);
  made.policy = parse_outcomes(made.policy_text, leg, error);
  EXPECT_EQ(error, "");
  return made;
}

RecordFact fact(const std::string& kind, std::map<std::string, std::string> fields = {}) {
  return {0, kind, std::move(fields), kind + " line"};
}

/// A case in which a client handed in its message and the next hop took it over TLS.
struct Delivered {
  Observation seen;
  Fence fence;
  Expectation inbound = expectation(LegName::kInbound, "accept tls=yes asked=no");
  Expectation outbound = expectation(LegName::kOutbound, "redirect tls=yes");
  Bench bench;

  Delivered() {
    seen.recipient = "token@r1.case.test";
    seen.sender = "token@s1.case.test";
    seen.message = "Subject: x\r\n\r\nbody\r\n";
    ConnectionFacts client;
    client.number = 1;
    client.connected = true;
    client.starttls_offered = client.starttls_sent = true;
    client.starttls_reply = 220;
    client.handshake = Handshake::kCompleted;
    client.accepted = 1;
    client.farewell = 221;
    client.last_reply = 250;
    client.ended_by = Actor::kGateway;
    client.ending = Ending::kCloseNotify;
    seen.client.push_back(client);
    ConnectionFacts server = client;
    server.mail = true;
    server.taken.push_back(
        {seen.sender, {seen.recipient}, "Received: by gw\r\n\tfor x\r\n" + seen.message, true});
    seen.server.push_back(server);
    seen.sightings.push_back({Side::kServer, 1, "tls", "plain", 100});
    seen.record = {fact("accepted"), fact("delivered"), fact("session-end")};
    fence.stopped = fence.clean_exit = fence.queue_known = true;
    fence.exit = "exited 0";
    bench.inbound = &inbound;
    bench.outbound = &outbound;
    bench.next_hop = {"tls"};
  }
  Delivered(const Delivered&) = delete;

  Judgement judged() const { return judge(bench, seen, fence); }
};

/// A case in which a client in clear text was refused with 530 and dropped.
struct Dropped {
  Observation seen;
  Fence fence;
  Expectation inbound =
      expectation(LegName::kInbound, "drop reply=530 closed=clean", "drop", "drop | refuse");
  Bench bench;

  Dropped() {
    seen.recipient = "token@r1.case.test";
    ConnectionFacts client;
    client.number = 1;
    client.connected = true;
    client.last_reply = 530;
    client.last_command = "MAIL";
    client.ended_by = Actor::kGateway;
    client.ending = Ending::kClose;
    seen.client.push_back(client);
    seen.record = {fact("session-end")};
    fence.stopped = fence.clean_exit = fence.queue_known = true;
    bench.inbound = &inbound;
    bench.expects_nothing = true;
  }
  Dropped(const Dropped&) = delete;

  Judgement judged() const { return judge(bench, seen, fence); }
};

/// A case in which the next hop offers no TLS, and the message is held.
struct Held : Delivered {
  Held() {
    outbound = expectation(LegName::kOutbound, "hold code=4.7.4", "hold");
    ConnectionFacts server;
    server.number = 1;
    server.connected = true;
    server.ended_by = Actor::kGateway;
    server.ending = Ending::kClose;
    seen.server = {server, server};
    seen.sightings.clear();
    seen.record = {fact("accepted"), fact("deferred", {{"code", "4.7.4"}}),
                   fact("deferred", {{"code", "4.7.4"}}), fact("session-end")};
    fence.queued = {seen.recipient};
    bench.next_hop = {};
  }
};

TEST(Judge, AsksNothingOfTheNextHopWhereTheLetterAdmitsThatTheMessageIsTaken) {
  Delivered one;
  one.inbound =
      expectation(LegName::kInbound, "drop reply=554", "drop | accept tls=yes", "drop | accept");
  one.bench.outbound = nullptr;
  one.bench.expects_nothing = true;
  one.bench.next_hop.clear();
  one.bench.held_to = Grade::kLetter;
  EXPECT_EQ(one.judged().verdict, Verdict::kPass) << one.judged().reason;
  one.seen.sightings.push_back({Side::kServer, 1, "foreign-listener", "plain", 5});
  EXPECT_THAT(one.judged().reason, ::testing::HasSubstr("where it does not belong"));
  one.seen.sightings.pop_back();
  one.bench.held_to = Grade::kForm;
  EXPECT_EQ(one.judged().verdict, Verdict::kFail);
}

TEST(Judge, NeedsNoProofOfANegativeWhereTheLetterAdmitsTheDelivery) {
  Delivered one;
  one.outbound = expectation(LegName::kOutbound, "hold code=4.7.5", "hold | redirect tls=yes");
  one.bench.held_to = Grade::kLetter;
  EXPECT_EQ(one.judged().verdict, Verdict::kPass) << one.judged().reason;
  one.bench.held_to = Grade::kForm;
  EXPECT_EQ(one.judged().verdict, Verdict::kFail);
}

TEST(Judge, PassesWhatWasExpected) {
  const Judgement judgement = Delivered().judged();
  EXPECT_EQ(judgement.verdict, Verdict::kPass) << judgement.reason;
  EXPECT_EQ(judgement.grade, Grade::kForm);
  EXPECT_EQ(judgement.inbound.observed.text(), "accept tls=yes asked=no");
  EXPECT_EQ(judgement.outbound.observed.text(), "redirect tls=yes starttls=yes");
}

TEST(Judge, FailsAnotherOutcomeAndSaysBoth) {
  Delivered one;
  one.seen.server[0].taken[0].in_tls = false;
  one.seen.sightings[0].place = "clear-untried";
  const Judgement judgement = one.judged();
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  EXPECT_THAT(judgement.details,
              ElementsAre("outbound: expected redirect tls=yes, got redirect tls=no starttls=yes",
                          HasSubstr("leak: the message was seen clear-untried")));
}

TEST(Judge, SaysWhatWasExpectedWhereAWiderGradeIsLeftOut) {
  Delivered one;
  one.outbound.letter_text = one.outbound.policy_text = "";
  one.bench.held_to = Grade::kPolicy;
  one.seen.server[0].taken[0].in_tls = false;
  EXPECT_EQ(one.judged().reason,
            "outbound: expected redirect tls=yes, got redirect tls=no starttls=yes");
}

TEST(Judge, FailsAnUnexpectedCertificateRequest) {
  Delivered one;
  one.seen.client[0].asked = true;
  EXPECT_EQ(one.judged().verdict, Verdict::kFail);
}

TEST(Judge, FailsALeakEvenWhereTheOutcomeIsRight) {
  Delivered one;
  one.seen.sightings.push_back({Side::kServer, 1, "clear-after-ready", "base64", 7});
  EXPECT_EQ(one.judged().verdict, Verdict::kFail);
  Delivered other;
  other.seen.sightings.push_back({Side::kServer, 1, "foreign-listener", "plain", 7});
  EXPECT_THAT(other.judged().reason, HasSubstr("the next hop of another case"));
  EXPECT_EQ(other.judged().verdict, Verdict::kFail);
}

TEST(Judge, NamesTheRequirementOfALeak) {
  Held one;
  one.bench.places_by = {"LEAK-4", "inside TLS only"};
  one.bench.foreign_by = {"LEAK-5", "no other listener"};
  one.seen.sightings.push_back({Side::kServer, 2, "tls", "plain", 7, 6449});
  one.seen.sightings.push_back({Side::kServer, 1, "foreign-listener", "plain", 7, 6500});
  const Judgement judgement = one.judged();
  EXPECT_THAT(judgement.outbound.wrong,
              ElementsAre("leak: the message was seen inside TLS (plain) on connection 2 to the "
                          "next hop, at about byte 7; LEAK-4 allows nothing: inside TLS only",
                          "leak: the message was seen where it does not belong (plain) on "
                          "connection 1 to the next hop of another case, at about byte 7; LEAK-5 "
                          "allows nothing: no other listener"));
  EXPECT_THAT(judgement.broken, ElementsAre("LEAK-4", "LEAK-5"));
  EXPECT_EQ(judgement.outbound.broken, "");
  ASSERT_EQ(judgement.leaks.size(), 2U);
  EXPECT_EQ(judgement.leaks[0].sighting.at, 6449);
  EXPECT_EQ(judgement.leaks[0].text, "the token of this message, where LEAK-4 allows nothing");
  one.bench.next_hop = {"tls"};
  one.seen.sightings = {{Side::kServer, 2, "clear-untried", "plain", 7, 1}};
  EXPECT_THAT(one.judged().reason, HasSubstr("LEAK-4 allows only tls"));
}

TEST(Judge, TellsTheLegOnWhichSomethingIsWrong) {
  Delivered clear;
  clear.seen.server[0].taken[0].in_tls = false;
  const Judgement outcome = clear.judged();
  EXPECT_EQ(outcome.inbound.broken + "/" + outcome.outbound.broken, "/outcome");
  Delivered changed;
  changed.seen.server[0].taken[0].content = "Received: x\r\nSubject: x\r\n\r\nbodY\r\n";
  const Judgement other = changed.judged();
  EXPECT_EQ(other.inbound.broken + "/" + other.outbound.broken, "/other");
  Held unproven;
  unproven.fence.stopped = false;
  const Judgement missing = unproven.judged();
  EXPECT_EQ(missing.verdict, Verdict::kInconclusive);
  EXPECT_EQ(missing.outbound.broken, "other");
  EXPECT_EQ(Delivered().judged().outbound.broken, "");
}

TEST(Judge, FailsAChangedMessageAndADuplicate) {
  Delivered changed;
  changed.seen.server[0].taken[0].content = "Received: x\r\nSubject: x\r\n\r\nbodY\r\n";
  EXPECT_THAT(changed.judged().reason, HasSubstr("came changed"));
  Delivered twice;
  twice.seen.server.push_back(twice.seen.server[0]);
  twice.seen.server[1].number = 2;
  EXPECT_THAT(twice.judged().details, Contains("the message was delivered 2 times"));
}

TEST(Judge, FailsARecordThatAPeerContradicts) {
  Delivered silent;
  silent.seen.record = {fact("accepted"), fact("session-end")};
  EXPECT_EQ(silent.judged().verdict, Verdict::kFail);
  Held claimed;
  claimed.seen.record.push_back(fact("delivered"));
  EXPECT_EQ(claimed.judged().verdict, Verdict::kFail);
}

TEST(Judge, PassesANegativeOnlyWithItsEvidence) {
  EXPECT_EQ(Dropped().judged().verdict, Verdict::kPass) << Dropped().judged().reason;
  Dropped no_fence;
  no_fence.fence.stopped = false;
  EXPECT_EQ(no_fence.judged().verdict, Verdict::kInconclusive);
  Dropped no_record;
  no_record.seen.record.clear();
  EXPECT_EQ(no_record.judged().verdict, Verdict::kInconclusive);
  EXPECT_THAT(no_record.judged().reason, HasSubstr("inbound record"));
}

TEST(Judge, TellsADropFromARefusalAndFromAHang) {
  Dropped refused;
  refused.seen.client[0].usable = true;
  EXPECT_EQ(refused.judged().inbound.observed.word, "refuse");
  EXPECT_EQ(refused.judged().verdict, Verdict::kFail);
  EXPECT_EQ(refused.judged().inbound.grade, Grade::kPolicy);
  refused.bench.held_to = Grade::kPolicy;
  EXPECT_EQ(refused.judged().verdict, Verdict::kPass);
  Dropped hanging;
  hanging.seen.client[0].ended_by = Actor::kNone;
  hanging.seen.client[0].ending = Ending::kTimeout;
  EXPECT_EQ(hanging.judged().inbound.observed.word, "hang");
  EXPECT_EQ(hanging.judged().verdict, Verdict::kFail);
}

TEST(Judge, TellsHowADropCameAbout) {
  Dropped reset;
  reset.seen.client[0].ending = Ending::kReset;
  EXPECT_EQ(reset.judged().verdict, Verdict::kFail);
  EXPECT_EQ(reset.judged().inbound.grade, Grade::kLetter);
  Dropped silent;
  silent.seen.client[0].last_reply = 250;
  EXPECT_EQ(silent.judged().inbound.observed.word, "lost");
  EXPECT_EQ(silent.judged().inbound.grade, Grade::kNone);
}

TEST(Judge, NeverTakesItsOwnLeavingForADrop) {
  Dropped left;
  left.seen.client[0].left = true;
  left.seen.client[0].last_command = "MAIL";
  EXPECT_THAT(left.judged().inbound.observed.text(), HasSubstr("unfinished tls=no reply=530"));
  EXPECT_THAT(left.judged().inbound.observed.text(), HasSubstr("after=MAIL"));
  EXPECT_EQ(left.judged().verdict, Verdict::kFail);
  left.seen.client[0].last_reply = 0;
  EXPECT_THAT(left.judged().inbound.observed.text(), HasSubstr("unfinished tls=no after=MAIL"));
}

TEST(Judge, CountsATemporaryRefusalOnlyWhereARuleNamesIt) {
  Dropped busy;
  busy.seen.client[0].last_reply = 421;
  EXPECT_EQ(busy.judged().verdict, Verdict::kError);
  busy.inbound = expectation(LegName::kInbound, "drop reply=421|5yz closed=clean");
  EXPECT_EQ(busy.judged().verdict, Verdict::kPass);
}

TEST(Judge, HoldsAMessageOnlyAfterASecondAttemptAndInTheQueue) {
  EXPECT_EQ(Held().judged().verdict, Verdict::kPass) << Held().judged().reason;
  Held once;
  once.seen.record.erase(once.seen.record.begin() + 1);
  EXPECT_EQ(once.judged().verdict, Verdict::kInconclusive);
  once.bench.second_attempt = false;
  EXPECT_EQ(once.judged().verdict, Verdict::kPass);
  EXPECT_THAT(once.judged().outbound.evidence, Contains("one-attempt"));
  Held lost;
  lost.fence.queued.clear();
  EXPECT_EQ(lost.judged().verdict, Verdict::kFail);
  Held leaked;
  leaked.seen.sightings.push_back({Side::kServer, 2, "tls", "plain", 7});
  EXPECT_EQ(leaked.judged().verdict, Verdict::kFail);
}

TEST(Judge, NeverTakesACrashForADrop) {
  Dropped crashed;
  crashed.seen.gateway_died = "killed by signal 11 (SEGV)";
  EXPECT_EQ(crashed.judged().verdict, Verdict::kFail);
  EXPECT_THAT(crashed.judged().reason, HasSubstr("signal 11"));
  Dropped late;
  late.fence.clean_exit = false;
  late.fence.exit = "exited 1";
  EXPECT_EQ(late.judged().verdict, Verdict::kFail);
}

TEST(Judge, FailsAGatewayThatEndsBadlyWhateverElseKeepsTheFenceOpen) {
  Delivered crashed;
  crashed.fence.stopped = crashed.fence.clean_exit = false;
  crashed.fence.exit = "killed by signal 6 (ABRT)";
  crashed.fence.problem = "the queue cannot be told";
  EXPECT_EQ(crashed.judged().verdict, Verdict::kFail);
  EXPECT_THAT(crashed.judged().reason, HasSubstr("signal 6"));
  Dropped busy;
  busy.seen.client[0].last_reply = 421;
  busy.fence.exit = "exited 3";
  busy.fence.clean_exit = false;
  EXPECT_EQ(busy.judged().verdict, Verdict::kFail);
}

TEST(Judge, FailsMailThatIsOfNoCaseAndMailThatIsQueuedTwice) {
  Delivered stray;
  stray.fence.stopped = false;
  stray.fence.stray = "the queue holds what is no case's message, for x@y.test";
  EXPECT_EQ(stray.judged().verdict, Verdict::kFail);
  EXPECT_EQ(stray.judged().reason, stray.fence.stray);
  Held twice;
  twice.fence.queued.push_back(twice.seen.recipient);
  EXPECT_EQ(twice.judged().verdict, Verdict::kFail);
  EXPECT_EQ(twice.judged().reason, "the gateway's queue holds the message 2 times");
}

TEST(Judge, HoldsTheQueueAgainstEveryMessageThatWasTaken) {
  Held two;
  two.seen.client.push_back(two.seen.client[0]);
  two.seen.client[1].number = 2;
  EXPECT_THAT(two.judged().details,
              Contains("the gateway took 2 messages, and its queue holds 1: lost"));
  two.fence.queued.push_back(two.seen.recipient);
  EXPECT_THAT(two.judged().details, Not(Contains(HasSubstr("queue"))));
  two.fence.queued.push_back(two.seen.recipient);
  EXPECT_THAT(two.judged().details, Contains("the gateway's queue holds the message 3 times"));
}

TEST(Judge, ExpectsNothingToBeSentOnWhereNothingWasTaken) {
  Dropped connected;
  ConnectionFacts server;
  server.number = 1;
  server.ending = Ending::kClose;
  connected.seen.server.push_back(server);
  EXPECT_EQ(connected.judged().verdict, Verdict::kFail);
  Dropped taken;
  taken.seen.record.push_back(fact("accepted"));
  EXPECT_EQ(taken.judged().verdict, Verdict::kFail);
}

TEST(Judge, NamesTheConnectionThatDecided) {
  Delivered one;
  one.seen.server.push_front(ConnectionFacts());
  one.seen.server[0].number = 1;
  one.seen.server[0].ending = Ending::kAlert;
  one.seen.server[1].number = 2;
  EXPECT_EQ(one.judged().outbound.observed.text(), "redirect tls=yes starttls=yes connection=2");
  EXPECT_EQ(one.judged().verdict, Verdict::kFail);
  one.outbound = expectation(LegName::kOutbound, "redirect tls=yes connection=2");
  EXPECT_EQ(one.judged().verdict, Verdict::kPass);
}

TEST(Judge, HoldsTheGatewayToTheEnvelope) {
  Delivered sender;
  sender.seen.server[0].taken[0].sender = "";
  EXPECT_THAT(sender.judged().reason, HasSubstr("envelope came changed"));
  Delivered recipients;
  recipients.seen.server[0].taken[0].recipients.emplace_back("other@r2.case.test");
  EXPECT_EQ(recipients.judged().verdict, Verdict::kFail);
}

TEST(Judge, AllowsAMessageOneFateOnly) {
  Delivered both;
  both.seen.record.push_back(fact("bounced"));
  both.seen.mailbox.emplace_back().taken.push_back(
      {"", {both.seen.sender}, both.seen.recipient, true});
  EXPECT_THAT(both.judged().details, Contains(HasSubstr("another fate")));
  Delivered twice;
  twice.seen.record.push_back(fact("delivered"));
  EXPECT_EQ(twice.judged().verdict, Verdict::kFail);
  Delivered again;
  again.seen.server[0].taken.push_back(again.seen.server[0].taken[0]);
  EXPECT_THAT(again.judged().details, Contains("the message was delivered 2 times"));
}

TEST(Judge, SeesClearTextAfterFailedTlsTowardsTheNextHop) {
  Delivered one;
  one.seen.server[0].smtp_after_failed_tls = true;
  EXPECT_EQ(one.judged().verdict, Verdict::kFail);
  Delivered other;
  other.seen.server[0].ending = Ending::kTlsError;
  EXPECT_EQ(other.judged().verdict, Verdict::kFail);
}

TEST(Judge, SeesASessionThatHangsAfterTheMessage) {
  Delivered hanging;
  hanging.seen.client[0].farewell = 0;
  hanging.seen.client[0].ending = Ending::kTimeout;
  EXPECT_EQ(hanging.judged().verdict, Verdict::kFail);
  Delivered faulty;
  faulty.seen.client[0].faults.emplace_back("bytes behind the reply to MAIL");
  EXPECT_EQ(faulty.judged().verdict, Verdict::kFail);
}

TEST(Judge, DoesNotExcuseALeakByATemporaryRefusal) {
  Dropped busy;
  busy.seen.client[0].last_reply = 451;
  busy.seen.sightings.push_back({Side::kServer, 1, "clear-untried", "plain", 7});
  EXPECT_EQ(busy.judged().verdict, Verdict::kFail);
}

TEST(Judge, BelievesAnAttemptOnlyWithItsConnection) {
  Held claimed;
  claimed.seen.server.clear();
  EXPECT_THAT(claimed.judged().reason, HasSubstr("2 attempts, and 0 connections"));
  Held disclosed;
  disclosed.seen.server[1].mail = true;
  EXPECT_THAT(disclosed.judged().details, Contains(HasSubstr("MAIL was disclosed")));
}

TEST(Judge, LetsAWiderGradeRefuseWithoutAskingForADelivery) {
  Dropped refused;
  Expectation outbound = expectation(LegName::kOutbound, "redirect tls=yes");
  refused.inbound = expectation(LegName::kInbound, "accept tls=no", "accept | drop");
  refused.bench.outbound = &outbound;
  refused.bench.expects_nothing = false;
  refused.bench.held_to = Grade::kLetter;
  EXPECT_EQ(refused.judged().verdict, Verdict::kPass) << refused.judged().reason;
}

TEST(Judge, AHarnessErrorIsNoFailure) {
  Delivered one;
  one.seen.harness_error = "cannot open a client socket";
  EXPECT_EQ(one.judged().verdict, Verdict::kError);
}

TEST(Judge, AStoryThatNeedsWhatWasNeverCapturedIsNoFailure) {
  Delivered one;
  Checks checks;
  checks.texts.push_back({false, "id ${id}", "", {"story.xml", 7, 3}});
  one.bench.checks = &checks;
  EXPECT_EQ(one.judged().verdict, Verdict::kError);
  EXPECT_THAT(one.judged().reason, HasSubstr("story.xml:7:3: the story is wrong"));
  one.seen.broken_steps.emplace_back("story.xml:5:3: expected a reply 250 to MAIL, got 451");
  EXPECT_EQ(one.judged().verdict, Verdict::kFail);
}

TEST(Intact, AllowsTraceHeadersAndNothingElse) {
  std::string problem;
  EXPECT_TRUE(
      intact("A: b\r\n\r\nx\r\n", "Received: by x\r\n\tfor y\r\nA: b\r\n\r\nx\r\n", problem));
  EXPECT_FALSE(intact("A: b\r\n\r\nx\r\n", "X-Spam: no\r\nA: b\r\n\r\nx\r\n", problem));
  EXPECT_THAT(problem, HasSubstr("X-Spam"));
  EXPECT_FALSE(intact("A: b\r\n\r\nx\r\n", "A: b\r\n\r\nx\n", problem));
}

TEST(Observe, NamesWhatNoPolicyDoes) {
  Delivered lost;
  lost.seen.server.clear();
  lost.seen.record = {fact("accepted")};
  EXPECT_EQ(observe_outbound(lost.seen).word, "lost");
  Delivered untold;
  untold.seen.server[0].taken.clear();
  untold.seen.record = {fact("accepted"), fact("bounced", {{"code", "5.7.0"}})};
  EXPECT_EQ(observe_outbound(untold.seen).word, "bounce-untold");
  untold.seen.mailbox.emplace_back().taken.push_back(
      {"", {untold.seen.sender}, "it could not go to " + untold.seen.recipient, true});
  EXPECT_EQ(observe_outbound(untold.seen).text(), "bounce code=5.7.0");
}

}  // namespace
}  // namespace postern
