#include "config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "password.hpp"
#include "smtp_command.hpp"

namespace gateway {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string_view> kServerLevels = {"none", "attempt", "require"};
const std::vector<std::string_view> kClientCertificates = {"none", "request", "require"};
const std::vector<std::string_view> kClientLevels = {"none", "attempt", "require", "verify"};

// shown makes a value fit for one line.
std::string shown(std::string_view value) {
  std::string out;
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out;
}

// Reader turns one file into a Config, collecting complaints on the way.
class Reader {
 public:
  explicit Reader(const std::string& path)
      : file_(path), folder_(fs::absolute(path).parent_path()) {}
  Reader(const std::string& path, std::string text)
      : file_(path, std::move(text)), folder_(fs::absolute(path).parent_path()) {}

  Config read();

 private:
  void read_listen(pugi::xml_node node);
  void read_tls(pugi::xml_node node);
  void check_receiving(Element& element, ReceivingPolicy policy);
  void check_tls(Element& element);
  void read_clients(pugi::xml_node node);
  void read_relay(pugi::xml_node node);
  void read_route(pugi::xml_node node);
  void read_route_level(Element& element, NextHop& hop);
  void read_retry(pugi::xml_node node);
  void read_limits(pugi::xml_node node);
  void read_times(Element& element);
  void read_web(pugi::xml_node node);
  std::string path(std::string_view value) const;
  std::optional<Network> network(Element& element, const std::string& text);
  std::uint16_t port(Element& element, std::uint64_t fallback, std::uint64_t low);
  std::string address(Element& element, std::string value);
  std::string host_name(Element& element, const char* name, std::string value);

