#include "results_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "results_text.hpp"
#include "sample_results.hpp"
#include "utf8.hpp"

namespace postern::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string carried_and_back(const std::string& bytes) {
  std::string text;
  append_json_string(text, bytes);
  const boost::json::value value = boost::json::parse(text);
  const boost::json::string& carried = value.as_string();
  std::string back;
  EXPECT_TRUE(from_carried(std::string(carried.data(), carried.size()), back));
  return back;
}

std::string trouble_reading(const std::string& text) {
  TemporaryFile file;
  file.write(text);
  try {
    ResultsReader reader(file.path());
    while (reader.next()) {
    }
  } catch (const ResultsError& error) {
    const std::string what = error.what();
    EXPECT_THAT(what, StartsWith(file.path() + ":"));
    return what.substr(file.path().size());
  }
  return "";
}

std::string header_line() {
  TemporaryFile file;
  ResultsWriter writer(file.path(), sample_header());
  return file.text();
}

TEST(ResultsText, EveryByteAndEveryPairOfBytesComesBack) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string bytes = {static_cast<char>(a), static_cast<char>(b), '4', '1'};
      ASSERT_EQ(carried_and_back(bytes), bytes) << a << " " << b;
    }
  }
}

TEST(ResultsText, IsReadableByEye) {
  std::string text;
  append_json_string(text, "EHLO x\r\n\x1B\xFF \"\\x41\" Gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(text, R"("EHLO x\r\n\\x1B\\xFF \"\\\\x41\" Grüß")");
}

TEST(ResultsText, RefusesOtherBackslashes) {
  std::string bytes;
  for (const char* carried : {"\\", "\\n", "\\x", "\\x1", "\\xg0", "\\xab", "a\\\\\\"}) {
    EXPECT_FALSE(from_carried(carried, bytes)) << carried;
  }
}

TEST(Utf8, KnowsOnlyWellFormedSequences) {
  EXPECT_EQ(utf8_length("a", 0), 1U);
  EXPECT_EQ(utf8_length("\xC3\xBC", 0), 2U);
  EXPECT_EQ(utf8_length("\xE2\x82\xAC", 0), 3U);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80", 0), 4U);
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\xAF", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(utf8_length(bad, 0), 0U) << testing::PrintToString(bad);
  }
}

void expect_same_leg(const Leg& got, const Leg& want) {
  EXPECT_EQ(got.requirement, want.requirement);
  EXPECT_EQ(got.requirement_text, want.requirement_text);
  EXPECT_EQ(got.rule, want.rule);
  EXPECT_EQ(got.expected, want.expected);
  EXPECT_EQ(got.letter, want.letter);
  EXPECT_EQ(got.policy, want.policy);
  EXPECT_EQ(got.observed.text(), want.observed.text());
  EXPECT_EQ(got.grade, want.grade);
  EXPECT_EQ(got.evidence, want.evidence);
  EXPECT_EQ(got.broken, want.broken);
}

void expect_same(const CaseResult& got, const CaseResult& want) {
  EXPECT_EQ(got.id, want.id);
  EXPECT_EQ(got.suite, want.suite);
  EXPECT_EQ(got.name, want.name);
  EXPECT_EQ(got.kind, want.kind);
  EXPECT_EQ(got.gateway, want.gateway);
  EXPECT_EQ(got.verdict, want.verdict);
  EXPECT_EQ(got.grade, want.grade);
  EXPECT_EQ(got.reason, want.reason);
  EXPECT_EQ(got.details, want.details);
  EXPECT_EQ(got.settings, want.settings);
  EXPECT_EQ(got.client, want.client);
  EXPECT_EQ(got.server, want.server);
  expect_same_leg(got.inbound, want.inbound);
  expect_same_leg(got.outbound, want.outbound);
  ASSERT_EQ(got.demands.size(), want.demands.size());
  for (std::size_t i = 0; i < want.demands.size(); ++i) {
    const Demand& a = got.demands[i];
    const Demand& b = want.demands[i];
    EXPECT_EQ(std::tie(a.requirement, a.requirement_text, a.rule, a.leg, a.broken),
              std::tie(b.requirement, b.requirement_text, b.rule, b.leg, b.broken));
  }
  EXPECT_EQ(got.file, want.file);
  EXPECT_EQ(got.line, want.line);
  EXPECT_NEAR(got.seconds, want.seconds, 1e-6);
  EXPECT_EQ(got.control, want.control);
  EXPECT_EQ(got.record, want.record);
  EXPECT_EQ(got.warnings, want.warnings);
  EXPECT_EQ(got.rerun, want.rerun);
  ASSERT_EQ(got.events.size(), want.events.size());
  for (std::size_t i = 0; i < want.events.size(); ++i) {
    const Line& a = got.events[i];
    const Line& b = want.events[i];
    EXPECT_EQ(std::tie(a.at, a.connection, a.side, a.from, a.phase, a.kind, a.text),
              std::tie(b.at, b.connection, b.side, b.from, b.phase, b.kind, b.text));
  }
}

