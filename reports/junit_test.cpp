#include "junit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>

#include <memory>

#include "results_file.hpp"
#include "sample_results.hpp"

namespace postern::reports {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

/// Xml is a parsed document, asked by XPath.
class Xml {
 public:
  explicit Xml(const std::string& text)
      : document_(xmlReadMemory(text.data(), static_cast<int>(text.size()), "junit.xml", nullptr,
                                XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR),
                  xmlFreeDoc) {}
  bool well_formed() const { return document_ != nullptr; }
  xmlDoc* document() const { return document_.get(); }

  /// all gives the text of every node that `path` finds.
  std::vector<std::string> all(const std::string& path) const {
    const std::unique_ptr<xmlXPathContext, decltype(&xmlXPathFreeContext)> context(
        xmlXPathNewContext(document_.get()), xmlXPathFreeContext);
    const std::unique_ptr<xmlXPathObject, decltype(&xmlXPathFreeObject)> found(
        xmlXPathEvalExpression(reinterpret_cast<const xmlChar*>(path.c_str()), context.get()),
        xmlXPathFreeObject);
    std::vector<std::string> texts;
    const xmlNodeSet* nodes = found ? found->nodesetval : nullptr;
    for (int i = 0; nodes != nullptr && i < nodes->nodeNr; ++i) {
      xmlChar* content = xmlNodeGetContent(nodes->nodeTab[i]);
      texts.emplace_back(reinterpret_cast<const char*>(content));
      xmlFree(content);
    }
    return texts;
  }
  std::string one(const std::string& path) const {
    const std::vector<std::string> texts = all(path);
    EXPECT_EQ(texts.size(), 1U) << path;
    return texts.empty() ? "" : texts.front();
  }

 private:
  std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document_;
};

// What the strictest reader in use allows, element by element (Jenkins' xUnit plugin,
// junit-10.xsd).
constexpr const char* kStrictSchema = R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:simpleType name="time"><xs:restriction base="xs:string">
  <xs:pattern value="[0-9]+\.[0-9]{3}"/></xs:restriction></xs:simpleType>
<xs:complexType name="result"><xs:simpleContent><xs:extension base="xs:string">
  <xs:attribute name="type"/><xs:attribute name="message"/></xs:extension></xs:simpleContent>
</xs:complexType>
<xs:element name="property"><xs:complexType>
  <xs:attribute name="name" use="required"/><xs:attribute name="value" use="required"/>
</xs:complexType></xs:element>
<xs:element name="properties"><xs:complexType><xs:sequence>
  <xs:element ref="property" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
</xs:element>
<xs:element name="testcase"><xs:complexType><xs:sequence>
  <xs:choice minOccurs="0"><xs:element name="skipped" type="result"/>
    <xs:element name="error" type="result"/><xs:element name="failure" type="result"/></xs:choice>
  <xs:element name="system-out" type="xs:string" minOccurs="0"/></xs:sequence>
  <xs:attribute name="name" use="required"/><xs:attribute name="classname" use="required"/>
  <xs:attribute name="time" type="time" use="required"/>
</xs:complexType></xs:element>
<xs:element name="testsuite"><xs:complexType><xs:sequence>
  <xs:element ref="properties"/><xs:element ref="testcase" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="name" use="required"/><xs:attribute name="tests" type="xs:int" use="required"/>
  <xs:attribute name="failures" type="xs:int" use="required"/>
  <xs:attribute name="errors" type="xs:int" use="required"/>
  <xs:attribute name="skipped" type="xs:int"/><xs:attribute name="time" type="time"/>
  <xs:attribute name="timestamp" type="xs:dateTime"/><xs:attribute name="hostname"/>
  <xs:attribute name="id"/></xs:complexType></xs:element>
<xs:element name="testsuites"><xs:complexType><xs:sequence>
  <xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="name"/><xs:attribute name="time" type="time"/>
  <xs:attribute name="tests" type="xs:int"/><xs:attribute name="failures" type="xs:int"/>
  <xs:attribute name="errors" type="xs:int"/></xs:complexType></xs:element>
</xs:schema>)";

bool is_strict(const Xml& xml) {
  const std::unique_ptr<xmlSchemaParserCtxt, decltype(&xmlSchemaFreeParserCtxt)> parser(
      xmlSchemaNewMemParserCtxt(kStrictSchema,
                                static_cast<int>(std::string_view(kStrictSchema).size())),
      xmlSchemaFreeParserCtxt);
  const std::unique_ptr<xmlSchema, decltype(&xmlSchemaFree)> schema(xmlSchemaParse(parser.get()),
                                                                    xmlSchemaFree);
  EXPECT_NE(schema, nullptr);
  const std::unique_ptr<xmlSchemaValidCtxt, decltype(&xmlSchemaFreeValidCtxt)> context(
      xmlSchemaNewValidCtxt(schema.get()), xmlSchemaFreeValidCtxt);
  xmlSchemaSetValidStructuredErrors(
      context.get(), [](void*, xmlErrorPtr) {}, nullptr);
  return xmlSchemaValidateDoc(context.get(), xml.document()) == 0;
}

