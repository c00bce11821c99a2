#include "control/template.hpp"

#include <gmock/gmock.h>

namespace postern {
namespace {

SettingText setting(const std::string& name, const std::string& value, const std::string& text,
                    const std::string& when = "") {
  SettingText made;
  made.name = name;
  made.value = value;
  made.text = text;
  std::string error;
  made.when = Condition::parse(when, error);
  EXPECT_EQ(error, "");
  made.place.file = "gw.xml";
  return made;
}

class TemplateTest : public testing::Test {
 protected:
  Template made() {
    TemplateValues values;
    values.directory = "/d";
    values.listen_address = "127.1.2.3";
    values.listen_port = 2525;
    values.program_directory = "/bin";
    values.setting_texts = &texts_;
    values.settings = &settings_;
    values.routes = &routes_;
    values.environment = [](const std::string& name) { return name == "HOME" ? "/root" : nullptr; };
    return Template(values);
  }

  Expansion expand(const std::string& text) { return made().expand(text); }

  std::vector<SettingText> texts_;
  Assignment settings_;
  std::vector<Route> routes_;
};

TEST_F(TemplateTest, plain_values) {
  const Expansion got = expand(
      "${dir}|${listen.address}:${listen.port}|${program.postern-gateway}|${env.HOME}|$x {y}");
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.text, "/d|127.1.2.3:2525|/bin/postern-gateway|/root|$x {y}");
}

TEST_F(TemplateTest, doubled_dollar_keeps_a_foreign_variable) {
  EXPECT_EQ(expand("a $${if ${dir}} b").text, "a ${if /d} b");
}

TEST_F(TemplateTest, unknown_names_are_errors) {
  EXPECT_THAT(expand("${dri}").error, testing::HasSubstr("${dri} stands for nothing"));
  EXPECT_THAT(expand("${env.NOT_SET}").error, testing::HasSubstr("the environment has no NOT_SET"));
  EXPECT_THAT(expand("${dir").error, testing::HasSubstr("has no closing"));
  EXPECT_THAT(expand("${}").error, testing::HasSubstr("stands for nothing"));
}

TEST_F(TemplateTest, route_outside_a_route_line_cannot_happen_and_line_is_repeated) {
  routes_ = {{"a.test", "mx.a.test", "127.0.0.2", 25}, {"b.test", "mx.b.test", "127.0.0.3", 26}};
  const Expansion got = expand(
      "head\n${route.domain} -> ${route.host} [${route.address}]:${route.port} ${dir}\ntail");
  EXPECT_EQ(got.text,
            "head\n"
            "a.test -> mx.a.test [127.0.0.2]:25 /d\n"
            "b.test -> mx.b.test [127.0.0.3]:26 /d\n"
            "tail");
}

TEST_F(TemplateTest, without_routes_a_route_line_vanishes) {
  EXPECT_EQ(expand("a\n${route.domain}\nb\n").text, "a\nb\n");
}

TEST_F(TemplateTest, setting_text_is_chosen_by_value_and_condition) {
  settings_ = {{"client-certificate", "require"}, {"server-level", "attempt"}};
  texts_ = {setting("client-certificate", "none", "no"),
            setting("client-certificate", "require", "yes, strictly", "server-level=require"),
            setting("client-certificate", "require", "yes", "server-level!=require"),
            setting("server-level", "", "level ${value}/${value}")};
  EXPECT_EQ(expand("ask=${client-certificate} ${server-level}").text,
            "ask=yes level attempt/attempt");
}

TEST_F(TemplateTest, setting_text_may_hold_routes_and_files) {
  settings_ = {{"client-level", "verify"}};
  texts_ = {setting("client-level", "verify", "${route.domain} secure match=${route.host}")};
  routes_ = {{"a.test", "mx.a.test", "127.0.0.2", 25}, {"b.test", "mx.b.test", "127.0.0.3", 26}};
  EXPECT_EQ(expand("${client-level}\n").text,
            "a.test secure match=mx.a.test\nb.test secure match=mx.b.test\n");
}

TEST_F(TemplateTest, setting_without_one_text_is_an_error) {
  settings_ = {{"client-level", "verify"}, {"clear-fallback-delay", "0"}};
  texts_ = {setting("client-level", "none", "x")};
  EXPECT_THAT(expand("${client-level}").error, testing::HasSubstr("no text that holds"));
  EXPECT_THAT(expand("${clear-fallback-delay}").error, testing::HasSubstr("no <setting>"));
  texts_ = {setting("client-level", "verify", "x"), setting("client-level", "", "y")};
  EXPECT_THAT(expand("${client-level}").error, testing::HasSubstr("two texts that hold"));
}

TEST_F(TemplateTest, certificates_named_are_remembered) {
  Template text = made();
  EXPECT_EQ(text.expand("${certificate.gateway} ${key.gateway} ${trust.root} ${crl.root}").text,
            "/d/pki/gateway.pem /d/pki/gateway.key /d/pki/root.ca.pem /d/pki/root.crl.pem");
  EXPECT_THAT(text.identities(), testing::ElementsAre("gateway"));
  EXPECT_THAT(text.trusts(), testing::ElementsAre("root"));
  EXPECT_THAT(text.crls(), testing::ElementsAre("root"));
}

}  // namespace
}  // namespace postern