TEST(ResultsFile, GivesBackWhatWasWritten) {
  TemporaryFile file;
  CaseResult control = sample_pass();
  control.control = true;
  control.outbound.broken = "other";
  control.demands = {{"LEAK-4", "inside TLS only", "tls-modes.xml:84", "outbound", true},
                     {"SET-4", "a warning", "", "", false}};
  write_results(file.path(), {sample_failure(), control, CaseResult()});

  ResultsReader reader(file.path());
  EXPECT_EQ(reader.header().gateway, "reference 0.1.0");
  EXPECT_EQ(reader.header().seed, sample_header().seed);
  EXPECT_EQ(reader.header().axes, sample_header().axes);
  expect_same(reader.next().value(), sample_failure());
  const ResultsReader::Spot first = reader.spot();
  expect_same(reader.next().value(), control);
  expect_same(reader.read_again(first), sample_failure());
  expect_same(reader.next().value(), CaseResult());
  EXPECT_FALSE(reader.next());
  ASSERT_TRUE(reader.footer());
  EXPECT_EQ(reader.footer()->exit_code, 1);
  EXPECT_EQ(reader.footer()->counters, (Facts{{"handshakes", "2"}}));
  EXPECT_THAT(reader.footer()->notes, testing::ElementsAre("a note"));
  EXPECT_THAT(reader.remarks(), IsEmpty());
}

TEST(ResultsFile, EachCaseIsAWholeLineBeforeTheNextBegins) {
  TemporaryFile file;
  ResultsWriter writer(file.path(), sample_header());
  writer.write(sample_failure());
  const std::string text = file.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.back(), '\n');
}

TEST(ResultsFile, ARunThatDidNotEndIsReadWithARemark) {
  TemporaryFile file;
  {
    ResultsWriter writer(file.path(), sample_header());
    writer.write(sample_pass());
  }
  ResultsReader reader(file.path());
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.footer());
  EXPECT_THAT(reader.remarks(), ElementsAre(StartsWith(file.path() + ":3:1: found no footer")));
}

TEST(ResultsFile, ACutLineIsLeftOutWithARemark) {
  TemporaryFile file;
  write_results(file.path(), {sample_pass(), sample_failure()});
  const std::string whole = file.text();
  file.write(whole.substr(0, whole.find("\"reason\"")));
  ResultsReader reader(file.path());
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_THAT(reader.remarks(), ElementsAre(HasSubstr(":3:"), HasSubstr("no footer")));
}

TEST(ResultsFile, FilesPutOneAfterTheOtherAreAFile) {
  TemporaryFile file;
  write_results(file.path(), {sample_pass()});
  file.write(file.text() + file.text());
  ResultsReader reader(file.path());
  EXPECT_TRUE(reader.next());
  EXPECT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
  ASSERT_TRUE(reader.footer());
  EXPECT_DOUBLE_EQ(reader.footer()->seconds, 3.0);
  EXPECT_THAT(reader.remarks(), IsEmpty());
}

TEST(ResultsFile, UnknownMembersArePassedOver) {
  EXPECT_EQ(trouble_reading(header_line() +
                            R"({"type":"case","id":"s/n","suite":"s","name":"n","verdict":"pass",)"
                            R"("seconds":1,"inbound":{},"outbound":{},"later":[1,{}]})"
                            "\n"),
            "");
}

TEST(ResultsFile, SaysWhereAndWhatIsWrong) {
  EXPECT_THAT(trouble_reading(""), StartsWith(":1:1: found no line"));
  EXPECT_THAT(trouble_reading("{\"type\":\"case\"}\n"),
              StartsWith(":1:1: \"type\": found \"case\""));
  EXPECT_THAT(trouble_reading("{\"type\":header}\n"), StartsWith(":1:9: found what is no JSON"));
  EXPECT_THAT(trouble_reading(header_line() + "[]\n"),
              StartsWith(":2:1: found JSON that is no obj"));
  EXPECT_THAT(trouble_reading(header_line() + "{\"type\":\"cast\"}\n"),
              StartsWith(":2:1: \"type\": found \"cast\", allowed: header, case, footer"));
  EXPECT_THAT(trouble_reading(header_line() + "{\"type\":\"case\"}\n"),
              StartsWith(":2:1: found no member \"id\""));
  EXPECT_THAT(trouble_reading(header_line() + R"({"type":"footer","seconds":"1"})" + "\n"),
              StartsWith(":2:1: \"seconds\": found string, allowed: a number"));
  EXPECT_THAT(
      trouble_reading(header_line() + R"({"type":"footer","seconds":1,"exit-code":1.5})" + "\n"),
      HasSubstr("allowed: a whole number from"));
  EXPECT_THAT(trouble_reading(header_line() + R"({"type":"case","id":"\\q"})" + "\n"),
              HasSubstr("a backslash followed by neither"));
}

TEST(ResultsFile, RefusesANewerFormat) {
  EXPECT_THAT(
      trouble_reading("{\"type\":\"header\",\"format\":\"postern-results\",\"version\":2}\n"),
      StartsWith(":1:1: \"version\": found 2, allowed: 1 to 1 (a newer postern wrote this file"));
}

TEST(ResultsFile, SaysWhyAFileCannotBeOpened) {
  try {
    ResultsReader reader("/nonexistent/results.jsonl");
    FAIL();
  } catch (const ResultsError& error) {
    EXPECT_STREQ(error.what(),
                 "/nonexistent/results.jsonl: cannot be read: No such file or directory");
  }
  EXPECT_THROW(ResultsWriter("/nonexistent/results.jsonl", sample_header()), ResultsError);
}

TEST(ResultsFile, AFullDiskIsAnError) {
  EXPECT_THROW(ResultsWriter("/dev/full", sample_header()), ResultsError);
}

}  // namespace
}  // namespace postern::reports