  XmlFile file_;
  fs::path folder_;
  Config config_;
};

std::string Reader::path(std::string_view value) const {
  return value.empty() ? std::string() : (folder_ / value).lexically_normal().string();
}

// network reads `text`, the network of a client. nullopt where it is none.
std::optional<Network> Reader::network(Element& element, const std::string& text) {
  const auto parsed = Network::parse(text);
  std::string allowed = "ADDRESS or ADDRESS/BITS";
  if (parsed) {
    const std::string address = parsed->address.to_string();
    if (address == parsed->address.first_of(parsed->prefix).to_string()) return parsed;
    allowed = fmt::format("{}, or {} alone", parsed->to_string(), address);
  }
  element.complain("network",
                   fmt::format("found network=\"{}\"; allowed: {}", shown(text), allowed));
  return std::nullopt;
}

std::uint16_t Reader::port(Element& element, std::uint64_t fallback, std::uint64_t low) {
  return static_cast<std::uint16_t>(element.number("port", fallback, low, 65535));
}

std::string Reader::address(Element& element, std::string value) {
  if (value.empty()) return value;
  const auto parsed = IpAddress::parse(value);
  if (parsed) return parsed->to_string();
  element.complain("address",
                   fmt::format("found address=\"{}\"; allowed: an IPv4 or IPv6 address", value));
  return {};
}

// host_name checks a name that goes out in commands, replies and headers: nothing else may come
// with it.
std::string Reader::host_name(Element& element, const char* name, std::string value) {
  const bool missing = value.empty() && !element.has(name);
  if (missing || is_host_name(value) || IpAddress::parse(value)) return value;
  element.complain(name, fmt::format("found {}=\"{}\"; allowed: a host name, or an IP address",
                                     name, shown(value)));
  return {};
}

// takes_the_place_of tells whether the kernel lets only one of the two listen.
bool takes_the_place_of(const Listen& one, const Listen& other) {
  if (one.port != other.port || one.port == 0) return false;
  const auto a = IpAddress::parse(one.address);
  const auto b = IpAddress::parse(other.address);
  if (!a || !b || a->is_v4() != b->is_v4()) return false;
  const std::string every = a->first_of(0).to_string();
  return one.address == other.address || one.address == every || other.address == every;
}

void Reader::read_listen(pugi::xml_node node) {
  Element element(file_, node);
  Listen listen;
  listen.address = address(element, element.required("address"));
  listen.port = port(element, 25, 0);
  element.done();
  for (const Listen& other : config_.listen) {
    if (!takes_the_place_of(listen, other)) continue;
    element.complain(
        {}, fmt::format("found <listen> at {} beside one at {}; allowed: one of them, since both "
                        "would take the same connections",
                        endpoint_text(listen.address, listen.port),
                        endpoint_text(other.address, other.port)));
  }
  config_.listen.push_back(std::move(listen));
}

// check_receiving checks a policy of <tls>, or of <clients> in it, against the files named in
// <tls>.
void Reader::check_receiving(Element& element, ReceivingPolicy policy) {
  const TlsConfig& tls = config_.tls;
  if (const auto error = combination_error(policy); !error.empty()) {
    element.complain("client-certificate", error);
  }
  if (policy.level != ServerLevel::none && (tls.certificate.empty() || tls.key.empty())) {
    element.complain("server-level",
                     fmt::format("server-level=\"{}\" offers TLS, which needs certificate=\"...\" "
                                 "and key=\"...\" in <tls>; or set server-level=\"none\"",
                                 word_of(policy.level)));
  }
  if (effective_certificate(policy) == ClientCertificate::require && tls.client_ca.empty()) {
    element.complain("client-certificate",
                     "client-certificate=\"require\" needs client-ca=\"...\" in <tls>: without it "
                     "no certificate can verify");
  }
}

// read_clients reads the policy for a network. What it does not say is as in <tls>.
void Reader::read_clients(pugi::xml_node node) {
  Element element(file_, node);
  TlsConfig& tls = config_.tls;
  ClientNetwork clients;
  const std::string text = element.required("network");
  const auto parsed = text.empty() ? std::nullopt : network(element, text);
  const auto level = static_cast<std::size_t>(tls.receiving.level);
  const auto certificate = static_cast<std::size_t>(tls.receiving.certificate);
  clients.policy.level =
      static_cast<ServerLevel>(element.choice("server-level", kServerLevels, level));
  clients.policy.certificate = static_cast<ClientCertificate>(
      element.choice("client-certificate", kClientCertificates, certificate));
  check_receiving(element, clients.policy);
  element.done();
  if (!parsed) return;
  clients.network = *parsed;
  for (const auto& other : tls.client_networks) {
    if (other.network.to_string() != parsed->to_string()) continue;
    element.complain("network", fmt::format("found a second <clients> for {}; allowed: one, so "
                                            "that it is clear which policy holds",
                                            parsed->to_string()));
    return;
  }
  tls.client_networks.push_back(clients);
}

void Reader::check_tls(Element& element) {
  const TlsConfig& tls = config_.tls;
  check_receiving(element, tls.receiving);
  if (tls.client_level == ClientLevel::verify && tls.next_hop_ca.empty()) {
    element.complain("client-level",
                     "client-level=\"verify\" needs next-hop-ca=\"...\": without it no "
                     "certificate can verify");
  }
  if (tls.sending_certificate.empty() != tls.sending_key.empty()) {
    element.complain({}, "sending-certificate and sending-key go together: only one is set");
  }
}

void Reader::read_tls(pugi::xml_node node) {
  Element element(file_, node);
  TlsConfig& tls = config_.tls;
  tls.receiving.level = static_cast<ServerLevel>(element.choice("server-level", kServerLevels, 1));
  tls.receiving.certificate =
      static_cast<ClientCertificate>(element.choice("client-certificate", kClientCertificates, 0));
  tls.client_level = static_cast<ClientLevel>(element.choice("client-level", kClientLevels, 1));
  if (element.text("clear-fallback-delay") == "never") {
    tls.clear_fallback_delay.reset();
  } else {
    tls.clear_fallback_delay =
        element.duration("clear-fallback-delay", *tls.clear_fallback_delay, {}, "never");
  }
  const auto file = [&](const char* name) {
    if (element.has(name)) tls.places.emplace(name, element.place(name));
    return path(element.text(name));
  };
  tls.certificate = file("certificate");
  tls.key = file("key");
  tls.client_ca = file("client-ca");
  tls.client_crl = file("client-crl");
  tls.next_hop_ca = file("next-hop-ca");
  tls.next_hop_crl = file("next-hop-crl");
  tls.sending_certificate = file("sending-certificate");
  tls.sending_key = file("sending-key");
  check_tls(element);
  element.done({"clients"});
  for (const auto& clients : node.children("clients")) read_clients(clients);
}

void Reader::read_relay(pugi::xml_node node) {
  Element element(file_, node);
  const std::string domain = element.text("domain");
  const std::string clients = element.text("network");
  if (domain.empty() == clients.empty()) {
    element.complain({}, "<relay> needs either domain=\"...\" or network=\"...\"");
  } else if (!domain.empty()) {
    const bool below = domain.front() == '.';
    if (is_host_name(below ? domain.substr(1) : domain)) {
      config_.relay_domains.push_back(lower_case(domain));
    } else {
      element.complain("domain",
                       fmt::format("found domain=\"{}\" in <relay>; allowed: a domain, or "
                                   "\".\" and a domain for all below it",
                                   shown(domain)));
    }
  } else if (const auto parsed = network(element, clients)) {
    config_.relay_networks.push_back(*parsed);
  }
  element.done();
}

// read_route_level reads the level of a selected next hop (RFC 3207 section 6): it stands instead
// of the one of <tls>, which was read before.
void Reader::read_route_level(Element& element, NextHop& hop) {
  const auto general = static_cast<std::size_t>(config_.tls.client_level);
  hop.level = static_cast<ClientLevel>(element.choice("client-level", kClientLevels, general));
  if (!element.has("client-level")) return;
  if (!hop.folder.empty()) {
    element.complain("client-level",
                     "a route with folder=\"...\" has no client-level: nothing is sent");
  }
  if (hop.level == ClientLevel::verify && config_.tls.next_hop_ca.empty()) {
    element.complain("client-level",
                     "client-level=\"verify\" needs next-hop-ca=\"...\" in <tls>: without it no "
                     "certificate can verify");
  }
}

void Reader::read_route(pugi::xml_node node) {
  Element element(file_, node);
  Route route;
  route.domain = lower_case(element.required("domain"));
  if (!route.domain.empty() && route.domain != "*" && !is_host_name(route.domain)) {
    element.complain("domain",
                     fmt::format("found domain=\"{}\" in <route>; allowed: a domain, or * for "
                                 "all that have no route of their own",
                                 shown(route.domain)));
  }
  route.hop.folder = path(element.text("folder"));
  if (route.hop.folder.empty()) {
    route.hop.address = address(element, element.required("address"));
  } else if (element.has("address") || element.has("host") || element.has("port")) {
    element.complain("folder", "a route has either folder=\"...\" or host, address and port");
  }
  route.hop.host = lower_case(element.text("host", route.hop.address));
  if (!route.hop.host.empty() && route.hop.host.back() == '.') route.hop.host.pop_back();
  if (element.has("host")) route.hop.host = host_name(element, "host", route.hop.host);
  route.hop.port = port(element, 25, 1);
  read_route_level(element, route.hop);
  element.done();
  config_.routes.push_back(std::move(route));
}

void Reader::read_retry(pugi::xml_node node) {
  Element element(file_, node);
  std::string_view rest;
  const std::string schedule = element.text("schedule");
  std::vector<Duration> delays;
  for (rest = schedule; !rest.empty();) {
    const auto begin = std::min(rest.find_first_not_of(' '), rest.size());
    rest.remove_prefix(begin);
    const auto end = std::min(rest.find(' '), rest.size());
    if (end == 0) break;
    const auto delay = parse_duration(rest.substr(0, end));
    if (!delay || *delay < std::chrono::milliseconds(1)) {
      element.complain("schedule", fmt::format("found \"{}\" in schedule; allowed: delays of at "
                                               "least 1ms with ms, s, m, h or d",
                                               rest.substr(0, end)));
    } else {
      delays.push_back(*delay);
    }
    rest.remove_prefix(end);
  }
  if (element.has("schedule") && schedule.find_first_not_of(' ') == std::string::npos) {
    element.complain("schedule", "schedule is empty; allowed: delays such as \"5m 10m 1h\"");
  }
  if (!delays.empty()) config_.retry_schedule = std::move(delays);
  config_.lifetime = element.duration("lifetime", config_.lifetime);
  element.done();
}

void Reader::read_times(Element& element) {
  constexpr Duration kLeast = std::chrono::milliseconds(1);
  constexpr Duration kLongestTicket = std::chrono::hours(7 * 24);  // RFC 8446 section 4.6.1
  Limits& limits = config_.limits;
  limits.command_time = element.duration("command-time", limits.command_time, kLeast);
  limits.data_time = element.duration("data-time", limits.data_time, kLeast);
  limits.tls_time = element.duration("tls-time", limits.tls_time, kLeast);
  limits.ticket_time = element.duration("ticket-time", limits.ticket_time);
  if (limits.ticket_time > kLongestTicket) {
    element.complain("ticket-time", fmt::format("found ticket-time=\"{}\"; allowed: 7d at the most",
                                                element.text("ticket-time")));
  }
  limits.without_tls_time = element.duration("without-tls-time", limits.without_tls_time, kLeast);
  limits.drain_time = element.duration("drain-time", limits.drain_time);
  limits.connect_time = element.duration("connect-time", limits.connect_time, kLeast);
  limits.greeting_time = element.duration("greeting-time", limits.greeting_time, kLeast);
  limits.reply_time = element.duration("reply-time", limits.reply_time, kLeast);
  limits.send_time = element.duration("send-time", limits.send_time, kLeast);
  limits.end_of_data_time = element.duration("end-of-data-time", limits.end_of_data_time, kLeast);
  limits.quit_time = element.duration("quit-time", limits.quit_time);
  limits.shutdown_time = element.duration("shutdown-time", limits.shutdown_time);
}

void Reader::read_limits(pugi::xml_node node) {
  constexpr std::uint64_t kMany = 1'000'000'000;
  // Below these not even a header passes.
  constexpr std::uint64_t kLeastLine = 78;
  constexpr std::uint64_t kLeastMessage = 256;
  Element element(file_, node);
  Limits& limits = config_.limits;
  limits.command_line = element.number("command-line", limits.command_line, 64, 65536);
  limits.text_line = element.size("text-line", limits.text_line, kLeastLine);
  limits.message = element.size("message", limits.message, kLeastMessage);
  limits.recipients = element.number("recipients", limits.recipients, 1, kMany);
  limits.connections = element.number("connections", limits.connections, 1, kMany);
  limits.connections_per_address =
      element.number("connections-per-address", limits.connections_per_address, 1, kMany);
  limits.bad_commands = element.number("bad-commands", limits.bad_commands, 1, kMany);
  limits.rejections = element.number("rejections", limits.rejections, 1, kMany);
  limits.commands_without_tls =
      element.number("commands-without-tls", limits.commands_without_tls, 1, kMany);
  limits.received_headers = element.number("received-headers", limits.received_headers, 1, kMany);
  limits.own_received_headers =
      element.number("own-received-headers", limits.own_received_headers, 1, kMany);
  limits.memory = element.size("memory", limits.memory);
  limits.large_message = element.size("large-message", limits.large_message);
  limits.deliveries = element.number("deliveries", limits.deliveries, 1, kMany);
  limits.deliveries_per_next_hop =
      element.number("deliveries-per-next-hop", limits.deliveries_per_next_hop, 1, kMany);
  limits.messages_per_connection =
      element.number("messages-per-connection", limits.messages_per_connection, 1, kMany);
  read_times(element);
  element.done();
}

void Reader::read_web(pugi::xml_node node) {
  Element element(file_, node);
  WebConfig web;
  web.address = address(element, element.text("address", web.address));
  web.port = port(element, web.port, 0);
  web.password = element.text("password");
  if (!element.has("password")) {
    element.complain({},
                     "<web> has no password=\"...\", which it needs; allowed: what postern-gateway "
                     "--hash-password prints");
  } else if (const auto error = password_hash_error(web.password); !error.empty()) {
    element.complain("password", error);
  }
  element.done();
  config_.web = std::move(web);
}

Config Reader::read() {
  const pugi::xml_node root = file_.root();
  if (std::string_view(root.name()) != "gateway") {
    file_.complain(root, {}, fmt::format("found <{}>; allowed: <gateway>", root.name()));
    file_.raise();
  }
  using std::chrono::minutes;
  config_.retry_schedule = {minutes(5), minutes(10), minutes(20), minutes(40), minutes(60)};
  Element element(file_, root);
  config_.name = element.required("name");
  if (!config_.name.empty()) config_.name = host_name(element, "name", config_.name);
  config_.data = path(element.required("data"));
  element.done({"listen", "tls", "relay", "route", "retry", "limits", "journal", "web"});
  for (const auto& node : root.children("listen")) read_listen(node);
  for (const auto& node : root.children("relay")) read_relay(node);
  for (const char* once : {"tls", "retry", "limits", "journal", "web"}) {
    if (const auto second = root.child(once).next_sibling(once)) {
      file_.complain(second, {}, fmt::format("found a second <{}>; allowed: one", once));
    }
  }
  if (root.child("tls")) {
    read_tls(root.child("tls"));
  } else {
    Element defaults(file_, root);
    check_tls(defaults);
  }
  for (const auto& node : root.children("route")) read_route(node);
  if (root.child("retry")) read_retry(root.child("retry"));
  if (root.child("limits")) read_limits(root.child("limits"));
  if (root.child("journal")) {
    Element journal(file_, root.child("journal"));
    config_.journal = path(journal.text("file"));
    if (journal.has("file") && config_.journal.empty()) {
      journal.complain("file", "found file=\"\"; allowed: a file, or none: then it goes to stdout");
    }
    journal.done();
  }
  if (root.child("web")) read_web(root.child("web"));
  if (config_.listen.empty()) file_.complain(root, {}, "<gateway> has no <listen .../>");
  file_.raise();
  config_.text = file_.text();
  return std::move(config_);
}

}  // namespace

