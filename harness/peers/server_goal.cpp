#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "peers/talk.hpp"

// The goal of a fake server: take what it is given (RFC 5321 §4), with the peer's deviations at
// their points.

namespace asio = boost::asio;
using asio::ip::tcp;

namespace postern {
namespace {

/// ServerConversation is one connection that a gateway made to a fake server.
class ServerConversation {
 public:
  ServerConversation(Scene& scene, const Peer& peer, tcp::socket socket, Side side)
      : talk_(scene, std::move(socket), side), peer_(peer) {
    // What would be offered is known before EHLO asks: clear text sent without asking is judged by
    // it.
    const Deviation* ehlo = deviation(Point::kEhlo);
    talk_.facts().starttls_offered =
        peer.upgrades && (ehlo == nullptr || ehlo->bytes.find("STARTTLS") != std::string::npos);
  }

  asio::awaitable<void> run();

 private:
  const Deviation* deviation(Point point);
  asio::awaitable<bool> answer(Point point, std::string reply);
  asio::awaitable<bool> answer(std::string reply);
  asio::awaitable<bool> serve(std::string line);
  asio::awaitable<bool> ehlo();
  asio::awaitable<bool> starttls();
  asio::awaitable<bool> data();
  asio::awaitable<bool> envelope(Point point, std::string reply, bool& step);

