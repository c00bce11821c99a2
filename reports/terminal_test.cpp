#include "terminal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "sample_results.hpp"
#include "shown_text.hpp"

namespace postern::reports {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Outcome outcome(const std::string& word, Facts facts) {
  return {word, std::move(facts)};
}

// A small matrix of two modes, two clients and two servers; cases ended out of order.
Summary small_matrix() {
  Summary summary;
  for (const char* levels : {"require none verify", "attempt none none"}) {
    const bool require = levels[0] == 'r';
    for (const char* client : {"starttls", "plain"}) {
      for (const char* server : {"expired", "good"}) {
        const bool dropped = require && client[0] == 'p';
        const std::string in = client[0] == 's' ? "accept tls=yes"
                               : dropped        ? "drop reply=530 closed=clean"
                                                : "accept tls=no";
        std::string out = "redirect tls=no connection=1";
        if (require) out = server[0] == 'g' ? "redirect tls=yes connection=1" : "hold code=4.7.5";
        summary.add(matrix_case(levels, client, server, in, dropped ? "nothing" : out));
      }
    }
  }
  return summary;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(ShortText, FitsInACell) {
  EXPECT_EQ(short_text(outcome("accept", {{"tls", "yes"}, {"asked", "no"}})), "accept tls");
  EXPECT_EQ(short_text(outcome("accept", {{"tls", "no"}, {"connection", "2"}})), "accept clear #2");
  EXPECT_EQ(short_text(outcome("drop", {{"reply", "530"}, {"closed", "clean"}})), "drop 530");
  EXPECT_EQ(short_text(outcome("redirect", {{"tls", "no"}, {"connection", "1"}})),
            "redirect clear");
  EXPECT_EQ(short_text(outcome("hold", {{"code", "4.7.5"}})), "hold 4.7.5");
  EXPECT_EQ(short_text(outcome("", {})), "?");
}

TEST(Summary, CountsCasesAndDistinctDecisions) {
  Summary summary = small_matrix();
  CaseResult control = sample_failure();
  control.control = true;
  summary.add(control);
  EXPECT_EQ(summary.tally().pass, 8);
  EXPECT_EQ(summary.tally().controls, 1);
  EXPECT_EQ(summary.not_passed(), 0);
  EXPECT_EQ(summary.inbound_decisions(), 4);
  EXPECT_EQ(summary.outbound_decisions(), 4);
}

TEST(Summary, AnImpliedNothingDecidesNothing) {
  Summary summary;
  summary.add(matrix_case("require none none", "plain", "good", "drop reply=530", "nothing"));
  EXPECT_EQ(summary.inbound_decisions(), 1);
  EXPECT_EQ(summary.outbound_decisions(), 0);
}

TEST(Summary, WhatNeverRanDecidesNothing) {
  Summary summary;
  for (const char* outbound : {"redirect tls=yes", "nothing"}) {
    CaseResult unplayed = matrix_case("require none none", "plain", "good", "accept", outbound);
    unplayed.verdict = Verdict::kError;
    for (Leg* leg : {&unplayed.inbound, &unplayed.outbound}) {
      leg->observed = {};
      leg->grade.clear();
    }
    summary.add(unplayed);
  }
  EXPECT_EQ(summary.inbound_decisions(), 0);
  EXPECT_EQ(summary.outbound_decisions(), 0);
  ASSERT_EQ(summary.grids().front().rows.front().outbound.size(), 1U);
  EXPECT_EQ(summary.grids().front().rows.front().outbound.front().cases, 1);
}

TEST(Summary, TheLegThatWasNotMetIsMarked) {
  Summary summary;
  summary.add(sample_failure());
  const Grid& grid = summary.grids().front();
  EXPECT_EQ(grid.rows[0].inbound[0].wrong, 0);
  EXPECT_EQ(grid.rows[0].outbound[0].wrong, 1);
}

TEST(Summary, AFailureWithBothLegsMetMarksBoth) {
  Summary summary;
  CaseResult leak = sample_pass();
  leak.verdict = Verdict::kFail;
  summary.add(leak);
  const Grid& grid = summary.grids().front();
  EXPECT_EQ(grid.rows[0].inbound[0].wrong, 1);
  EXPECT_EQ(grid.rows[0].outbound[0].wrong, 1);
}

TEST(FailureText, SaysNotMetOfWhatWasBroken) {
  CaseResult wider = sample_failure();
  wider.outbound.grade = "policy";
  EXPECT_THAT(failure_text(wider), HasSubstr("NOT MET\n  expected  hold code=4.7.5\n"));
  CaseResult warned = sample_pass();
  warned.verdict = Verdict::kFail;
  warned.demands = {{"SET-3", "It warns.", "tls-modes.xml:9", "", true}};
  const std::string text = failure_text(warned);
  EXPECT_THAT(text, HasSubstr("NOT MET\n  SET-3     It warns.\n  rule      tls-modes.xml:9\n"));
  EXPECT_EQ(text.find("NOT MET"), text.rfind("NOT MET"));
}

TEST(Summary, KeepsTheFirstFailuresOnly) {
  Summary summary;
  for (int i = 0; i < 60; ++i) summary.add(sample_failure());
  EXPECT_EQ(summary.listed().size(), kListed);
  EXPECT_EQ(summary.not_passed(), 60);
  EXPECT_THAT(summary_text(summary, 1, Colour::kNo),
              HasSubstr("and 10 more; a results file (--results) has all"));
  EXPECT_THAT(summary_text(summary, 1, Colour::kNo),
              HasSubstr("\n  OUT-5           60 of 60 failed\n60 cases"));
  EXPECT_THAT(summary_text(summary, 1, Colour::kNo), Not(HasSubstr("  IN-3 ")));
}

TEST(GridText, ArrangesByTheAxes) {
  Summary summary = small_matrix();
  summary.arrange(sample_header().axes);
  EXPECT_EQ(grid_text(summary.grids().front(), Colour::kNo) + legend_text(), R"(tls-modes

                            │   s │
                            │   t │   e
                            │   a │   x
                            │ p r │   p
                            │ l t │ g i
                            │ a t │ o r
server- client-     client- │ i l │ o e
level   certificate level   │ n s │ d d
────────────────────────────┼─────┼─────
attempt none        none    │ a A │ t t
require none        verify  │ d A │ T h

clients, inbound:   A accept tls  a accept clear  r refuse  d drop  b broken
servers, outbound:  T redirect tls  t redirect clear  2 redirect clear #2  h hold  x bounce  . nothing
both:               * outcomes differ  ? none was seen  - skipped  ~ known to deviate  ! not as expected
)");
}

TEST(GridText, IsColouredOnlyWhereAsked) {
  Summary summary;
  summary.add(sample_failure());
  EXPECT_THAT(grid_text(summary.grids().front(), Colour::kNo), Not(HasSubstr("\x1B")));
  EXPECT_THAT(grid_text(summary.grids().front(), Colour::kYes), HasSubstr("\x1B[1;31mT!\x1B[0m"));
}

TEST(GridText, OutcomesThatDifferAreMarked) {
  Summary summary;
  summary.add(matrix_case("none none none", "a", "s", "accept tls=no", "redirect tls=no"));
  summary.add(matrix_case("none none none", "b", "s", "accept tls=no", "redirect tls=yes"));
  EXPECT_THAT(grid_text(summary.grids().front(), Colour::kNo), HasSubstr("│ a a │ *"));
}

// As many peers as the full matrix has.
Summary full_matrix() {
  Summary summary;
  for (int client = 0; client < 17; ++client) {
    for (int server = 0; server < 23; ++server) {
      summary.add(matrix_case("require request attempt", "client" + std::to_string(client),
                              "server" + std::to_string(server), "accept tls=no",
                              "redirect tls=no"));
    }
  }
  return summary;
}

TEST(GridText, TheFullMatrixFitsIn120Columns) {
  const Summary summary = full_matrix();
  for (const std::string& line :
       lines_of(grid_text(summary.grids().front(), Colour::kNo) + legend_text())) {
    EXPECT_LE(columns(line), 120U) << line;
  }
}

TEST(GridText, ANarrowTerminalHasClientsAboveServers) {
  const Summary summary = full_matrix();
  for (const std::size_t width : {80U, 50U, 1U}) {
    const std::string text =
        grid_text(summary.grids().front(), Colour::kNo, width) + legend_text(width);
    std::size_t accepted = 0, redirected = 0;
    for (const std::string& line : lines_of(text)) {
      if (width > 1) {
        EXPECT_LE(columns(line), width) << line;
      }
      if (!line.starts_with("require")) continue;
      for (std::size_t at = line.find("│"); at < line.size(); ++at) {
        accepted += line[at] == 'a' ? 1U : 0U;
        redirected += line[at] == 't' ? 1U : 0U;
      }
    }
    EXPECT_EQ(accepted, 17U) << text;
    EXPECT_EQ(redirected, 23U) << text;
  }
  const std::string wide = grid_text(summary.grids().front(), Colour::kNo);
  EXPECT_EQ(grid_text(summary.grids().front(), Colour::kNo, 120), wide);
}

TEST(CountsText, NamesOnlyWhatOccurred) {
  Tally tally;
  tally.pass = 10948;
  EXPECT_EQ(counts_text(tally), "10,948 cases: 10,948 pass");
  tally.pass = 0;
  tally.invalid = 1;
  tally.controls = 1200;
  EXPECT_EQ(counts_text(tally), "1 case: 1 invalid; controls taken along, not counted: 1,200");
}

TEST(SummaryText, EndsWithTheWord) {
  const Summary summary = small_matrix();
  EXPECT_THAT(summary_text(summary, 0, Colour::kNo), HasSubstr("\nPASSED\n"));
  EXPECT_THAT(summary_text(summary, 1, Colour::kNo), HasSubstr("\nFAILED\n"));
  EXPECT_THAT(summary_text(summary, 3, Colour::kNo), HasSubstr("\nUNDECIDED\n"));
  EXPECT_THAT(summary_text(summary, 130, Colour::kNo), HasSubstr("\nINTERRUPTED\n"));
}

// The page that teaches how to read a failure shows what is really printed.
TEST(FailureText, IsWhatTheDocumentShows) {
  std::ifstream in(POSTERN_SOURCE_DIR "/docs/results.md");
  const std::string page(std::istreambuf_iterator<char>(in), {});
  const std::string begin = "<!-- failure_text -->\n```text\n";
  const auto at = page.find(begin);
  ASSERT_NE(at, std::string::npos);
  const auto start = at + begin.size();
  EXPECT_EQ(page.substr(start, page.find("```\n", start) - start), failure_text(sample_failure()));
}

TEST(FailureText, KeepsToItsWidthButForTheCommand) {
  CaseResult result = sample_failure();
  result.reason.assign(300, 'r').append(" \x1B[2J");
  result.details.emplace_back(150, 'd').push_back('\xFF');
  for (const std::size_t width : {80U, 91U, 100U}) {
    for (const std::string& line : lines_of(failure_text(result, width))) {
      EXPECT_THAT(line, Not(HasSubstr("\x1B")));
      if (line.find("postern run") == std::string::npos) {
        EXPECT_LE(columns(line), width) << line;
      }
    }
  }
  EXPECT_EQ(failure_text(result), failure_text(result, 100));
}

TEST(RunText, ExplainsTheSignsOnceBehindTheLastGrid) {
  RunSummary run;
  run.summary = small_matrix();
  CaseResult other = sample_failure();
  other.suite = "another-matrix";
  run.summary.add(other);
  const std::string text = run_text(run, Colour::kNo);
  const auto at = text.find("clients, inbound:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(text.find("clients, inbound:", at + 1), std::string::npos) << text;
  EXPECT_GT(at, text.rfind("┼")) << text;
}

TEST(Folded, BreaksWhatIsWiderAtItsSpaces) {
  EXPECT_EQ(folded("  as it is", 10), "  as it is");
  EXPECT_EQ(folded("one two three four", 9), "one two\n  three\n  four");
  EXPECT_EQ(folded("  one two three", 9), "  one two\n    three");
  EXPECT_EQ(folded("id  level    what is said of it", 20), "id  level    what is\n    said of it");
  EXPECT_EQ(folded("a https://example.org/a/word/that/is/wider b", 12),
            "a\n  https://example.org/a/word/that/is/wider\n  b");
  EXPECT_EQ(folded("\x1b[1;31mred\x1b[0m and so", 10), "\x1b[1;31mred\x1b[0m and so");
  EXPECT_EQ(folded("größer größer", 6), "größer\n  größer");
}

TEST(FailureText, ACaseWithoutEventsHasNoLadder) {
  CaseResult result = sample_failure();
  result.events.clear();
  result.record.clear();
  EXPECT_EQ(transcript_text(result), "");
  EXPECT_THAT(failure_text(result), AllOf(Not(HasSubstr("What was said")), HasSubstr("NOT MET")));
}

TEST(Terminal, ASummaryFitsAScreen) {
  Summary summary;
  for (int i = 0; i < 100; ++i) {
    CaseResult failed = sample_failure();
    failed.outbound.requirement = "OUT-" + std::to_string(i % 20 + 1);
    summary.add(failed);
  }
  const auto lines = [](const std::string& text, std::size_t columns) {
    std::size_t count = 0;
    std::istringstream all(text);
    for (std::string line; std::getline(all, line);)
      count += 1 + (line.empty() ? 0 : (line.size() - 1) / columns);
    return count;
  };
  const std::string small = summary_text(summary, 1, Colour::kNo, {80, 24});
  EXPECT_LE(lines(small, 80), 24U) << small;
  EXPECT_THAT(small, AllOf(HasSubstr("and 99 more; a results file (--results) has all"),
                           HasSubstr("and 12 requirements more"), HasSubstr("FAILED")));
  EXPECT_LE(lines(summary_text(summary, 1, Colour::kNo, {100, 50}), 100), 50U);
  EXPECT_THAT(summary_text(summary, 1, Colour::kNo), HasSubstr("OUT-20"));
}

}  // namespace
}  // namespace postern::reports
