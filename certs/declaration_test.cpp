#include "declaration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace postern::certs {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Declarations read(const std::string& text, Problems& problems) {
  const std::optional<LocatedXml> xml = LocatedXml::parse(text, "t.xml", problems);
  if (!xml) throw std::runtime_error(problems.text());
  return read_declarations(*xml, problems);
}

/// problem_in gives the one problem of an authority with `line` as its second line.
std::string problem_in(const std::string& line) {
  Problems problems;
  read("<authority>\n" + line + "\n<ca name='root' about='x'/></authority>", problems);
  EXPECT_EQ(problems.all().size(), 1U) << problems.text();
  return problems.text();
}

/// certificate is a right declaration with `attributes` added.
std::string certificate(const std::string& attributes) {
  return "<certificate name='c' issuer='root' for='server' about='x' " + attributes + "/>";
}

Declaration read_certificate(const std::string& attributes) {
  Problems problems;
  Declarations declarations =
      read("<authority><ca name='root' about='x'/>" + certificate(attributes) + "</authority>",
           problems);
  EXPECT_TRUE(problems.empty()) << problems.text();
  return declarations.certificates.at("c");
}

TEST(Declaration, TakesAnyCombinationOfDeviations) {
  const Declaration made = read_certificate(
      "key='rsa-1024' valid='expired' signature='sha1' purpose='client email' ca-flag='missing' "
      "unknown-extension='critical' tampered='yes' send-intermediates='no' "
      "names='a.test *.b.test 127.0.0.1 ::1' subject='CN=a.test, O=Some One'");
  EXPECT_EQ(made.key, KeyKind::kRsa1024);
  EXPECT_EQ(made.validity, Validity::kExpired);
  EXPECT_EQ(made.digest, Digest::kSha1);
  EXPECT_EQ(made.purposes, (std::vector<Purpose>{Purpose::kClient, Purpose::kEmail}));
  EXPECT_EQ(made.ca_flag, CaFlag::kMissing);
  EXPECT_EQ(made.unknown_extension, UnknownExtension::kCritical);
  EXPECT_TRUE(made.tampered);
  EXPECT_FALSE(made.send_intermediates);
  ASSERT_EQ(made.names.size(), 4U);
  EXPECT_EQ(made.names[1].value, "*.b.test");
  EXPECT_EQ(made.names[2].kind, AlternativeName::Kind::kIp);
  EXPECT_EQ(made.names[3].value.size(), 16U);
  ASSERT_EQ(made.subject.size(), 2U);
  EXPECT_EQ(made.subject[1].key, "O");
  EXPECT_EQ(made.subject[1].value, "Some One");
}

TEST(Declaration, HasNoFaultUnlessOneIsDeclared) {
  const Declaration made = read_certificate("");
  EXPECT_EQ(made.key, KeyKind::kEcP256);
  EXPECT_EQ(made.validity, Validity::kNow);
  EXPECT_EQ(made.digest, Digest::kSha256);
  EXPECT_EQ(made.purposes, std::vector<Purpose>{Purpose::kServer});
  EXPECT_EQ(made.ca_flag, CaFlag::kNo);
  EXPECT_EQ(made.unknown_extension, UnknownExtension::kNone);
  EXPECT_FALSE(made.tampered);
  EXPECT_TRUE(made.send_intermediates);
  EXPECT_TRUE(made.names.empty());
}

TEST(Declaration, RefusesUnknownElementsAndText) {
  EXPECT_THAT(problem_in("<certifcate name='x'/>"),
              AllOf(StartsWith("t.xml:2:2: found <certifcate>"),
                    HasSubstr("did you mean \"certificate\"?"), HasSubstr("\"ca\"")));
  EXPECT_THAT(problem_in("words"), StartsWith("t.xml:1:12: found text inside <authority>"));
  EXPECT_THAT(problem_in("<ca name='d' about='x'>\n<ca/></ca>"),
              StartsWith("t.xml:3:2: found <ca> inside <ca>; allowed is nothing"));
}

