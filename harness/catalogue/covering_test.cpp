#include "catalogue/covering.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// product gives the full product of axes with so many values each, less the rows in which the
/// first axis has the value 0 and the second another: a constraint as <invalid> makes one.
CoveringTable product(const std::vector<std::size_t>& sizes, bool constrained = false) {
  CoveringTable table;
  table.rows.emplace_back();
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    table.axes.push_back("axis" + std::to_string(axis));
    std::vector<std::vector<std::string>> longer;
    for (const auto& row : table.rows) {
      for (std::size_t value = 0; value < sizes[axis]; ++value) {
        if (constrained && axis == 1 && row[0] == "0" && value != 0) continue;
        longer.push_back(row);
        longer.back().push_back(std::to_string(value));
      }
    }
    table.rows = std::move(longer);
  }
  return table;
}

TEST(Covering, TakesOneCaseForEachPairOfTwoAxes) {
  const CoveringTable table = product({3, 4});
  const Covering covering = cover(table, 2, 1);
  EXPECT_EQ(covering.tuples, 12U);
  EXPECT_THAT(covering.rows, SizeIs(12));
}

TEST(Covering, IsFarSmallerThanTheProductAndHasNoHole) {
  const CoveringTable table = product({3, 3, 4, 17, 23}, true);
  const Covering pairs = cover(table, 2, 1);
  EXPECT_THAT(uncovered(table, pairs.rows, 2), IsEmpty());
  EXPECT_GE(pairs.rows.size(), 17U * 23);
  EXPECT_LE(pairs.rows.size(), 17U * 23 * 5 / 4);
  const Covering triples = cover(table, 3, 1);
  EXPECT_THAT(uncovered(table, triples.rows, 3), IsEmpty());
  EXPECT_LE(triples.rows.size(), table.rows.size() / 3);
}

TEST(Covering, AsksForNothingThatIsInvalid) {
  const CoveringTable table = product({2, 3, 2}, true);
  // 0 meets only 0 on the second axis: 1 + 3 pairs there, not 6.
  EXPECT_EQ(cover(table, 2, 1).tuples, 4U + 4 + 6);
}

TEST(Covering, TheSeedAloneDecides) {
  const CoveringTable table = product({3, 3, 4, 5});
  EXPECT_EQ(cover(table, 2, 7).rows, cover(table, 2, 7).rows);
  EXPECT_NE(cover(table, 2, 7).rows, cover(table, 2, 8).rows);
}

TEST(Covering, TheProofNamesWhatAChoiceLeavesOut) {
  const CoveringTable table = product({2, 2, 2});
  std::vector<std::size_t> rows = cover(table, 3, 1).rows;
  EXPECT_THAT(rows, SizeIs(8));
  rows.erase(rows.begin());
  EXPECT_THAT(uncovered(table, rows, 2), IsEmpty());
  EXPECT_THAT(uncovered(table, rows, 3), ElementsAre("axis0=0 axis1=0 axis2=0"));
}

TEST(Covering, OfFewerAxesEveryCombinationIsTaken) {
  const CoveringTable table = product({5});
  EXPECT_THAT(cover(table, 3, 1).rows, SizeIs(5));
  EXPECT_THAT(uncovered(table, {0, 1, 2, 3}, 3), ElementsAre("axis0=4"));
}

TEST(Covering, OfNothingNothingIsTaken) {
  EXPECT_THAT(cover({{"axis0"}, {}}, 2, 1).rows, IsEmpty());
}

}  // namespace
}  // namespace postern
