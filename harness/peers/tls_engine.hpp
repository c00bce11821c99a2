#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "authority.hpp"
#include "catalogue/peer.hpp"

// TLS without a socket: bytes in, bytes out. A conformance peer must see what a TLS stream class
// hides (alerts, a missing close_notify, bytes behind it) and choose what is written when.

namespace postern {

/// TlsWish is what a peer brings into a handshake.
struct TlsWish {
  Role role = Role::kClient;
  const certs::Identity* identity = nullptr;  ///< Shown; a server needs one.
  const certs::Trust* trust = nullptr;        ///< A client verifies against it; nullptr: does not.
  std::vector<TlsVersion> versions;
  Asks asks = Asks::kNo;
  std::string ciphers;                    ///< As use_ciphers reads it; empty: OpenSSL's default.
  std::vector<std::string> groups, alpn;  ///< Empty: OpenSSL's default; none.
  bool tickets = false;                   ///< Client: keeps them. Server: issues and accepts them.

  /// An order, so that contexts can be found by wish.
  bool operator<(const TlsWish& other) const;
};

using TlsSession = std::shared_ptr<SSL_SESSION>;

/// TlsManner is how one connection goes about a handshake, beside what its context says.
struct TlsManner {
  std::string sni;                  ///< Client: the host name asked for; empty: none.
  TlsSession session;               ///< Client: offered; nullptr: none.
  bool made_up = false;             ///< Client: offers a session that nobody gave.
  std::string early;                ///< Client: early data, whatever the session allows.
  std::size_t record_size = 0;      ///< Bytes a record; 0: as OpenSSL cuts them.
  std::vector<std::size_t> splits;  ///< Offsets at which the first flight is cut into writes.
  TlsSession* tickets = nullptr;    ///< Client: where tickets go, the last one stays. It outlives.
};

/// TlsContexts makes and keeps one OpenSSL context a wish. Sessions are kept nowhere; tickets are
/// given only where they are wished for, and then all contexts here accept each other's. The
/// security level is 0, so that a peer may be as weak as its scenario says. For one thread.
class TlsContexts {
 public:
  /// context throws std::runtime_error if OpenSSL refuses the wish (a harness error).
  SSL_CTX* context(const TlsWish& wish);

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  void settle(SSL_CTX* context, const TlsWish& wish);
  void give_tickets(SSL_CTX* context, const TlsWish& wish);

  std::map<TlsWish, std::unique_ptr<SSL_CTX, Free>> contexts_;
  std::string ticket_keys_;
};

/// TlsEngine is one TLS connection, fed and drained by its owner.
class TlsEngine {
 public:
  enum class Step { kWantRead, kDone, kFailed, kCloseNotify };

  TlsEngine(SSL_CTX* context, Role role);
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  /// prepare is called before the handshake. It returns false where OpenSSL cannot do it: error()
  /// says why.
  bool prepare(const TlsManner& manner);

  /// tell_secrets has the secrets of this connection appended to `into`, as the NSS key log format
  /// has them; `into` outlives the connection. To be called before the handshake.
  void tell_secrets(std::string& into);

  /// feed takes bytes from the wire; take_output gives what must be written to it.
  void feed(std::string_view bytes);
  std::string take_output();

  /// take_unread gives bytes that were fed and of which TLS has made nothing: what came behind
  /// close_notify, or, from its beginning, the record at which it failed before reading all of it.
  std::string take_unread();

  Step handshake();

  /// read appends decrypted bytes (kDone), or tells why there are none.
  Step read(std::string& into);

  /// write encrypts; false if the connection cannot carry data any more.
  bool write(std::string_view bytes);

  /// renegotiate asks for a second handshake; false where there can be none.
  bool renegotiate();

  /// close_notify queues the closing alert.
  void close_notify();

  std::string version() const;  ///< "1.3"
  std::string cipher() const;
  std::string group() const;  ///< Of the key exchange, as "x25519"; empty: none.
  std::string sni() const;    ///< Server: the host name that was asked for; empty: none.
  /// alpn gives what was chosen (client) or what was offered, joined by spaces (server).
  std::string alpn() const;
  bool resumed() const;
  bool extended_master_secret() const;
  bool early_accepted() const;
  /// finished gives the other side's Finished: another one says that there was another handshake.
  std::string finished() const;

  /// asked tells whether the other side requested a certificate of this client.
  bool asked() const { return asked_; }
  /// shown tells whether the client of this connection showed a certificate.
  bool shown() const;
  /// agreed tells whether version and cipher were settled, however the handshake ended.
  bool agreed() const;

  const std::string& error() const { return error_; }  ///< Why it failed, in OpenSSL's words.
  const std::string& alert_received() const { return alert_received_; }
  const std::string& alert_sent() const { return alert_sent_; }
  int alert_number() const { return alert_number_; }  ///< Of alert_received(); -1: none.

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  Step failed(int result);
  void forget_whole_records();
  static int on_certificate_request(SSL* ssl, void* self);
  static int on_session(SSL* ssl, SSL_SESSION* session);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                     const unsigned char* offered, unsigned int length, void* wish);
  friend class TlsContexts;
  static void on_info(const SSL* ssl, int where, int value);
  static void on_secret(const SSL* ssl, const char* line);

  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_ = nullptr;   ///< Owned by ssl_.
  BIO* out_ = nullptr;  ///< Owned by ssl_.
  std::string fed_;     ///< From the beginning of the record that TLS stands in.
  bool asked_ = false;
  std::string error_, alert_received_, alert_sent_, alpn_offered_;
  int alert_number_ = -1;
  TlsSession* tickets_ = nullptr;
  std::string* secrets_ = nullptr;
};

/// tls_version_text gives "1.0" … "1.3".
const char* tls_version_text(TlsVersion version);

}  // namespace postern
