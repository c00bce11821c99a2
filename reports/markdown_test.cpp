#include "markdown.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "results_file.hpp"
#include "sample_results.hpp"
#include "terminal.hpp"

namespace postern::reports {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string markdown_of(const std::vector<CaseResult>& cases) {
  TemporaryFile results, page;
  write_results(results.path(), cases);
  write_markdown(results.path(), page.path());
  return page.text();
}

TEST(Markdown, SaysFirstWhetherItPassed) {
  EXPECT_THAT(markdown_of({sample_pass(), sample_failure()}),
              StartsWith("## ❌ Postern: FAILED\n\n2 cases: 1 pass, 1 fail.\n"));
}

TEST(Markdown, HasARowAModeAndAColumnAPeer) {
  const std::string page = markdown_of({sample_failure(), sample_pass()});
  EXPECT_THAT(page, HasSubstr("| server-level | client-certificate | client-level | → starttls | "
                              "good → | expired → |\n|---|---|---|---|---|---|\n"));
  EXPECT_THAT(page, HasSubstr("| **require** | **none** | **verify** | accept tls | redirect tls | "
                              "**❌ redirect tls** |\n"));
}

TEST(Markdown, OutcomesThatDifferAreShownWithTheirCounts) {
  CaseResult held = sample_pass();
  held.outbound.observed = {"hold", {{"code", "4.7.5"}}};
  const std::string page = markdown_of({sample_pass(), sample_pass(), held});
  EXPECT_THAT(page, HasSubstr("| redirect tls (2)<br>hold 4.7.5 (1) |"));
}

TEST(Markdown, ListsWhatDidNotPassWithItsCommand) {
  const std::string page = markdown_of({sample_failure()});
  EXPECT_THAT(page,
              HasSubstr("### Did not pass (1)\n\n- **OUT-5**: 1\n\n#### OUT-5\n\nWhere OUT-3 or "
                        "OUT-4 is not met"));
  EXPECT_THAT(page, HasSubstr("expected hold code=4.7.5, got redirect tls=yes connection=1"));
  EXPECT_THAT(page, HasSubstr("`postern run 'tls-modes/"));
  EXPECT_THAT(page, HasSubstr("Distinct decisions: **1** inbound (mode × client), **1** outbound"));
}

TEST(Markdown, GroupsByRequirement) {
  CaseResult refused = sample_pass();
  refused.verdict = Verdict::kFail;
  refused.inbound.grade = "";
  CaseResult both = refused;
  both.outbound.grade = "";
  CaseResult none;
  none.id = "none";
  const std::string page = markdown_of({sample_failure(), refused, none, both});
  EXPECT_THAT(page, HasSubstr("### Did not pass (4)\n\n- **OUT-5**: 1\n- **IN-3**: 2\n"
                              "- no requirement: 1\n\n#### OUT-5\n\nWhere"));
  EXPECT_THAT(page, HasSubstr("#### IN-3\n\nrequire: STARTTLS is offered;"));
  EXPECT_THAT(page, HasSubstr(", also OUT-4\n"));
  EXPECT_THAT(page, HasSubstr("#### No requirement\n\n- **error** `none`\n"));
}

TEST(Markdown, CountsEveryRequirement) {
  CaseResult story = sample_pass();
  story.inbound.requirement = "OUT-10";
  story.outbound = {};
  CaseResult skipped = sample_pass();
  skipped.verdict = Verdict::kSkip;
  EXPECT_THAT(
      markdown_of({story, sample_failure(), sample_pass(), skipped}),
      HasSubstr("| requirement | cases | passed | failed | other |\n|---|---:|---:|---:|---:|\n"
                "| IN-3 | 3 | 2 | 0 | 1 |\n| OUT-4 | 2 | 1 | 0 | 1 |\n"
                "| ❌ OUT-5 | 1 | 0 | 1 | 0 |\n| OUT-10 | 1 | 1 | 0 | 0 |\n"));
}

TEST(Markdown, CountsWhatACaseIsHeldToBesideItsLegs) {
  CaseResult passed = sample_pass();
  passed.demands = {{"LEAK-4", "inside TLS only", "", "outbound", false},
                    {"SET-4", "a warning", "", "", false}};
  CaseResult leaked = passed;
  leaked.verdict = Verdict::kFail;
  leaked.demands[0].broken = true;
  const std::string page = markdown_of({passed, leaked});
  EXPECT_THAT(page, HasSubstr("| IN-3 | 2 | 2 | 0 | 0 |\n| ❌ LEAK-4 | 2 | 1 | 1 | 0 |\n"
                              "| OUT-4 | 2 | 2 | 0 | 0 |\n| SET-4 | 2 | 2 | 0 | 0 |\n"));
  EXPECT_THAT(page, HasSubstr("#### LEAK-4\n\ninside TLS only\n"));
  EXPECT_THAT(page, HasSubstr("| accept tls | **❌ redirect tls** |\n"));
}

TEST(Markdown, ListsNoMoreThanItHasRoomFor) {
  const std::vector<CaseResult> many(kListed + 3, sample_failure());
  EXPECT_THAT(markdown_of(many),
              HasSubstr("\nAnd 3 more; a results file (`--results`) has all.\n"));
}

TEST(Markdown, SaysWhatTheRunSaysOfItself) {
  EXPECT_THAT(markdown_of({sample_pass()}), HasSubstr("\na note\n"));
}

TEST(Markdown, BytesOfAPeerStayText) {
  CaseResult result = sample_failure();
  result.reason = "<img src=x> [a](b) | **c** `d` \x1B\xFF\n# e";
  result.rerun = "echo `a` ``b``";
  const std::string page = markdown_of({result});
  EXPECT_THAT(page, HasSubstr("&lt;img src=x&gt; &#91;a&#93;(b) &#124; &#42;&#42;c&#42;&#42; "
                              "&#96;d&#96; &#92;x1B&#92;xFF&#92;n&#35; e\n"));
  EXPECT_THAT(page, HasSubstr("``` echo `a` ``b`` ```"));
}

TEST(Markdown, ARunThatDidNotEndHasNotPassed) {
  TemporaryFile results;
  { ResultsWriter(results.path(), sample_header()).write(sample_pass()); }
  const std::string page = markdown_text(summarize(results.path()));
  EXPECT_THAT(page, StartsWith("## ⚠️ Postern: UNDECIDED\n"));
  EXPECT_THAT(page, HasSubstr("found no footer"));
  EXPECT_THAT(page, Not(HasSubstr("PASSED")));
}

TEST(Markdown, SaysWhyARunDidNotEndInOrder) {
  TemporaryFile results;
  ResultsWriter writer(results.path(), sample_header());
  writer.write(sample_pass());
  RunFooter footer;
  footer.exit_code = 130;
  footer.interrupted = true;
  footer.reason = "the run was interrupted: not every case was run";
  writer.finish(footer);
  EXPECT_THAT(markdown_text(summarize(results.path())), HasSubstr("\n> " + footer.reason + "\n"));
  EXPECT_THAT(run_text(summarize(results.path()), Colour::kNo),
              HasSubstr("\n" + footer.reason + "\n"));
}

TEST(Markdown, AFileThatCannotBeWrittenLeavesNothingBehind) {
  TemporaryFile results;
  write_results(results.path(), {sample_pass()});
  try {
    write_markdown(results.path(), "/nonexistent/page.md");
    FAIL();
  } catch (const ResultsError& error) {
    EXPECT_STREQ(error.what(),
                 "/nonexistent/page.md: cannot be written: No such file or directory");
  }
}

}  // namespace
}  // namespace postern::reports
