#include "ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_results.hpp"
#include "shown_text.hpp"

namespace postern::reports {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

Line data(std::int64_t at, const std::string& side, const std::string& from,
          const std::string& text, const std::string& phase = "clear", int connection = 1) {
  return {at, connection, side, from, phase, "data", text};
}

// The lines below the heads.
std::vector<std::string> drawn(const std::vector<Line>& events) {
  std::vector<std::string> lines = ladder(events);
  if (!lines.empty()) lines.erase(lines.begin());
  return lines;
}

TEST(ShownText, LeavesNothingThatMovesACursor) {
  EXPECT_EQ(shown("a\x1B[2J\x7F\r\n\t\\\xFF"), R"(a\x1B[2J\x7F\r\n\t\\\xFF)");
  EXPECT_EQ(shown("Gr\xC3\xBC\xC3\x9F"
                  "e"),
            "Gr\xC3\xBC\xC3\x9F"
            "e");
  // C1 control, combining accent, right-to-left override, wide character.
  EXPECT_EQ(shown("\xC2\x9B\xCC\x81\xE2\x80\xAE\xE6\xBC\xA2"),
            R"(\xC2\x9B\xCC\x81\xE2\x80\xAE\xE6\xBC\xA2)");
}

TEST(ShownText, WrapsAtWordsAndCutsLongOnes) {
  EXPECT_THAT(wrap_words("one two  three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap_words("abcdefghij k", 4), ElementsAre("abcd", "efgh", "ij k"));
  EXPECT_THAT(wrap_words("", 4), ElementsAre(""));
  EXPECT_THAT(cut_columns("\xC3\xBC\xC3\xBC\xC3\xBC", 2),
              ElementsAre("\xC3\xBC\xC3\xBC", "\xC3\xBC"));
}

TEST(Ladder, NothingIsDrawnOfNothing) {
  EXPECT_THAT(ladder({}), IsEmpty());
}

TEST(Ladder, EveryLineHasTheSameWidth) {
  std::vector<Line> events = sample_failure().events;
  events.push_back(data(99000, "server", "peer", std::string(300, 'x') + "\r\n\r\n", "tls"));
  events.push_back(data(12345678, "sender", "gateway", "\xFF\x1B", "clear"));
  events.push_back({99001, 2, "client", "", "handshake", "handshake", std::string(90, 'y')});
  events.push_back({99002, 0, "record", "gateway", "", "note", "deferred " + std::string(80, 'z')});
  for (const std::string& line : ladder(events)) {
    EXPECT_EQ(columns(line), kLadderColumns) << line;
  }
}

TEST(Ladder, SortsBothLegsOnOneAxis) {
  EXPECT_THAT(
      drawn({data(2000, "server", "peer", "220 b\r\n"), data(1000, "client", "peer", "a\r\n")}),
      ElementsAre(StartsWith("   1.000"), StartsWith("   2.000")));
}

TEST(Ladder, MarksWhatDiffersBeforeItWhereverItStands) {
  std::vector<Line> events;
  for (int i = 0; i < 300; ++i) events.push_back(data(i, "server", "gateway", "x\r\n"));
  events[170].text = "MAIL\r\n";
  const std::vector<std::string> lines = ladder(events, 170);
  const auto mark = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("▼ The first that differs") != std::string::npos;
  });
  ASSERT_NE(mark, lines.end());
  EXPECT_EQ(columns(*mark), kLadderColumns);
  EXPECT_THAT(*(mark - 1), HasSubstr("… 20 more events …"));
  EXPECT_THAT(*(mark + 1), HasSubstr("MAIL"));
  EXPECT_THAT(*(mark + 2), HasSubstr("… 79 more events …"));
}

TEST(Ladder, ArrowsPointFromWhoSpoke) {
  const auto lines =
      drawn({data(1, "client", "peer", "EHLO c\r\n"), data(2, "client", "gateway", "250 g\r\n"),
             data(3, "server", "gateway", "EHLO g\r\n"), data(4, "server", "peer", "250 s\r\n")});
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[0], AllOf(HasSubstr("│ EHLO c ───"), HasSubstr("───▶│")));
  EXPECT_THAT(lines[1], HasSubstr("│◀── 250 g "));
  EXPECT_THAT(lines[2], AllOf(HasSubstr("│ EHLO g ───"), HasSubstr("───▶│")));
  EXPECT_THAT(lines[3], HasSubstr("│◀── 250 s "));
  EXPECT_LT(lines[0].find("EHLO"), lines[2].find("EHLO"));
}

