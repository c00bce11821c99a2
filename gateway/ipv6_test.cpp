// Clients that come by IPv6.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

namespace fs = std::filesystem;

class Ipv6 : public ProcessTest {
 protected:
  // listening is a configuration with these listeners; what is between them is in clear text.
  std::string listening(const std::string& listeners, const std::string& more) {
    bench_.write("gateway.xml", "<gateway name=\"gw.test\" data=\"queue\">\n" + listeners +
                                    "<tls server-level=\"none\"/>\n"
                                    "<route domain=\"*\" folder=\"out\"/>\n" +
                                    more + "</gateway>\n");
    return bench_.path("gateway.xml");
  }

  // message is the one message that was delivered.
  std::string message() const {
    std::string text;
    for (const auto& entry : fs::directory_iterator(bench_.path("out"))) {
      std::ifstream in(entry.path(), std::ios::binary);
      text.assign(std::istreambuf_iterator<char>(in), {});
    }
    return text;
  }
};

const char kLoopback[] = "<listen address=\"::1\" port=\"0\"/>\n";

TEST_F(Ipv6, AClientIsServedAndNamedAfterRfc5321) {
  Program program(listening(kLoopback, "<relay network=\"::/64\"/>\n"));
  EXPECT_NE(program.wait_for({"READY"}).find("READY smtp=[::1]:"), std::string::npos);
  Wire client = Wire::connect(program.port(), "::1");
  client.reply();
  client.ask("EHLO [IPv6:2001:db8::1]");
  client.ask("MAIL FROM:<a@a.test>");
  EXPECT_EQ(client.ask("RCPT TO:<x@b.test>").substr(0, 3), "250");
  client.ask("DATA");
  EXPECT_EQ(client.ask("Subject: x\r\n\r\nhello\r\n.").substr(0, 3), "250");
  program.wait_for({"\"event\":\"relayed\"", "x@b.test"});
  program.wait_for({"\"event\":\"session-start\"", "\"client\":\"::1\"", "\"local\":\"::1\""});
  EXPECT_EQ(message().rfind("Received: from [IPv6:2001:db8::1] ([IPv6:::1])\r\n\tby gw.test", 0),
            0U)
      << message();
}

TEST_F(Ipv6, WhoIsInNoNetworkRelaysNothing) {
  Program program(listening(kLoopback,
                            "<relay network=\"2001:db8::/32\"/>\n"
                            "<relay network=\"0.0.0.0/0\"/>\n"));
  Wire client = Wire::connect(program.port(), "::1");
  client.reply();
  client.ask("EHLO c.test");
  client.ask("MAIL FROM:<a@a.test>");
  EXPECT_EQ(client.ask("RCPT TO:<x@b.test>").substr(0, 9), "550 5.7.1");
}

TEST_F(Ipv6, OneAddressHasItsLimit) {
  Program program(listening(kLoopback, "<limits connections-per-address=\"1\"/>\n"));
  Wire first = Wire::connect(program.port(), "::1");
  EXPECT_EQ(first.reply().substr(0, 3), "220");
  EXPECT_EQ(Wire::connect(program.port(), "::1").reply().substr(0, 9), "421 4.7.0");
}

TEST_F(Ipv6, AllAddressesOfBothKindsCanShareAPort) {
  // Below the range that the system gives to others: a port of theirs may be gone again at any
  // moment.
  const int port = 20000 + ::getpid() % 10000;
  const std::string same = "port=\"" + std::to_string(port) + "\"/>\n";
  Program program(
      listening("<listen address=\"0.0.0.0\" " + same + "<listen address=\"::\" " + same, ""));
  EXPECT_EQ(Wire::connect(port, "::1").reply().substr(0, 3), "220");
  EXPECT_EQ(Wire::connect(port, "127.0.0.1").reply().substr(0, 3), "220");
  program.wait_for({"\"event\":\"session-start\"", "\"client\":\"::1\""});
  program.wait_for({"\"event\":\"session-start\"", "\"client\":\"127.0.0.1\""});
}

// linked connects to this machine's own link-local address; -1 where it has none.
int linked(int port) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return -1;
  int descriptor = -1;
  for (const ifaddrs* one = all; one && descriptor < 0; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET6) continue;
    auto address = *reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
    if (!IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr)) continue;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    if (connect(descriptor, where, sizeof address) != 0) close(std::exchange(descriptor, -1));
  }
  freeifaddrs(all);
  return descriptor;
}

TEST_F(Ipv6, ALinkLocalClientIsKnownWithoutItsInterface) {
  Program program(
      listening("<listen address=\"::\" port=\"0\"/>\n", "<relay network=\"fe80::/10\"/>\n"));
  const int descriptor = linked(program.port());
  if (descriptor < 0) GTEST_SKIP() << "no link-local address here";
  Wire client(descriptor);
  client.reply();
  client.ask("EHLO c.test");
  client.ask("MAIL FROM:<a@a.test>");
  EXPECT_EQ(client.ask("RCPT TO:<x@b.test>").substr(0, 3), "250");
  client.ask("DATA");
  client.ask("Subject: x\r\n\r\nhello\r\n.");
  program.wait_for({"\"event\":\"relayed\"", "x@b.test"});
  const std::string start = program.wait_for({"\"event\":\"session-start\"", "fe80::"});
  EXPECT_EQ(start.find('%'), std::string::npos) << start;
  EXPECT_EQ(message().rfind("Received: from c.test ([IPv6:fe80::", 0), 0U) << message();
}

}  // namespace
}  // namespace gateway::test