std::string junit_of(const std::vector<CaseResult>& cases,
                     JUnitFlavour flavour = JUnitFlavour::kCommon) {
  TemporaryFile results, junit;
  write_results(results.path(), cases);
  write_junit(results.path(), junit.path(), flavour);
  return junit.text();
}

CaseResult with(Verdict verdict, const std::string& server = "good") {
  CaseResult result = matrix_case("require none verify", "starttls", server, "accept tls=yes",
                                  "redirect tls=yes connection=1");
  result.verdict = verdict;
  if (verdict != Verdict::kPass) result.reason = std::string("why: ") + word(verdict);
  return result;
}

std::vector<CaseResult> every_verdict() {
  return {with(Verdict::kPass, "a"),
          with(Verdict::kFail, "b"),
          with(Verdict::kError, "c"),
          with(Verdict::kInconclusive, "d"),
          with(Verdict::kInvalid, "e"),
          with(Verdict::kSkip, "f"),
          sample_failure()};
}

TEST(JUnit, ASuiteSaysNothingOfSettingsThatDiffer) {
  CaseResult story = sample_pass(), other = sample_pass();
  story.suite = other.suite = "stories";
  other.id += "2";
  other.settings.front().second = "attempt";
  const Xml xml(junit_of({story, other}));
  const std::string property = "//testsuite/properties/property[@name='";
  EXPECT_THAT(xml.all(property + "server-level']/@value"), IsEmpty());
  EXPECT_EQ(xml.one(property + "client-level']/@value"), "verify");
}

TEST(JUnit, VerdictsBecomeTheElementsOfTheTable) {
  const Xml xml(junit_of(every_verdict()));
  ASSERT_TRUE(xml.well_formed());
  const std::string of = "//testcase[@name='client=starttls/server=";
  EXPECT_THAT(xml.all(of + "a']/*[not(self::properties)]"), IsEmpty());
  EXPECT_EQ(xml.one(of + "b']/failure/@message"), "why: fail");
  EXPECT_EQ(xml.one(of + "c']/error/@type"), "error");
  EXPECT_EQ(xml.one(of + "d']/error/@type"), "inconclusive");
  EXPECT_EQ(xml.one(of + "e']/error/@type"), "invalid");
  EXPECT_EQ(xml.one(of + "f']/skipped/@message"), "why: skip");
}

TEST(JUnit, CountsAreRight) {
  const Xml xml(junit_of(every_verdict()));
  for (const char* level : {"/testsuites", "//testsuite"}) {
    const std::string at = level;
    EXPECT_EQ(xml.one(at + "/@tests"), "7");
    EXPECT_EQ(xml.one(at + "/@failures"), "2");
    EXPECT_EQ(xml.one(at + "/@errors"), "3");
    EXPECT_EQ(xml.one(at + "/@skipped"), "1");
    EXPECT_EQ(xml.one(at + "/@time"), "0.031");
  }
}

TEST(JUnit, ATestCaseSaysWhatWasExpectedAndSeen) {
  const Xml xml(junit_of({sample_failure()}));
  EXPECT_EQ(xml.one("//testcase/@classname"),
            "tls-modes.server-level=require.client-certificate=none.client-level=verify");
  EXPECT_EQ(xml.one("//testcase/@name"), "client=starttls/server=expired");
  EXPECT_EQ(xml.one("//testcase/@time"), "0.007");
  EXPECT_EQ(xml.one("//testcase/@file"), "scenarios/matrices/tls-modes.xml");
  EXPECT_EQ(xml.one("//testcase/@line"), "71");
  auto property = [&](const std::string& name) {
    return xml.one("//testcase/properties/property[@name='" + name + "']/@value");
  };
  EXPECT_EQ(property("server-level"), "require");
  EXPECT_EQ(property("server"), "expired");
  EXPECT_EQ(property("verdict"), "fail");
  EXPECT_EQ(property("gateway"), "reference");
  EXPECT_EQ(property("inbound.evidence"), "session-end");
  EXPECT_EQ(property("outbound.expected"), "hold code=4.7.5");
  EXPECT_EQ(property("outbound.observed"), "redirect tls=yes connection=1");
  EXPECT_EQ(property("outbound.requirement"), "OUT-5");
  EXPECT_THAT(xml.one("//failure"),
              StartsWith("scenarios/matrices/tls-modes.xml:71: outbound: expected hold"));
  EXPECT_THAT(xml.one("//failure"), HasSubstr("\nRun this case again\n  postern run 'tls-modes/"));
  EXPECT_THAT(xml.one("//system-out"), AllOf(HasSubstr("TLS begins"), HasSubstr("\"queue-id\"")));
}

