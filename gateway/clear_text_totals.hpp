// How much was sent in clear text, where and why: what an administrator wants to know before a
// level is raised.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "journal.hpp"

namespace gateway {

// ClearTextTotals counts while the gateway runs; settings may change under it.
class ClearTextTotals {
 public:
  // count adds one recipient that `host` took in clear text for this cause.
  void count(const std::string& host, const std::string& cause);

  // write adds a line for each host and cause, in their order.
  void write(Journal& journal) const;

 private:
  std::map<std::pair<std::string, std::string>, std::uint64_t> totals_;
};

}  // namespace gateway
