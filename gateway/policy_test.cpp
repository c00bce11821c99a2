#include "policy.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <sstream>

namespace gateway {
namespace {

const ServerLevel kServerLevels[] = {ServerLevel::none, ServerLevel::attempt, ServerLevel::require};
const ClientCertificate kCertificates[] = {ClientCertificate::none, ClientCertificate::request,
                                           ClientCertificate::require};
const ClientLevel kClientLevels[] = {ClientLevel::none, ClientLevel::attempt, ClientLevel::require,
                                     ClientLevel::verify};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), std::istream_iterator<std::string>()};
}

// rows_of splits a golden table into its lines of words.
std::vector<std::vector<std::string>> rows_of(const std::string& table) {
  std::istringstream in(table);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(in, line);) {
    if (auto words = words_of(line); !words.empty()) rows.push_back(std::move(words));
  }
  return rows;
}

std::string word_of(const Ruling& ruling) {
  switch (ruling.admission) {
    case Admission::serve:
      return "serve";
    case Admission::refuse:
      return std::to_string(ruling.reply.code) + "/" + ruling.reply.enhanced;
    case Admission::drop:
      return std::to_string(ruling.reply.code) + "/" + ruling.reply.enhanced + "!";
  }
  return "?";
}

std::string word_of(const SendingDecision& decision) {
  switch (decision.step) {
    case SendingStep::send_clear:
      return "clear:" + std::string(decision.cause);
    case SendingStep::start_tls:
      return "start-tls";
    case SendingStep::send_tls:
      return "tls";
    case SendingStep::hold:
      return "hold:" + std::string(decision.enhanced);
    case SendingStep::tls_failed:
      return "failed:" + std::string(decision.enhanced);
  }
  return "?";
}

const std::map<std::string, Verb> kVerbs = {
    {"EHLO", Verb::ehlo}, {"HELO", Verb::helo},       {"STARTTLS", Verb::starttls},
    {"MAIL", Verb::mail}, {"RCPT", Verb::rcpt},       {"DATA", Verb::data},
    {"BDAT", Verb::bdat}, {"AUTH", Verb::auth},       {"RSET", Verb::rset},
    {"NOOP", Verb::noop}, {"VRFY", Verb::vrfy},       {"EXPN", Verb::expn},
    {"HELP", Verb::help}, {"UNKNOWN", Verb::unknown}, {"QUIT", Verb::quit}};

// What the policy says to each verb under server-level=require. A ! means: and drop.
// bad is TLS without a certificate that verifies, good is with one.
const char kRequire[] = R"(
  verb      clear       cert=none,bad  cert=request,bad  cert=require,bad  cert=require,good
  EHLO      serve       serve          serve             554/5.7.1!        serve
  HELO      serve       serve          serve             554/5.7.1!        serve
  STARTTLS  serve       serve          serve             554/5.7.1!        serve
  MAIL      530/5.7.0!  serve          serve             554/5.7.1!        serve
  RCPT      530/5.7.0!  serve          serve             554/5.7.1!        serve
  DATA      530/5.7.0!  serve          serve             554/5.7.1!        serve
  BDAT      530/5.7.0!  serve          serve             554/5.7.1!        serve
  AUTH      530/5.7.0!  serve          serve             554/5.7.1!        serve
  RSET      530/5.7.0   serve          serve             554/5.7.1!        serve
  NOOP      serve       serve          serve             554/5.7.1!        serve
  VRFY      530/5.7.0   serve          serve             554/5.7.1!        serve
  EXPN      530/5.7.0   serve          serve             554/5.7.1!        serve
  HELP      530/5.7.0   serve          serve             554/5.7.1!        serve
  UNKNOWN   500/5.5.2   serve          serve             554/5.7.1!        serve
  QUIT      serve       serve          serve             serve             serve
)";

