#include "catalogue/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kSuite =
    "tls-modes/server-level=require/client-certificate=none/client-level=verify";

class SelectionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    Problems problems;
    const auto authority =
        certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    ASSERT_TRUE(authority) << problems.text();
    catalogue_ = load_catalogue(POSTERN_SOURCE_DIR "/scenarios", *authority, problems);
    ASSERT_TRUE(catalogue_) << problems.text();
  }
  static void TearDownTestSuite() { catalogue_.reset(); }

  static Selection choose(std::vector<std::string> what, const std::string& filter = "") {
    Query query{std::move(what), {}};
    std::string error;
    if (!filter.empty()) query.filters.push_back(Condition::parse(filter, error));
    EXPECT_EQ(error, "");
    return select(*catalogue_, query);
  }

  static std::vector<std::string> ids(const Selection& selection) {
    std::vector<std::string> ids;
    for (const Configuration& configuration : selection.configurations) {
      for (const Chosen& chosen : configuration.cases) {
        ids.push_back((chosen.control ? "control " : "") + chosen.id());
      }
    }
    return ids;
  }

  static std::unique_ptr<Catalogue> catalogue_;
};

std::unique_ptr<Catalogue> SelectionTest::catalogue_;

TEST_F(SelectionTest, GivesEverythingWhereNothingIsAsked) {
  const Selection all = choose({});
  EXPECT_THAT(all.errors, IsEmpty());
  EXPECT_EQ(all.chosen, catalogue_->matrix_cases.size() + 8 + catalogue_->stories.size());
  EXPECT_EQ(all.controls, 0U);
}

TEST_F(SelectionTest, GroupsByConfiguration) {
  const Selection all = choose({"tls-modes"}, "kind=matrix|invalid");
  ASSERT_EQ(all.configurations.size(), 28U + 8);
  EXPECT_EQ(all.configurations[0].cases.size(), 17U * 23);
  EXPECT_EQ(*all.configurations[0].settings.get("clear-fallback-delay"), "0");
  EXPECT_TRUE(all.configurations[28].must_be_rejected);
  EXPECT_EQ(all.configurations[28].cases.size(), 1U);
}

TEST_F(SelectionTest, TakesTheControlsOfANegativeAlong) {
  EXPECT_THAT(ids(choose({kSuite + "/client=plain/server=expired"})),
              ElementsAre(kSuite + "/client=plain/server=expired",
                          "control " + kSuite + "/client=good-cert/server=expired"));
  EXPECT_THAT(ids(choose({kSuite + "/client=starttls/server=expired"})),
              ElementsAre("control " + kSuite + "/client=starttls/server=good",
                          kSuite + "/client=starttls/server=expired"));
}

TEST_F(SelectionTest, CountsAControlThatWasChosenAsChosen) {
  const Selection both =
      choose({kSuite + "/client=starttls/server=expired", kSuite + "/client=starttls/server=good"});
  EXPECT_EQ(both.chosen, 2U);
  EXPECT_EQ(both.controls, 0U);
}

TEST_F(SelectionTest, TakesASuiteByTheBeginningOfItsId) {
  EXPECT_EQ(choose({kSuite}).chosen, 17U * 23);
  EXPECT_EQ(choose({"tls-modes/invalid"}).chosen, 8U);
  EXPECT_EQ(choose({"tls-modes/server-level=none"}).chosen, 4U * 17 * 23);
}

TEST_F(SelectionTest, TakesAFile) {
  EXPECT_EQ(choose({POSTERN_SOURCE_DIR "/scenarios/matrices/tls-modes.xml"}).chosen, 10956U);
  EXPECT_EQ(choose({"matrices/tls-modes.xml"}).chosen, 10956U);
  EXPECT_EQ(choose({"matrices"}).chosen, catalogue_->matrix_cases.size() + 8);
  EXPECT_THAT(choose({"peers/clients.xml"}).errors, ElementsAre(HasSubstr("found no case in")));
  EXPECT_THAT(
      choose({POSTERN_SOURCE_DIR "/README.md"}).errors,
      ElementsAre(HasSubstr("README.md, which is not below " POSTERN_SOURCE_DIR "/scenarios")));
}

TEST_F(SelectionTest, Filters) {
  EXPECT_EQ(choose({"tls-modes"}, "kind=matrix client=plain server!=good").chosen, 28U * 22);
  EXPECT_EQ(choose({}, "case=" + kSuite + " client=plain").chosen, 23U);
  EXPECT_EQ(choose({"tls-modes"}, "client-level=verify kind=invalid").chosen, 2U);
}

TEST_F(SelectionTest, AStrengthLeavesWhatCoversAllPairs) {
  Query query{{}, {}};
  query.strength = 2;
  query.seed = 1;
  const Selection pairs = select(*catalogue_, query);
  EXPECT_THAT(pairs.coverage.holes, IsEmpty());
  EXPECT_EQ(pairs.coverage.of, catalogue_->matrix_cases.size());
  EXPECT_LT(pairs.coverage.chosen, pairs.coverage.of / 10);
  EXPECT_GT(pairs.coverage.tuples, 17U * 23);
  // Stories and settings that have to be rejected are left alone, and negatives keep their
  // controls.
  EXPECT_EQ(pairs.chosen,
            pairs.coverage.chosen + catalogue_->stories.size() + catalogue_->invalid_cases.size());
  EXPECT_GT(pairs.controls, 0U);
  EXPECT_EQ(ids(pairs), ids(select(*catalogue_, query)));
  query.seed = 2;
  EXPECT_NE(ids(pairs), ids(select(*catalogue_, query)));
}

TEST_F(SelectionTest, AStrengthCoversWhatAFilterLeaves) {
  Query query{{"tls-modes"}, {}};
  std::string error;
  query.filters.push_back(
      Condition::parse("kind=matrix client=plain|starttls server=good|expired", error));
  query.strength = 3;
  const Selection triples = select(*catalogue_, query);
  EXPECT_EQ(triples.coverage.of, 28U * 2 * 2);
  EXPECT_THAT(triples.coverage.holes, IsEmpty());
  EXPECT_LT(triples.coverage.chosen, triples.coverage.of);
}

TEST_F(SelectionTest, ListsAFewOfManyAndFirstWhatWasMeant) {
  const std::vector<std::string> errors = choose({"tls-mods"}).errors;
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_LT(errors.front().size(), 600U) << errors.front();
  EXPECT_THAT(errors.front(), HasSubstr(" more (postern list)"));
  EXPECT_LT(errors.front().find("did you mean"), errors.front().find("allowed"));
}

TEST_F(SelectionTest, TellsWhatIsNearWhereNothingIsFound) {
  EXPECT_THAT(choose({"tls-mods"}).errors, ElementsAre(HasSubstr("did you mean \"tls-modes\"")));
  EXPECT_THAT(choose({kSuite + "/client=plian/server=good"}).errors,
              ElementsAre(HasSubstr("did you mean \"client=plain\"")));
  EXPECT_THAT(choose({}, "client=plian").errors, ElementsAre(HasSubstr("did you mean \"plain\"")));
  EXPECT_THAT(choose({}, "clint=plain").errors, ElementsAre(HasSubstr("did you mean \"client\"")));
  EXPECT_THAT(choose({"tls-modes/invalid"}, "kind=story").errors,
              ElementsAre(HasSubstr("found no case that the filter leaves")));
  EXPECT_EQ(choose({"tls-mods"}).chosen, 0U);
}

}  // namespace
}  // namespace postern
