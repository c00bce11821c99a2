#include <gtest/gtest.h>

#include <ctime>
#include <map>

#include "catalogue/catalogue.hpp"

// The scenarios of this repository: they load, they are proven, and they decide what they should.

namespace postern {
namespace {

class Scenarios : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    Problems problems;
    authority_ = certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    ASSERT_TRUE(authority_) << problems.text();
    catalogue_ = load_catalogue(POSTERN_SOURCE_DIR "/scenarios", *authority_, problems);
    ASSERT_TRUE(catalogue_) << problems.text();
  }
  static void TearDownTestSuite() {
    catalogue_.reset();
    authority_.reset();
  }

  static const MatrixCase& find(const std::string& id) {
    for (const MatrixCase& one : catalogue_->matrix_cases) {
      if (one.id() == id) return one;
    }
    throw std::out_of_range(id);
  }

  static std::optional<certs::Authority> authority_;
  static std::unique_ptr<Catalogue> catalogue_;
};

std::optional<certs::Authority> Scenarios::authority_;
std::unique_ptr<Catalogue> Scenarios::catalogue_;

TEST_F(Scenarios, HaveACaseForEveryModeClientAndServer) {
  std::map<std::string, int> suites;
  std::size_t cases = 0;
  for (const MatrixCase& one : catalogue_->matrix_cases) {
    if (!one.suite.starts_with("tls-modes/")) continue;
    ++suites[one.suite];
    ++cases;
  }
  EXPECT_EQ(cases, 28U * 17 * 23);
  EXPECT_EQ(suites.size(), 28U);
}

TEST_F(Scenarios, NameTheInvalidCombinations) {
  ASSERT_EQ(catalogue_->invalid_cases.size(), 8U);
  EXPECT_EQ(catalogue_->invalid_cases[0].id(),
            "tls-modes/invalid/server-level=none/client-certificate=request/client-level=none");
  EXPECT_EQ(catalogue_->invalid_cases[0].suite, "tls-modes/invalid");
  EXPECT_EQ(catalogue_->invalid_cases[0].rule->ref, "SET-2");
}

TEST_F(Scenarios, DecideBothLegsOfAnAcceptedCase) {
  const MatrixCase& one = find(
      "tls-modes/server-level=require/client-certificate=none/client-level=verify/"
      "client=starttls/server=expired");
  EXPECT_EQ(one.inbound->ref, "IN-5");
  EXPECT_EQ(one.inbound->expect.form_text, "accept tls=yes asked=no");
  ASSERT_TRUE(one.outbound);
  EXPECT_EQ(one.outbound->ref, "OUT-5");
  EXPECT_EQ(one.outbound->expect.letter_text, "hold | bounce");
  ASSERT_TRUE(one.disclosure);
  EXPECT_EQ(one.disclosure->ref, "LEAK-4");
  EXPECT_TRUE(one.disclosure->next_hop.empty());
}

TEST_F(Scenarios, SendNothingOnWhereNothingIsAccepted) {
  const MatrixCase& one = find(
      "tls-modes/server-level=require/client-certificate=none/client-level=verify/"
      "client=plain/server=good");
  EXPECT_EQ(one.inbound->ref, "IN-3");
  EXPECT_FALSE(one.outbound);
  EXPECT_FALSE(one.disclosure);
}

TEST_F(Scenarios, InheritWhatAPeerDoesNotState) {
  const Peer& back = catalogue_->clients.at("comes-back-in-clear");
  EXPECT_EQ(back.certificate, "client-good");
  EXPECT_TRUE(back.comes_back_in_clear);
  ASSERT_EQ(back.deviations.size(), 1U);
  EXPECT_EQ(back.deviations[0].at, Point::kClientHello);
  EXPECT_EQ(back.deviations[0].bytes, "This is no TLS record.\r\n");
  EXPECT_EQ(catalogue_->servers.at("demands-cert-1.2").versions,
            std::vector<TlsVersion>{TlsVersion::k12});
}

TEST_F(Scenarios, GiveEveryPeerItsControl) {
  EXPECT_EQ(catalogue_->control_client("good-cert"), "good-cert");
  EXPECT_EQ(catalogue_->control_client("plain"), "good-cert");
  EXPECT_EQ(catalogue_->control_client("rejects-1.2"), "good-cert-1.2");
  EXPECT_EQ(catalogue_->control_server("demands-cert-1.2"), "good-1.2");
  EXPECT_EQ(catalogue_->control_server("good-1.2"), "good-1.2");
}

TEST_F(Scenarios, KnowEveryRequirementOfTheSpecification) {
  for (const char* id : {"SET-5", "TLS-1", "IN-9", "OUT-9", "LEAK-5"})
    EXPECT_TRUE(catalogue_->requirements.contains(id)) << id;
  EXPECT_EQ(catalogue_->requirements.at("IN-3").level, "MUST");
}

TEST_F(Scenarios, LoadWithoutWorkingThroughEveryCase) {
  Problems problems;
  const std::clock_t begin = std::clock();
  const auto again = load_catalogue(POSTERN_SOURCE_DIR "/scenarios", *authority_, problems);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  ASSERT_TRUE(again) << problems.text();
  RecordProperty("cpu", std::to_string(seconds));
  // A release build takes 0.1 s, one with sanitizers 0.4; the rest is room for a busy machine.
  EXPECT_LT(seconds, 1.5);
}

}  // namespace
}  // namespace postern
