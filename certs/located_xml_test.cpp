#include "located_xml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace postern {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// problem_of parses `text` as "t.xml", which must fail, and gives the one problem.
std::string problem_of(const std::string& text) {
  Problems problems;
  EXPECT_FALSE(LocatedXml::parse(text, "t.xml", problems).has_value()) << text;
  EXPECT_EQ(problems.all().size(), 1U) << problems.text();
  return problems.text();
}

LocatedXml parsed(const std::string& text) {
  Problems problems;
  std::optional<LocatedXml> xml = LocatedXml::parse(text, "t.xml", problems);
  EXPECT_TRUE(xml.has_value()) << problems.text();
  return std::move(*xml);
}

TEST(LocatedXml, TellsWhereAnElementStands) {
  const LocatedXml xml = parsed("<?xml version=\"1.0\"?>\n<a>\n  <b/><c/>\n</a>\n");
  EXPECT_EQ(xml.place(xml.root()).text(), "t.xml:2:2");
  EXPECT_EQ(xml.place(xml.root().child("b")).text(), "t.xml:3:4");
  EXPECT_EQ(xml.place(xml.root().child("c")).text(), "t.xml:3:8");
}

TEST(LocatedXml, CountsNoColumnForAByteOrderMark) {
  const LocatedXml xml = parsed("\xEF\xBB\xBF<a x='1'><b/></a>");
  EXPECT_EQ(xml.place(xml.root()).text(), "t.xml:1:2");
  EXPECT_EQ(xml.place_of_attribute(xml.root(), "x").text(), "t.xml:1:4");
  EXPECT_EQ(xml.place(xml.root().child("b")).text(), "t.xml:1:11");
}

TEST(LocatedXml, CountsLinesThatEndWithCrLf) {
  const LocatedXml xml = parsed("<a>\r\n  <b\r\n    x=\"1\"/>\r\n</a>\r\n");
  EXPECT_EQ(xml.place(xml.root().child("b")).text(), "t.xml:2:4");
  EXPECT_EQ(xml.place_of_attribute(xml.root().child("b"), "x").text(), "t.xml:3:5");
}

TEST(LocatedXml, CountsColumnsInCharacters) {
  const LocatedXml xml = parsed("<a>\xC3\xA4\xC3\xB6<b/></a>");
  EXPECT_EQ(xml.place(xml.root().child("b")).text(), "t.xml:1:7");
}

TEST(LocatedXml, FindsAnAttributeAndNotItsNameInAValue) {
  const LocatedXml xml = parsed("<a one='two=\"3\" > /' two = \"x\"\n\ttwo-b='y'/>");
  EXPECT_EQ(xml.place_of_attribute(xml.root(), "one").text(), "t.xml:1:4");
  EXPECT_EQ(xml.place_of_attribute(xml.root(), "two").text(), "t.xml:1:22");
  EXPECT_EQ(xml.place_of_attribute(xml.root(), "two-b").text(), "t.xml:2:2");
  EXPECT_EQ(xml.place_of_attribute(xml.root(), "none").text(), "t.xml:1:2");
}

TEST(LocatedXml, KeepsItsTreeWhenMoved) {
  LocatedXml first = parsed("<a><b/></a>");
  const pugi::xml_node node = first.root().child("b");
  const LocatedXml second = std::move(first);
  EXPECT_EQ(second.place(node).text(), "t.xml:1:5");
}

TEST(LocatedXml, KeepsBlanksWhereTheyAreAllThereIs) {
  const LocatedXml xml = parsed("<a> <say> </say> </a>");
  EXPECT_STREQ(xml.root().child("say").child_value(), " ");
}

TEST(LocatedXml, KnowsNoPlaceForANodeOfAnotherDocument) {
  const LocatedXml xml = parsed("<a/>");
  const LocatedXml other = parsed("<a>\n<b/></a>");
  EXPECT_EQ(xml.place(other.root().child("b")).text(), "t.xml");
  EXPECT_EQ(xml.place(pugi::xml_node()).text(), "t.xml");
}

TEST(LocatedXml, RefusesWhatPugixmlWouldLetPass) {
  EXPECT_THAT(problem_of("<a>\n<b x='1' x='2'/></a>"), StartsWith("t.xml:2:"));
  EXPECT_THAT(problem_of("<a/>\n<b/>"), StartsWith("t.xml:2:1: "));
  EXPECT_THAT(problem_of("<a>\n&foo;</a>"), HasSubstr("foo"));
  EXPECT_THAT(problem_of("<a>\x01</a>"), StartsWith("t.xml:1:"));
  EXPECT_THAT(problem_of("<a>\xC3(</a>"), StartsWith("t.xml:1:"));
  EXPECT_THAT(problem_of(std::string("<a>\0</a>", 8)), StartsWith("t.xml:1:"));
}

