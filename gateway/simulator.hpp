// The simulator: what the program is without a configuration. It makes certificates and two
// configurations in a folder of its own: the gateway with the defaults of SET-1, and a next hop
// that keeps what it gets as files.
#pragma once

#include <string>

namespace gateway {

// Simulator owns the folder and removes it at its end.
class Simulator {
 public:
  // The constructor makes the folder with all that is in it. It throws std::runtime_error.
  Simulator();
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  std::string gateway_file() const { return folder_ + "/gateway.xml"; }
  std::string next_hop_file() const { return folder_ + "/next-hop.xml"; }

  // write_gateway_file writes the gateway's configuration, once the port of the next hop is known.
  void write_gateway_file(const std::string& next_hop_port) const;

  // instructions tell a human how to send a first message to `endpoint`.
  std::string instructions(const std::string& endpoint) const;

 private:
  std::string folder_;
};

}  // namespace gateway