TEST(Declaration, RefusesAnotherRoot) {
  Problems problems;
  read("<authorities/>", problems);
  EXPECT_EQ(problems.text(), "t.xml:1:2: found <authorities>; allowed is <authority>\n");
  Problems more;
  read("<authority version='1'/>", more);
  EXPECT_THAT(more.text(), StartsWith("t.xml:1:12: <authority> has no attribute \"version\""));
}

TEST(Declaration, RefusesUnknownAttributes) {
  EXPECT_THAT(problem_in("<ca name='d' about='x'\n  isuer='root'/>"),
              AllOf(StartsWith("t.xml:3:3: <ca> has no attribute \"isuer\""),
                    HasSubstr("did you mean \"issuer\"?"), HasSubstr("\"path-length\"")));
  EXPECT_THAT(problem_in(certificate("path-length='1'")), HasSubstr("no attribute"));
}

TEST(Declaration, RefusesUnknownValues) {
  EXPECT_THAT(problem_in(certificate("\nkey='rsa-1204'")),
              AllOf(StartsWith("t.xml:3:1: found \"rsa-1204\" in key=\"rsa-1204\""),
                    HasSubstr("did you mean \"rsa-1024\"?"), HasSubstr("\"ec-p256\"")));
  EXPECT_THAT(problem_in(certificate("valid='expird'")), HasSubstr("did you mean \"expired\"?"));
  EXPECT_THAT(problem_in(certificate("signature='md5'")), HasSubstr("allowed are \"sha1\""));
  EXPECT_THAT(problem_in(certificate("ca-flag='true'")), HasSubstr("\"missing\""));
  EXPECT_THAT(problem_in(certificate("unknown-extension='yes'")), HasSubstr("\"non-critical\""));
  EXPECT_THAT(problem_in(certificate("tampered='1'")), HasSubstr("\"yes\" or \"no\""));
  EXPECT_THAT(problem_in(certificate("send-intermediates=''")), HasSubstr("\"yes\" or \"no\""));
  EXPECT_THAT(problem_in(certificate("purpose='server mail'")), HasSubstr("found \"mail\""));
  EXPECT_THAT(problem_in(certificate("purpose='server none'")), HasSubstr("stand alone"));
  EXPECT_THAT(problem_in(certificate("purpose=''")), HasSubstr("must not be empty"));
}

TEST(Declaration, RefusesNamesThatAreNone) {
  EXPECT_THAT(problem_in(certificate("names='mx.test a,b'")),
              AllOf(HasSubstr("found \"a,b\" in names"), HasSubstr("IP addresses")));
  EXPECT_THAT(problem_in(certificate("subject='CN'")), HasSubstr("found \"CN\" in subject"));
  EXPECT_THAT(problem_in(certificate("subject='XN=a'")), HasSubstr("allowed are \"CN\", \"O\""));
  EXPECT_THAT(problem_in(certificate("subject='C=DEU'")), HasSubstr("found \"C=DEU\""));
  EXPECT_THAT(problem_in(certificate("subject='C=\xC3\xA4'")), HasSubstr("two capital letters"));
  EXPECT_THAT(problem_in(certificate("subject='CN=" + std::string(65, 'a') + "'")),
              HasSubstr("1 to 64 bytes"));
  EXPECT_THAT(problem_in("<ca name='Bad' about='x'/>"), HasSubstr("small letters"));
  EXPECT_THAT(problem_in("<ca name='../x' about='x'/>"), HasSubstr("small letters"));
  EXPECT_THAT(problem_in("<ca name='self' about='x'/>"), HasSubstr("is taken"));
  EXPECT_THAT(problem_in("<ca name='d' permitted='*.test' about='x'/>"), HasSubstr("DNS names"));
}