TEST(LocatedXml, TellsWhereATagIsNotClosed) {
  EXPECT_THAT(problem_of("<a>\n  <b>\n</a>\n"), StartsWith("t.xml:3:"));
  EXPECT_THAT(problem_of(""), StartsWith("t.xml"));
  EXPECT_THAT(problem_of("plain text"), StartsWith("t.xml:1:"));
}

TEST(LocatedXml, RefusesADoctypeBeforeItsEntitiesAreRead) {
  const std::string text =
      "<?xml version=\"1.0\"?>\n<!-- <!DOCTYPE no> -->\n"
      "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>\n<a>&x;</a>";
  EXPECT_THAT(problem_of(text), StartsWith("t.xml:3:1: found a DOCTYPE"));
}

TEST(LocatedXml, RefusesOtherEncodings) {
  EXPECT_THAT(problem_of("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE4</a>"),
              HasSubstr("only UTF-8"));
  EXPECT_THAT(problem_of(std::string("\xFF\xFE<\0a\0/\0>\0", 10)), HasSubstr("only UTF-8"));
  parsed("<?xml version='1.0' encoding='utf-8'?><a/>");
}

TEST(LocatedXml, SurvivesDeepNesting) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "<a>";
  EXPECT_THAT(problem_of(text), StartsWith("t.xml:1:"));
}

class LocatedXmlFile : public ::testing::Test {
 protected:
  LocatedXmlFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "located-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LocatedXmlFile() override { std::filesystem::remove_all(directory_); }

  std::string problem_of_file(const std::string& file) {
    Problems problems;
    EXPECT_FALSE(LocatedXml::load(file, problems).has_value());
    return problems.text();
  }

  std::filesystem::path directory_;
};

TEST_F(LocatedXmlFile, ReadsAFile) {
  const std::string file = directory_ / "a.xml";
  std::ofstream(file) << "<a>\n <b/></a>";
  Problems problems;
  const std::optional<LocatedXml> xml = LocatedXml::load(file, problems);
  ASSERT_TRUE(xml.has_value()) << problems.text();
  EXPECT_EQ(xml->place(xml->root().child("b")).text(), file + ":2:3");
}

TEST_F(LocatedXmlFile, TellsWhyAFileCannotBeRead) {
  EXPECT_EQ(problem_of_file("/nowhere/a.xml"),
            "/nowhere/a.xml: cannot be read: No such file or directory\n");
  EXPECT_THAT(problem_of_file(directory_), HasSubstr("is a directory"));
}

TEST_F(LocatedXmlFile, RefusesAFileThatIsTooLarge) {
  const std::string file = directory_ / "large.xml";
  std::ofstream(file) << "<a>" << std::string((8U << 20U) + 1, ' ') << "</a>";
  EXPECT_THAT(problem_of_file(file), HasSubstr("larger than 8 MiB"));
}

TEST(Problems, AreToldInOrderOfFileAndPosition) {
  Problems problems;
  problems.add({"b.xml", 1, 1}, "third");
  problems.add({"a.xml", 10, 1}, "second");
  problems.add({"a.xml", 9, 7}, "first");
  EXPECT_EQ(problems.text(), "a.xml:9:7: first\na.xml:10:1: second\nb.xml:1:1: third\n");
}

TEST(DidYouMean, OffersTheNearestWord) {
  const std::vector<std::string> known{"server-level", "client-level", "client-certificate"};
  EXPECT_EQ(did_you_mean("sevrer-level", known), " (did you mean \"server-level\"?)");
  EXPECT_EQ(did_you_mean("Client-Level", known), " (did you mean \"client-level\"?)");
  EXPECT_EQ(did_you_mean("fallback-delay", known), "");
  EXPECT_EQ(did_you_mean("colour", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
}

TEST(QuotedList, IsCutWhereItIsLong) {
  const std::string text = quoted_list(std::vector<std::string>(120, "x"));
  EXPECT_TRUE(text.ends_with("\"x\" and 70 more")) << text;
}

TEST(DidYouMean, OffersNothingWildForShortWords) {
  const std::vector<std::string> known{"yes", "no"};
  EXPECT_EQ(did_you_mean("yse", known), " (did you mean \"yes\"?)");
  EXPECT_EQ(did_you_mean("ab", known), "");
}

TEST(QuotedList, ReadsLikeASentence) {
  EXPECT_EQ(quoted_list(std::vector<std::string>{"a", "b", "c"}), "\"a\", \"b\" or \"c\"");
  EXPECT_EQ(quoted_list(std::vector<std::string>{"a"}), "\"a\"");
  EXPECT_EQ(quoted_list({}), "");
}

}  // namespace
}  // namespace postern
