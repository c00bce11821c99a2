// Clients received under the policy of their network (RFC 3207 section 6).
#include <csignal>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

// greeted is the reply to EHLO, then that to MAIL, in clear text.
std::string greeted(int port, const std::string& from) {
  Wire client = Wire::connect(port, from);
  client.reply();
  const std::string ehlo = client.ask("EHLO c.test");
  return (ehlo.find("STARTTLS") == std::string::npos ? "plain " : "starttls ") +
         client.ask("MAIL FROM:<a@a.test>").substr(0, 3);
}

TEST_F(ProcessTest, TheMostSpecificNetworkDecides) {
  Program program(configure("", "",
                            "<clients network=\"127.0.0.0/24\" server-level=\"require\"/>"
                            "<clients network=\"127.0.0.3\" server-level=\"none\"/>"));
  EXPECT_EQ(greeted(program.port(), "127.1.1.1"), "starttls 250");
  EXPECT_EQ(greeted(program.port(), "127.0.0.2"), "starttls 530");
  EXPECT_EQ(greeted(program.port(), "127.0.0.3"), "plain 250");
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"session-start", "\"client\":\"127.1.1.1\"",
                           "\"server-level\":\"attempt\",\"client-certificate\":\"none\","
                           "\"network\":\"\"}"}),
            1U);
  EXPECT_EQ(program.lines({"session-start", "\"client\":\"127.0.0.2\"",
                           "\"server-level\":\"require\",\"client-certificate\":\"none\","
                           "\"network\":\"127.0.0.0/24\"}"}),
            1U);
  EXPECT_EQ(program.lines({"session-start", "\"client\":\"127.0.0.3\"", "\"server-level\":\"none\"",
                           "\"network\":\"127.0.0.3/32\"}"}),
            1U);
}

TEST_F(ProcessTest, ANetworkMayAskForCertificatesThatNobodyElseNeeds) {
  Program program(configure(
      "server-level=\"none\"", "",
      "<clients network=\"127.0.0.2\" server-level=\"require\" client-certificate=\"require\"/>"));
  program.wait_for({"\"event\":\"warning\",\"requirement\":\"SET-4\"",
                    "\"reason\":\"for clients of 127.0.0.2/32: every client must show"});
  EXPECT_EQ(greeted(program.port(), "127.0.0.1"), "plain 250");
  const auto answer = [&](const std::string& pair) {
    const Context context = client_context(bench_, pair);
    Wire client = Wire::connect(program.port(), "127.0.0.2");
    client.reply();
    client.ask("EHLO c.test");
    client.ask("STARTTLS");
    EXPECT_TRUE(client.start_tls(context.get(), false));
    return client.ask("EHLO c.test").substr(0, 3);
  };
  EXPECT_EQ(answer(""), "554");
  EXPECT_EQ(answer("client"), "250");
}

TEST_F(ProcessTest, NetworksChangeWithTheSettings) {
  Program program(configure("", ""));
  EXPECT_EQ(greeted(program.port(), "127.0.0.2"), "starttls 250");
  configure("", "", "<clients network=\"127.0.0.2\" server-level=\"require\"/>");
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\""});
  EXPECT_EQ(greeted(program.port(), "127.0.0.2"), "starttls 530");
}

}  // namespace
}  // namespace gateway::test
