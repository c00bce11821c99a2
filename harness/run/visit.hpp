#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

#include "authority.hpp"
#include "peers/patience.hpp"
#include "peers/scene.hpp"

namespace postern {

/// ByHand is what peers need that are played by hand, without cases. It outlives its visits.
struct ByHand {
  explicit ByHand(const certs::Authority& the_authority) : authority(&the_authority) {}

  boost::asio::io_context io{1};
  Patience patience{io.get_executor()};
  TlsContexts contexts;
  const certs::Authority* authority;
};

/// Visit is one peer that is played by hand: its scene, and what was seen.
struct Visit {
  /// `limit` is the longest single wait.
  Visit(ByHand& with, std::chrono::steady_clock::duration limit) {
    scene.observation = &seen;
    scene.executor = with.io.get_executor();
    scene.epoch = std::chrono::steady_clock::now();
    scene.owners = &owners;
    scene.patience = &with.patience;
    scene.contexts = &with.contexts;
    scene.authority = with.authority;
    scene.limit = limit;
    scene.by_hand = true;
    scene.changed = [] {};
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  Observation seen;
  TokenOwners owners;
  Scene scene;
};

}  // namespace postern
