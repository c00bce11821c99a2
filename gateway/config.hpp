// The configuration of the gateway as a model, and its reader. docs/gateway.md describes the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy.hpp"
#include "values.hpp"
#include "xml_file.hpp"

namespace gateway {

struct Listen {
  std::string address;
  std::uint16_t port = 0;
  bool operator==(const Listen&) const = default;
};

// ClientNetwork is a <clients> element: whoever comes from this network is received under this
// policy.
struct ClientNetwork {
  Network network;
  ReceivingPolicy policy;
};

// TlsConfig is the <tls> element. Paths are absolute or empty.
struct TlsConfig {
  // network_of is the most specific network that `client` belongs to: an index of client_networks;
  // nullopt where it belongs to none.
  std::optional<std::size_t> network_of(const IpAddress& client) const;

  // receiving_policy is what `client` is received under.
  ReceivingPolicy receiving_policy(const IpAddress& client) const;

  ReceivingPolicy receiving;                   // of clients that belong to no network below
  std::vector<ClientNetwork> client_networks;  // no two of the same network
  ClientLevel client_level = ClientLevel::attempt;
  std::optional<Duration> clear_fallback_delay = std::chrono::seconds(300);  // nullopt: never
  std::string certificate;
  std::string key;
  std::string client_ca;
  std::string client_crl;
  std::string next_hop_ca;
  std::string next_hop_crl;
  std::string sending_certificate;
  std::string sending_key;
  std::map<std::string, std::string> places;  // file:line:column of the attributes that name files
};

// NextHop is where the mail of a domain goes: a server, or a folder of this machine. `host` is the
// name to verify (OUT-4) and to send as SNI, `address` an IP literal to connect to.
// `level` governs every attempt there: that of its route, or else the one of <tls>.
struct NextHop {
  std::string host;
  std::string address;
  std::uint16_t port = 25;
  std::string folder;  // if set, the mail is written there instead and nothing else counts
  ClientLevel level = ClientLevel::attempt;
  bool operator==(const NextHop&) const = default;
};

struct Route {
  std::string domain;  // lower case; "*" is the default route
  NextHop hop;
};

struct Limits {
  std::uint64_t command_line = 512;  // octets with CRLF, RFC 5321 section 4.5.3.1.4
  std::uint64_t text_line = 65536;   // octets without CRLF
  std::uint64_t message = 50ULL * 1024 * 1024;
  std::uint64_t recipients = 1000;
  std::uint64_t connections = 2000;
  std::uint64_t connections_per_address = 500;
  std::uint64_t bad_commands = 20;
  std::uint64_t rejections = 100;
  std::uint64_t commands_without_tls = 20;
  std::uint64_t received_headers = 100;
  std::uint64_t own_received_headers = 4;        // those of this gateway among them
  std::uint64_t memory = 64ULL * 1024 * 1024;    // bodies held in memory, all together
  std::uint64_t large_message = 1024ULL * 1024;  // from here on a body goes to disk in chunks
  std::uint64_t deliveries = 500;                // attempts under way, all together
  std::uint64_t deliveries_per_next_hop = 100;
  std::uint64_t messages_per_connection = 100;      // to one next hop; 1: each has its own
  Duration command_time = std::chrono::minutes(5);  // waiting for a command
  Duration data_time = std::chrono::minutes(3);     // waiting for the next piece of data
  Duration tls_time = std::chrono::seconds(60);     // a handshake, either direction
  Duration ticket_time = std::chrono::hours(1);     // how long a TLS session may be resumed (IN-9)
  Duration without_tls_time = std::chrono::minutes(5);  // IN-3: a session without required TLS
  Duration drain_time = std::chrono::seconds(5);        // after our close, for the peer's
  Duration connect_time = std::chrono::seconds(30);
  Duration greeting_time = std::chrono::minutes(5);
  Duration reply_time = std::chrono::minutes(5);  // EHLO, STARTTLS, MAIL, RCPT, DATA
  Duration send_time = std::chrono::minutes(3);   // one piece of data to the next hop
  Duration end_of_data_time = std::chrono::minutes(10);
  Duration quit_time = std::chrono::seconds(5);
  Duration shutdown_time = std::chrono::seconds(3);
};

// WebConfig is the <web> element: where the settings page is served, and whom it lets in.
struct WebConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8025;
  std::string password;  // as hash_password makes it
  bool operator==(const WebConfig&) const = default;
};

struct Config {
  std::string name;  // of this gateway: greeting, EHLO, Received
  std::string data;  // folder of the queue
  std::vector<Listen> listen;
  TlsConfig tls;
  std::vector<std::string> relay_domains;  // lower case; ".x" means every domain below x
  std::vector<Network> relay_networks;
  std::vector<Route> routes;
  std::vector<Duration> retry_schedule;  // the last one repeats
  Duration lifetime = std::chrono::hours(24 * 5);
  Limits limits;
  std::string journal;  // a file, or empty: stdout
  std::optional<WebConfig> web;
  std::string text;  // of the file that all this was read from

  // uses_tls tells whether any next hop may be sent to over TLS.
  bool uses_tls() const;

  // relays_domain tells whether mail for `domain` is relayed for anyone.
  bool relays_domain(std::string_view domain) const;

  // relays_client tells whether mail from this client is relayed anywhere.
  bool relays_client(const IpAddress& client) const;

  // next_hops returns where mail for `domain` goes, in the order of the file; the default route
  // only where the domain has none of its own.
  std::vector<NextHop> next_hops(std::string_view domain) const;

  // retry_delay is the wait after attempt number `attempt` (from 1) failed.
  Duration retry_delay(unsigned attempt) const;
};

// word_of is the word for a setting, as in the configuration.
std::string_view word_of(ServerLevel level);
std::string_view word_of(ClientCertificate certificate);

// is_loopback tells whether only this machine can reach `address`.
bool is_loopback(std::string_view address);

// load_config reads and checks a file. It throws ConfigError with every complaint it has. Key
// material is not opened here: make_settings does that.
Config load_config(const std::string& path);

// read_config is load_config of a file with this text.
Config read_config(const std::string& path, std::string text);

}  // namespace gateway
