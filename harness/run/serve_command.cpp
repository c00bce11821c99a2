#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <kainjow/mustache.hpp>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "catalogue/reader.hpp"
#include "failure_text.hpp"
#include "results_file.hpp"
#include "run/commands.hpp"
#include "run/dialogue.hpp"
#include "run/loaded.hpp"
#include "run/screen.hpp"
#include "run/servers_page.hpp"
#include "run/visit.hpp"
#include "whole_file.hpp"

namespace postern {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kLimit = std::chrono::minutes(5);  // For one command (RFC 5321 §4.5.3.2.7).
constexpr int kConnections = 100;                 // At once, all servers together.

/// Standing is one fake server with where it is found.
struct Standing {
  const Peer* peer = nullptr;
  tcp::endpoint at;
  std::unique_ptr<Listener> listener;
};

/// Serving keeps all of them.
class Serving {
 public:
  Serving(ByHand& with, std::vector<Standing>& servers, bool quiet)
      : with_(with), servers_(servers), quiet_(quiet) {}

  void begin();
  void end();

 private:
  asio::awaitable<void> take_connections(const Standing& server);
  asio::awaitable<void> serve(const Standing& server, tcp::socket socket);
  void tell(const Standing& server, const std::string& from, const Observation& seen) const;

  ByHand& with_;
  std::vector<Standing>& servers_;
  bool quiet_;
  int open_ = 0;
};

// tell prints what one connection came to, and what was said on it.
void Serving::tell(const Standing& server, const std::string& from, const Observation& seen) const {
  const ConnectionFacts& connection = seen.server.front();
  const std::string tls =
      connection.handshake == Handshake::kCompleted
          ? fmt::format("TLS {} ({}){}", connection.tls_version, connection.tls_cipher,
                        connection.certificate_shown ? ", with a client certificate" : "")
      : connection.handshake == Handshake::kFailed
          ? "TLS failed" + (connection.tls_error.empty() ? "" : ": " + connection.tls_error)
          : "clear text";
  fmt::print("{} from {}: {}; {}; {}\n", server.peer->name, from, tls,
             connection.taken.empty() ? "no message"
             : connection.taken.size() == 1
                 ? "a message was taken"
                 : fmt::format("{} messages were taken", connection.taken.size()),
             word(connection.ending));
  if (!quiet_) {
    reports::CaseResult shown;
    shown.events = dialogue_of(seen, 0);
    fmt::print("{}\n", reports::transcript_text(shown, text_width(STDOUT_FILENO)));
  }
  std::fflush(stdout);
}

asio::awaitable<void> Serving::serve(const Standing& server, tcp::socket socket) {
  Visit visit(with_, kLimit);
  boost::system::error_code ignored;
  const tcp::endpoint peer = socket.remote_endpoint(ignored);
  const std::string from = fmt::format("{}:{}", peer.address().to_string(), peer.port());
  ++open_;
  try {
    co_await serve_connection(visit.scene, *server.peer, std::move(socket), Side::kServer);
    tell(server, from, visit.seen);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "postern: {} from {}: {}\n", server.peer->name, from, problem.what());
  }
  --open_;
}

asio::awaitable<void> Serving::take_connections(const Standing& server) {
  for (;;) {
    auto socket = co_await server.listener->accept();
    if (!socket) co_return;
    if (open_ < kConnections)
      asio::co_spawn(with_.io, serve(server, std::move(*socket)), asio::detached);
  }
}

void Serving::begin() {
  for (const Standing& server : servers_)
    asio::co_spawn(with_.io, take_connections(server), asio::detached);
}

void Serving::end() {
  for (const Standing& server : servers_) server.listener->close();
  with_.patience.expire_all();
  with_.patience.stop();
}

// wanted finds the servers that are named, in that order, or all; false, told on stderr, where one
// is not there.
bool wanted(const Catalogue& catalogue, const ServeOptions& options, std::vector<Standing>& into) {
  const auto& servers = catalogue.servers;
  std::vector<std::string> known;
  for (const auto& [name, peer] : servers) known.push_back(name);
  for (const std::string& name : options.names.empty() ? known : options.names) {
    const auto found = servers.find(name);
    if (found == servers.end()) {
      fmt::print(stderr, "postern: there is no server \"{}\"{}; {} can be named\n", name,
                 did_you_mean(name, known), quoted_list(known));
      return false;
    }
    const bool is_there = std::any_of(
        into.begin(), into.end(), [&](const Standing& one) { return one.peer == &found->second; });
    if (!is_there) into.push_back({&found->second, {}, nullptr});
  }
  return true;
}

