#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "authority.hpp"

// handshake_floor: what a bare handshake costs on this machine, by kind. Both ends stand in one
// thread, joined by a BIO pair: no socket, no SMTP, no second process. The chain and the name are
// verified, and so is the client's certificate where there is one. The identities are those that
// the peers of the matrix show. No run that does these handshakes can cost less than this.

namespace postern {
namespace {

constexpr int kRounds = 7;  // The median of these is told.

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Free>;
using SslPtr = std::unique_ptr<SSL, Free>;

void check(bool ok, const char* what) {
  if (ok) return;
  const char* reason = ERR_reason_error_string(ERR_get_error());
  throw std::runtime_error(fmt::format("OpenSSL: {}: {}", what, reason != nullptr ? reason : "?"));
}

/// Kind is one kind of handshake, with the name under which a run counts it.
struct Kind {
  const char* counter;
  int version;
  bool client_certificate;
  const char* server = "server-good";
  int client_version = version;  ///< Another one fails at the ClientHello.
};

constexpr std::array<Kind, 6> kKinds = {{
    {"handshakes-tls1.2", TLS1_2_VERSION, false},
    {"handshakes-tls1.3", TLS1_3_VERSION, false},
    {"handshakes-tls1.2-client-certificate", TLS1_2_VERSION, true},
    {"handshakes-tls1.3-client-certificate", TLS1_3_VERSION, true},
    // What fails in a run fails in many ways. The cheapest stands for all: no common version where
    // none was settled, a refused certificate where one was.
    {"handshakes-failed", TLS1_3_VERSION, false, "server-untrusted"},
    {"handshakes-failed-at-hello", TLS1_3_VERSION, false, "server-good", TLS1_2_VERSION},
}};

double cpu_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

ContextPtr context(const SSL_METHOD* method, int version, const certs::Authority& authority) {
  ContextPtr made(SSL_CTX_new(method));
  check(made != nullptr, "context");
  check(SSL_CTX_set_min_proto_version(made.get(), version) == 1, "lowest version");
  check(SSL_CTX_set_max_proto_version(made.get(), version) == 1, "highest version");
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(made.get(), 0);
  SSL_CTX_set_options(made.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(made.get(), SSL_MODE_NO_AUTO_CHAIN);
  X509_STORE* store = SSL_CTX_get_cert_store(made.get());
  for (const auto& anchor : authority.trust("root")->anchors)
    check(X509_STORE_add_cert(store, anchor.get()) == 1, "trust anchor");
  return made;
}

void show(SSL_CTX* context, const certs::Authority& authority, const char* name) {
  const certs::Identity* identity = authority.identity(name);
  if (identity == nullptr)
    throw std::runtime_error(fmt::format("authority.xml has no certificate \"{}\"", name));
  check(SSL_CTX_use_certificate(context, identity->chain.front().get()) == 1, "certificate");
  check(SSL_CTX_use_PrivateKey(context, identity->key.get()) == 1, "private key");
}

/// Bench does handshakes of one kind.
class Bench {
 public:
  Bench(const Kind& kind, const certs::Authority& authority)
      : expected_(std::string(kind.server) == "server-good" && kind.client_version == kind.version),
        client_(context(TLS_client_method(), kind.client_version, authority)),
        server_(context(TLS_server_method(), kind.version, authority)) {
    SSL_CTX_set_verify(client_.get(), SSL_VERIFY_PEER, nullptr);
    show(server_.get(), authority, kind.server);
    if (!kind.client_certificate) return;
    show(client_.get(), authority, "client-good");
    SSL_CTX_set_verify(server_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

  /// handshake does one. Throws std::runtime_error if it ends otherwise than its kind has to.
  void handshake() {
    SslPtr client(SSL_new(client_.get()));
    SslPtr server(SSL_new(server_.get()));
    check(client != nullptr && server != nullptr, "connection");
    BIO* near = nullptr;
    BIO* far = nullptr;
    check(BIO_new_bio_pair(&near, 0, &far, 0) == 1, "BIO pair");
    SSL_set_bio(client.get(), near, near);
    SSL_set_bio(server.get(), far, far);
    check(SSL_set1_host(client.get(), "mx.postern.test") == 1, "host name");
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    const bool done = run(client.get(), server.get());
    ERR_clear_error();
    if (done != expected_)
      throw std::runtime_error(done ? "a handshake that has to fail did not"
                                    : "a handshake that has to succeed failed");
  }

 private:
  // run lets both ends go on in turns until both are through (true) or one has failed.
  static bool run(SSL* client, SSL* server) {
    const auto step = [](SSL* ssl, bool& done) {
      const int result = SSL_do_handshake(ssl);
      done = result == 1;
      return done || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
    };
    bool client_done = false, server_done = false;
    while (!client_done || !server_done) {
      const bool client_well = step(client, client_done);
      const bool server_well = step(server, server_done);
      if (!client_well || !server_well) return false;
    }
    return true;
  }

  bool expected_;
  ContextPtr client_, server_;
};

// median_cost gives the CPU milliseconds of one handshake: the median over rounds, so that what
// else the machine does at the time counts little.
double median_cost(Bench& bench, int handshakes) {
  std::vector<double> costs;
  for (int i = 0; i < 20; ++i) bench.handshake();
  for (int round = 0; round < kRounds; ++round) {
    const double begin = cpu_milliseconds();
    for (int i = 0; i < handshakes; ++i) bench.handshake();
    costs.push_back((cpu_milliseconds() - begin) / handshakes);
  }
  std::nth_element(costs.begin(), costs.begin() + kRounds / 2, costs.end());
  return costs[kRounds / 2];
}

}  // namespace
}  // namespace postern

// handshake_floor AUTHORITY.XML [HANDSHAKES-A-ROUND]: prints one line a kind, its counter's name
// and the CPU milliseconds of one handshake, both ends together.
int main(int argc, char** argv) {
  const int handshakes = argc == 3 ? std::atoi(argv[2]) : 60;
  if (argc < 2 || argc > 3 || handshakes < 1) {
    fmt::print(stderr, "usage: handshake_floor AUTHORITY.XML [HANDSHAKES-A-ROUND]\n");
    return 2;
  }
  postern::Problems problems;
  const auto authority = postern::certs::Authority::load(argv[1], problems);
  if (!authority) {
    fmt::print(stderr, "{}", problems.text());
    return 2;
  }
  try {
    for (const auto& kind : postern::kKinds) {
      postern::Bench bench(kind, *authority);
      fmt::print("{} {:.4f}\n", kind.counter, postern::median_cost(bench, handshakes));
    }
  } catch (const std::exception& problem) {
    fmt::print(stderr, "handshake_floor: {}\n", problem.what());
    return 3;
  }
  return 0;
}
