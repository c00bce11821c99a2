#include "server.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <set>

#include "channel_body.hpp"
#include "delivery.hpp"
#include "expiry.hpp"
#include "repeated.hpp"
#include "services.hpp"
#include "session.hpp"
#include "warnings.hpp"

namespace gateway {

using asio::ip::tcp;

namespace {

constexpr Duration kAbortTime = std::chrono::milliseconds(500);

// How long a lack of descriptors that was told once is not told again.
constexpr auto kQuietTime = std::chrono::minutes(1);

// So many clients over a limit are told so; what comes beyond is only closed.
constexpr std::size_t kMostTurnedAway = 64;

}  // namespace

class Server::Inside : public std::enable_shared_from_this<Server::Inside> {
 public:
  Inside(asio::any_io_executor executor, Config config, std::string config_path)
      : executor_(executor),
        config_path_(std::move(config_path)),
        pending_config_(std::move(config)),
        stop_timer_(executor),
        daily_(executor, std::chrono::hours(24), [this] {
          warn_about_expiry(*services_->settings);
          journal_->flush();
        }) {}

  void open();
  void start();
  std::string reload(const std::string& who);
  Services& services() { return *services_; }
  void stop(std::function<void()> stopped);
  std::vector<std::string> endpoints() const;

 private:
  void warn_about(const Settings& settings);
  void warn_about_expiry(const Settings& settings);
  asio::awaitable<void> listen(tcp::acceptor& acceptor);
  void warn_that_none_is_accepted(const std::string& why);
  void admit(tcp::socket socket);
  std::string refusal(const std::string& client) const;
  asio::awaitable<void> serve(std::shared_ptr<Session> session, std::string client);
  asio::awaitable<void> turn_away(std::shared_ptr<Session> session, std::string refusal);
  void abort();
  void check_stopped();
  void end();

  asio::any_io_executor executor_;
  std::string config_path_;
  Config pending_config_;
  asio::steady_timer stop_timer_;
  Repeated daily_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Delivery> delivery_;
  std::vector<tcp::acceptor> acceptors_;
  std::set<std::shared_ptr<Session>> sessions_;
  std::map<std::string, std::size_t> per_address_;  // sessions served, by limit_group
  std::size_t turned_away_ = 0;                     // those of sessions_ that are not served
  std::uint64_t last_session_ = 0;
  std::chrono::steady_clock::time_point quiet_until_;
  unsigned generation_ = 1;
  bool flush_posted_ = false;
  bool ending_ = false;
  std::function<void()> stopped_;
};

void Server::Inside::open() {
  auto settings = make_settings(std::move(pending_config_), generation_);
  const Config& config = settings->config;
  journal_ = std::make_unique<Journal>(config.journal);
  journal_->set_scheduler([this] {
    if (std::exchange(flush_posted_, true)) return;
    asio::post(executor_, [self = shared_from_this()] {
      self->flush_posted_ = false;
      self->journal_->flush();
    });
  });
  queue_ = std::make_unique<Queue>(executor_, config.data, [this] { journal_->flush(); });
  services_ = std::make_unique<Services>(
      Services{executor_, *journal_, *queue_, nullptr, settings, {}, {}, false, {}});
  services_->attempt_ended = [this] { check_stopped(); };
  delivery_ = std::make_unique<Delivery>(*services_);
  services_->delivery = delivery_.get();
  for (const auto& listen : config.listen) {
    const tcp::endpoint endpoint(asio::ip::make_address(listen.address), listen.port);
    try {
      tcp::acceptor acceptor(executor_);
      acceptor.open(endpoint.protocol());
      fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
      acceptor.set_option(tcp::acceptor::reuse_address(true));
      // So that 0.0.0.0 and :: can stand side by side, and each address counts for its own kind.
      if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true));
      acceptor.bind(endpoint);
      acceptor.listen(4096);
      acceptors_.push_back(std::move(acceptor));
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error(fmt::format("cannot listen on {}: {}",
                                           endpoint_text(listen.address, listen.port),
                                           error.code().message()));
    }
  }
}

