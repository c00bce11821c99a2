#include "peers/talk.hpp"

// The goal of a fake client: one normal conversation that hands in one message (RFC 5321 §3), with
// the peer's deviations at their points.

namespace asio = boost::asio;

namespace postern {
namespace {

constexpr const char* kName = "client.postern.test";

/// ClientConversation is one connection of a client on its way to its goal.
class ClientConversation {
 public:
  ClientConversation(Scene& scene, const Peer& peer, asio::ip::address from, bool upgrade)
      : talk_(scene), peer_(peer), from_(std::move(from)), upgrade_(upgrade) {}

  asio::awaitable<void> run();
  ConnectionFacts& facts() { return talk_.facts(); }

 private:
  const Deviation* deviation(Point point);
  asio::awaitable<bool> command(Point point, std::string line, Reply& reply);
  asio::awaitable<bool> greet(Reply& reply);
  asio::awaitable<bool> upgrade();
  asio::awaitable<bool> hand_in();
  asio::awaitable<bool> send_message(std::string message, Reply& reply);
  asio::awaitable<void> after_refusal();
  asio::awaitable<void> quit();

  Talk talk_;
  const Peer& peer_;
  asio::ip::address from_;
  bool upgrade_;
};

const Deviation* ClientConversation::deviation(Point point) {
  Assignment here;
  here.set("phase", talk_.phase() == Phase::kTls ? "tls" : "clear");
  here.set("connection", std::to_string(facts().number));
  for (const Deviation& deviation : peer_.deviations)
    if (deviation.at == point && deviation.when.holds(here)) return &deviation;
  return nullptr;
}

// command says one line (or what the peer does in its place) and hears the reply. False ends the
// conversation: the connection has ended, or the deviation ended it.
asio::awaitable<bool> ClientConversation::command(Point point, std::string line, Reply& reply) {
  std::string bytes = line + "\r\n";
  if (const Deviation* here = deviation(point)) {
    if (here->act == Act::kSkip) co_return true;
    if (here->act == Act::kReset) {
      talk_.reset();
      co_return false;
    }
    if (here->act == Act::kClose || here->act == Act::kStall) {
      if (here->act == Act::kClose) co_await talk_.finish();
      co_await talk_.await_end();
      co_return false;
    }
    std::string instead = here->bytes;
    co_await talk_.say_whole(std::move(instead));
  } else {
    co_await talk_.say(std::move(bytes));
  }
  // A failed write is no ending: the reply that explains it may stand in the buffer.
  const Ending ending = co_await talk_.hear_reply(reply, verb_of(line));
  if (ending == Ending::kOpen && !talk_.ahead().empty())
    facts().faults.push_back("bytes behind the reply to " + verb_of(line));
  co_return ending == Ending::kOpen;
}

// greet says EHLO, and HELO where EHLO is not known (RFC 5321 §3.2).
asio::awaitable<bool> ClientConversation::greet(Reply& reply) {
  const Deviation* here = deviation(Point::kEhlo);
  const bool skip = here != nullptr && here->act == Act::kSkip;
  if (!skip) {
    if (!co_await command(Point::kEhlo, std::string("EHLO ") + kName, reply)) co_return false;
    if (reply.code != 500 && reply.code != 502 && reply.code != 504) co_return true;
  }
  co_await talk_.say(std::string("HELO ") + kName + "\r\n");
  const Ending ending = co_await talk_.hear_reply(reply, "HELO");
  co_return ending == Ending::kOpen;
}

asio::awaitable<bool> ClientConversation::upgrade() {
  Reply reply;
  facts().starttls_sent = true;
  if (!co_await command(Point::kStarttls, "STARTTLS", reply)) co_return false;
  facts().starttls_reply = reply.code;
  if (reply.code != 220) {
    co_await after_refusal();
    co_return false;
  }
  TlsWish wish = wish_of(talk_.scene(), peer_);
  Wire::DeviationAt at = [this](Point point) { return deviation(point); };
  if (!co_await talk_.start_tls(std::move(wish), std::move(at))) {
    co_await talk_.await_end();
    co_return false;
  }
  if (!co_await command(Point::kAfterTls, std::string("EHLO ") + kName, reply)) {
    talk_.wire().handshake_failed_late();
    co_return false;
  }
  if (reply.code != 250) {
    co_await after_refusal();
    co_return false;
  }
  co_return true;
}

asio::awaitable<bool> ClientConversation::hand_in() {
  const Observation& observation = *talk_.scene().observation;
  Reply reply;
  if (!co_await command(Point::kMail, "MAIL FROM:<" + observation.sender + ">", reply))
    co_return false;
  if (reply.code != 250) co_return true;
  if (!co_await command(Point::kRcpt, "RCPT TO:<" + observation.recipient + ">", reply))
    co_return false;
  if (reply.code != 250 && reply.code != 251) co_return true;
  if (!co_await command(Point::kData, "DATA", reply)) co_return false;
  if (reply.code != 354) co_return true;
  if (!co_await send_message(observation.message, reply)) co_return false;
  if (reply.code == 250) ++facts().accepted;
  co_return true;
}

// send_message writes the text and the final dot, or what the peer does in place of either.
asio::awaitable<bool> ClientConversation::send_message(std::string message, Reply& reply) {
  const Deviation* body = deviation(Point::kBody);
  const Deviation* dot = deviation(Point::kDot);
  std::string bytes = dot_stuffed(message);
  if (body != nullptr) bytes = body->bytes + ".\r\n";
  if (body != nullptr && body->act == Act::kStall) bytes.clear();
  if (dot != nullptr) bytes = bytes.substr(0, bytes.size() - 3) + dot->bytes;
  if (body != nullptr || dot != nullptr) {
    co_await talk_.say_whole(std::move(bytes));
  } else {
    co_await talk_.say_freely(std::move(bytes));
  }
  for (const Deviation* here : {body, dot}) {
    if (here == nullptr || here->act == Act::kSay || here->act == Act::kSkip) continue;
    if (here->act == Act::kReset) {
      talk_.reset();
    } else {
      if (here->act != Act::kStall) co_await talk_.finish();
      co_await talk_.await_end();
    }
    co_return false;
  }
  const Ending ending = co_await talk_.hear_reply(reply, "end of data");
  co_return ending == Ending::kOpen;
}

// after_refusal finds out whether the connection is still usable, by asking for any reply at all. A
// gateway that drops the connection has sent its FIN right behind the refusal.
asio::awaitable<void> ClientConversation::after_refusal() {
  ConnectionFacts refusal = facts();
  co_await talk_.say("NOOP\r\n");
  Reply reply;
  const Ending ending = co_await talk_.hear_reply(reply, "NOOP");
  facts().last_reply = refusal.last_reply;
  facts().last_enhanced = refusal.last_enhanced;
  facts().last_command = refusal.last_command;
  if (ending != Ending::kOpen) co_return;
  facts().usable = true;
  co_await talk_.say("QUIT\r\n");
  co_await talk_.await_end();
}

asio::awaitable<void> ClientConversation::quit() {
  Reply reply;
  facts().farewell = 0;
  if (!co_await command(Point::kQuit, "QUIT", reply)) co_return;
  facts().farewell = reply.code;
  co_await talk_.await_end();
}

asio::awaitable<void> ClientConversation::run() {
  Ending ending = co_await talk_.connect(from_);
  if (ending != Ending::kOpen) co_return;
  Reply reply;
  if (const Deviation* here = deviation(Point::kGreeting);
      here != nullptr && here->act == Act::kSay) {
    std::string bytes = here->bytes;
    co_await talk_.say_whole(std::move(bytes));
  }
  ending = co_await talk_.hear_reply(reply, "connect");
  if (ending != Ending::kOpen) co_return;
  if (reply.code == 220) {
    if (!co_await greet(reply)) co_return;
    facts().starttls_offered = reply.code == 250 && reply.offers("STARTTLS");
    if (reply.code == 250) {
      if (facts().starttls_offered && upgrade_ && !co_await upgrade()) co_return;
      if (!co_await hand_in()) co_return;
    }
  }
  if (facts().accepted > 0) {
    co_await quit();
  } else {
    co_await after_refusal();
  }
}

}  // namespace

asio::awaitable<void> play_client(Scene& scene, const Peer& peer, asio::ip::address from) {
  bool in_clear = false;
  for (;;) {
    ClientConversation conversation(scene, peer, from, peer.upgrades && !in_clear);
    co_await conversation.run();
    const bool broken = conversation.facts().tls_broke();
    if (in_clear || !peer.comes_back_in_clear || !broken) break;
    in_clear = true;
  }
  scene.changed();
}

}  // namespace postern
