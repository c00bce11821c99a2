#include "config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "journal.hpp"
#include "settings.hpp"
#include "trace_header.hpp"
#include "warnings.hpp"

namespace gateway {
namespace {

// Folder is a temporary folder of one test.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "gateway-test-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& text) const {
    std::ofstream(path_ + "/gateway.xml") << text;
    return path_ + "/gateway.xml";
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const char kStart[] = R"(<gateway name="gw.test" data="q"><listen address="::1" port="0"/>)";

// complaints loads a configuration and returns what is said about it, without the folder.
std::string complaints(const std::string& text) {
  const Folder folder;
  try {
    load_config(folder.write(text));
    return {};
  } catch (const ConfigError& error) {
    std::string what = error.what();
    for (auto at = what.find(folder.path()); at != std::string::npos;
         at = what.find(folder.path())) {
      what.erase(at, folder.path().size() + 1);
    }
    return what;
  }
}

std::string inside(const std::string& text) {
  return kStart + ("\n" + text) + "</gateway>";
}

TEST(Config, DefaultsAreThoseOfTheSettingsPage) {
  const Folder folder;
  const Config config =
      load_config(folder.write(inside("<tls certificate=\"c.pem\" key=\"k.pem\"/>")));
  EXPECT_EQ(config.tls.receiving.level, ServerLevel::attempt);
  EXPECT_EQ(config.tls.receiving.certificate, ClientCertificate::none);
  EXPECT_EQ(config.tls.client_level, ClientLevel::attempt);
  EXPECT_EQ(config.tls.clear_fallback_delay, std::chrono::seconds(300));
  EXPECT_EQ(config.tls.certificate, folder.path() + "/c.pem");
  EXPECT_EQ(config.lifetime, std::chrono::hours(120));
  EXPECT_EQ(config.retry_delay(1), std::chrono::minutes(5));
  EXPECT_EQ(config.retry_delay(5), std::chrono::hours(1));
  EXPECT_EQ(config.retry_delay(50), std::chrono::hours(1));
}

TEST(Config, ComplaintsSayWhereWhatAndWhatIsAllowed) {
  EXPECT_EQ(complaints(inside("<tls server-level=\"none\" client-levl=\"verify\"/>")),
            "gateway.xml:2:26: found attribute \"client-levl\" in <tls>; did you mean "
            "\"client-level\"? allowed: server-level, client-certificate, client-level, "
            "clear-fallback-delay, certificate, key, client-ca, "
            "client-crl, next-hop-ca, next-hop-crl, sending-certificate, sending-key");
  EXPECT_EQ(complaints(inside("<tls server-level=\"maybe\" certificate=\"c\" key=\"k\"/>")),
            "gateway.xml:2:6: found server-level=\"maybe\"; allowed: none, attempt, require");
  EXPECT_EQ(complaints(inside("<tls server-level=\"none\"/>\n<rout domain=\"a\"/>")),
            "gateway.xml:3:2: found <rout> in <gateway>; did you mean \"route\"? allowed: listen, "
            "tls, relay, route, retry, limits, journal, web");
  EXPECT_EQ(
      complaints(inside("<tls server-level=\"none\"/>\n<limits drain-time=\"5\"/>")),
      "gateway.xml:3:9: found drain-time=\"5\"; allowed: 0, or a number with ms, s, m, h or d");
}

TEST(Config, TextIsFoundWhereItStands) {
  const std::string tls = "<tls server-level=\"none\"/>";
  EXPECT_EQ(complaints(inside(tls + "\n\n  stray words\n")),
            "gateway.xml:4:3: found text in <gateway>; allowed: attributes, and the elements "
            "listen, tls, relay, route, retry, limits, journal, web");
  EXPECT_EQ(complaints(inside(tls + "\n<retry>\n x</retry>")),
            "gateway.xml:4:2: found text in <retry>; allowed: attributes only");
}

TEST(Config, AWrongDelayIsOneMistake) {
  const std::string tls = "<tls server-level=\"none\"/>\n";
  for (const char* bad : {"5x", "5", "0s", "-5m"}) {
    EXPECT_EQ(complaints(inside(tls + "<retry schedule=\"" + bad + "\"/>")),
              std::string("gateway.xml:3:8: found \"") + bad +
                  "\" in schedule; allowed: delays of at least 1ms with ms, s, m, h or d");
  }
  EXPECT_EQ(complaints(inside(tls + "<retry schedule=\" \"/>")),
            "gateway.xml:3:8: schedule is empty; allowed: delays such as \"5m 10m 1h\"");
}

TEST(Config, AllComplaintsAreReported) {
  const std::string text = complaints(
      inside("<tls server-level=\"none\"/>\n<route domain=\"a\" address=\"mx\"/>\n<relay/>"));
  EXPECT_NE(text.find("gateway.xml:3:"), std::string::npos) << text;
  EXPECT_NE(text.find("gateway.xml:4:"), std::string::npos) << text;
}

TEST(Config, NotWellFormedXmlIsRefusedWithItsPlace) {
  EXPECT_EQ(complaints("<gateway>\n<tls a=\"1\" a=\"2\"/></gateway>").rfind("gateway.xml:2:", 0),
            0U);
  EXPECT_EQ(complaints("<gateway/>\n<gateway/>").rfind("gateway.xml:2:", 0), 0U);
  EXPECT_EQ(complaints("").rfind("gateway.xml:1:", 0), 0U);
}

struct Refused {
  const char* tls;
  const char* why;
};

class ConfigTls : public ::testing::TestWithParam<Refused> {};

TEST_P(ConfigTls, IsRefused) {
  const std::string text = complaints(inside(GetParam().tls));
  EXPECT_NE(text.find(GetParam().why), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Combinations, ConfigTls,
    ::testing::Values(
        Refused{"<tls server-level=\"none\" client-certificate=\"request\"/>", "SET-2"},
        Refused{"<tls server-level=\"none\" client-certificate=\"require\"/>", "SET-2"},
        Refused{"<tls/>", "needs certificate"}, Refused{"", "needs certificate"},
        Refused{"<tls server-level=\"require\" certificate=\"c\"/>", "needs certificate"},
        Refused{"<tls server-level=\"require\" client-certificate=\"require\" certificate=\"c\" "
                "key=\"k\"/>",
                "needs client-ca"},
        Refused{"<tls server-level=\"none\" client-level=\"verify\"/>", "needs next-hop-ca"},
        Refused{"<tls server-level=\"none\" sending-key=\"k\"/>", "go together"},
        Refused{"<tls server-level=\"none\"/><tls server-level=\"none\"/>", "second <tls>"},
        Refused{"<tls server-level=\"none\"><clients network=\"10.0.0.0/8\" "
                "server-level=\"require\"/></tls>",
                "needs certificate"},
        Refused{"<tls certificate=\"c\" key=\"k\"><clients network=\"::/0\" "
                "server-level=\"require\" client-certificate=\"require\"/></tls>",
                "needs client-ca"},
        Refused{"<tls server-level=\"none\"><clients/></tls>", "has no network"},
        Refused{"<tls server-level=\"none\"><clients network=\"all\"/></tls>",
                "found network=\"all\"; allowed: ADDRESS or ADDRESS/BITS"},
        Refused{"<tls server-level=\"none\">x</tls>", "found text in <tls>"}));

TEST(Config, ValuesThatCannotWorkAreRefused) {
  const auto complains = [](const std::string& text, const std::string& why) {
    const std::string said = complaints(text);
    EXPECT_NE(said.find(why), std::string::npos) << text << "\n" << said;
  };
  const std::string tls = "<tls server-level=\"none\"/>";
  complains("<gateway name=\"gw bad&#13;&#10;x\" data=\"q\"><listen address=\"::1\"/>" + tls +
                "</gateway>",
            "gateway.xml:1:10: found name=\"gw bad??x\"; allowed: a host name");
  complains(inside(tls + "<route domain=\"a.test\" address=\"::1\" host=\"\"/>"),
            "found host=\"\"");
  complains(inside(tls + "<route domain=\"a.test\" address=\"::1\" host=\"a b\"/>"), "found host");
  complains(inside(tls + "<route domain=\".d.test\" address=\"::1\"/>"),
            "found domain=\".d.test\"");
  complains(inside(tls + "<relay domain=\"*\"/>"), "found domain=\"*\" in <relay>");
  complains(inside(tls + "<journal file=\"\"/>"), "gateway.xml:2:36: found file=\"\"");
  complains(
      inside(tls + "<relay network=\"10.0.0.1/8\"/>"),
      "gateway.xml:2:34: found network=\"10.0.0.1/8\"; allowed: 10.0.0.0/8, or 10.0.0.1 alone");
  complains(inside("<tls server-level=\"none\"><clients network=\"::1/0\"/></tls>"),
            "found network=\"::1/0\"; allowed: ::/0, or ::1 alone");
  complains(inside(tls + "<limits message=\"0\"/>"), "at least 256");
  complains(inside(tls + "<limits ticket-time=\"8d\"/>"), "allowed: 7d at the most");
  complains(inside(tls + "<limits command-time=\"0\"/>"), "allowed: a number above 0 with ms");
  complains(inside("<tls server-level=\"none\" clear-fallback-delay=\"nope\"/>"),
            "allowed: never, 0, or a number with ms");
  complains(inside(tls + "<route domain=\"a.test\" address=\"::1\" client-level=\"maybe\"/>"),
            "found client-level=\"maybe\"; allowed: none, attempt, require, verify");
  complains(inside("<route domain=\"a.test\" address=\"::1\" client-level=\"verify\"/>" + tls),
            "gateway.xml:2:38: client-level=\"verify\" needs next-hop-ca=\"...\" in <tls>");
  complains(inside(tls + "<route domain=\"a.test\" folder=\"f\" client-level=\"none\"/>"),
            "has no client-level");
  EXPECT_EQ(complaints(inside(tls + "<route domain=\"a_b.test\" address=\"::1\" host=\"::1\"/>")),
            "");
}

TEST(Config, TwoThatCannotListenSideBySideAreRefused) {
  const auto listening = [](const std::string& more) {
    return complaints("<gateway name=\"gw.test\" data=\"q\"><tls server-level=\"none\"/>\n" + more +
                      "</gateway>");
  };
  EXPECT_EQ(
      listening("<listen address=\"127.0.0.1\"/>\n<listen address=\"127.0.0.1\" port=\"25\"/>"),
      "gateway.xml:3:2: found <listen> at 127.0.0.1:25 beside one at 127.0.0.1:25; allowed: one of "
      "them, since both would take the same connections");
  EXPECT_EQ(listening("<listen address=\"::\"/>\n<listen address=\"::1\"/>"),
            "gateway.xml:3:2: found <listen> at [::1]:25 beside one at [::]:25; allowed: one of "
            "them, since both would take the same connections");
  EXPECT_EQ(listening("<listen address=\"127.0.0.1\"/>\n<listen address=\"0.0.0.0\"/>"),
            "gateway.xml:3:2: found <listen> at 0.0.0.0:25 beside one at 127.0.0.1:25; allowed: "
            "one of them, since both would take the same connections");
  EXPECT_EQ(listening("<listen address=\"0.0.0.0\"/><listen address=\"::\"/>"
                      "<listen address=\"::1\" port=\"26\"/><listen address=\"::1\" port=\"0\"/>"
                      "<listen address=\"::1\" port=\"0\"/>"),
            "");
}

TEST(Config, FilesThatCannotBeUsedAreNamedWithTheirPlace) {
  const Folder folder;
  const std::string file = folder.write(inside("<tls certificate=\"c.pem\"\nkey=\"k.pem\"/>"));
  try {
    make_settings(load_config(file), 1);
    FAIL() << "there is no certificate";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()).rfind(file + ":2:6: " + folder.path() + "/c.pem: ", 0), 0U)
        << error.what();
  }
}

TEST(Config, ClientsOfANetworkAreReceivedUnderItsPolicy) {
  const Folder folder;
  const TlsConfig tls = load_config(folder.write(inside(R"(
    <tls server-level="require" client-certificate="request" certificate="c" key="k" client-ca="a">
      <clients network="10.0.0.0/8" client-certificate="none"/>
      <clients network="10.1.0.0/16" server-level="attempt"/>
      <clients network="10.1.2.3" server-level="none" client-certificate="none"/>
      <clients network="2001:db8::/32" client-certificate="require"/>
    </tls>)")))
                            .tls;
  const auto policy = [&](const char* client) {
    const ReceivingPolicy found = tls.receiving_policy(*IpAddress::parse(client));
    return std::string(word_of(found.level)) + " " + std::string(word_of(found.certificate));
  };
  EXPECT_EQ(policy("192.0.2.1"), "require request");
  EXPECT_EQ(policy("10.200.0.1"), "require none");
  EXPECT_EQ(policy("10.1.200.1"), "attempt request");
  EXPECT_EQ(policy("10.1.2.3"), "none none");
  EXPECT_EQ(policy("::ffff:10.1.2.3"), "none none");
  EXPECT_EQ(policy("2001:db8:7::1"), "require require");
  EXPECT_EQ(policy("2001:db9::1"), "require request");
}

TEST(Config, TheRulesForSettingsHoldForEachNetwork) {
  EXPECT_EQ(
      complaints(inside("<tls server-level=\"none\">\n"
                        "<clients network=\"10.0.0.0/8\" client-certificate=\"require\"/></tls>")),
      "gateway.xml:3:31: client-certificate is unavailable under server-level=\"none\": no "
      "certificate can be asked for where TLS is never offered (SET-2)");
  EXPECT_EQ(
      complaints(inside("<tls server-level=\"none\">\n<clients network=\"10.0.0.0/8\"/>\n"
                        "<clients network=\"10.0.0.0/8\"/></tls>")),
      "gateway.xml:4:10: found a second <clients> for 10.0.0.0/8; allowed: one, so that it is "
      "clear which policy holds");
}

TEST(Config, WarningsNameTheNetwork) {
  const Folder folder;
  const Config config = load_config(folder.write(inside(R"(
    <tls certificate="c" key="k"><clients network="10.0.0.0/8" client-certificate="require"/></tls>)")));
  const auto warnings = warnings_about(config.tls);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_EQ(warnings[0].requirement, "SET-3");
  EXPECT_EQ(warnings[0].reason.rfind("for clients of 10.0.0.0/8: client-certificate=", 0), 0U);
  EXPECT_EQ(warnings[1].requirement, "IN-6");
}

TEST(Values, NetworksHaveOneTextAndLimitsTakeASiteForOne) {
  EXPECT_EQ(Network::parse("10.9.8.7/8")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(Network::parse("10.9.8.7/0")->to_string(), "0.0.0.0/0");
  EXPECT_EQ(Network::parse("2001:db8:ffff::1/33")->to_string(), "2001:db8:8000::/33");
  EXPECT_EQ(limit_group(*IpAddress::parse("192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(limit_group(*IpAddress::parse("::ffff:192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(limit_group(*IpAddress::parse("2001:db8:1:2:3::4")), "2001:db8:1:2::/64");
  EXPECT_EQ(IpAddress::parse("2001:db8:0:0:1::")->literal(), "[IPv6:2001:db8:0:0:1::]");
}

TEST(Config, RoutesAndRelays) {
  const Folder folder;
  const Config config = load_config(folder.write(inside(R"(
    <tls server-level="none"/>
    <relay domain="A.test"/><relay domain=".sub.test"/><relay network="127.0.0.0/8"/>
    <relay network="2001:db8::/32"/>
    <route domain="a.test" host="MX1.a.test." address="127.0.0.2" port="2525"/>
    <route domain="a.test" host="mx2.a.test" address="::1"/>
    <route domain="*" address="127.0.0.9"/>)")));
  ASSERT_EQ(config.next_hops("a.test").size(), 2U);
  EXPECT_EQ(config.next_hops("a.test")[0], (NextHop{"mx1.a.test", "127.0.0.2", 2525, ""}));
  EXPECT_EQ(config.next_hops("a.test")[1], (NextHop{"mx2.a.test", "::1", 25, ""}));
  EXPECT_EQ(config.next_hops("b.test").at(0).host, "127.0.0.9");
  EXPECT_TRUE(config.relays_domain("a.test"));
  EXPECT_TRUE(config.relays_domain("x.sub.test"));
  EXPECT_FALSE(config.relays_domain("sub.test"));
  EXPECT_FALSE(config.relays_domain("ba.test"));
  EXPECT_TRUE(config.relays_client(*IpAddress::parse("127.3.2.1")));
  EXPECT_TRUE(config.relays_client(*IpAddress::parse("::ffff:127.0.0.1")));
  EXPECT_TRUE(config.relays_client(*IpAddress::parse("2001:db8:1::5")));
  EXPECT_FALSE(config.relays_client(*IpAddress::parse("128.0.0.1")));
  EXPECT_FALSE(config.relays_client(*IpAddress::parse("2001:db9::5")));
}

TEST(Config, ARouteWithALevelOfItsOwn) {
  const Folder folder;
  const auto load = [&folder](const std::string& level, const std::string& route_level) {
    return load_config(
        folder.write(inside("<route domain=\"a.test\" address=\"::1\"" + route_level +
                            "/><route domain=\"*\" address=\"::1\"/>"
                            "<tls server-level=\"none\" client-level=\"" +
                            level + "\"/>")));
  };
  const Config config = load("none", " client-level=\"require\"");
  EXPECT_EQ(config.next_hops("a.test").at(0).level, ClientLevel::require);
  EXPECT_EQ(config.next_hops("b.test").at(0).level, ClientLevel::none);
  EXPECT_TRUE(make_settings(config, 1)->sending);
  EXPECT_FALSE(make_settings(load("none", ""), 1)->sending);
  EXPECT_TRUE(make_settings(load("require", " client-level=\"none\""), 1)->sending);
}

TEST(Values, DurationsSizesAndDates) {
  EXPECT_EQ(parse_duration("0"), Duration(0));
  EXPECT_EQ(parse_duration("40ms"), Duration(40'000));
  EXPECT_EQ(parse_duration("2h"), std::chrono::hours(2));
  for (const char* bad : {"", "5", "ms", "-5s", "5 s", "5y", "99999999999999999999d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_EQ(parse_size("2k"), 2048U);
  EXPECT_FALSE(parse_size("k"));
  EXPECT_EQ(rfc3339(TimePoint(Duration(1'000'001))), "1970-01-01T00:00:01.000001Z");
  EXPECT_EQ(rfc5322_date(TimePoint(Duration(0))), "Thu, 1 Jan 1970 00:00:00 +0000");
}

TEST(Journal, EveryOctetMakesValidJson) {
  EXPECT_EQ(json_string("a\"\\\n\x7f"), "\"a\\\"\\\\\\u000a\\u007f\"");
  EXPECT_EQ(json_string("\xc3\xa9\xff\xc3"), "\"\xc3\xa9\\\\xFF\\\\xC3\"");
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\\\\xED\\\\xA0\\\\x80\"");
}

TEST(TraceHeader, ForeignTextCannotBreakIt) {
  Arrival arrival;
  arrival.helo = "evil)\r\nX-Injected: 1;<>(";
  arrival.extended = true;
  arrival.client = *IpAddress::parse("192.0.2.1");
  arrival.tls.active = true;
  arrival.tls.version = "TLSv1.3";
  arrival.tls.cipher = "C";
  arrival.tls.peer_certificate = true;
  arrival.tls.subject = "CN=a\")\r\nX: y";
  arrival.tls.error = "self-signed certificate";
  arrival.certificate_requested = true;
  Envelope envelope;
  envelope.id = 33;
  envelope.recipients.resize(2);
  EXPECT_EQ(received_header(arrival, "gw.test", envelope),
            "Received: from evil???X-Injected:?1???? ([192.0.2.1])\r\n"
            "\t(using TLSv1.3 with cipher C; client certificate not verified \"CN=a????X: y\" "
            "[self-signed certificate])\r\n"
            "\tby gw.test with ESMTPS id 11;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n");
}

}  // namespace
}  // namespace gateway
