#include "level_rewrite.hpp"

#include <gtest/gtest.h>

namespace gateway::web {
namespace {

const Levels kStrict{{ServerLevel::require, ClientCertificate::request}, ClientLevel::verify};
std::string with_levels(std::string_view text, const Levels& levels) {
  return with_attributes(text, attributes_of(levels));
}

const std::string kStrictWords =
    "server-level=\"require\" client-certificate=\"request\" client-level=\"verify\"";

TEST(LevelRewrite, ChangesValuesWhereTheyStandAndNothingElse) {
  EXPECT_EQ(with_levels(R"(<?xml version="1.0"?>
<!-- <tls server-level="none"/> -->
<gateway name="a" data="q"> <listen address="::1"/>
  <tls key = "server-level='x'"
       client-level='attempt'   server-level = "attempt"  client-certificate="none"><clients
       network="10.0.0.0/8" server-level="none"/></tls>
  <!-- kept -->  <route domain="*" address="::1" client-level="none"/>
</gateway>
)",
                        kStrict),
            R"(<?xml version="1.0"?>
<!-- <tls server-level="none"/> -->
<gateway name="a" data="q"> <listen address="::1"/>
  <tls key = "server-level='x'"
       client-level='verify'   server-level = "require"  client-certificate="request"><clients
       network="10.0.0.0/8" server-level="none"/></tls>
  <!-- kept -->  <route domain="*" address="::1" client-level="none"/>
</gateway>
)");
}

TEST(LevelRewrite, AddsWhatIsNotThere) {
  EXPECT_EQ(with_levels("<gateway><tls key=\"k\"/></gateway>", kStrict),
            "<gateway><tls key=\"k\" " + kStrictWords + "/></gateway>");
  EXPECT_EQ(with_levels("<gateway><tls\n></tls></gateway>", kStrict),
            "<gateway><tls " + kStrictWords + "\n></tls></gateway>");
  EXPECT_EQ(with_levels("<gateway><tls my-server-level='1' server-levels='2'/></gateway>", kStrict),
            "<gateway><tls my-server-level='1' server-levels='2' " + kStrictWords + "/></gateway>");
}

TEST(LevelRewrite, MakesATlsOfItsOwnBehindTheLastListener) {
  EXPECT_EQ(
      with_levels("<gateway>\n  <listen/>\n  <listen></listen>\n</gateway>", kStrict),
      "<gateway>\n  <listen/>\n  <listen></listen>\n  <tls " + kStrictWords + "/>\n</gateway>");
}

TEST(LevelRewrite, PassesOverWhatOnlyLooksLikeIt) {
  const std::string before =
      "<!DOCTYPE gateway [<!ENTITY x '<tls/>'> <!-- ]> <tls/> -->]><?p <tls/>?>"
      "<gateway><relay><![CDATA[<tls/>]]><tls/></relay>";
  EXPECT_EQ(with_levels(before + "<tls/></gateway>", kStrict),
            before + "<tls " + kStrictWords + "/></gateway>");
}

TEST(LevelRewrite, SaysWhereItCannot) {
  EXPECT_THROW(with_levels("\xff\xfe<\0g\0", kStrict), std::runtime_error);
  EXPECT_THROW(with_levels("<gateway/>", kStrict), std::runtime_error);
  EXPECT_THROW(with_levels("<gateway><!-- ", kStrict), std::runtime_error);
}

TEST(LevelRewrite, KnowsWhatStandsInTheTls) {
  EXPECT_TRUE(has_attributes("<g><tls a='b'/></g>", {{"a", "b"}, {"c", ""}}));
  EXPECT_FALSE(has_attributes("<g><tls a='b'/></g>", {{"a", "c"}}));
  EXPECT_FALSE(has_attributes("<g><x><tls a='b'/></x></g>", {{"a", "b"}}));
}

TEST(LevelRewrite, CountsRoutesOfTheirOwn) {
  EXPECT_EQ(routes_with_levels("<g><route/><route client-level='none'/><!-- <route/> --></g>"), 1U);
}

}  // namespace
}  // namespace gateway::web
