#include "run/dialogue.hpp"

namespace postern {

const char* word(Side side) {
  switch (side) {
    case Side::kClient:
      return "client";
    case Side::kServer:
      return "server";
    case Side::kSender:
      break;
  }
  return "sender";
}

const char* word(Phase phase) {
  switch (phase) {
    case Phase::kClear:
      return "clear";
    case Phase::kHandshake:
      return "handshake";
    case Phase::kTls:
      break;
  }
  return "tls";
}

namespace {

const char* word(Actor actor) {
  switch (actor) {
    case Actor::kPeer:
      return "peer";
    case Actor::kGateway:
      return "gateway";
    case Actor::kNone:
      break;
  }
  return "";
}

const char* word(What what) {
  switch (what) {
    case What::kConnect:
      return "connect";
    case What::kData:
      return "data";
    case What::kHandshake:
      return "handshake";
    case What::kAlert:
      return "alert";
    case What::kClose:
      return "close";
    case What::kReset:
      return "reset";
    case What::kTimeout:
      return "timeout";
    case What::kDiffers:
      return "differs";
    case What::kNote:
      break;
  }
  return "note";
}

}  // namespace

std::vector<reports::Line> dialogue_of(const Observation& observation, std::int64_t began) {
  std::vector<reports::Line> lines;
  lines.reserve(observation.events.size());
  for (const Event& event : observation.events)
    lines.push_back({event.at - began, event.connection, word(event.side), word(event.from),
                     word(event.phase), word(event.what), event.text});
  return lines;
}

}  // namespace postern
