#include "connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace faulty {

Connection::~Connection() {
  ssl_.reset();
  if (socket_ >= 0) ::close(socket_);
}

int Connection::connected(const std::string& address, unsigned short port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  void* const generic = &where;
  if (::connect(socket, static_cast<sockaddr*>(generic), sizeof where) == 0) return socket;
  ::close(socket);
  return -1;
}

bool Connection::say(std::string_view bytes) {
  if (!ssl_) return say_beside_tls(bytes);
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool Connection::say_beside_tls(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

long Connection::receive(char* into, std::size_t size) {
  return ssl_ ? SSL_read(ssl_.get(), into, static_cast<int>(size)) : ::recv(socket_, into, size, 0);
}

bool Connection::hear(std::string& line) {
  for (std::size_t end = ahead_.find('\n');; end = ahead_.find('\n')) {
    if (end != std::string::npos) {
      line = ahead_.substr(0, end);
      ahead_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return true;
    }
    char piece[4096];
    const long got = receive(piece, sizeof piece);
    if (got <= 0) return false;
    ahead_.append(piece, static_cast<std::size_t>(got));
  }
}

int Connection::reply(std::string& text) {
  text.clear();
  std::string line;
  do {
    if (!hear(line)) return 0;
    text += line + "\n";
  } while (line.size() > 3 && line[3] == '-');
  return std::atoi(line.c_str());
}

int Connection::ask(const std::string& command, std::string& text) {
  return say(command + "\r\n") ? reply(text) : 0;
}

int Connection::ask(const std::string& command) {
  std::string unread;
  return ask(command, unread);
}

bool Connection::make_ssl(SSL_CTX* context) {
  ahead_.clear();
  ssl_.reset(SSL_new(context));
  return ssl_ && SSL_set_fd(ssl_.get(), socket_) == 1;
}

bool Connection::start_tls_as_server(SSL_CTX* context) {
  return make_ssl(context) && SSL_accept(ssl_.get()) == 1;
}

bool Connection::start_tls_as_client(SSL_CTX* context, const std::string& host,
                                     const std::string& sni) {
  if (!make_ssl(context)) return false;
  SSL_set_hostflags(ssl_.get(),
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  SSL_set1_host(ssl_.get(), host.c_str());
  // SSL_set_tlsext_host_name, without the old-style cast in its macro.
  std::string name = sni;
  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  return SSL_connect(ssl_.get()) == 1;
}

void Connection::close_notify() {
  SSL_shutdown(ssl_.get());
}

void Connection::close() {
  if (socket_ < 0) return;
  if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
  ::shutdown(socket_, SHUT_WR);
  char unread[4096];
  while (::recv(socket_, unread, sizeof unread, 0) > 0) continue;
  ssl_.reset();
  ::close(socket_);
  socket_ = -1;
}

}  // namespace faulty
