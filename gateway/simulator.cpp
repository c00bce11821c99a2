#include "simulator.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "durable_file.hpp"
#include "mint.hpp"

namespace gateway {
namespace {

constexpr const char* kGatewayName = "gateway.postern.test";
constexpr const char* kNextHopName = "mx.postern.test";

std::string make_folder() {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base ? base : "/tmp") + "/postern-simulator-XXXXXX";
  if (!mkdtemp(pattern.data())) throw std::runtime_error(pattern + ": cannot make this folder");
  return pattern;
}

// free_port is `wanted` where nobody listens there, else 0: any.
int free_port(int wanted) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(wanted));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return bound ? wanted : 0;
}

void write_pair(const std::string& folder, const std::string& name, const PemPair& pair) {
  write_durably(folder + "/" + name + ".pem", pair.certificate);
  write_durably(folder + "/" + name + ".key", pair.key, 0600);
}

}  // namespace

Simulator::Simulator() : folder_(make_folder()) {
  const Mint mint("Postern simulator CA");
  write_durably(folder_ + "/ca.pem", mint.certificate());
  write_pair(folder_, "gateway", mint.issue(kGatewayName, "serverAuth"));
  write_pair(folder_, "next-hop", mint.issue(kNextHopName, "serverAuth"));
  write_pair(folder_, "client", mint.issue("client.postern.test", "clientAuth"));
  write_durably(next_hop_file(), fmt::format(R"(<gateway name="{}" data="next-hop-queue">
  <listen address="127.0.0.1" port="0"/>
  <tls certificate="next-hop.pem" key="next-hop.key"/>
  <relay network="127.0.0.0/8"/>
  <route domain="*" folder="delivered"/>
  <journal file="next-hop.journal"/>
</gateway>
)",
                                             kNextHopName));
}

Simulator::~Simulator() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Simulator::write_gateway_file(const std::string& next_hop_port) const {
  write_durably(gateway_file(),
                fmt::format(R"(<gateway name="{}" data="queue">
  <listen address="127.0.0.1" port="{}"/>
  <tls server-level="attempt" client-certificate="none" client-level="attempt"
       certificate="gateway.pem" key="gateway.key" client-ca="ca.pem" next-hop-ca="ca.pem"/>
  <relay network="127.0.0.0/8"/>
  <route domain="*" host="{}" address="127.0.0.1" port="{}"/>
</gateway>
)",
                            kGatewayName, free_port(2525), kNextHopName, next_hop_port));
}

std::string Simulator::instructions(const std::string& endpoint) const {
  return fmt::format(R"(The simulator listens on {0}. Send it a first message:

  swaks --server {0} -tls --from you@example.test --to friend@example.test

What it relays arrives as files in
  {1}/delivered
The journal follows below, one JSON line an event. The settings are in
  {1}/gateway.xml
Change them and apply with: kill -HUP {2}
Ctrl-C ends the simulator and removes its folder.

)",
                     endpoint, folder_, getpid());
}

}  // namespace gateway