  Talk talk_;
  const Peer& peer_;
  bool greeted_ = false;       ///< EHLO or HELO was heard, since TLS began (RFC 3207 §4.2).
  bool sender_taken_ = false;  ///< Of the transaction under way (RFC 5321 §4.1.4).
  bool recipient_taken_ = false;
  bool answered_in_tls_ = false;
};

const Deviation* ServerConversation::deviation(Point point) {
  Assignment here;
  here.set("phase", talk_.phase() == Phase::kTls ? "tls" : "clear");
  here.set("connection", std::to_string(talk_.facts().number));
  for (const Deviation& deviation : peer_.deviations)
    if (deviation.at == point && deviation.when.holds(here)) return &deviation;
  return nullptr;
}

// answer says `reply`, or does what the peer does in its place. False: the connection is over.
asio::awaitable<bool> ServerConversation::answer(Point point, std::string reply) {
  if (const Deviation* here = deviation(point)) {
    switch (here->act) {
      case Act::kSkip:
        co_return true;
      case Act::kReset:
        talk_.reset();
        co_return false;
      case Act::kClose:
        co_await talk_.finish();
        co_return false;
      case Act::kSay: {
        std::string instead = here->bytes;
        answered_in_tls_ = answered_in_tls_ || talk_.phase() == Phase::kTls;
        const Ending said = co_await talk_.say_whole(std::move(instead));
        co_return said == Ending::kOpen;
      }
      case Act::kStall:
      case Act::kTruncate:  // These two stand only in the handshake (catalogue/peer_loader.cpp).
      case Act::kAlert:
        co_await talk_.await_end();
        co_return false;
    }
  }
  co_return co_await answer(std::move(reply));
}

asio::awaitable<bool> ServerConversation::answer(std::string reply) {
  answered_in_tls_ = answered_in_tls_ || talk_.phase() == Phase::kTls;
  const Ending ending = co_await talk_.say_freely(std::move(reply));
  co_return ending == Ending::kOpen;
}

asio::awaitable<bool> ServerConversation::ehlo() {
  const bool in_tls = talk_.phase() == Phase::kTls;
  greeted_ = true;
  const bool offers = peer_.upgrades && !in_tls;
  const Point point = in_tls ? Point::kAfterTls : Point::kEhlo;
  const Deviation* here = deviation(point);
  talk_.facts().starttls_offered =
      offers && (here == nullptr || here->bytes.find("STARTTLS") != std::string::npos);
  std::string reply =
      "250-server.postern.test\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-8BITMIME\r\n";
  if (offers) reply += "250-STARTTLS\r\n";
  reply += "250 ENHANCEDSTATUSCODES\r\n";
  return answer(point, std::move(reply));
}

asio::awaitable<bool> ServerConversation::starttls() {
  ConnectionFacts& facts = talk_.facts();
  facts.starttls_sent = true;
  facts.starttls_reply = 220;
  if (const Deviation* here = deviation(Point::kStarttls))
    facts.starttls_reply = here->act == Act::kSay ? std::atoi(here->bytes.c_str()) : 0;
  if (!co_await answer(Point::kStarttls, "220 2.0.0 Ready to start TLS\r\n")) co_return false;
  if (facts.starttls_reply != 220) co_return true;
  greeted_ = false;
  TlsWish wish = wish_of(talk_.scene(), peer_);
  Wire::DeviationAt at = [this](Point point) { return deviation(point); };
  co_return co_await talk_.start_tls(std::move(wish), std::move(at));
}

// envelope answers MAIL or RCPT; `step` tells whether the reply took it.
asio::awaitable<bool> ServerConversation::envelope(Point point, std::string reply, bool& step) {
  const Deviation* here = deviation(point);
  step = here == nullptr || (here->act == Act::kSay && here->bytes.starts_with('2'));
  return answer(point, std::move(reply));
}

asio::awaitable<bool> ServerConversation::data() {
  if (!recipient_taken_) co_return co_await answer("503 5.5.1 No recipient was taken\r\n");
  if (const Deviation* here = deviation(Point::kData); here != nullptr && here->act == Act::kSay) {
    std::string bytes = here->bytes;
    const Ending said = co_await talk_.say_whole(std::move(bytes));
    co_return said == Ending::kOpen;
  }
  if (!co_await answer(Point::kData, "354 End data with <CRLF>.<CRLF>\r\n")) co_return false;
  if (const Deviation* here = deviation(Point::kBody); here != nullptr && here->act != Act::kSkip) {
    std::string first;
    const Ending heard = co_await talk_.hear_line(first);
    co_return heard == Ending::kOpen&& co_await answer(Point::kBody, "");
  }
  const Ending ending = co_await talk_.take_message();
  if (ending != Ending::kOpen) co_return false;
  const Deviation* here = deviation(Point::kDot);
  const bool took = here == nullptr || (here->act == Act::kSay && here->bytes.starts_with("2"));
  // Written down before the reply: the gateway's own record of it must find it here.
  if (took) talk_.took();
  sender_taken_ = recipient_taken_ = false;
  const bool going_on = co_await answer(Point::kDot, "250 2.0.0 Taken\r\n");
  talk_.scene().changed();
  co_return going_on;
}

// serve answers one command; false ends the conversation.
asio::awaitable<bool> ServerConversation::serve(std::string line) {
  Taken& transaction = talk_.facts().transaction;
  const std::string verb = verb_of(line);
  if (verb == "EHLO") return ehlo();
  if (verb == "HELO") {
    greeted_ = true;
    return answer("250 server.postern.test\r\n");
  }
  if (verb == "STARTTLS") {
    if (peer_.upgrades && talk_.phase() != Phase::kTls) return starttls();
    talk_.facts().starttls_sent = true;
    talk_.facts().starttls_reply = 502;
  }
  if (verb == "MAIL") {
    if (!greeted_) return answer("503 5.5.1 EHLO comes first\r\n");
    talk_.facts().mail = true;
    recipient_taken_ = false;
    transaction = Taken();
    transaction.sender = path_of(line);
    return envelope(Point::kMail, "250 2.1.0 Sender taken\r\n", sender_taken_);
  }
  if (verb == "RCPT") {
    talk_.facts().rcpt = true;
    if (!sender_taken_) return answer("503 5.5.1 No sender was taken\r\n");
    transaction.recipients.push_back(path_of(line));
    return envelope(Point::kRcpt, "250 2.1.5 Recipient taken\r\n", recipient_taken_);
  }
  if (verb == "DATA") return data();
  if (verb == "RSET") sender_taken_ = recipient_taken_ = false;
  if (verb == "RSET" || verb == "NOOP") return answer("250 2.0.0 Done\r\n");
  if (verb == "QUIT") return answer(Point::kQuit, "221 2.0.0 Good-bye\r\n");
  return answer("502 5.5.1 Not known here\r\n");
}

asio::awaitable<void> ServerConversation::run() {
  bool going_on = co_await answer(Point::kGreeting, "220 server.postern.test ESMTP\r\n");
  std::string line;
  while (going_on) {
    const Ending ending = co_await talk_.hear_line(line);
    if (ending != Ending::kOpen) break;
    std::string command = line;
    going_on = co_await serve(std::move(command));
    if (verb_of(line) == "QUIT") break;
  }
  // The server closes behind its 221 (RFC 5321 §4.1.1.10).
  if (verb_of(line) == "QUIT") co_await talk_.finish();
  // TLS fails up to the reply to EHLO inside it, whoever ends the stream there.
  if (talk_.phase() == Phase::kTls && !answered_in_tls_ && verb_of(line) != "QUIT")
    talk_.wire().handshake_failed_late();
  co_await talk_.await_end();
  co_await talk_.finish();
}

}  // namespace

asio::awaitable<void> serve_connection(Scene& scene, const Peer& peer, tcp::socket socket,
                                       Side side) {
  ServerConversation conversation(scene, peer, std::move(socket), side);
  co_await conversation.run();
}

asio::awaitable<void> play_server(Scene& scene, const Peer& peer, Listener& listener, Side side) {
  for (;;) {
    auto socket = co_await listener.accept();
    if (!socket) {
      if (!listener.problem().empty()) scene.observation->harness_error = listener.problem();
      break;
    }
    ++scene.open_connections;
    asio::co_spawn(scene.executor, serve_connection(scene, peer, std::move(*socket), side),
                   [&scene](std::exception_ptr error) {
                     --scene.open_connections;
                     if (error) {
                       try {
                         std::rethrow_exception(error);
                       } catch (const std::exception& problem) {
                         scene.observation->harness_error = problem.what();
                       }
                     }
                     scene.changed();
                   });
  }
}

}  // namespace postern