TEST(Declaration, RefusesPathLengthsThatAreNone) {
  EXPECT_THAT(problem_in("<ca name='d' path-length='-1' about='x'/>"), HasSubstr("0 to 100"));
  EXPECT_THAT(problem_in("<ca name='d' path-length='1x' about='x'/>"), HasSubstr("0 to 100"));
  EXPECT_THAT(problem_in("<ca name='d' path-length='1' ca-flag='no' about='x'/>"),
              HasSubstr("only with ca-flag"));
}

TEST(Declaration, RefusesWhatIsMissing) {
  EXPECT_THAT(problem_in("<ca about='x'/>"), HasSubstr("<ca> lacks the attribute \"name\""));
  EXPECT_THAT(problem_in("<ca name='d' about=' '/>"), HasSubstr("\"about\" must not be empty"));
  EXPECT_THAT(problem_in("<certificate name='c' about='x' for='server'/>"),
              HasSubstr("lacks the attribute \"issuer\""));
  EXPECT_THAT(problem_in("<certificate name='c' about='x' issuer='root'/>"),
              HasSubstr("lacks the attribute \"for\""));
  EXPECT_THAT(problem_in("<trust name='t' about='x'/>"), HasSubstr("\"anchors\""));
}

TEST(Declaration, RefusesWhatIsNotDeclared) {
  EXPECT_THAT(
      problem_in("<certificate name='c' about='x' for='server'\nissuer='rot'/>"),
      AllOf(StartsWith("t.xml:3:1: found issuer=\"rot\""), HasSubstr("did you mean \"root\"?")));
  EXPECT_THAT(problem_in("<trust name='t' about='x' anchors='root rood'/>"),
              HasSubstr("found anchors=\"rood\" (did you mean \"root\"?)"));
}

TEST(Declaration, RefusesARevocationListOfWhatItsIssuerDidNotSign) {
  const std::string signed_by_root = "<certificate name='c' about='x' for='server' issuer='root'/>";
  EXPECT_THAT(problem_in(signed_by_root + "<crl name='l' about='x' issuer='c' revokes='c'/>"),
              HasSubstr("found \"c\" in revokes; allowed are those whose issuer is \"c\""));
  EXPECT_THAT(problem_in(signed_by_root + "<crl name='l' about='x' issuer='root' revokes='d'/>"),
              HasSubstr("found revokes=\"d\""));
}

TEST(Declaration, RefusesANameUsedTwice) {
  EXPECT_THAT(problem_in("<ca name='root' about='x'/>"),
              AllOf(StartsWith("t.xml:3:5: the name \"root\" is there already")));
  EXPECT_THAT(problem_in("<trust name='t' about='x' anchors='root'/>"
                         "<trust name='t' about='x' anchors='root'/>"),
              HasSubstr("is there already"));
}

TEST(Declaration, RefusesIssuersInACircle) {
  Problems problems;
  read(
      "<authority>\n<ca name='a' issuer='b' about='x'/>\n<ca name='b' issuer='c' about='x'/>\n"
      "<ca name='c' issuer='b' about='x'/>\n</authority>",
      problems);
  EXPECT_EQ(problems.text(),
            "t.xml:3:14: the issuers go in a circle: b -> c -> b\n"
            "t.xml:4:14: the issuers go in a circle: c -> b -> c\n");
}

TEST(Declaration, RefusesADigestForAKeyThatBringsItsOwn) {
  EXPECT_THAT(problem_in("<ca name='e' key='ed25519' signature='sha1' about='x'/>"),
              HasSubstr("signature is not allowed"));
}

TEST(Declaration, TellsEverythingThatIsWrongInOneRun) {
  Problems problems;
  read("<authority>\n<ca name='a' key='x' about='x'/>\n<oops/>\n<trust name='t'/>\n</authority>",
       problems);
  EXPECT_EQ(problems.all().size(), 4U) << problems.text();
}

}  // namespace
}  // namespace postern::certs