TEST(Policy, RequireRulesOnEveryVerb) {
  const auto rows = rows_of(kRequire);
  ASSERT_EQ(rows.size(), kVerbs.size() + 1);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const Verb verb = kVerbs.at(row[0]);
    const auto ruling = [&](ClientCertificate certificate, bool tls, bool verified) {
      return word_of(rule_on({ServerLevel::require, certificate}, {tls, verified}, verb));
    };
    for (const auto certificate : kCertificates) {
      EXPECT_EQ(ruling(certificate, false, false), row[1]) << row[0];
    }
    EXPECT_EQ(ruling(ClientCertificate::none, true, false), row[2]) << row[0];
    EXPECT_EQ(ruling(ClientCertificate::request, true, false), row[3]) << row[0];
    EXPECT_EQ(ruling(ClientCertificate::require, true, false), row[4]) << row[0];
    EXPECT_EQ(ruling(ClientCertificate::require, true, true), row[5]) << row[0];
  }
}

TEST(Policy, NoneAndAttemptServeEveryVerb) {
  for (const auto level : {ServerLevel::none, ServerLevel::attempt}) {
    for (const auto certificate : kCertificates) {
      for (const auto& [name, verb] : kVerbs) {
        for (const bool tls : {false, true}) {
          EXPECT_EQ(word_of(rule_on({level, certificate}, {tls, false}, verb)), "serve") << name;
        }
      }
    }
  }
}

// One row a combination: allowed or why not, what is offered, what is asked, what is warned about.
const char kCombinations[] = R"(
  level    certificate  allowed  starttls  asks  warning
  none     none         yes      no        no    no
  none     request      SET-2    no        no    no
  none     require      SET-2    no        no    no
  attempt  none         yes      yes       no    no
  attempt  request      yes      yes       yes   no
  attempt  require      yes      yes       yes   SET-3
  require  none         yes      yes       no    no
  require  request      yes      yes       yes   no
  require  require      yes      yes       yes   no
)";

TEST(Policy, CombinationsOfReceivingSettings) {
  const auto rows = rows_of(kCombinations);
  std::size_t row = 1;
  for (const auto level : kServerLevels) {
    for (const auto certificate : kCertificates) {
      const ReceivingPolicy policy{level, certificate};
      const auto& expected = rows[row++];
      SCOPED_TRACE(expected[0] + " " + expected[1]);
      EXPECT_EQ(combination_error(policy).empty() ? "yes" : "SET-2", expected[2]);
      EXPECT_EQ(offers_starttls(policy, false) ? "yes" : "no", expected[3]);
      EXPECT_FALSE(offers_starttls(policy, true));
      EXPECT_EQ(requests_certificate(policy) ? "yes" : "no", expected[4]);
      EXPECT_EQ(combination_warning(policy).empty() ? "no" : "SET-3", expected[5]);
    }
  }
}

// Which tickets count, by what their session had to show: under each policy, where it is of the
// same scope and in time. Under attempt, require counts as request.
const char kTickets[] = R"(
  level    certificate  nothing  bad  verified  expired-since
  none     none         no       no   no        no
  attempt  none         yes      no   no        no
  attempt  request      yes      no   yes       no
  attempt  require      yes      no   yes       no
  require  none         yes      no   no        no
  require  request      yes      no   yes       no
  require  require      no       no   yes       no
)";

TEST(Policy, TicketsThatCount) {
  const std::map<std::string, ServerLevel> levels = {{"none", ServerLevel::none},
                                                     {"attempt", ServerLevel::attempt},
                                                     {"require", ServerLevel::require}};
  const std::map<std::string, ClientCertificate> certificates = {
      {"none", ClientCertificate::none},
      {"request", ClientCertificate::request},
      {"require", ClientCertificate::require}};
  const TicketFacts shown[] = {{true, true, false, false, true},
                               {true, true, true, false, true},
                               {true, true, true, true, true},
                               {true, true, true, true, false}};
  const auto rows = rows_of(kTickets);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const ReceivingPolicy policy{levels.at(rows[i][0]), certificates.at(rows[i][1])};
    for (std::size_t column = 0; column < std::size(shown); ++column) {
      SCOPED_TRACE(rows[i][0] + " " + rows[i][1] + " " + rows[0][column + 2]);
      TicketFacts facts = shown[column];
      EXPECT_EQ(may_resume(policy, facts) ? "yes" : "no", rows[i][column + 2]);
      facts.same_scope = false;
      EXPECT_FALSE(may_resume(policy, facts));
      facts.same_scope = true;
      facts.in_time = false;
      EXPECT_FALSE(may_resume(policy, facts));
    }
  }
}