// place gives each its address or its port, counted from the first on; false, told on stderr, where
// there are too few.
bool place(const ServeOptions& options, std::vector<Standing>& servers) {
  constexpr unsigned kLast = std::numeric_limits<unsigned short>::max();
  const std::string first = !options.address.empty() ? options.address
                            : options.addresses      ? "127.0.0.2"
                                                     : "127.0.0.1";
  const unsigned port = options.port != 0 ? options.port : options.addresses ? 2525 : 2600;
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(first, error);
  if (error || (options.addresses && !address.is_v4())) {
    fmt::print(stderr, "postern: found --address {}, allowed: an {}address of this machine\n",
               options.address, error ? "" : "IPv4 ");
    return false;
  }
  if (!options.addresses && port + servers.size() - 1 > kLast) {
    fmt::print(stderr, "postern: found --port {}, allowed: 1 to {}, as there are {} servers\n",
               port, kLast + 1 - servers.size(), servers.size());
    return false;
  }
  unsigned step = 0;
  for (Standing& server : servers) {
    if (options.addresses)
      server.at = {asio::ip::make_address_v4(address.to_v4().to_uint() + step),
                   static_cast<unsigned short>(port)};
    else
      server.at = {address, static_cast<unsigned short>(port + step)};
    ++step;
  }
  return true;
}

void list(const std::vector<Standing>& servers) {
  std::size_t widest = 0;
  for (const Standing& server : servers) widest = std::max(widest, server.peer->name.size());
  for (const Standing& server : servers)
    fmt::print("{}:{}  {:<{}}  {}\n", server.at.address().to_string(), server.at.port(),
               server.peer->name, widest, server.peer->about);
  std::fflush(stdout);
}

// What a server does about TLS, in the fewest words.
std::string tls_of(const Peer& peer) {
  if (!peer.upgrades) return "not offered";
  return fmt::format("{}{}",
                     peer.versions.size() == 1
                         ? tls_version_text(peer.versions.front())
                         : fmt::format("{} to {}", tls_version_text(peer.versions.front()),
                                       tls_version_text(peer.versions.back())),
                     peer.asks == Asks::kNo        ? ""
                     : peer.asks == Asks::kRequire ? ", demands a certificate"
                                                   : ", asks for a certificate");
}

// write_page says the same as list, and more, to whoever is given the page. Throws ResultsError.
void write_page(const ServeOptions& options, const std::vector<Standing>& servers) {
  namespace mustache = kainjow::mustache;
  mustache::list rows;
  for (const Standing& server : servers) {
    const Peer& peer = *server.peer;
    rows.push_back(mustache::object{
        {"at", fmt::format("{}:{}", server.at.address().to_string(), server.at.port())},
        {"name", peer.name},
        {"about", peer.about},
        {"tls", tls_of(peer)},
        {"certificate", peer.upgrades ? peer.certificate : ""}});
  }
  const mustache::data certs = options.certs.empty()
                                   ? mustache::data(mustache::data::type::bool_false)
                                   : mustache::data(options.certs);
  reports::WholeFile file(options.page);
  file.append(mustache::mustache(kServersPage)
                  .render(mustache::object{{"servers", rows}, {"certs", certs}}));
  file.commit();
}

}  // namespace

int serve_command(const CommonOptions& common, const ServeOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  std::vector<Standing> servers;
  if (!wanted(*loaded.catalogue, options, servers) || !place(options, servers)) return 2;
  try {
    if (!options.page.empty()) write_page(options, servers);
  } catch (const reports::ResultsError& problem) {
    fmt::print(stderr, "postern: --page: {}\n", problem.what());
    return 2;
  }
  if (options.list) {
    list(servers);
    return 0;
  }
  if (!options.certs.empty()) loaded.authority->read(options.certs);
  ByHand with(*loaded.authority);
  try {
    for (Standing& server : servers)
      server.listener =
          std::make_unique<Listener>(with.io.get_executor(), server.at.address(), server.at);
  } catch (const boost::system::system_error& problem) {
    const auto taken = std::find_if(servers.begin(), servers.end(),
                                    [](const Standing& server) { return !server.listener; });
    fmt::print(stderr, "postern: {}:{} for {}: {}; --port names another{}\n",
               taken->at.address().to_string(), taken->at.port(), taken->peer->name,
               problem.code().message(), options.addresses ? "" : " first port");
    return 3;
  }
  Serving serving(with, servers, options.quiet);
  asio::signal_set signals(with.io, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code stopped, int) {
    if (!stopped) serving.end();
  });
  serving.begin();
  list(servers);
  fmt::print("Serving. Ctrl-C ends it.\n");
  std::fflush(stdout);
  with.io.run();
  return 0;
}

}  // namespace postern
