#include "control/record.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace postern {
namespace {

std::vector<std::string> split(const std::vector<std::string>& chunks) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto keep = [&lines](std::string_view line) { lines.emplace_back(line); };
  for (const std::string& chunk : chunks) splitter.feed(chunk, keep);
  splitter.finish(keep);
  return lines;
}

RecordPattern pattern(const std::string& event, const std::string& expression) {
  RecordPattern made;
  made.event = event;
  made.pattern = expression;
  made.place = {"gw.xml", 7, 3};
  return made;
}

TEST(LineSplitterTest, lines_across_chunks) {
  EXPECT_THAT(split({"on", "e\ntwo\r\n\nfo", "ur"}),
              testing::ElementsAre("one", "two", "", "four"));
}

TEST(LineSplitterTest, an_endless_line_is_bounded_and_the_next_one_is_whole) {
  const std::string half(40 * 1024, 'x');
  const auto lines = split({half, half, half + "\nnext\n"});
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), LineSplitter::kLongest);
  EXPECT_EQ(lines[1], "next");
}

TEST(RecordReaderTest, first_pattern_that_matches_decides) {
  const RecordReader reader(
      {pattern("bounced", "to=<(?P<recipient>[^>]*)>.*status=bounced"),
       pattern("delivered", "to=<(?P<recipient>[^>]*)>(, tls=(?P<tls>\\w+))?"),
       pattern("warning", "to=")});
  RecordEvent event;
  ASSERT_TRUE(reader.read("x: to=<a@b.test>, tls=yes status=sent", event));
  EXPECT_EQ(event.kind, "delivered");
  EXPECT_THAT(event.fields, testing::ElementsAre(testing::Pair("recipient", "a@b.test"),
                                                 testing::Pair("tls", "yes")));
  EXPECT_EQ(event.line, "x: to=<a@b.test>, tls=yes status=sent");
  ASSERT_TRUE(reader.read("to=<a@b.test>, status=bounced", event));
  EXPECT_EQ(event.kind, "bounced");
  EXPECT_FALSE(reader.read("nothing of interest", event));
}

TEST(RecordReaderTest, a_group_that_took_no_part_gives_no_field) {
  const RecordReader reader(
      {pattern("deferred", "to=<(?P<recipient>[^>]*)>(, tls=(?P<tls>\\w+))?")});
  RecordEvent event;
  ASSERT_TRUE(reader.read("to=<>", event));
  EXPECT_THAT(event.fields, testing::ElementsAre(testing::Pair("recipient", "")));
}

TEST(RecordReaderTest, a_wrong_pattern_is_named_with_its_place) {
  try {
    RecordReader reader({pattern("accepted", "(unclosed")});
    FAIL() << "no exception";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("gw.xml:7:3: missing )"));
  }
}

TEST(RecordReaderTest, without_patterns_nothing_matches) {
  RecordEvent event;
  EXPECT_FALSE(RecordReader({}).read("line", event));
}

// 50,000 lines a second must pass; this asks for less, so that a loaded machine passes, too.
TEST(RecordReaderTest, keeps_up_with_a_busy_gateway) {
  const RecordReader reader(
      {pattern("session-start",
               "postfix/smtpd\\[\\d+\\]: connect from \\S+\\[(?P<client>[^]]+)\\]"),
       pattern("delivered",
               "(?P<id>[0-9A-Za-z]+): to=<(?P<recipient>[^>]*)>, relay=(?P<host>[^\\[]+)\\[.*"
               "dsn=(?P<code>[0-9.]+), status=sent \\((?P<reason>.*)\\)$")});
  const std::string line =
      "Nov 24 04:15:05 host postfix/smtp[4711]: 4XyZ12345: to=<token@a.test>, "
      "relay=127.0.0.2[127.0.0.2]:2526, delay=0.1, delays=0/0/0/0, dsn=2.0.0, "
      "status=sent (250 2.0.0 ok)";
  constexpr int kLines = 50'000;
  RecordEvent event;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kLines; ++i) ASSERT_TRUE(reader.read(line, event));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(event.fields["code"], "2.0.0");
  EXPECT_LT(took.count(), 10.0);
  RecordProperty("lines_per_second", static_cast<int>(kLines / took.count()));
}

class CorrelationTest : public testing::Test {
 protected:
  std::vector<std::string> complete(const std::map<std::string, std::string>& fields) {
    RecordEvent event;
    event.kind = "x";
    event.fields = fields;
    std::vector<std::string> seen;
    correlation_.complete(event, [this, &seen](const RecordEvent& each) {
      const auto get = [&each](const char* name) {
        const auto found = each.fields.find(name);
        return found == each.fields.end() ? std::string("-") : found->second;
      };
      seen.push_back(get("sender") + " to " + get("recipient"));
      client_ = get("client");
    });
    return seen;
  }

  std::string client_;  ///< Of the last event handed on.

  Correlation correlation_;
};

TEST_F(CorrelationTest, recipients_of_an_id_are_filled_in) {
  EXPECT_THAT(complete({{"id", "A"}, {"sender", "s@x"}}), testing::ElementsAre("s@x to -"));
  EXPECT_THAT(complete({{"id", "A"}, {"recipient", "r@x"}}), testing::ElementsAre("s@x to r@x"));
  EXPECT_THAT(complete({{"id", "A"}, {"recipient", "r@x"}}), testing::ElementsAre("s@x to r@x"));
  EXPECT_THAT(complete({{"id", "A"}, {"recipient", "q@x"}}), testing::ElementsAre("s@x to q@x"));
  EXPECT_THAT(complete({{"id", "A"}}), testing::ElementsAre("s@x to r@x", "s@x to q@x"));
}

TEST_F(CorrelationTest, the_client_of_an_id_is_filled_in) {
  complete({{"id", "A"}, {"client", "1.2.3.4"}});
  complete({{"id", "A"}});
  EXPECT_EQ(client_, "1.2.3.4");
  complete({{"id", "A"}, {"client", "5.6.7.8"}});
  EXPECT_EQ(client_, "5.6.7.8");
  complete({{"id", "B"}});
  EXPECT_EQ(client_, "-");
}

TEST_F(CorrelationTest, other_ids_and_events_without_one_are_left_alone) {
  complete({{"id", "A"}, {"recipient", "r@x"}, {"sender", "s@x"}});
  EXPECT_THAT(complete({{"id", "B"}}), testing::ElementsAre("- to -"));
  EXPECT_THAT(complete({{"client", "1.2.3.4"}}), testing::ElementsAre("- to -"));
}

}  // namespace
}  // namespace postern
