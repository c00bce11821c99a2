#include "peers/recorder.hpp"

namespace postern {
namespace {

// What one case may keep of its dialogue, in bytes; a gateway that talks without end is cut here.
constexpr std::size_t kKeptBytes = 524'288;

}  // namespace

Recorder::Recorder(Observation& observation, Side side, std::chrono::steady_clock::time_point epoch,
                   const TokenOwners& owners)
    : observation_(&observation),
      side_(side),
      epoch_(epoch),
      owners_(&owners),
      facts_(nullptr),
      scan_([this](const std::string& token, const char* coding, std::uint64_t offset) {
        saw(token, coding, offset, scanned_);
      }),
      cipher_scan_([this](const std::string& token, const char* /*coding*/, std::uint64_t offset) {
        saw(token, "ciphertext", offset, Phase::kHandshake);
      }) {
  auto& connections = siblings();
  connections.emplace_back();
  facts_ = &connections.back();
  facts_->number = static_cast<int>(connections.size());
}

std::deque<ConnectionFacts>& Recorder::siblings() {
  switch (side_) {
    case Side::kClient:
      return observation_->client;
    case Side::kServer:
      return observation_->server;
    case Side::kSender:
      break;
  }
  return observation_->mailbox;
}

void Recorder::note(Actor from, What what, std::string text, Phase phase) {
  if (observation_->kept_bytes > kKeptBytes) return;
  observation_->kept_bytes += text.size();
  observation_->events.push_back(
      {now(), facts_->number, side_, from, phase, what, std::move(text)});
}

std::int64_t Recorder::now() const {
  const auto at = std::chrono::steady_clock::now() - epoch_;
  return std::chrono::duration_cast<std::chrono::microseconds>(at).count();
}

void Recorder::opened(const boost::asio::ip::tcp::endpoint& client,
                      const boost::asio::ip::tcp::endpoint& server) {
  if (!observation_->traffic) return;
  Traffic& traffic = *observation_->traffic;
  stream_ = traffic.streams.size();
  has_stream_ = true;
  traffic.streams.push_back({side_, facts_->number, client.address().to_string(),
                             server.address().to_string(), client.port(), server.port()});
  traffic.pieces.push_back({now(), stream_, true, Traffic::Kind::kOpened, {}});
}

void Recorder::passed(Actor from, std::string_view raw) {
  if (!has_stream_) return;
  Traffic& traffic = *observation_->traffic;
  if (traffic.left_out > 0 || traffic.held + raw.size() > Traffic::kLimit) {
    traffic.left_out += raw.size();
    return;
  }
  traffic.held += raw.size();
  const bool by_client = (from == Actor::kPeer) == (side_ == Side::kClient);
  traffic.pieces.push_back({now(), stream_, by_client, Traffic::Kind::kData, std::string(raw)});
}

void Recorder::shut(Actor by, Traffic::Kind how) {
  if (!has_stream_) return;
  const bool by_client = (by == Actor::kPeer) == (side_ == Side::kClient);
  observation_->traffic->pieces.push_back({now(), stream_, by_client, how, {}});
}

std::string* Recorder::secrets() {
  return observation_->traffic ? &observation_->traffic->secrets : nullptr;
}

void Recorder::sent(std::string_view bytes, Phase phase) {
  note(Actor::kPeer, What::kData, std::string(bytes), phase);
}

void Recorder::received(std::string_view bytes, Phase phase) {
  note(Actor::kGateway, What::kData, std::string(bytes), phase);
  if (side_ == Side::kClient) return;  // Echoes to the submitting client are no leak.
  scanned_ = phase;
  scan_.feed(bytes);
}

void Recorder::ciphertext(std::string_view bytes) {
  if (side_ != Side::kClient) cipher_scan_.feed(bytes);
}

void Recorder::ended(Actor by, Ending how, Phase phase) {
  if (facts_->ending != Ending::kOpen) return;
  facts_->ended_by = by;
  facts_->ending = how;
  const What what = how == Ending::kReset     ? What::kReset
                    : how == Ending::kTimeout ? What::kTimeout
                                              : What::kClose;
  const bool refused = by == Actor::kGateway && how == Ending::kReset && !facts_->connected;
  note(by, what, refused ? "refused" : word(how), phase);
}

// place names where on this connection bytes stand now, in the words of DisclosureRule.
std::string Recorder::place(Phase phase) {
  if (phase == Phase::kTls) return "tls";
  const ConnectionFacts& facts = *facts_;
  if (facts.starttls_sent) {
    return facts.starttls_refused() ? "clear-unavailable" : "clear-after-ready";
  }
  for (const ConnectionFacts& earlier : siblings())
    if (earlier.number < facts.number && earlier.tls_broke()) return "clear-later";
  return facts.starttls_offered ? "clear-untried" : "clear-unavailable";
}

void Recorder::saw(const std::string& token, const char* coding, std::uint64_t offset,
                   Phase phase) {
  const auto owner = owners_->find(token);
  if (owner == owners_->end()) return;
  const auto at = std::chrono::steady_clock::now() - epoch_;
  Sighting sighting{
      side_,  facts_->number, "foreign-listener",
      coding, offset,         std::chrono::duration_cast<std::chrono::microseconds>(at).count()};
  if (owner->second == observation_) sighting.place = place(phase);
  // One sighting a place and connection says it all; a message holds the token many times.
  for (const Sighting& known : owner->second->sightings)
    if (known.side == sighting.side && known.connection == sighting.connection &&
        known.place == sighting.place && known.coding == sighting.coding)
      return;
  owner->second->sightings.push_back(std::move(sighting));
}

}  // namespace postern