std::vector<std::string> Server::Inside::endpoints() const {
  std::vector<std::string> names;
  for (const auto& acceptor : acceptors_) {
    const auto endpoint = acceptor.local_endpoint();
    names.push_back(endpoint_text(endpoint.address().to_string(), endpoint.port()));
  }
  return names;
}

void Server::Inside::warn_about(const Settings& settings) {
  for (const auto& warning : warnings_about(settings.config.tls)) {
    journal_->add(JournalLine("warning")
                      .add("requirement", warning.requirement)
                      .add("reason", warning.reason));
  }
  warn_about_expiry(settings);
}

void Server::Inside::warn_about_expiry(const Settings& settings) {
  for (const auto& warning : expiry_warnings(settings.certificates, now())) {
    journal_->add(JournalLine("warning")
                      .add("reason", warning.reason)
                      .add("file", warning.file)
                      .add("purpose", warning.purpose)
                      .add("expires", warning.expires)
                      .add("days-left", warning.days_left));
  }
}

void Server::Inside::start() {
  warn_about(*services_->settings);
  std::vector<Envelope> left = queue_->load();
  journal_->add(JournalLine("ready")
                    .add("generation", generation_)
                    .add("smtp", fmt::format("{}", fmt::join(endpoints(), " ")))
                    .add("queued", left.size()));
  journal_->flush();
  daily_.start();
  for (auto& envelope : left) delivery_->add(std::move(envelope), nullptr);
  for (auto& acceptor : acceptors_) {
    asio::co_spawn(executor_, listen(acceptor), asio::detached);
  }
}

asio::awaitable<void> Server::Inside::listen(tcp::acceptor& acceptor) {
  const auto self = shared_from_this();
  asio::steady_timer pause(executor_);
  while (!services_->stopping) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (services_->stopping) co_return;
    if (!error) {
      admit(std::move(socket));
      continue;
    }
    warn_that_none_is_accepted(error.message());
    // Out of descriptors or memory: some are given back in a moment.
    pause.expires_after(std::chrono::milliseconds(100));
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// warn_that_none_is_accepted says so at most once in kQuietTime: it is tried again and again.
void Server::Inside::warn_that_none_is_accepted(const std::string& why) {
  const auto time = std::chrono::steady_clock::now();
  if (time < quiet_until_) return;
  quiet_until_ = time + kQuietTime;
  journal_->add(JournalLine("warning").add("reason", "cannot accept: " + why));
}

// refusal says why a client is not served, empty where it is. Its own limit comes first: one
// address that has too many must not be told that the gateway is full.
std::string Server::Inside::refusal(const std::string& client) const {
  const Limits& limits = services_->settings->config.limits;
  const auto count = per_address_.find(client);
  if (count != per_address_.end() && count->second >= limits.connections_per_address) {
    return "Too many connections from your address";
  }
  if (sessions_.size() - turned_away_ >= limits.connections) return "Too many connections";
  return {};
}

void Server::Inside::admit(tcp::socket socket) {
  auto body = std::make_shared<Channel::Body>(std::move(socket));
  body->settle();
  const std::string client = limit_group(body->remote.address);
  std::string reason = refusal(client);
  if (!reason.empty() && turned_away_ >= kMostTurnedAway) return;
  auto channel = std::make_unique<Channel>(std::move(body));
  auto session = std::make_shared<Session>(*services_, std::move(channel), ++last_session_);
  sessions_.insert(session);
  if (reason.empty()) {
    ++per_address_[client];
    asio::co_spawn(executor_, serve(std::move(session), client), asio::detached);
  } else {
    ++turned_away_;
    asio::co_spawn(executor_, turn_away(std::move(session), std::move(reason)), asio::detached);
  }
}

asio::awaitable<void> Server::Inside::serve(std::shared_ptr<Session> session, std::string client) {
  const auto self = shared_from_this();
  co_await session->run();
  sessions_.erase(session);
  const auto count = per_address_.find(client);
  if (--count->second == 0) per_address_.erase(count);
  check_stopped();
}

asio::awaitable<void> Server::Inside::turn_away(std::shared_ptr<Session> session,
                                                std::string refusal) {
  const auto self = shared_from_this();
  co_await session->turn_away(std::move(refusal));
  sessions_.erase(session);
  --turned_away_;
  check_stopped();
}

std::string Server::Inside::reload(const std::string& who) {
  std::string refused;
  try {
    Config config = load_config(config_path_);
    const std::string restart = restart_reason(services_->settings->config, config);
    if (!restart.empty()) throw ConfigError(restart);
    services_->settings = make_settings(std::move(config), generation_ + 1);
    ++generation_;
    warn_about(*services_->settings);
    delivery_->write_totals();
    services_->settings_by = who;
    JournalLine applied("settings-applied");
    applied.add("generation", generation_);
    if (!who.empty()) applied.add("by", "web").add("who", who);
    const TlsConfig& tls = services_->settings->config.tls;
    applied.add("server-level", word_of(tls.receiving.level))
        .add("client-certificate", word_of(tls.receiving.certificate))
        .add("client-level", level_word(tls.client_level));
    journal_->add(applied);
    delivery_->settings_changed();
  } catch (const std::exception& error) {
    // Whatever it is, the old settings stay, and the gateway lives.
    journal_->add(
        JournalLine("settings-refused").add("generation", generation_).add("error", error.what()));
    refused = error.what();
  }
  journal_->flush();
  return refused;
}

void Server::Inside::stop(std::function<void()> stopped) {
  if (services_->stopping) return;
  stopped_ = std::move(stopped);
  services_->stopping = true;
  boost::system::error_code ignored;
  for (auto& acceptor : acceptors_) acceptor.close(ignored);
  daily_.stop();
  delivery_->stop();
  for (const auto& session : sessions_) session->stop();
  stop_timer_.expires_after(services_->settings->config.limits.shutdown_time);
  stop_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    self->abort();
  });
  check_stopped();
}