TEST(JUnit, TheTranscriptIsOfWhatDidNotPassOnly) {
  const Xml xml(junit_of({sample_pass(), sample_failure()}));
  EXPECT_THAT(xml.all("//testcase[@name='client=starttls/server=good']/system-out"), IsEmpty());
  EXPECT_THAT(xml.all("//system-out"), SizeIs(1));
}

TEST(JUnit, PropertiesComeFirstAndTheTranscriptLast) {
  const std::string text = junit_of({sample_failure()});
  const auto testcase = text.find("<testcase");
  EXPECT_LT(text.find("<properties>", testcase), text.find("<failure"));
  EXPECT_LT(text.find("</failure>"), text.find("<system-out>"));
}

TEST(JUnit, ScatteredCasesOfASuiteComeTogether) {
  CaseResult other = matrix_case("none none none", "plain", "good", "accept tls=no", "hold");
  const Xml xml(junit_of({with(Verdict::kPass, "a"), other, with(Verdict::kPass, "b")}));
  EXPECT_THAT(xml.all("//testsuite/@id"), ElementsAre("0", "1"));
  EXPECT_THAT(xml.all("//testsuite[1]/testcase/@name"),
              ElementsAre("client=starttls/server=a", "client=starttls/server=b"));
  EXPECT_EQ(xml.one("//testsuite[2]/testcase/@name"), "client=plain/server=good");
}

TEST(JUnit, RunsThatPassedButNotAlikeAreNoPass) {
  CaseResult held = with(Verdict::kPass);
  held.outbound.observed = {"hold", {{"code", "4.7.5"}}};
  const Xml xml(junit_of({with(Verdict::kPass), held}));
  EXPECT_EQ(xml.one("/testsuites/@failures"), "1");
  EXPECT_THAT(xml.one("//testcase/failure/@message"), testing::StartsWith("unstable: pass, "));
  EXPECT_THAT(xml.one("//testcase//property[@name='unstable']/@value"),
              testing::HasSubstr("another time pass, accept tls=yes, hold code=4.7.5"));
}

TEST(JUnit, OfSeveralRunsTheWorstIsShown) {
  const Xml xml(junit_of({with(Verdict::kPass), with(Verdict::kFail), with(Verdict::kInvalid)}));
  EXPECT_EQ(xml.one("/testsuites/@tests"), "1");
  EXPECT_EQ(xml.one("/testsuites/@failures"), "1");
  EXPECT_EQ(xml.one("//testcase//property[@name='runs']/@value"), "3");
  EXPECT_EQ(xml.one("//testcase//property[@name='runs-not-passed']/@value"), "2");
  EXPECT_EQ(xml.one("//failure/@message"), "why: fail");
}

TEST(JUnit, ControlsAreLeftOut) {
  CaseResult control = sample_failure();
  control.control = true;
  const Xml xml(junit_of({with(Verdict::kPass), control}));
  EXPECT_EQ(xml.one("/testsuites/@tests"), "1");
  EXPECT_EQ(xml.one("/testsuites/@failures"), "0");
}

TEST(JUnit, TheStrictFlavourKeepsToTheSchema) {
  const Xml strict(junit_of(every_verdict(), JUnitFlavour::kStrict));
  ASSERT_TRUE(strict.well_formed());
  EXPECT_TRUE(is_strict(strict));
  EXPECT_FALSE(is_strict(Xml(junit_of(every_verdict()))));
  EXPECT_EQ(strict.one("//testsuite/properties/property[@name='client-level']/@value"), "verify");
}

