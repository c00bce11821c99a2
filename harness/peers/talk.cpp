#include "peers/talk.hpp"

#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "peers/tls_records.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;

namespace postern {
namespace {

constexpr std::size_t kLongestLine = 65'536;
constexpr std::size_t kLongestMessage = 4'194'304;

}  // namespace

Listener::Listener(asio::any_io_executor executor, const asio::ip::address& address,
                   const std::optional<tcp::endpoint>& at)
    : acceptor_(executor), address_(address) {
  const tcp::endpoint endpoint = at.value_or(tcp::endpoint(address, 0));
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(tcp::acceptor::reuse_address(true));
  acceptor_.bind(endpoint);
  acceptor_.listen(128);
  acceptor_.non_blocking(true);
  port_ = acceptor_.local_endpoint().port();
}

asio::awaitable<std::optional<tcp::socket>> Listener::accept() {
  if (!acceptor_.is_open()) co_return std::nullopt;
  auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
  if (!error) co_return std::move(socket);
  if (error != asio::error::operation_aborted && error != asio::error::bad_descriptor)
    problem_ = "a fake server cannot accept: " + error.message();
  co_return std::nullopt;
}

bool Listener::pending() {
  // A connection in the backlog makes the listening socket readable.
  if (!acceptor_.is_open()) return false;
  pollfd waiting{acceptor_.native_handle(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

Talk::Talk(Scene& scene)
    : scene_(scene),
      side_(Side::kClient),
      wire_(tcp::socket(scene.executor), *scene.observation, side_, scene.epoch, *scene.owners,
            *scene.patience, scene.limit) {
  if (scene.by_hand) wire_.end_failed_tls();
  if (scene.jitter) jitter_.emplace(jitter_seed(*scene.jitter, side_, facts().number));
}

Talk::Talk(Scene& scene, tcp::socket socket, Side side)
    : scene_(scene),
      side_(side),
      wire_(std::move(socket), *scene.observation, side, scene.epoch, *scene.owners,
            *scene.patience, scene.limit) {
  if (scene.by_hand) wire_.end_failed_tls();
  if (scene.jitter) jitter_.emplace(jitter_seed(*scene.jitter, side_, facts().number));
}

asio::awaitable<Ending> Talk::connect(const asio::ip::address& from, bool speaks_first) {
  return wire_.connect(tcp::endpoint(from, 0), scene_.gateway, speaks_first);
}

asio::awaitable<Ending> Talk::say(std::string bytes, std::vector<std::size_t> splits) {
  if (!jitter_) return wire_.write(std::move(bytes), std::move(splits));
  if (splits.empty() && is_plain_line(bytes)) return say_freely(std::move(bytes));
  return say_with_jitter({std::move(bytes)}, std::move(splits));
}

asio::awaitable<Ending> Talk::say_whole(std::string bytes) {
  if (!jitter_) return wire_.write(std::move(bytes));
  return say_with_jitter({std::move(bytes)}, {});
}

asio::awaitable<Ending> Talk::say_freely(std::string bytes) {
  if (!jitter_) return wire_.write(std::move(bytes));
  return say_with_jitter(jitter_->pieces(std::move(bytes)), {});
}

asio::awaitable<Ending> Talk::say_with_jitter(std::vector<std::string> pieces,
                                              std::vector<std::size_t> splits) {
  asio::steady_timer pause(scene_.executor);
  for (std::string& piece : pieces) {
    if (const auto delay = jitter_->delay(); delay.count() > 0) {
      pause.expires_after(delay);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    const Ending ending = co_await wire_.write(std::move(piece), splits);
    if (ending != Ending::kOpen) co_return ending;
  }
  co_return Ending::kOpen;
}

asio::awaitable<Ending> Talk::hear_line(std::string& line) {
  line.clear();
  for (;;) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos || buffer_.size() >= kLongestLine) {
      const std::size_t size = end != std::string::npos ? end + 1 : kLongestLine;
      line = buffer_.substr(0, size);
      buffer_.erase(0, size);
      // RFC 5321 section 2.3.8, of a gateway that sends; its replies are held to it by ReplyReader.
      if (side_ != Side::kClient && !line.ends_with("\r\n") && facts().faults.empty())
        facts().faults.push_back("a line that does not end with CRLF: " + line.substr(0, 80));
      co_return Ending::kOpen;
    }
    const Ending ending = co_await wire_.read(buffer_);
    if (ending != Ending::kOpen) co_return ending;
  }
}

asio::awaitable<Ending> Talk::hear_reply(Reply& reply, std::string command) {
  ReplyReader reader;
  std::string line;
  for (;;) {
    const Ending ending = co_await hear_line(line);
    if (ending != Ending::kOpen) co_return ending;
    if (reader.add(line)) break;
  }
  reply = reader.reply();
  if (!reply.problem.empty())
    facts().faults.push_back("in the reply to " + command + ": " + reply.problem);
  facts().last_reply = reply.code;
  facts().last_enhanced = reply.enhanced;
  facts().last_command = std::move(command);
  co_return Ending::kOpen;
}

asio::awaitable<bool> Talk::start_tls(TlsWish wish, Wire::DeviationAt deviation) {
  SSL_CTX* context = scene_.contexts->context(wish);
  std::string surplus;
  // What a client reads behind the 220 is clear text it must not believe; a server's surplus is the
  // ClientHello that came in the same segment as STARTTLS. A record is for TLS on either side.
  if (wish.role == Role::kServer || whole_record(buffer_) > 0) surplus.swap(buffer_);
  buffer_.clear();
  return wire_.handshake(context, wish.role, std::move(surplus), std::move(deviation));
}

asio::awaitable<Ending> Talk::take_message() {
  std::string message;
  std::string line;
  for (;;) {
    const Ending ending = co_await hear_line(line);
    if (ending != Ending::kOpen) co_return ending;
    if (line == ".\r\n") break;
    if (line.starts_with('.')) line.erase(0, 1);
    if (message.size() < kLongestMessage) message += line;
  }
  facts().transaction.content = std::move(message);
  co_return Ending::kOpen;
}

std::string path_of(const std::string& command) {
  const std::size_t open = command.find('<');
  const std::size_t close = command.find('>', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return command;
  return command.substr(open + 1, close - open - 1);
}

void Talk::took() {
  facts().transaction.in_tls = phase() == Phase::kTls;
  facts().taken.push_back(std::move(facts().transaction));
  facts().transaction = Taken();
}

TlsWish wish_of(Scene& scene, const Peer& peer) {
  TlsWish wish;
  wish.role = peer.role;
  wish.versions = peer.versions;
  wish.asks = peer.asks;
  if (!peer.certificate.empty()) {
    wish.identity = scene.authority->identity(peer.certificate);
    if (wish.identity == nullptr)
      throw std::runtime_error("no certificate \"" + peer.certificate + "\"");
  }
  if (!peer.trust.empty()) {
    wish.trust = scene.authority->trust(peer.trust);
    if (wish.trust == nullptr) throw std::runtime_error("no trust \"" + peer.trust + "\"");
  }
  return wish;
}

}  // namespace postern
