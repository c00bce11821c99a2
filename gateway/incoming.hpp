// A message on its way in: kept in memory while small, written to the queue in chunks when large.
#pragma once

#include <functional>
#include <string>

#include "services.hpp"

namespace gateway {

class Incoming {
 public:
  Incoming(Services& services, const Limits& limits, std::uint64_t id)
      : services_(services), limits_(limits), id_(id) {}

  // absorb takes content over; a large message goes to disk. It returns an error of the queue,
  // empty if there is none.
  asio::awaitable<std::string> absorb(std::string content);

  // store makes the message durable. `record` runs once that is so, before anything else happens.
  // On success delivery has taken the message over. It returns an error of the queue.
  asio::awaitable<std::string> store(Envelope envelope, std::function<void()> record);

  // discard forgets the message; chunks already on disk are removed.
  void discard();

 private:
  asio::awaitable<std::string> spill();

  Services& services_;
  const Limits& limits_;
  std::uint64_t id_;
  std::string body_;
  std::uint64_t chunks_ = 0;
};

}  // namespace gateway