bool Config::uses_tls() const {
  const bool routed = std::any_of(routes.begin(), routes.end(), [](const Route& route) {
    return route.hop.folder.empty() && route.hop.level != ClientLevel::none;
  });
  return routed || tls.client_level != ClientLevel::none;
}

std::string_view word_of(ServerLevel level) {
  return kServerLevels[static_cast<std::size_t>(level)];
}

std::string_view word_of(ClientCertificate certificate) {
  return kClientCertificates[static_cast<std::size_t>(certificate)];
}

bool is_loopback(std::string_view address) {
  const auto parsed = IpAddress::parse(address);
  return parsed && (parsed->is_v4() ? parsed->octets()[0] == 127 : parsed->to_string() == "::1");
}

std::optional<std::size_t> TlsConfig::network_of(const IpAddress& client) const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < client_networks.size(); ++i) {
    const Network& network = client_networks[i].network;
    if (!network.contains(client)) continue;
    if (!best || network.prefix > client_networks[*best].network.prefix) best = i;
  }
  return best;
}

ReceivingPolicy TlsConfig::receiving_policy(const IpAddress& client) const {
  const auto network = network_of(client);
  return network ? client_networks[*network].policy : receiving;
}

bool Config::relays_domain(std::string_view domain) const {
  for (const auto& allowed : relay_domains) {
    if (allowed == domain) return true;
    if (allowed.front() == '.' && domain.size() > allowed.size() &&
        domain.substr(domain.size() - allowed.size()) == allowed) {
      return true;
    }
  }
  return false;
}

bool Config::relays_client(const IpAddress& client) const {
  return std::any_of(relay_networks.begin(), relay_networks.end(),
                     [&](const Network& network) { return network.contains(client); });
}

std::vector<NextHop> Config::next_hops(std::string_view domain) const {
  std::vector<NextHop> hops;
  for (const auto& route : routes) {
    if (route.domain == domain) hops.push_back(route.hop);
  }
  if (hops.empty() && domain != "*") return next_hops("*");
  return hops;
}

Duration Config::retry_delay(unsigned attempt) const {
  const std::size_t index = attempt == 0 ? 0 : attempt - 1;
  return retry_schedule[std::min(index, retry_schedule.size() - 1)];
}

Config load_config(const std::string& path) {
  return Reader(path).read();
}

Config read_config(const std::string& path, std::string text) {
  return Reader(path, std::move(text)).read();
}

}  // namespace gateway
