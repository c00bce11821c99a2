// What sessions and deliveries share: one of each in a gateway.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "journal.hpp"
#include "queue.hpp"
#include "recent_sessions.hpp"
#include "settings.hpp"

namespace gateway {

class Delivery;

using BodyInMemory = std::shared_ptr<const std::string>;

// MemoryBudget counts the octets of bodies held in memory, those still coming in included.
class MemoryBudget {
 public:
  // Share is a part of the budget, given back when it is destroyed.
  class Share {
   public:
    Share() = default;
    ~Share() { release(); }
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;

    void release();

   private:
    friend class MemoryBudget;
    std::shared_ptr<std::uint64_t> used_;
    std::uint64_t octets_ = 0;
  };

  // grow adds `octets` to a share; false, and nothing done, where that would pass `limit`.
  bool grow(Share& share, std::uint64_t octets, std::uint64_t limit);

 private:
  std::shared_ptr<std::uint64_t> used_ = std::make_shared<std::uint64_t>(0);
};

// hold_body keeps a body and its share of the budget together, as long as the result lives.
BodyInMemory hold_body(std::string body, MemoryBudget::Share share);

// Services lives as long as the gateway; the parts live elsewhere.
struct Services {
  asio::any_io_executor executor;
  Journal& journal;
  Queue& queue;
  Delivery* delivery = nullptr;
  std::shared_ptr<const Settings> settings;  // the generation in force
  std::string settings_by;                   // who applied it on the settings page; empty: nobody
  MemoryBudget memory;
  bool stopping = false;
  std::function<void()> attempt_ended;  // called after every attempt
  RecentSessions* sessions = nullptr;   // where somebody wants to see them
};

// add_client_tls adds what is on record about a client's TLS to a journal line.
void add_client_tls(JournalLine& line, const TlsFacts& tls, bool requested);

// client_certificate_word is not-requested, none, verified or not-verified; empty in clear text.
std::string_view client_certificate_word(const TlsFacts& tls, bool requested);

}  // namespace gateway