TEST(Policy, RequireUnderAttemptCountsAsRequest) {
  const ReceivingPolicy policy{ServerLevel::attempt, ClientCertificate::require};
  EXPECT_EQ(effective_certificate(policy), ClientCertificate::request);
}

// What is done with what the next hop says. x stands for no valid reply.
const char kSending[] = R"(
  seen            none              attempt                       require     verify
  no-starttls     clear:level-none  clear:starttls-not-supported  hold:4.7.4  hold:4.7.4
  starttls        clear:level-none  start-tls                     start-tls   start-tls
  220             start-tls         start-tls                     start-tls   start-tls
  454             hold:4.7.4        clear:starttls-refused        hold:4.7.4  hold:4.7.4
  421             failed:4.7.5      failed:4.7.5                  failed:4.7.5  failed:4.7.5
  500             hold:4.7.4        clear:starttls-refused        hold:4.7.4  hold:4.7.4
  502             hold:4.7.4        clear:starttls-refused        hold:4.7.4  hold:4.7.4
  554             hold:4.7.4        clear:starttls-refused        hold:4.7.4  hold:4.7.4
  250             failed:4.7.5      failed:4.7.5                  failed:4.7.5  failed:4.7.5
  354             failed:4.7.5      failed:4.7.5                  failed:4.7.5  failed:4.7.5
  x               failed:4.7.5      failed:4.7.5                  failed:4.7.5  failed:4.7.5
  good-cert       tls               tls                           tls         tls
  bad-cert        tls               tls                           tls         hold:4.7.5
)";

SendingDecision decide(ClientLevel level, const std::string& seen) {
  if (seen == "no-starttls") return after_ehlo(level, false, false);
  if (seen == "starttls") return after_ehlo(level, true, false);
  if (seen == "good-cert") return after_handshake(level, Verification::verified);
  if (seen == "bad-cert") return after_handshake(level, Verification::not_verified);
  if (seen == "x") return after_starttls(level, std::nullopt);
  return after_starttls(level, std::stoi(seen));
}

TEST(Policy, SendingDecisions) {
  const auto rows = rows_of(kSending);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 5U);
    for (std::size_t level = 0; level < 4; ++level) {
      EXPECT_EQ(word_of(decide(kClientLevels[level], rows[i][0])), rows[i][level + 1])
          << rows[i][0] << " under level " << level;
    }
  }
}

TEST(Policy, FallingBackIsClearTextUnderAttemptOnly) {
  for (const bool offered : {false, true}) {
    EXPECT_EQ(word_of(after_ehlo(ClientLevel::attempt, offered, true)), "clear:tls-failed");
    EXPECT_NE(after_ehlo(ClientLevel::require, offered, true).step, SendingStep::send_clear);
    EXPECT_NE(after_ehlo(ClientLevel::verify, offered, true).step, SendingStep::send_clear);
  }
}

TEST(Policy, FallbackWaitsForItsDelayAndKnowsNever) {
  using std::chrono::seconds;
  EXPECT_TRUE(may_fall_back(ClientLevel::attempt, seconds(0), seconds(0)));
  EXPECT_FALSE(may_fall_back(ClientLevel::attempt, seconds(300), seconds(299)));
  EXPECT_TRUE(may_fall_back(ClientLevel::attempt, seconds(300), seconds(300)));
  EXPECT_FALSE(may_fall_back(ClientLevel::attempt, std::nullopt, seconds(1'000'000)));
  for (const auto level : {ClientLevel::none, ClientLevel::require, ClientLevel::verify}) {
    EXPECT_FALSE(may_fall_back(level, seconds(0), seconds(1'000'000)));
  }
}

TEST(Policy, NobodyFollowsWhereTlsWasRefusedOrFailed) {
  for (const char* cause : {"", "level-none", "starttls-not-supported"}) {
    EXPECT_TRUE(may_share_connection(cause)) << cause;
  }
  for (const char* cause : {"starttls-refused", "tls-failed"}) {
    EXPECT_FALSE(may_share_connection(cause)) << cause;
  }
}

}  // namespace
}  // namespace gateway
