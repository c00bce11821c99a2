#include "catalogue/schema.hpp"

#include <gtest/gtest.h>
#include <libxml/xmlschemas.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "catalogue/story_parts.hpp"

// With POSTERN_UPDATE=1 in the environment the generated files are written anew.

namespace postern {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void expect_checked_in(const std::string& file, const std::string& generated) {
  const std::string path = POSTERN_SOURCE_DIR "/" + file;
  if (std::getenv("POSTERN_UPDATE")) std::ofstream(path, std::ios::binary) << generated;
  EXPECT_TRUE(content_of(path) == generated)
      << file << " is not what the vocabulary gives; run catalogue_tests with POSTERN_UPDATE=1";
}

/// XmlSchema is xsd() as libxml2 understands it.
class XmlSchema {
 public:
  XmlSchema() : text_(xsd()) {
    const std::unique_ptr<xmlSchemaParserCtxt, decltype(&xmlSchemaFreeParserCtxt)> parser(
        xmlSchemaNewMemParserCtxt(text_.data(), static_cast<int>(text_.size())),
        xmlSchemaFreeParserCtxt);
    schema_.reset(xmlSchemaParse(parser.get()));
  }

  bool is_schema() const { return schema_ != nullptr; }

  bool accepts(const std::string& document) const {
    const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> parsed(
        xmlReadMemory(document.data(), static_cast<int>(document.size()), "test.xml", nullptr,
                      XML_PARSE_NONET | XML_PARSE_NOERROR),
        xmlFreeDoc);
    if (!parsed) return false;
    const std::unique_ptr<xmlSchemaValidCtxt, decltype(&xmlSchemaFreeValidCtxt)> validation(
        xmlSchemaNewValidCtxt(schema_.get()), xmlSchemaFreeValidCtxt);
    xmlSchemaSetValidErrors(validation.get(), &XmlSchema::ignore, &XmlSchema::ignore, nullptr);
    return xmlSchemaValidateDoc(validation.get(), parsed.get()) == 0;
  }

 private:
  static void ignore(void*, const char*, ...) {}

  std::string text_;
  std::unique_ptr<xmlSchema, decltype(&xmlSchemaFree)> schema_{nullptr, xmlSchemaFree};
};

bool loader_accepts(const std::string& document) {
  Problems problems;
  const auto parsed = LocatedXml::parse(document, "test.xml", problems);
  if (parsed)
    for (const Assignment& variant : variants_of(*parsed, problems))
      check_document(*parsed, problems, variant);
  return problems.empty();
}

TEST(Schema, IsCheckedIn) {
  expect_checked_in("scenarios/postern.xsd", xsd());
}

TEST(Schema, HasItsReferencePageCheckedIn) {
  expect_checked_in("docs/scenario-reference.md", reference_markdown());
}

TEST(Schema, AcceptsEveryScenario) {
  const XmlSchema schema;
  ASSERT_TRUE(schema.is_schema());
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(POSTERN_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".xml") continue;
    EXPECT_TRUE(schema.accepts(content_of(entry.path()))) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 4);
}

struct Sample {
  const char* about;
  const char* document;
  bool good;
};

class SchemaAndLoader : public testing::TestWithParam<Sample> {};

TEST_P(SchemaAndLoader, Agree) {
  const XmlSchema schema;
  EXPECT_EQ(loader_accepts(GetParam().document), GetParam().good);
  EXPECT_EQ(schema.accepts(GetParam().document), GetParam().good);
}

const Sample kSamples[] = {
    {"a good peer", "<peers><peer role='client' name='a' tls='1.2 1.3'/></peers>", true},
    {"an editor's hint at the schema",
     "<peers xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
     "xsi:noNamespaceSchemaLocation='postern.xsd'/>",
     true},
    {"a story with both kinds of say",
     "<story ref='IN-8' why='w'><gateway server-level='attempt' clear-fallback-delay='never'/>"
     "<client><say>EHLO a</say><say raw='a\\x00\\r\\n' split='1 2'/><hear reply='250|5yz'/>"
     "</client></story>",
     true},
    {"a word of an axis where a listed one may stand",
     "<story ref='IN-8' why='w'><axis name='version' values='1.2 1.3'/><client>"
     "<starttls tls='${version}'/></client></story>",
     true},
    {"several clients, servers and expectations",
     "<story ref='IN-8' why='w'><client peer='a'/><client><use prefix='p'/><meet at='m'/>"
     "</client><server><nobody/></server><expect inbound='accept' when='server-level=none'/>"
     "<expect inbound='drop'/></story>",
     true},
    {"a command in small letters",
     "<story ref='IN-8' why='w'><client peer='a'/><server><hear command='mail'/></server></story>",
     false},
    {"an unknown root", "<peer role='client' name='a'/>", false},
    {"an unknown element", "<peers><per/></peers>", false},
    {"a misplaced element", "<peers><deviate at='mail' do='skip'/></peers>", false},
    {"an unknown attribute", "<peers><peer role='client' name='a' nam='b'/></peers>", false},
    {"a missing attribute", "<peers><peer role='client'/></peers>", false},
    {"an unlisted word", "<peers><peer role='clients' name='a'/></peers>", false},
    {"an unlisted word among others", "<peers><peer role='client' name='a' tls='1.2 1.4'/></peers>",
     false},
    {"an empty list", "<peers><peer role='client' name='a' tls=''/></peers>", false},
    {"a name in capitals", "<peers><peer role='client' name='A'/></peers>", false},
    {"text where none may stand", "<peers>text</peers>", false},
    {"no text where some must stand",
     "<requirements><requirement id='A-1' source='s' level='MUST'/></requirements>", false},
    {"a requirement's id in small letters",
     "<requirements><requirement id='a-1' source='s' level='MUST'>t</requirement></requirements>",
     false},
    {"a reply that is none",
     "<story ref='IN-8' why='w'><client><hear reply='25'/></client></story>", false},
    {"a client's hear in a server",
     "<story ref='IN-8' why='w'><client peer='a'/><server><hear reply='250'/></server></story>",
     false},
    {"a delay without its unit",
     "<story ref='IN-8' why='w'><gateway clear-fallback-delay='3'/><client peer='a'/></story>",
     false},
    {"a signal that no gateway is stopped with",
     "<gateway name='g' about='a'><stop signal='KILL'/></gateway>", false},
};

INSTANTIATE_TEST_SUITE_P(All, SchemaAndLoader, testing::ValuesIn(kSamples),
                         [](const testing::TestParamInfo<Sample>& sample) {
                           std::string name = sample.param.about;
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace postern
