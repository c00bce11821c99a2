#include "peers/tls_engine.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace postern {
namespace {

int protocol(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return TLS1_VERSION;
    case TlsVersion::k11:
      return TLS1_1_VERSION;
    case TlsVersion::k12:
      return TLS1_2_VERSION;
    case TlsVersion::k13:
      return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

std::string last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(ERR_GET_REASON(code));
}

void check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL: ") + what + ": " + last_error());
}

// alert_name gives the words of RFC 8446 §6; OpenSSL 3.0 does not know the newer ones.
std::string alert_name(int value) {
  if (value == 116) return "certificate required";
  const std::string name = SSL_alert_desc_string_long(value);
  return name == "unknown" ? "alert " + std::to_string(value) : name;
}

int accept_any_certificate(int /*preverified*/, X509_STORE_CTX* /*context*/) {
  return 1;
}

void show(SSL_CTX* context, const certs::Identity& identity) {
  check(SSL_CTX_use_certificate(context, identity.chain.front().get()) == 1, "certificate");
  check(SSL_CTX_use_PrivateKey(context, identity.key.get()) == 1, "private key");
  for (std::size_t i = 1; i < identity.chain.size(); ++i)
    check(SSL_CTX_add1_chain_cert(context, identity.chain[i].get()) == 1, "chain certificate");
}

void believe(SSL_CTX* context, const certs::Trust& trust) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const auto& anchor : trust.anchors)
    check(X509_STORE_add_cert(store, anchor.get()) == 1, "trust anchor");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

}  // namespace

const char* tls_version_text(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return "1.0";
    case TlsVersion::k11:
      return "1.1";
    case TlsVersion::k12:
      return "1.2";
    case TlsVersion::k13:
      return "1.3";
  }
  return "?";
}

bool TlsWish::operator<(const TlsWish& other) const {
  return std::tie(role, identity, trust, versions, asks) <
         std::tie(other.role, other.identity, other.trust, other.versions, other.asks);
}

SSL_CTX* TlsContexts::context(const TlsWish& wish) {
  auto& kept = contexts_[wish];
  if (kept) return kept.get();
  const bool client = wish.role == Role::kClient;
  std::unique_ptr<SSL_CTX, Free> made(
      SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()));
  check(made != nullptr, "context");
  SSL_CTX* context = made.get();
  SSL_CTX_set_security_level(context, 0);
  const auto [low, high] = std::minmax_element(wish.versions.begin(), wish.versions.end());
  if (low != wish.versions.end()) {
    check(SSL_CTX_set_min_proto_version(context, protocol(*low)) == 1, "lowest version");
    check(SSL_CTX_set_max_proto_version(context, protocol(*high)) == 1, "highest version");
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  // A client's certificate is put in when it is asked for (TlsEngine::on_certificate_request),
  // which is how the asking is seen.
  if (wish.identity != nullptr) show(context, *wish.identity);
  if (client && wish.trust != nullptr) believe(context, *wish.trust);
  if (!client && wish.asks != Asks::kNo)
    SSL_CTX_set_verify(
        context,
        SSL_VERIFY_PEER | (wish.asks == Asks::kRequire ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        &accept_any_certificate);
  kept = std::move(made);
  return kept.get();
}

TlsEngine::TlsEngine(SSL_CTX* context, Role role) : ssl_(SSL_new(context)) {
  check(ssl_ != nullptr, "connection");
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  check(in_ != nullptr && out_ != nullptr, "memory BIO");
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_info_callback(ssl_.get(), &on_info);
  if (role == Role::kClient) {
    SSL_set_cert_cb(ssl_.get(), &on_certificate_request, this);
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

int TlsEngine::on_certificate_request(SSL* /*ssl*/, void* self) {
  static_cast<TlsEngine*>(self)->asked_ = true;
  return 1;
}

void TlsEngine::on_info(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  auto* self = static_cast<TlsEngine*>(SSL_get_app_data(ssl));
  const std::string name = alert_name(value & 0xff);
  if ((value & 0xff) == SSL_AD_CLOSE_NOTIFY) return;
  ((where & SSL_CB_READ) != 0 ? self->alert_received_ : self->alert_sent_) = name;
}

void TlsEngine::feed(std::string_view bytes) {
  if (!bytes.empty()) BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
}

std::string TlsEngine::take_output() {
  std::string out;
  const auto pending = BIO_ctrl_pending(out_);
  if (pending == 0) return out;
  out.resize(pending);
  const int got = BIO_read(out_, out.data(), static_cast<int>(pending));
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

std::string TlsEngine::take_unread() {
  std::string rest(BIO_ctrl_pending(in_), '\0');
  if (!rest.empty()) BIO_read(in_, rest.data(), static_cast<int>(rest.size()));
  return rest;
}

TlsEngine::Step TlsEngine::failed(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Step::kWantRead;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kCloseNotify;
    default:
      error_ = last_error();
      return Step::kFailed;
  }
}

TlsEngine::Step TlsEngine::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? Step::kDone : failed(result);
}

TlsEngine::Step TlsEngine::read(std::string& into) {
  char buffer[4096];
  bool some = false;
  for (;;) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), buffer, sizeof buffer);
    if (got <= 0) return some ? Step::kDone : failed(got);
    into.append(buffer, static_cast<std::size_t>(got));
    some = true;
  }
}

bool TlsEngine::write(std::string_view bytes) {
  if (bytes.empty()) return true;
  ERR_clear_error();
  const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (result > 0) return true;
  error_ = last_error();
  return false;
}

void TlsEngine::close_notify() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsEngine::version() const {
  switch (SSL_version(ssl_.get())) {
    case TLS1_3_VERSION:
      return "1.3";
    case TLS1_2_VERSION:
      return "1.2";
    case TLS1_1_VERSION:
      return "1.1";
    case TLS1_VERSION:
      return "1.0";
    default:
      return SSL_get_version(ssl_.get());
  }
}

std::string TlsEngine::cipher() const {
  const char* name = SSL_get_cipher_name(ssl_.get());
  return name != nullptr ? name : "";
}

bool TlsEngine::shown() const {
  if (SSL_is_server(ssl_.get()) == 1) return SSL_get0_peer_certificate(ssl_.get()) != nullptr;
  return asked_ && SSL_get_certificate(ssl_.get()) != nullptr;
}

bool TlsEngine::agreed() const {
  return SSL_get_pending_cipher(ssl_.get()) != nullptr;
}

}  // namespace postern
