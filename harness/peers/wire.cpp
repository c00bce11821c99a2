#include "peers/wire.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <stdexcept>

#include "catalogue/tls_alerts.hpp"
#include "peers/tls_records.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;

namespace postern {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// How much is read of a gateway that goes on talking where it should have ended.
constexpr std::size_t kDrained = 1'048'576;
constexpr auto kTick = std::chrono::milliseconds(100);

}  // namespace

struct Patience::Clock : std::enable_shared_from_this<Patience::Clock> {
  Clock(asio::any_io_executor executor, Patience* the_owner) : timer(executor), owner(the_owner) {}

  void arm() {
    timer.expires_after(kTick);
    timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (error || self->owner == nullptr) return;
      self->owner->tick();
      self->arm();
    });
  }

  asio::steady_timer timer;
  Patience* owner;
};

Patience::Patience(asio::any_io_executor executor)
    : clock_(std::make_shared<Clock>(executor, this)) {
  clock_->arm();
}

Patience::~Patience() {
  stop();
}

void Patience::stop() {
  clock_->owner = nullptr;
  clock_->timer.cancel();
}

void Patience::expire_all() {
  const std::set<Waiting*> now_waiting = waiting_;
  for (Waiting* waiting : now_waiting)
    if (waiting_.contains(waiting)) waiting->expire();
}

void Patience::tick() {
  const auto now = std::chrono::steady_clock::now();
  // A tick that comes late says that this process stood still: the peers did not get their time.
  const auto late = now - due_;
  due_ = now + kTick;
  if (late > std::chrono::seconds(1)) {
    for (Waiting* waiting : waiting_)
      if (waiting->deadline != std::chrono::steady_clock::time_point::max())
        waiting->deadline += late;
  }
  const std::set<Waiting*> now_waiting = waiting_;
  for (Waiting* waiting : now_waiting)
    if (waiting_.contains(waiting) && waiting->deadline <= now) waiting->expire();
}

Wire::Wire(tcp::socket socket, Observation& observation, Side side,
           std::chrono::steady_clock::time_point epoch, const TokenOwners& owners,
           Patience& patience, std::chrono::steady_clock::duration limit)
    : socket_(std::move(socket)),
      recorder_(observation, side, epoch, owners),
      patience_(patience),
      limit_(limit) {
  patience_.add(*this);
  if (!socket_.is_open()) return;
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  facts().connected = true;
  const auto remote = socket_.remote_endpoint(ignored);
  recorder_.note(Actor::kGateway, What::kConnect,
                 remote.address().to_string() + ":" + std::to_string(remote.port()), phase_);
  recorder_.opened(remote, socket_.local_endpoint(ignored));
}

Wire::~Wire() {
  patience_.remove(*this);
}

void Wire::expire() {
  timed_out_ = true;
  deadline = std::chrono::steady_clock::time_point::max();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Wire::wait_from_now() {
  deadline = std::min(std::chrono::steady_clock::now() + limit_, latest_);
}

Ending Wire::ended(Actor by, Ending how) {
  recorder_.ended(by, how, phase_);
  return how;
}

asio::awaitable<Ending> Wire::connect(tcp::endpoint from, tcp::endpoint to, bool speaks_first) {
  boost::system::error_code error;
  socket_.open(to.protocol(), error);
  if (!error) socket_.set_option(tcp::no_delay(true), error);
  if (!error) socket_.set_option(tcp::socket::reuse_address(true), error);
  // An ACK that need not be quick waits for data to go with it, up to 200 ms: tcp(7). Without it
  // the first bytes come a moment later, which is no fault.
  const int quick = 0;
  if (!error && speaks_first)
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &quick, sizeof quick);
  if (!error) socket_.bind(from, error);
  if (error) {
    recorder_.observation().harness_error = "cannot open a client socket: " + error.message();
    co_return ended(Actor::kNone, Ending::kReset);
  }
  wait_from_now();
  const auto [connect_error] = co_await socket_.async_connect(to, kAwait);
  deadline = std::chrono::steady_clock::time_point::max();
  if (connect_error) {
    const bool timeout = timed_out_ || connect_error == asio::error::timed_out;
    if (!timeout && connect_error != asio::error::connection_refused &&
        connect_error != asio::error::connection_reset) {
      // No route, no address, no right: no gateway had a part in that.
      recorder_.observation().harness_error =
          "cannot connect to " + to.address().to_string() + ": " + connect_error.message();
      co_return ended(Actor::kNone, Ending::kReset);
    }
    co_return ended(Actor::kGateway, timeout ? Ending::kTimeout : Ending::kReset);
  }
  socket_.non_blocking(true, error);
  facts().connected = true;
  const auto local = socket_.local_endpoint(error);
  recorder_.note(Actor::kPeer, What::kConnect,
                 local.address().to_string() + ":" + std::to_string(local.port()), phase_);
  recorder_.opened(local, to);
  co_return Ending::kOpen;
}

