#include "peers/tls_engine.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "catalogue/tls_suites.hpp"
#include "peers/tls_records.hpp"

namespace postern {
namespace {

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

// alert_text gives the words of RFC 8446 §6; OpenSSL 3.0 does not know the newer ones.
std::string alert_text(int value) {
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

std::string joined(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ":") + word;
  return list;
}

// alpn_list writes protocols as RFC 7301 §3.1 does: each with its length before it.
std::string alpn_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols)
    list += static_cast<char>(protocol.size()) + protocol;
  return list;
}

// A session made up from nothing: its key is one that the gateway cannot know.
constexpr unsigned char kMadeUpTicket[] = "a ticket that nobody gave";
constexpr unsigned char kMadeUpKey[32] = {1};
constexpr std::uint32_t kEarlyData = 16384;

int make_session_up(SSL* ssl, const EVP_MD* /*digest*/, const unsigned char** id, std::size_t* size,
                    SSL_SESSION** session) {
  constexpr unsigned char kAes128[] = {0x13, 0x01};  // TLS_AES_128_GCM_SHA256
  SSL_SESSION* made = SSL_SESSION_new();
  const bool whole = made != nullptr &&
                     SSL_SESSION_set1_master_key(made, kMadeUpKey, sizeof kMadeUpKey) == 1 &&
                     SSL_SESSION_set_cipher(made, SSL_CIPHER_find(ssl, kAes128)) == 1 &&
                     SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION) == 1 &&
                     SSL_SESSION_set_max_early_data(made, kEarlyData) == 1;
  if (!whole) {
    SSL_SESSION_free(made);
    return 0;
  }
  *id = kMadeUpTicket;
  *size = sizeof kMadeUpTicket - 1;
  *session = made;
  return 1;
}

TlsSession copy_of(const SSL_SESSION* session) {
  return {SSL_SESSION_dup(session), &SSL_SESSION_free};
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
  const auto all = [](const TlsWish& wish) {
    return std::tie(wish.role, wish.identity, wish.trust, wish.versions, wish.asks, wish.ciphers,
                    wish.groups, wish.alpn, wish.tickets);
  };
  return all(*this) < all(other);
}

SSL_CTX* TlsContexts::context(const TlsWish& wish) {
  const auto kept = contexts_.find(wish);
  if (kept != contexts_.end()) return kept->second.get();
  const bool client = wish.role == Role::kClient;
  std::unique_ptr<SSL_CTX, Free> made(
      SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()));
  check(made != nullptr, "context");
  const auto place = contexts_.emplace(wish, std::move(made)).first;
  try {
    settle(place->second.get(), place->first);
  } catch (...) {
    contexts_.erase(place);
    throw;
  }
  return place->second.get();
}

// settle has `context` do what is wished for; the wish lives as long as the context.
void TlsContexts::settle(SSL_CTX* context, const TlsWish& wish) {
  const bool client = wish.role == Role::kClient;
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);  // A peer sends the chain it was given.
  check(use_versions(context, wish.versions), "versions");
  check(use_ciphers(context, wish.ciphers), "ciphers");
  if (!wish.groups.empty()) {
    // SSL_CTX_set1_groups_list, without the cast of its macro.
    std::string groups = joined(wish.groups);
    check(SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, groups.data()) == 1, "groups");
  }
  if (!client) {
    // Anonymous and plain Diffie-Hellman suites need parameters.
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_alpn_select_cb(context, &TlsEngine::on_alpn, const_cast<TlsWish*>(&wish));
  } else if (!wish.alpn.empty()) {
    const std::string list = alpn_list(wish.alpn);
    check(SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                                  static_cast<unsigned>(list.size())) == 0,
          "application protocols");
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (wish.tickets) {
    give_tickets(context, wish);
  } else {
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  }
  // A client's certificate is put in when it is asked for (TlsEngine::on_certificate_request),
  // which is how the asking is seen.
  if (wish.identity != nullptr) show(context, *wish.identity);
  if (client && wish.trust != nullptr) believe(context, *wish.trust);
  if (!client && wish.asks != Asks::kNo)
    SSL_CTX_set_verify(
        context,
        SSL_VERIFY_PEER | (wish.asks == Asks::kRequire ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        &accept_any_certificate);
}

// give_tickets: a client hands them to its engine, a server makes them with the keys of all here.
void TlsContexts::give_tickets(SSL_CTX* context, const TlsWish& wish) {
  if (wish.role == Role::kClient) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &TlsEngine::on_session);
    return;
  }
  if (ticket_keys_.empty()) {
    ticket_keys_.resize(
        static_cast<std::size_t>(SSL_CTX_get_tlsext_ticket_keys(context, nullptr, 0)));
    auto* keys = reinterpret_cast<unsigned char*>(ticket_keys_.data());
    check(RAND_bytes(keys, static_cast<int>(ticket_keys_.size())) == 1, "random bytes");
  }
  check(SSL_CTX_set_tlsext_ticket_keys(context, ticket_keys_.data(), ticket_keys_.size()) == 1,
        "ticket keys");
  constexpr unsigned char kPeers[] = "postern";
  check(SSL_CTX_set_session_id_context(context, kPeers, sizeof kPeers) == 1, "session context");
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

void TlsEngine::tell_secrets(std::string& into) {
  secrets_ = &into;
  // Contexts are shared: the connection says whose secret it is.
  SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(ssl_.get()), &on_secret);
}

void TlsEngine::on_secret(const SSL* ssl, const char* line) {
  std::string* into = static_cast<TlsEngine*>(SSL_get_app_data(ssl))->secrets_;
  if (into != nullptr) into->append(line).append("\n");
}

