// What sessions and deliveries share: one of each in a gateway.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "journal.hpp"
#include "queue.hpp"
#include "settings.hpp"

namespace gateway {

class Delivery;

using BodyInMemory = std::shared_ptr<const std::string>;

// MemoryBudget counts the octets of bodies held in memory.
class MemoryBudget {
 public:
  // hold takes `body` and keeps it as long as the result lives; null, and `body` untouched, where
  // the budget is used up.
  BodyInMemory hold(std::string& body, std::uint64_t limit);

 private:
  std::shared_ptr<std::uint64_t> used_ = std::make_shared<std::uint64_t>(0);
};

// Services lives as long as the gateway; the parts live elsewhere.
struct Services {
  asio::any_io_executor executor;
  Journal& journal;
  Queue& queue;
  Delivery* delivery = nullptr;
  std::shared_ptr<const Settings> settings;  // the generation in force
  MemoryBudget memory;
  bool stopping = false;
  std::function<void()> attempt_ended;  // called after every attempt
};

// add_client_tls adds what is on record about a client's TLS to a journal line.
void add_client_tls(JournalLine& line, const TlsFacts& tls, bool requested);

// client_certificate_word is not-requested, none, verified or not-verified; empty in clear text.
std::string_view client_certificate_word(const TlsFacts& tls, bool requested);

}  // namespace gateway