TEST(Ladder, ClearHandshakeAndTlsAreDrawnApart) {
  const auto lines = drawn({data(1, "client", "peer", "STARTTLS\r\n"),
                            data(2, "client", "peer", "junk", "handshake"),
                            {3, 1, "client", "", "tls", "handshake", "TLS 1.3"},
                            data(4, "client", "peer", "EHLO c\r\n", "tls")});
  EXPECT_THAT(lines, ElementsAre(AllOf(HasSubstr("──▶"), Not(HasSubstr("║"))),
                                 AllOf(HasSubstr("junk (no CRLF)"), HasSubstr("╌╌▶")),
                                 HasSubstr("╞══ TLS begins ═"), HasSubstr("║   TLS 1.3"),
                                 AllOf(HasSubstr("║ EHLO c ═"), HasSubstr("══▶"))));
}

TEST(Ladder, AFailedHandshakeIsNoBeginning) {
  const auto lines = drawn({{3, 1, "client", "", "handshake", "handshake", "failed: alert 46"},
                            data(4, "client", "peer", "x\r\n")});
  EXPECT_THAT(lines, ElementsAre(HasSubstr("╞╌╌ TLS fails ╌"), HasSubstr("failed: alert 46"),
                                 AllOf(HasSubstr("│ x ─"), Not(HasSubstr("║")))));
}

TEST(Ladder, TellsConnectionsApart) {
  const auto lines = drawn({data(1, "client", "peer", "one\r\n"),
                            {2, 1, "client", "gateway", "clear", "reset", "reset"},
                            {3, 2, "client", "peer", "clear", "connect", "127.0.0.2:9"},
                            data(4, "client", "peer", "two\r\n", "clear", 2),
                            data(5, "sender", "gateway", "EHLO g\r\n")});
  EXPECT_THAT(lines, ElementsAre(HasSubstr("│ one ─"), HasSubstr("│◀── resets the connection"),
                                 HasSubstr("connection 2: 127.0.0.2:9 ─"), HasSubstr("│ [2] two ─"),
                                 HasSubstr("│ [sender's mailbox] EHLO g ─")));
}

TEST(Ladder, TheEndingsDiffer) {
  const auto lines =
      drawn({{1, 1, "client", "gateway", "clear", "close", "closed"},
             {2, 2, "client", "gateway", "tls", "close", "closed after close_notify"},
             {3, 3, "client", "gateway", "clear", "reset", "reset"},
             {4, 4, "client", "gateway", "handshake", "alert", "bad certificate"},
             {5, 5, "client", "", "clear", "timeout", "time limit"},
             {6, 6, "client", "gateway", "clear", "reset", "refused"}});
  EXPECT_THAT(lines,
              ElementsAre(HasSubstr("◀── closed "), HasSubstr("◀══ [2] closed after close_n"),
                          HasSubstr("◀── [3] resets the connection"),
                          HasSubstr("◀╌╌ [4] TLS alert: bad certificate"),
                          HasSubstr("• [5] nothing came within the time limit"),
                          HasSubstr("◀── [6] refuses the connection ")));
}

TEST(Ladder, OfLongDataHeadAndTailAreDrawn) {
  std::string body;
  for (int i = 0; i < 100; ++i) body += "line " + std::to_string(i) + "\r\n";
  const auto lines = drawn({data(1, "client", "peer", body)});
  ASSERT_THAT(lines, SizeIs(13));
  EXPECT_THAT(lines[8], HasSubstr("line 8 "));
  EXPECT_THAT(lines[9], HasSubstr("… 88 more lines …"));
  EXPECT_THAT(lines[10], HasSubstr("line 97 "));
}

TEST(Ladder, OfManyEventsHeadAndTailAreDrawn) {
  std::vector<Line> events;
  events.reserve(1000);
  for (int i = 0; i < 1000; ++i) {
    events.push_back(data(i, "client", "peer", "NOOP " + std::to_string(i) + "\r\n"));
  }
  const auto lines = drawn(events);
  ASSERT_THAT(lines, SizeIs(201));
  EXPECT_THAT(lines[149], HasSubstr("NOOP 149 "));
  EXPECT_THAT(lines[150], HasSubstr("… 800 more events …"));
  EXPECT_THAT(lines[151], HasSubstr("NOOP 950 "));
}

TEST(Ladder, BareLineEndsAreSeen) {
  EXPECT_THAT(drawn({data(1, "client", "peer", "a\nb\rc\r\n.\n")}),
              ElementsAre(HasSubstr(R"( a\nb\rc ─)"), HasSubstr(R"( .\n (no CRLF))")));
}

}  // namespace
}  // namespace postern::reports