// abort cuts short what is still in hand. What does not let go even then, such as a connection
// attempt that nobody answers, is left behind: the time to stop is bounded.
void Server::Inside::abort() {
  delivery_->abort();
  for (const auto& session : sessions_) session->abort();
  stop_timer_.expires_after(kAbortTime);
  stop_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->end();
  });
  check_stopped();
}

// check_stopped ends the gateway once nothing is in hand: it is called when a session or an
// attempt has ended, and when the queue has nothing left to do.
void Server::Inside::check_stopped() {
  if (!services_->stopping || !stopped_) return;
  if (!sessions_.empty() || delivery_->running() != 0 || queue_->pending() != 0) return;
  // Not from within what has just ended.
  if (std::exchange(ending_, true)) return;
  asio::post(executor_, [self = shared_from_this()] { self->end(); });
}

void Server::Inside::end() {
  if (!stopped_) return;
  stop_timer_.cancel();
  queue_->close();
  delivery_->write_totals();
  journal_->add(
      JournalLine("stopped").add("queued", delivery_->queued()).add("commits", queue_->commits()));
  journal_->flush();
  std::exchange(stopped_, nullptr)();
}

Server::Server(asio::any_io_executor executor, Config config, std::string config_path)
    : inside_(std::make_shared<Inside>(std::move(executor), std::move(config),
                                       std::move(config_path))) {}

Server::~Server() = default;
void Server::open() {
  inside_->open();
}
std::vector<std::string> Server::endpoints() const {
  return inside_->endpoints();
}
void Server::start() {
  inside_->start();
}
std::string Server::reload(const std::string& who) {
  return inside_->reload(who);
}
Services& Server::services() {
  return inside_->services();
}
void Server::stop(std::function<void()> stopped) {
  inside_->stop(std::move(stopped));
}

}  // namespace gateway
