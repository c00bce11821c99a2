#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/sample_scenarios.hpp"
#include "catalogue/tls_alerts.hpp"

namespace postern {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHandshake = "<starttls may=\"fail\" trust=\"root\" asked=\"no\"/>";

class StoryTls : public testing::Test {
 protected:
  /// spoil puts `steps` in place of the sample's handshake and gives what is said of them.
  std::string spoil(const std::string& steps) {
    SampleScenarios scenarios;
    scenarios.replace("hello.xml", kHandshake, steps);
    EXPECT_FALSE(scenarios.load()) << "this should not load: " << steps;
    return scenarios.problems();
  }

  /// load gives the steps of the sample's client with `steps` in place of its handshake.
  std::vector<Step> load(const std::string& steps) {
    SampleScenarios scenarios;
    scenarios.replace("hello.xml", kHandshake, steps);
    const auto catalogue = scenarios.load();
    EXPECT_TRUE(catalogue) << scenarios.problems();
    return catalogue ? catalogue->stories.at(0)->scripts.at(0).steps : std::vector<Step>(20);
  }
};

TEST_F(StoryTls, ReadsWhatIsOfferedAndWhatMustBeSeen) {
  const TlsStep tls =
      load(
          "<starttls tls=\"1.2\" ciphers=\"ECDHE-ECDSA-AES128-GCM-SHA256\" "
          "groups=\"x25519 secp384r1\" alpn=\"smtp h2\" sni=\"other.test\" records=\"1\" "
          "split=\"1 5\" version=\"1.2\" cipher=\"ECDHE-ECDSA-AES128-GCM-SHA256\" "
          "group=\"secp384r1\" got-alpn=\"none\" resumed=\"no\" ems=\"yes\" asked=\"no\"/>")[5]
          .tls;
  EXPECT_THAT(tls.versions, ElementsAre(TlsVersion::k12));
  EXPECT_THAT(tls.groups, ElementsAre("x25519", "secp384r1"));
  EXPECT_THAT(tls.alpn, ElementsAre("smtp", "h2"));
  EXPECT_EQ(tls.sni, "other.test");
  EXPECT_EQ(tls.record_size, 1U);
  EXPECT_THAT(tls.splits, ElementsAre(1U, 5U));
  EXPECT_EQ(tls.got_alpn, "none");
  EXPECT_EQ(tls.resumed, false);
  EXPECT_EQ(tls.extended_master_secret, true);
}

TEST_F(StoryTls, ReadsFaultsAndTheirAlerts) {
  const TlsStep tls =
      load(
          "<starttls must=\"fail\" alert=\"decode_error|50|fatal\">"
          "<deviate at=\"client-hello\" do=\"truncate\"/>"
          "<deviate at=\"certificate\" do=\"alert\" alert=\"user_canceled\"/>"
          "<deviate at=\"finished\" do=\"stall\"/></starttls><end how=\"alert\"/><connect/>"
          "<starttls/>")[5]
          .tls;
  ASSERT_EQ(tls.deviations.size(), 3U);
  EXPECT_EQ(tls.deviations[0].act, Act::kTruncate);
  EXPECT_EQ(tls.deviations[1].alert, 90);
  EXPECT_EQ(tls.deviations[2].at, Point::kFinished);
  EXPECT_THAT(tls.alerts, ElementsAre("decode_error", "50", "fatal"));
}

TEST_F(StoryTls, ReadsWhatHappensBehindAndBeneathTls) {
  const std::vector<Step> steps = load(
      "<starttls tls=\"1.2\"/><renegotiate must=\"fail\"/><end how=\"alert\"/><connect/>"
      "<starttls/><say wire=\"yes\" raw=\"x\"/><close how=\"notify\"/>"
      "<say wire=\"yes\" raw=\"x\"/><close how=\"fin\"/><end how=\"close-notify\"/>"
      "<connect/><say raw=\"x\"/><hear-alert alert=\"fatal\"/><close/><end/><connect/>"
      "<starttls resume=\"yes\" early=\"EHLO x\\r\\n\"/>");
  EXPECT_EQ(steps[6].kind, StepKind::kRenegotiate);
  EXPECT_TRUE(steps[10].tls.wire);
  EXPECT_EQ(steps[11].how, "notify");
  EXPECT_EQ(steps[14].how, "close-notify");
  EXPECT_THAT(steps[17].tls.alerts, ElementsAre("fatal"));
  EXPECT_EQ(steps[21].tls.resume, Resume::kYes);
  EXPECT_EQ(steps[21].tls.early, "EHLO x\r\n");
}

TEST_F(StoryTls, RefusesTlsBeforeAHandshake) {
  EXPECT_THAT(spoil("<renegotiate must=\"fail\"/>"),
              HasSubstr("found <renegotiate> before any <starttls>"));
  EXPECT_THAT(spoil("<say wire=\"yes\" raw=\"x\"/>"),
              HasSubstr("found wire=\"yes\" before any <starttls>"));
  EXPECT_THAT(spoil("<close how=\"notify\"/>"),
              HasSubstr("found how=\"notify\" before any <starttls>"));
  EXPECT_THAT(spoil("<end how=\"truncated\"/><connect/><starttls/>"),
              HasSubstr("found how=\"truncated\" before any <starttls>"));
}

TEST_F(StoryTls, RefusesRenegotiationWhereTls13CanBeAgreedOn) {
  EXPECT_THAT(spoil("<starttls tls=\"1.2 1.3\"/><renegotiate must=\"fail\"/>"),
              HasSubstr("allowed: only behind <starttls tls=\"1.2\">"));
  EXPECT_THAT(spoil("<starttls tls=\"1.2\"/><renegotiate must=\"fail\"/><say>NOOP</say>"),
              HasSubstr("found <say> after <renegotiate>, allowed: <connect> first"));
}

TEST_F(StoryTls, RefusesASessionThatNobodyCanHaveGiven) {
  EXPECT_THAT(spoil("<starttls resume=\"yes\"/>"),
              HasSubstr("found resume=\"yes\" without an earlier handshake"));
  EXPECT_THAT(spoil("<starttls must=\"fail\"/><connect/><starttls resume=\"yes\"/>"),
              HasSubstr("found resume=\"yes\" without an earlier handshake"));
  EXPECT_THAT(spoil("<starttls resumed=\"yes\"/>"),
              HasSubstr("found resumed=\"yes\" without resume=\"yes\""));
  EXPECT_THAT(spoil("<starttls early=\"EHLO\"/>"), HasSubstr("found \"early\" without \"resume\""));
  EXPECT_THAT(spoil("<starttls resume=\"made-up\" tls=\"1.2\"/>"),
              HasSubstr("found resume=\"made-up\" without TLS 1.3"));
  EXPECT_THAT(spoil("<starttls/><connect/><starttls resume=\"yes\" early=\"x\" tls=\"1.2\"/>"),
              HasSubstr("found early=\"x\" without TLS 1.3"));
}

TEST_F(StoryTls, RefusesToExpectWhatIsNotOffered) {
  EXPECT_THAT(spoil("<starttls cipher=\"ECDHE-ECDSA-AES128-GCM-SHA256\"/>"),
              HasSubstr("found cipher=\"ECDHE-ECDSA-AES128-GCM-SHA256\", allowed: one that "
                        "\"tls\" and \"ciphers\" offer"));
  EXPECT_THAT(spoil("<starttls tls=\"1.3\" ciphers=\"TLS_AES_256_GCM_SHA384\" "
                    "cipher=\"TLS_AES_128_GCM_SHA256\"/>"),
              HasSubstr("found cipher=\"TLS_AES_128_GCM_SHA256\""));
  EXPECT_THAT(spoil("<starttls tls=\"1.2\" ciphers=\"RC4-NONSENSE\"/>"),
              HasSubstr("found ciphers=\"RC4-NONSENSE\" (no suite is known by that name)"));
  EXPECT_THAT(spoil("<starttls groups=\"x25519\" group=\"secp256r1\"/>"),
              HasSubstr("allowed: one that \"groups\" lists"));
  EXPECT_THAT(spoil("<starttls groups=\"x52519\"/>"), HasSubstr("did you mean \"x25519\""));
  EXPECT_THAT(spoil("<starttls ems=\"yes\"/>"), HasSubstr("found \"ems\" beside TLS 1.3"));
  EXPECT_THAT(spoil("<starttls must=\"fail\" cipher=\"TLS_AES_128_GCM_SHA256\"/>"),
              HasSubstr("found \"cipher\" beside must=\"fail\""));
}

TEST_F(StoryTls, RefusesAFaultInAHandshakeThatMustSucceed) {
  EXPECT_THAT(spoil("<starttls><deviate at=\"finished\" do=\"stall\"/></starttls>"),
              HasSubstr("found <deviate> in a handshake that must succeed"));
  EXPECT_THAT(spoil("<starttls alert=\"fatal\"/>"),
              HasSubstr("found \"alert\" in a handshake that must succeed"));
}

TEST_F(StoryTls, RefusesFaultsThatCannotBe) {
  const auto fault = [this](const std::string& what) {
    return spoil("<starttls must=\"fail\"><deviate " + what + "/></starttls>");
  };
  EXPECT_THAT(fault("at=\"finished\" do=\"truncate\""),
              HasSubstr("found do=\"truncate\" at=\"finished\" of a client, allowed: only at "
                        "\"client-hello\" or \"certificate\""));
  EXPECT_THAT(fault("at=\"mail\" do=\"stall\""), HasSubstr("found at=\"mail\""));
  EXPECT_THAT(fault("at=\"certificate\" do=\"alert\""),
              HasSubstr("found do=\"alert\" without the attribute \"alert\""));
  EXPECT_THAT(fault("at=\"certificate\" do=\"stall\" alert=\"40\""),
              HasSubstr("found \"alert\" without do=\"alert\""));
  EXPECT_THAT(fault("at=\"certificate\" do=\"alert\" alert=\"fatal\""),
              HasSubstr("found alert=\"fatal\", allowed: one name"));
  EXPECT_THAT(spoil("<starttls must=\"fail\" alert=\"handshake_failed\"/>"),
              HasSubstr("did you mean \"handshake_failure\""));
}

TEST(TlsAlerts, HaveNamesAndNumbers) {
  EXPECT_EQ(alert_number("handshake_failure"), 40);
  EXPECT_EQ(alert_number("116"), 116);
  EXPECT_EQ(alert_number("256"), -1);
  EXPECT_EQ(alert_number("fatal"), -1);
  EXPECT_EQ(alert_name(70), "protocol_version");
  EXPECT_EQ(alert_name(200), "alert 200");
  EXPECT_TRUE(alert_conforms({"protocol_version", "40"}, 40));
  EXPECT_TRUE(alert_conforms({"fatal"}, 50));
  EXPECT_FALSE(alert_conforms({"fatal"}, 100));
  EXPECT_FALSE(alert_conforms({"fatal"}, -1));
}

}  // namespace
}  // namespace postern
