// A message on its way in: kept in memory while small and while there is memory to
// spare, otherwise written to the queue in chunks.
#pragma once

#include <functional>
#include <string>

#include "services.hpp"

namespace gateway {

class Incoming {
 public:
  Incoming(Services& services, const Limits& limits, std::uint64_t id)
      : services_(services), limits_(limits), id_(id) {}

  // absorb takes content over; a large message, or one that finds the memory used up,
  // goes to disk. It returns an error of the queue,
  // empty if there is none.
  asio::awaitable<std::string> absorb(std::string content);

  // store makes the message durable. `record` runs once that is so, before anything else happens.
  // `kept` is the body where it is in memory. It returns an error of the queue.
  asio::awaitable<std::string> store(std::shared_ptr<const Envelope> envelope, BodyInMemory& kept,
                                     std::function<void()> record);

  // discard forgets the message; chunks already on disk are removed.
  void discard();

 private:
  asio::awaitable<std::string> spill();

  Services& services_;
  const Limits& limits_;
  std::uint64_t id_;
  std::string body_;
  MemoryBudget::Share share_;  // what body_ has taken of the budget
  std::uint64_t chunks_ = 0;
};

}  // namespace gateway
