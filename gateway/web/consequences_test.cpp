#include "consequences.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "page_text.hpp"
#include "view.hpp"
#include "words.hpp"

namespace gateway::web {
namespace {

std::string outcomes(const std::vector<Consequence>& all) {
  std::string out;
  for (const auto& one : all) out += (out.empty() ? "" : " | ") + std::string(one.outcome);
  return out;
}

std::string clients(ServerLevel level, ClientCertificate certificate) {
  return outcomes(consequences_for_clients({level, certificate}));
}

// Clients: plain, without a certificate, with a good one, with a bad one, breaking the handshake.
TEST(Consequences, OfClientsAreThoseOfTheSpecification) {
  using enum ClientCertificate;
  EXPECT_EQ(clients(ServerLevel::none, none),
            "accepted-clear | accepted-clear-not-offered | accepted-clear-not-offered | "
            "accepted-clear-not-offered | accepted-clear-not-offered");
  EXPECT_EQ(clients(ServerLevel::attempt, none),
            "accepted-clear | accepted-tls | accepted-tls | accepted-tls | broken-then-clear");
  // SET-3: counts as request.
  for (const auto certificate : {request, require}) {
    EXPECT_EQ(clients(ServerLevel::attempt, certificate),
              "accepted-clear | accepted-tls-recorded | accepted-tls-recorded | "
              "accepted-tls-recorded | broken-then-clear");
  }
  EXPECT_EQ(clients(ServerLevel::require, none),
            "dropped-without-tls | accepted-tls | accepted-tls | accepted-tls | broken");
  EXPECT_EQ(clients(ServerLevel::require, require),
            "dropped-without-tls | dropped-certificate | accepted-tls-recorded | "
            "dropped-certificate | broken");
}

// Next hops: without TLS, verified, not verified, refusing STARTTLS, breaking the handshake.
TEST(Consequences, OfNextHopsAreThoseOfTheSpecification) {
  const auto hops = [](ClientLevel level, std::optional<Duration> delay = std::chrono::minutes(5)) {
    return outcomes(consequences_for_next_hops(level, delay));
  };
  EXPECT_EQ(hops(ClientLevel::none),
            "sent-clear | sent-clear-untried | sent-clear-untried | sent-clear-untried | "
            "sent-clear-untried");
  EXPECT_EQ(hops(ClientLevel::attempt),
            "sent-clear | sent-tls | sent-tls | sent-clear | sent-clear-later");
  EXPECT_EQ(hops(ClientLevel::attempt, Duration(0)),
            "sent-clear | sent-tls | sent-tls | sent-clear | sent-clear-again");
  EXPECT_EQ(hops(ClientLevel::attempt, std::nullopt),
            "sent-clear | sent-tls | sent-tls | sent-clear | held");
  EXPECT_EQ(hops(ClientLevel::require), "held | sent-tls | sent-tls | held | held");
  EXPECT_EQ(hops(ClientLevel::verify), "held | sent-tls | held | held | held");
}

TEST(Words, AreThereInBothLanguages) {
  const Words& english = words_in("en");
  const Words& japanese = words_in("ja");
  ASSERT_GT(english.size(), 60U);
  for (const auto& [id, text] : english) {
    EXPECT_NE(text, "") << id;
    EXPECT_NE(japanese.at(id), "") << id;
    EXPECT_EQ(text.find("{}") == std::string::npos, japanese.at(id).find("{}") == std::string::npos)
        << id;
  }
}

// What a template asks for and is not there would be left out in silence.
TEST(Words, AreThereForEveryTemplate) {
  for (const char* page : {kLayout, kLogin, kMessage, kEncryption, kConsequences, kQueue, kQuestion,
                           kSessions, kSessionsTable, kCertificates, kCertificateRow}) {
    std::string_view rest(page);
    for (auto at = rest.find("{{w."); at != std::string_view::npos; at = rest.find("{{w.")) {
      rest.remove_prefix(at + 4);
      EXPECT_NO_THROW(word("en", rest.substr(0, rest.find('}'))));
    }
  }
}

TEST(View, EscapesWhatComesFromElsewhere) {
  Frame frame;
  frame.gateway = "<b>";
  frame.error = "e";
  frame.details = "found server-level=\"<script>\" & 'x'";
  const std::string page = message_page(frame);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_NE(page.find("found server-level=&quot;&lt;script&gt;&quot; &amp; "), std::string::npos)
      << page;
}

TEST(View, GreysOutWhatIsNotAvailableAndWarns) {
  Frame frame;
  EncryptionView view;
  const auto page = [&](ServerLevel level, ClientCertificate certificate) {
    view.chosen.receiving = {level, certificate};
    return encryption_page(frame, view);
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  using enum ClientCertificate;
  EXPECT_TRUE(has(page(ServerLevel::none, none), "-meaning\" disabled>"));
  EXPECT_FALSE(has(page(ServerLevel::none, request), "-meaning\" disabled>"));
  EXPECT_FALSE(has(page(ServerLevel::attempt, none), "-meaning\" disabled>"));
  const std::string set_3 = word("en", "warning-set-3");
  const std::string set_4 = word("en", "advice-require");
  EXPECT_TRUE(has(page(ServerLevel::attempt, require), set_3));
  EXPECT_FALSE(has(page(ServerLevel::attempt, require), set_4));
  EXPECT_FALSE(has(page(ServerLevel::require, require), set_3));
  EXPECT_TRUE(has(page(ServerLevel::require, require), set_4));
  EXPECT_FALSE(has(page(ServerLevel::require, request), set_4));
  EXPECT_TRUE(has(page(ServerLevel::require, request), word("en", "advice-request")));
}

}  // namespace
}  // namespace gateway::web
