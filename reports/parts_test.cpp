#include "parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results_file.hpp"
#include "sample_results.hpp"
#include "summary.hpp"
#include "terminal.hpp"

namespace postern::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RunHeader shard(unsigned index, unsigned total, const std::string& gateway = "reference") {
  RunHeader header = sample_header();
  header.gateway = gateway;
  header.shard = index;
  header.shards = total;
  return header;
}

std::vector<std::string> wrong_with(const std::vector<RunHeader>& headers) {
  Parts parts;
  for (const RunHeader& header : headers) parts.add(header);
  return parts.wrong();
}

TEST(Parts, AreInOrderWhereEachIsThereOnce) {
  EXPECT_THAT(wrong_with({shard(2, 2), shard(1, 2)}), IsEmpty());
  EXPECT_THAT(wrong_with({shard(1, 2), shard(2, 2), shard(1, 1, "other")}), IsEmpty());
  EXPECT_THAT(wrong_with({sample_header(), sample_header()}), IsEmpty());
}

TEST(Parts, OneAloneIsThePartThatItIs) {
  EXPECT_THAT(wrong_with({shard(1, 3)}), IsEmpty());
}

TEST(Parts, TellWhatIsMissingAndWhatIsThereAgain) {
  EXPECT_THAT(wrong_with({shard(1, 3), shard(3, 3)}),
              ElementsAre("reference: shard 2 of 3 is missing"));
  EXPECT_THAT(wrong_with({shard(1, 4), shard(1, 4), shard(3, 4)}),
              ElementsAre("reference: shards 2, 4 of 4 are missing",
                          "reference: shard 1 of 4 is there more than once"));
  EXPECT_THAT(wrong_with({sample_header(), shard(2, 2)}),
              ElementsAre("reference: shard 1 of 2 is missing"));
}

TEST(Parts, NameNoMoreThanCanBeRead) {
  const std::vector<std::string> lines = wrong_with({shard(1, 4000000000), shard(3, 4000000000)});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("shards 2, 4, 5, "));
  EXPECT_THAT(lines[0], HasSubstr(", 22 and others of 4000000000 are missing"));
}

// The summary of the runs put together; each passed, with a case where it says so.
RunSummary together(const std::vector<std::pair<RunHeader, bool>>& runs, int exit_code = 0) {
  TemporaryFile all, one;
  std::string text;
  for (const auto& [header, has_a_case] : runs) {
    ResultsWriter writer(one.path(), header);
    if (has_a_case) writer.write(sample_pass());
    RunFooter footer;
    footer.exit_code = exit_code;
    writer.finish(footer);
    text += one.text();
  }
  all.write(text);
  return summarize(all.path());
}

TEST(Parts, WithoutOneOfThemNothingPasses) {
  const RunSummary whole = together({{shard(1, 2), true}, {shard(2, 2), true}});
  EXPECT_EQ(whole.exit_code(), 0);
  const RunSummary lost = together({{shard(1, 3), true}, {shard(3, 3), true}});
  EXPECT_EQ(lost.exit_code(), 3);
  EXPECT_THAT(run_text(lost, Colour::kNo), HasSubstr("reference: shard 2 of 3 is missing\n"));
  EXPECT_THAT(run_text(lost, Colour::kNo), HasSubstr("UNDECIDED"));
  EXPECT_EQ(together({{shard(1, 3), true}, {shard(3, 3), true}}, 1).exit_code(), 1);
}

TEST(Parts, AShardMayHaveNoCase) {
  EXPECT_EQ(together({{shard(2, 2), false}}).exit_code(), 0);
  EXPECT_EQ(together({{shard(1, 2), true}, {shard(2, 2), false}}).exit_code(), 0);
  const RunSummary none = together({{sample_header(), false}});
  EXPECT_EQ(none.exit_code(), 3);
  EXPECT_THAT(none.remarks, ElementsAre("no case was judged"));
}

}  // namespace
}  // namespace postern::reports
