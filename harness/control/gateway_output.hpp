#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/gateway_file.hpp"
#include "control/record.hpp"

namespace postern {

/// GatewayOutput understands what an instance writes: its ready line, its record, its last words.
/// It knows no process; bytes are put into it by source. Used on one thread.
class GatewayOutput {
 public:
  /// GatewayOutput compiles the file's patterns (std::invalid_argument as RecordReader). Events
  /// with `ignored_client` as their client are left out. At least `most_lines` last lines are kept.
  GatewayOutput(const GatewayFile& file, std::string ignored_client, std::size_t most_lines,
                std::function<void(const RecordEvent&)> on_record);

  /// bytes takes what was read from `source`; finish tells that it has ended.
  void bytes(Source source, std::string_view bytes);
  void finish(Source source);

  /// ready is true once a line matched the ready pattern, and address and port are what its groups
  /// said ("" and 0 without them).
  bool ready() const { return ready_; }
  const std::string& address() const { return address_; }
  unsigned short port() const { return port_; }

  /// on_ready is called at that line.
  std::function<void()> on_ready;

  /// last_lines has the last lines of stdout and stderr, at most twice `most_lines`.
  const std::vector<std::string>& last_lines() const { return last_lines_; }

  /// gives_port is true if the ready pattern has a group `port`: then the program chooses it.
  static bool gives_port(const GatewayFile& file);

 private:
  void line(Source source, std::string_view line);
  void match_ready(std::string_view line);

  std::string ignored_client_;
  std::size_t most_lines_;
  std::function<void(const RecordEvent&)> on_record_;
  Source ready_source_;
  std::unique_ptr<RE2> ready_pattern_;
  bool ready_ = false;
  std::string address_;
  unsigned short port_ = 0;
  std::map<Source, LineSplitter> splitters_;
  std::vector<std::pair<Source, RecordReader>> readers_;
  Correlation correlation_;
  std::vector<std::string> last_lines_;
};

}  // namespace postern
