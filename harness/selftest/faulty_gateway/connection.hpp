#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace faulty {

/// TlsContext is an OpenSSL context that this program owns.
struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeContext>;

/// Connection is one blocking TCP connection, in clear text first and then perhaps in TLS.
class Connection {
 public:
  /// Connection takes a connected socket over; -1: there is none, and every call fails.
  explicit Connection(int socket) : socket_(socket) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// connected gives the socket of a new connection, -1 if it was refused.
  static int connected(const std::string& address, unsigned short port);

  /// say writes all bytes; false if the connection has ended.
  bool say(std::string_view bytes);

  /// say_beside_tls writes to the socket itself, whether TLS was begun or not.
  bool say_beside_tls(std::string_view bytes);

  /// hear gives the next line without its end; false when the connection has ended.
  bool hear(std::string& line);

  /// reply gives the code of the next whole reply, 0 when the connection has ended; `text` gets
  /// its lines.
  int reply(std::string& text);

  /// ask says one command line and gives the code of its reply.
  int ask(const std::string& command);
  int ask(const std::string& command, std::string& text);

  /// start_tls does the handshake as a server, or as a client of `host` with the SNI given. What
  /// was read ahead in clear text is forgotten (RFC 3207 §4.2).
  bool start_tls_as_server(SSL_CTX* context);
  bool start_tls_as_client(SSL_CTX* context, const std::string& host, const std::string& sni);
  bool in_tls() const { return ssl_ != nullptr; }

  /// verified tells whether the certificate of the other side verified, demanded or not.
  bool verified() const { return SSL_get_verify_result(ssl_.get()) == X509_V_OK; }

  /// close_notify ends the sending side of TLS alone.
  void close_notify();

  /// close ends the sending side, reads what still comes and closes, so that nothing is reset.
  void close();

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  long receive(char* into, std::size_t size);
  bool make_ssl(SSL_CTX* context);

  int socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string ahead_;
};

}  // namespace faulty