TEST(JUnit, EveryByteYieldsValidXml) {
  std::string bytes;
  for (int a = 0; a < 256; ++a) bytes += static_cast<char>(a);
  for (const char* odd :
       {"\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xED\xA0\x80", "]]>", "\xF4\x90\x80\x80"}) {
    bytes += odd;
  }
  CaseResult result = sample_failure();
  result.reason = result.name = result.server = result.settings[0].second = bytes;
  result.id = result.suite + "/" + result.name;
  result.outbound.observed.facts = {{"reply", bytes}};
  result.events.push_back({9000, 1, "server", "peer", "clear", "data", bytes});
  result.record = {bytes};
  for (const JUnitFlavour flavour : {JUnitFlavour::kCommon, JUnitFlavour::kStrict}) {
    const Xml xml(junit_of({result}, flavour));
    ASSERT_TRUE(xml.well_formed());
    // What XML can hold comes back as it was, the rest is visible.
    const std::string name = xml.one("//testcase/@name");
    EXPECT_THAT(name, AllOf(HasSubstr("\\x01"), HasSubstr("\t\n"), HasSubstr("\\x1B"),
                            HasSubstr("\\xFF"), HasSubstr("]]>"), HasSubstr("\\xEF\\xBF\\xBE")));
    EXPECT_THAT(name, StartsWith("\\x00"));
  }
}

TEST(JUnit, TheMessageIsOneLineOfBoundedLength) {
  CaseResult result = sample_failure();
  result.reason = "a\nb" + std::string(2000, 'c');
  const std::string message = Xml(junit_of({result})).one("//failure/@message");
  EXPECT_THAT(message, StartsWith("a\\nbccc"));
  EXPECT_LE(message.size(), 502U);
}

TEST(JUnit, OfALongTranscriptHeadAndTailAreWritten) {
  CaseResult result = sample_failure();
  result.record.clear();
  for (int i = 0; i < 20000; ++i) result.record.push_back("line " + std::to_string(i));
  const std::string out = Xml(junit_of({result})).one("//system-out");
  EXPECT_LE(out.size(), kTranscriptLimit);
  EXPECT_THAT(out, StartsWith("What was said"));
  EXPECT_TRUE(out.find(" bytes are left out here; ") != std::string::npos);
  EXPECT_TRUE(out.find("\n  line 19999\n") != std::string::npos);
  EXPECT_TRUE(out.find("\n  line 10000\n") == std::string::npos);
}

TEST(JUnit, ARunThatDidNotEndIsInError) {
  TemporaryFile results, junit;
  { ResultsWriter(results.path(), sample_header()).write(with(Verdict::kPass)); }
  write_junit(results.path(), junit.path(), JUnitFlavour::kStrict);
  const Xml xml(junit.text());
  EXPECT_TRUE(is_strict(xml));
  EXPECT_EQ(xml.one("/testsuites/@tests"), "2");
  EXPECT_EQ(xml.one("/testsuites/@errors"), "1");
  EXPECT_THAT(xml.one("//testcase[@classname='postern'][@name='run']/error"),
              HasSubstr("found no footer"));
}

TEST(JUnit, ARunThatDidNotEndInOrderIsInError) {
  TemporaryFile results, junit;
  const auto error_of = [&](const RunFooter& footer) {
    ResultsWriter writer(results.path(), sample_header());
    writer.write(with(Verdict::kPass));
    writer.finish(footer);
    write_junit(results.path(), junit.path(), JUnitFlavour::kStrict);
    const Xml xml(junit.text());
    EXPECT_TRUE(is_strict(xml));
    EXPECT_EQ(xml.one("/testsuites/@errors"), "1");
    return xml.one("//testcase[@classname='postern'][@name='run']/error");
  };
  RunFooter footer;
  footer.exit_code = 3;
  footer.reason = "only 1 case was judged, and --min asks for 2";
  EXPECT_EQ(error_of(footer), footer.reason);
  footer.reason.clear();
  footer.interrupted = true;
  EXPECT_EQ(error_of(footer), "the run was interrupted");
}

TEST(JUnit, NoCasesAreNoPass) {
  const Xml xml(junit_of({}));
  EXPECT_EQ(xml.one("/testsuites/@errors"), "1");
  EXPECT_THAT(xml.one("//error"), HasSubstr("no case was judged"));
}

TEST(JUnit, AShardMayHaveNoCase) {
  TemporaryFile results, junit;
  RunHeader header = sample_header();
  header.shard = header.shards = 2;
  ResultsWriter(results.path(), header).finish(RunFooter());
  write_junit(results.path(), junit.path(), JUnitFlavour::kCommon);
  const Xml xml(junit.text());
  EXPECT_EQ(xml.one("/testsuites/@errors"), "0");
}

TEST(JUnit, ABadResultsFileLeavesTheOldReport) {
  TemporaryFile results, junit;
  junit.write("old");
  results.write("{}\n");
  EXPECT_THROW(write_junit(results.path(), junit.path(), JUnitFlavour::kCommon), ResultsError);
  EXPECT_EQ(junit.text(), "old");
}

}  // namespace
}  // namespace postern::reports