// receive appends raw bytes to `raw`, or names the ending without recording it.
asio::awaitable<Ending> Wire::receive(std::string& raw) {
  if (timed_out_) co_return Ending::kTimeout;
  wait_from_now();
  const auto space = asio::buffer(piece_);
  const auto [error, size] = co_await socket_.async_read_some(space, kAwait);
  deadline = std::chrono::steady_clock::time_point::max();
  if (!error) {
    raw.append(piece_.data(), size);
    recorder_.passed(Actor::kGateway, {piece_.data(), size});
    co_return Ending::kOpen;
  }
  const bool closed = error == asio::error::eof;
  if (closed) recorder_.shut(Actor::kGateway, Traffic::Kind::kShut);
  if (closed) co_return Ending::kClose;
  if (timed_out_) co_return Ending::kTimeout;
  recorder_.shut(Actor::kGateway, Traffic::Kind::kReset);
  co_return Ending::kReset;
}

asio::awaitable<Ending> Wire::send(std::string bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t put = ::send(socket_.native_handle(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (put > 0) {
      recorder_.passed(Actor::kPeer, rest.substr(0, static_cast<std::size_t>(put)));
      rest.remove_prefix(static_cast<std::size_t>(put));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return Ending::kReset;
    if (timed_out_) co_return Ending::kTimeout;
    wait_from_now();
    const auto [error] = co_await socket_.async_wait(tcp::socket::wait_write, kAwait);
    deadline = std::chrono::steady_clock::time_point::max();
    if (error && !timed_out_) co_return Ending::kReset;
  }
  co_return Ending::kOpen;
}

asio::awaitable<bool> Wire::flush() {
  std::string out = tls_->take_output();
  if (out.empty()) co_return true;
  const Ending ending = co_await send(std::move(out));
  co_return ending == Ending::kOpen;
}

// tls_ended names why TLS gave no more data, once the gateway has really ended the connection: an
// alert alone closes nothing.
asio::awaitable<Ending> Wire::tls_ended() {
  note_alert();
  broken_ = true;
  if (ends_failed_tls_) shut_down();
  const Ending how = tls_->alert_received().empty() ? Ending::kTlsError : Ending::kAlert;
  look_for_smtp(tls_->take_unread());
  std::string raw;
  Ending last = Ending::kOpen;
  for (std::size_t read = 0; last == Ending::kOpen && read < kDrained; read += raw.size()) {
    raw.clear();
    last = co_await receive(raw);
    look_for_smtp(raw);
  }
  if (last == Ending::kTimeout || last == Ending::kOpen)
    co_return ended(Actor::kNone, Ending::kTimeout);
  co_return ended(Actor::kGateway, how);
}

void Wire::note_alert() {
  if (!tls_->alert_received().empty())
    recorder_.note(Actor::kGateway, What::kAlert, tls_->alert_received(), phase_);
  if (!tls_->alert_sent().empty())
    recorder_.note(Actor::kPeer, What::kAlert, tls_->alert_sent(), phase_);
}

asio::awaitable<Ending> Wire::read(std::string& into) {
  if (facts().ending != Ending::kOpen) co_return facts().ending;
  if (!tls_) {
    const std::size_t before = into.size();
    const Ending ending = co_await receive(into);
    if (ending != Ending::kOpen) {
      const Actor by = ending == Ending::kTimeout ? Actor::kNone : Actor::kGateway;
      co_return ended(by, ending);
    }
    recorder_.received(std::string_view(into).substr(before), phase_);
    co_return Ending::kOpen;
  }
  for (;;) {
    const std::size_t before = into.size();
    switch (tls_->read(into)) {
      case TlsEngine::Step::kDone:
        recorder_.received(std::string_view(into).substr(before), phase_);
        co_return Ending::kOpen;
      case TlsEngine::Step::kCloseNotify:
        co_return co_await answer_close_notify();
      case TlsEngine::Step::kFailed:
        co_await flush();
        co_return co_await tls_ended();
      case TlsEngine::Step::kWantRead:
        break;
    }
    co_await flush();
    std::string raw;
    const Ending ending = co_await receive(raw);
    if (ending == Ending::kTimeout) co_return ended(Actor::kNone, ending);
    if (ending == Ending::kClose) co_return ended(Actor::kGateway, Ending::kTruncated);
    if (ending != Ending::kOpen) co_return ended(Actor::kGateway, ending);
    recorder_.ciphertext(raw);
    tls_->feed(raw);
  }
}

// answer_close_notify ends our side too, and looks at what comes behind the close_notify: nothing
// may.
asio::awaitable<Ending> Wire::answer_close_notify() {
  tls_->close_notify();
  co_await flush();
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  recorder_.shut(Actor::kPeer, Traffic::Kind::kShut);
  std::string behind = tls_->take_unread();
  Ending last = Ending::kOpen;
  while (last == Ending::kOpen && behind.size() < kDrained) last = co_await receive(behind);
  while (const std::size_t record = whole_record(behind)) {
    facts().record_behind_close_notify = true;  // RFC 8446 §6.1 has it ignored.
    recorder_.note(Actor::kGateway, What::kNote, "a TLS record behind the close_notify", phase_);
    behind.erase(0, record);
  }
  if (!behind.empty()) {
    phase_ = Phase::kClear;
    facts().bytes_behind_close_notify = behind.size();
    recorder_.received(behind, phase_);
  }
  // A RST here answers our own close_notify: the gateway had closed both ways already.
  if (last == Ending::kTimeout || last == Ending::kOpen)
    co_return ended(Actor::kNone, Ending::kTimeout);
  co_return ended(Actor::kGateway, Ending::kCloseNotify);
}

asio::awaitable<Ending> Wire::write(std::string bytes, std::vector<std::size_t> splits) {
  recorder_.sent(bytes, phase_);
  splits.push_back(bytes.size());
  std::size_t begin = 0;
  for (std::size_t end : splits) {
    end = std::min(end, bytes.size());
    if (end <= begin) continue;
    std::string piece = bytes.substr(begin, end - begin);
    begin = end;
    if (tls_) {
      const std::size_t size = manner_.record_size > 0 ? manner_.record_size : piece.size();
      for (std::size_t at = 0; at < piece.size(); at += size)
        if (!tls_->write(std::string_view(piece).substr(at, size))) co_return Ending::kTlsError;
      piece = tls_->take_output();
    }
    const Ending ending = co_await send(std::move(piece));
    if (ending != Ending::kOpen) co_return ending;
  }
  co_return Ending::kOpen;
}

asio::awaitable<Ending> Wire::flood(std::string bytes, std::size_t times) {
  constexpr std::size_t kAtOnce = 65'536;
  recorder_.sent(bytes, phase_);
  recorder_.note(Actor::kPeer, What::kNote, "in all " + std::to_string(times) + " times", phase_);
  std::string pack;
  for (std::size_t done = 0; done < times; ++done) {
    pack += bytes;
    if (pack.size() < kAtOnce && done + 1 < times) continue;
    if (tls_ && !tls_->write(pack)) co_return Ending::kTlsError;
    std::string piece = tls_ ? tls_->take_output() : std::move(pack);
    pack.clear();
    const Ending ending = co_await send(std::move(piece));
    if (ending != Ending::kOpen) co_return ending;
  }
  co_return Ending::kOpen;
}

asio::awaitable<Ending> Wire::write_beneath(std::string bytes) {
  recorder_.sent(bytes, Phase::kClear);
  return send(std::move(bytes));
}

// send_flight writes a flight of the handshake in the manner of this connection.
asio::awaitable<void> Wire::send_flight(std::string flight, bool first) {
  if (manner_.record_size > 0) flight = reframed(flight, manner_.record_size, encrypted_);
  std::size_t begin = 0;
  for (std::size_t end : manner_.splits) {
    if (!first || end >= flight.size()) break;
    std::string piece = flight.substr(begin, end - begin);
    begin = end;
    co_await send(std::move(piece));
  }
  flight.erase(0, begin);
  co_await send(std::move(flight));
}

// act does at a point of the handshake what the peer does there instead of sending `flight`.
asio::awaitable<void> Wire::act(const Deviation& deviation, std::string flight) {
  switch (deviation.act) {
    case Act::kSay: {
      recorder_.sent(deviation.bytes, phase_);
      std::string bytes = deviation.bytes;
      co_await send(std::move(bytes));
      break;
    }
    case Act::kTruncate:
      flight.resize(flight.size() / 2);
      recorder_.note(Actor::kPeer, What::kNote, "half a flight", phase_);
      co_await send(std::move(flight));
      shut_down();
      break;
    case Act::kClose:
      shut_down();
      break;
    case Act::kReset:
      reset();
      break;
    case Act::kAlert: {
      const std::string body = {2, static_cast<char>(deviation.alert)};  // 2: fatal.
      std::string record = record_of(TlsRecord::kAlert, body);
      recorder_.note(Actor::kPeer, What::kAlert, alert_name(deviation.alert), phase_);
      co_await send(std::move(record));
      break;
    }
    case Act::kStall:
      recorder_.note(Actor::kPeer, What::kNote, "nothing more is sent", phase_);
      break;
    case Act::kSkip:
      break;
  }
}

bool Wire::failed(const std::string& why) {
  broken_ = true;
  facts().handshake = Handshake::kFailed;
  facts().tls_error = why;
  facts().tls_agreed = tls_->agreed();
  recorder_.note(Actor::kNone, What::kHandshake, "failed: " + why, phase_);
  look_for_smtp(tls_->take_unread());
  return false;
}

void Wire::handshake_failed_late() {
  if (facts().handshake != Handshake::kCompleted) return;
  facts().handshake = Handshake::kFailed;
  facts().tls_error = tls_ && !tls_->alert_received().empty()
                          ? "alert after the handshake: " + tls_->alert_received()
                          : "ended before the first byte of SMTP";
}

void Wire::completed() {
  ConnectionFacts& known = facts();
  known.handshake = Handshake::kCompleted;
  known.tls_agreed = true;
  known.tls_version = tls_->version();
  known.tls_cipher = tls_->cipher();
  known.asked = tls_->asked();
  known.certificate_shown = tls_->shown();
  phase_ = Phase::kTls;
  recorder_.note(Actor::kNone, What::kHandshake,
                 "TLS " + known.tls_version + " " + known.tls_cipher +
                     (known.asked ? ", a client certificate was asked for" : "") +
                     (known.certificate_shown ? ", one was shown" : "") +
                     (tls_->resumed() ? ", resumed" : ""),
                 phase_);
}

asio::awaitable<bool> Wire::handshake(SSL_CTX* context, Role role, std::string surplus,
                                      DeviationAt deviation) {
  phase_ = Phase::kHandshake;
  const bool client = role == Role::kClient;
  tls_ = std::make_unique<TlsEngine>(context, role);
  if (std::string* secrets = recorder_.secrets()) tls_->tell_secrets(*secrets);
  if (const Deviation* here = deviation(Point::kReady)) {
    co_await act(*here, std::string());
    if (here->act == Act::kClose || here->act == Act::kReset)
      co_return failed("deviated before the handshake");
  }
  if (!tls_->prepare(manner_))
    throw std::runtime_error("OpenSSL cannot begin this handshake: " + tls_->error());
  if (!surplus.empty()) {
    recorder_.ciphertext(surplus);
    tls_->feed(surplus);
  }
  int flights = 0;
  for (;;) {
    const TlsEngine::Step step = tls_->handshake();
    facts().asked = tls_->asked();
    std::string out = tls_->take_output();
    if (!out.empty() && step != TlsEngine::Step::kFailed) {
      // The first flight is or answers the ClientHello; a client's second has its certificate.
      ++flights;
      const Deviation* here = nullptr;
      if (flights == 1) here = deviation(Point::kClientHello);
      if (flights == 2 && client) here = deviation(Point::kCertificate);
      if (here != nullptr) {
        co_await act(*here, std::move(out));
        co_return failed("deviated in the handshake");
      }
      if (flights == 1 && !manner_.early.empty()) {
        recorder_.note(Actor::kPeer, What::kNote, "early data, behind the ClientHello:", phase_);
        recorder_.sent(manner_.early, phase_);
      }
    }
    if (!out.empty()) co_await send_flight(std::move(out), flights == 1);
    if (step == TlsEngine::Step::kDone) break;
    if (step != TlsEngine::Step::kWantRead) {
      note_alert();
      failed(tls_->alert_received().empty() ? tls_->error() : "alert: " + tls_->alert_received());
      if (ends_failed_tls_) shut_down();
      co_return false;
    }
    if (!client && flights == 1) {
      if (const Deviation* here = deviation(Point::kCertificate)) {
        co_await act(*here, std::string());
        co_return failed("deviated after its certificate");
      }
    }
    std::string raw;
    const Ending ending = co_await receive(raw);
    if (ending != Ending::kOpen) {
      ended(ending == Ending::kTimeout ? Actor::kNone : Actor::kGateway, ending);
      co_return failed(word(ending));
    }
    recorder_.ciphertext(raw);
    tls_->feed(raw);
  }
  if (const Deviation* here = deviation(Point::kFinished)) {
    co_await act(*here, std::string());
    co_return failed("deviated after the handshake");
  }
  completed();
  co_return true;
}

// look_for_smtp finds bytes that are no TLS record after a handshake that failed: the gateway went
// on in clear text where it had to be silent. An alert, or a flight that was under way, is TLS.
void Wire::look_for_smtp(std::string_view raw) {
  if (facts().smtp_after_failed_tls) return;
  after_failure_.feed(raw);
  while (const auto record = after_failure_.next()) {
    if (record->type != TlsRecord::kAlert) continue;
    const int number = record->alert();
    if (late_alert_ < 0) late_alert_ = number;
    recorder_.note(Actor::kGateway, What::kAlert,
                   number < 0 ? "an alert record" : alert_name(number), phase_);
  }
  if (!after_failure_.foreign()) return;
  facts().smtp_after_failed_tls = true;
  recorder_.received(after_failure_.rest(), phase_);
}

int Wire::alert() const {
  if (tls_ && tls_->alert_number() >= 0) return tls_->alert_number();
  return late_alert_;
}

asio::awaitable<bool> Wire::renegotiate() {
  const std::string before = tls_->finished();
  recorder_.note(Actor::kPeer, What::kHandshake, "asks for a second one", phase_);
  if (!tls_->renegotiate()) co_return false;
  co_await flush();
  std::string bytes;
  Ending ending = Ending::kOpen;
  while (ending == Ending::kOpen && tls_->finished() == before) ending = co_await read(bytes);
  co_return tls_->finished() != before;
}

asio::awaitable<Ending> Wire::await_end() {
  std::size_t drained = 0;
  while (facts().ending == Ending::kOpen) {
    std::string bytes;
    if (!broken_) {
      co_await read(bytes);
    } else {
      const Ending ending = co_await receive(bytes);
      if (ending == Ending::kOpen) {
        recorder_.ciphertext(bytes);
        look_for_smtp(bytes);
      } else {
        ended(ending == Ending::kTimeout ? Actor::kNone : Actor::kGateway, ending);
      }
    }
    drained += bytes.size();
    if (drained > kDrained) ended(Actor::kNone, Ending::kTimeout);
  }
  co_return facts().ending;
}

bool Wire::readable() {
  if (!socket_.is_open()) return false;
  pollfd waiting{socket_.native_handle(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

asio::awaitable<void> Wire::finish() {
  if (!socket_.is_open()) co_return;
  if (tls_ && phase_ == Phase::kTls && !broken_) {
    tls_->close_notify();
    co_await flush();
  }
  shut_down();
}

asio::awaitable<void> Wire::notify_close() {
  recorder_.note(Actor::kPeer, What::kAlert, alert_name(SSL_AD_CLOSE_NOTIFY), phase_);
  tls_->close_notify();
  co_await flush();
}

void Wire::shut_down() {
  if (!broken_ && facts().ending == Ending::kOpen) facts().left = true;
  recorder_.note(Actor::kPeer, What::kClose, word(Ending::kClose), phase_);
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  recorder_.shut(Actor::kPeer, Traffic::Kind::kShut);
}

void Wire::reset() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  recorder_.shut(Actor::kPeer, Traffic::Kind::kReset);
  recorder_.ended(Actor::kPeer, Ending::kReset, phase_);
}

}  // namespace postern