bool TlsEngine::prepare(const TlsManner& manner) {
  SSL* ssl = ssl_.get();
  tickets_ = manner.tickets;
  ERR_clear_error();
  bool done = true;
  if (!manner.sni.empty()) {
    // SSL_set_tlsext_host_name, without the old-style cast of its macro.
    std::string name = manner.sni;
    done = SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
  }
  if (done && manner.session) {
    // A copy: OpenSSL forbids a session whose connection ended badly to be resumed.
    const TlsSession session = copy_of(manner.session.get());
    if (!manner.early.empty()) SSL_SESSION_set_max_early_data(session.get(), kEarlyData);
    done = SSL_set_session(ssl, session.get()) == 1;
  }
  if (manner.made_up) SSL_set_psk_use_session_callback(ssl, &make_session_up);
  if (done && !manner.early.empty()) {
    std::size_t written = 0;
    done = SSL_write_early_data(ssl, manner.early.data(), manner.early.size(), &written) == 1;
  }
  if (!done) error_ = last_error();
  return done;
}

// on_session keeps a copy: what becomes of this connection is nothing to the ticket.
int TlsEngine::on_session(SSL* ssl, SSL_SESSION* session) {
  const auto* self = static_cast<TlsEngine*>(SSL_get_app_data(ssl));
  if (self->tickets_ != nullptr && SSL_SESSION_is_resumable(session) == 1)
    *self->tickets_ = copy_of(session);
  return 0;
}

int TlsEngine::on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                       const unsigned char* offered, unsigned int length, void* wish) {
  auto* self = static_cast<TlsEngine*>(SSL_get_app_data(ssl));
  const std::string_view all(reinterpret_cast<const char*>(offered), length);
  self->alpn_offered_.clear();
  for (std::size_t at = 0; at < all.size(); at += 1U + static_cast<unsigned char>(all[at])) {
    if (at > 0) self->alpn_offered_ += ' ';
    self->alpn_offered_ += all.substr(at + 1, static_cast<unsigned char>(all[at]));
  }
  const std::string own = alpn_list(static_cast<const TlsWish*>(wish)->alpn);
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(own.data()),
                            static_cast<unsigned>(own.size()), offered, length);
  if (own.empty() || result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  // `found` may stand in `own`: the same protocol stands in what was offered, which lives on.
  const std::string protocol(reinterpret_cast<const char*>(found), *size);
  *chosen = offered + all.find(static_cast<char>(*size) + protocol) + 1;
  return SSL_TLSEXT_ERR_OK;
}

int TlsEngine::on_certificate_request(SSL* /*ssl*/, void* self) {
  static_cast<TlsEngine*>(self)->asked_ = true;
  return 1;
}

void TlsEngine::on_info(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  auto* self = static_cast<TlsEngine*>(SSL_get_app_data(ssl));
  const std::string name = alert_text(value & 0xff);
  if ((value & 0xff) == SSL_AD_CLOSE_NOTIFY) return;
  const bool received = (where & SSL_CB_READ) != 0;
  (received ? self->alert_received_ : self->alert_sent_) = name;
  if (received) self->alert_number_ = value & 0xff;
}

void TlsEngine::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  forget_whole_records();
  fed_ += bytes;
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
}

// forget_whole_records keeps of what was fed only what TLS has not read, and the beginning of the
// record that it stands in.
void TlsEngine::forget_whole_records() {
  const std::size_t read = fed_.size() - BIO_ctrl_pending(in_);
  std::size_t whole = 0;
  for (std::size_t size = whole_record(std::string_view(fed_).substr(whole));
       size != 0 && whole + size <= read; size = whole_record(std::string_view(fed_).substr(whole)))
    whole += size;
  fed_.erase(0, whole);
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
  forget_whole_records();
  BIO_reset(in_);
  return std::exchange(fed_, {});
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

bool TlsEngine::renegotiate() {
  ERR_clear_error();
  if (SSL_renegotiate(ssl_.get()) == 1) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1 || failed(result) == Step::kWantRead) return true;
  }
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

std::string TlsEngine::group() const {
  SSL* ssl = ssl_.get();
  const auto id = static_cast<int>(SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, nullptr));
  const char* name = id == 0 ? nullptr : SSL_group_to_name(ssl, id);
  return name != nullptr ? name : "";
}

std::string TlsEngine::sni() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

std::string TlsEngine::alpn() const {
  if (SSL_is_server(ssl_.get()) == 1) return alpn_offered_;
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return length == 0 ? "" : std::string(reinterpret_cast<const char*>(name), length);
}

bool TlsEngine::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

bool TlsEngine::extended_master_secret() const {
  return SSL_ctrl(ssl_.get(), SSL_CTRL_GET_EXTMS_SUPPORT, 0, nullptr) == 1;
}

bool TlsEngine::early_accepted() const {
  return SSL_get_early_data_status(ssl_.get()) == SSL_EARLY_DATA_ACCEPTED;
}

std::string TlsEngine::finished() const {
  char bytes[EVP_MAX_MD_SIZE];
  const std::size_t size = SSL_get_peer_finished(ssl_.get(), bytes, sizeof bytes);
  return {bytes, std::min(size, sizeof bytes)};
}

bool TlsEngine::shown() const {
  if (SSL_is_server(ssl_.get()) == 1) return SSL_get0_peer_certificate(ssl_.get()) != nullptr;
  return asked_ && SSL_get_certificate(ssl_.get()) != nullptr;
}

bool TlsEngine::agreed() const {
  return SSL_get_pending_cipher(ssl_.get()) != nullptr;
}

}  // namespace postern
