#include "process_fixture.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/process.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gateway::test {
namespace {

namespace bp = boost::process;
constexpr int kPatience = 20;  // seconds that a peer waits for the next octet

void set_patience(int descriptor) {
  const timeval limit{kPatience, 0};
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

sockaddr_in address_of(const std::string& ip, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  return address;
}

sockaddr_in6 address6_of(const std::string& ip, int port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET6, ip.c_str(), &address.sin6_addr);
  return address;
}

// connect6 connects from one address of IPv6 to ::1; false where that fails.
bool connect6(int descriptor, const std::string& from, int port) {
  const sockaddr_in6 local = address6_of(from, 0);
  const sockaddr_in6 remote = address6_of("::1", port);
  return bind(descriptor, reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0 &&
         connect(descriptor, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) == 0;
}

const sockaddr* as_sockaddr(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// bind_to returns the port, 0 where that did not work. The port stands at the same place in both
// families.
template <typename Address>
int bind_to(int descriptor, Address address) {
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (bind(descriptor, any, size) != 0 || getsockname(descriptor, any, &size) != 0) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

bool has_all(const std::string& line, const std::vector<std::string>& parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return line.find(part) != std::string::npos; });
}

}  // namespace

Bench::Bench() : mint_("Test CA") {
  std::signal(SIGPIPE, SIG_IGN);
  std::string pattern = std::filesystem::temp_directory_path() / "gateway-process-XXXXXX";
  folder_ = mkdtemp(pattern.data());
  write("ca.pem", mint_.certificate());
  write_pair("gw", mint_.issue("gw.test", "serverAuth"));
  write_pair("mx", mint_.issue("mx.b.test", "serverAuth"));
  write_pair("client", mint_.issue("client.test", "clientAuth"));
}

Bench::~Bench() {
  std::filesystem::remove_all(folder_);
}

void Bench::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name), std::ios::binary) << text;
}

void Bench::write_pair(const std::string& name, const PemPair& pair) const {
  write(name + ".pem", pair.certificate);
  write(name + ".key", pair.key);
}

class Program::Child {
 public:
  Child(const std::vector<std::string>& command)
      : child_(command.front(),
               bp::args(std::vector<std::string>(command.begin() + 1, command.end())),
               bp::std_in<bp::null, bp::std_out> out_) {}
  bp::ipstream out_;
  bp::child child_;
};

namespace {

// port_behind is the port of the first endpoint of a ready line that `mark` stands before, else 0.
int port_behind(const std::string& ready, const std::string& mark) {
  const auto at = ready.find(mark);
  if (at == std::string::npos) return 0;
  const std::string endpoint = ready.substr(at, ready.find(' ', at) - at);
  return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

}  // namespace

Program::Program(const std::string& file, std::vector<std::string> wrapper) {
  wrapper.insert(wrapper.end(), {GATEWAY_PROGRAM, file});
  child_ = std::make_unique<Child>(wrapper);
  const std::string ready = wait_for({"READY smtp="});
  port_ = port_behind(ready, "smtp=");
  web_port_ = port_behind(ready, "web=");
}

Program::~Program() {
  if (child_->child_.joinable()) kill_hard();
}

bool Program::next(std::string& line) {
  if (!std::getline(child_->out_, line)) return false;
  read_.push_back(line);
  return true;
}

std::string Program::wait_for(const std::vector<std::string>& parts) {
  for (const auto& line : read_) {
    if (has_all(line, parts)) return line;
  }
  std::string line;
  while (next(line)) {
    if (has_all(line, parts)) return line;
  }
  ADD_FAILURE() << "the journal ended without " << ::testing::PrintToString(parts) << " in "
                << ::testing::PrintToString(read_);
  return {};
}

void Program::wait_for_count(const std::vector<std::string>& parts, std::size_t count) {
  std::string line;
  while (lines(parts) < count) {
    if (!next(line)) {
      ADD_FAILURE() << "the journal ended after " << lines(parts) << " of " << count << " "
                    << ::testing::PrintToString(parts);
      return;
    }
  }
}

std::size_t Program::lines(const std::vector<std::string>& parts) const {
  return static_cast<std::size_t>(std::count_if(
      read_.begin(), read_.end(), [&](const std::string& line) { return has_all(line, parts); }));
}

void Program::signal(int number) const {
  ::kill(child_->child_.id(), number);
}

int Program::terminate() {
  signal(SIGTERM);
  std::string line;
  while (next(line)) {
  }
  child_->child_.wait();
  return child_->child_.exit_code();
}

void Program::kill_hard() {
  signal(SIGKILL);
  std::string line;
  while (next(line)) {
  }
  child_->child_.wait();
}

std::string find_program(const std::string& name) {
  return bp::search_path(name).string();
}

Result run_to_end(const std::vector<std::string>& arguments) {
  bp::ipstream out;
  bp::ipstream err;
  bp::child child(GATEWAY_PROGRAM, bp::args(arguments), bp::std_in<bp::null, bp::std_out> out,
                  bp::std_err > err);
  Result result;
  std::string line;
  while (std::getline(out, line)) result.out += line + "\n";
  while (std::getline(err, line)) result.err += line + "\n";
  child.wait();
  result.code = child.exit_code();
  return result;
}

Wire::~Wire() {
  SSL_free(ssl_);
  if (descriptor_ >= 0) close(descriptor_);
}

Wire::Wire(Wire&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      ssl_(std::exchange(other.ssl_, nullptr)),
      buffer_(std::move(other.buffer_)),
      end_(std::move(other.end_)) {}

Wire Wire::connect(int port, const std::string& from) {
  if (from.find(':') != std::string::npos) {
    Wire wire(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    set_patience(wire.descriptor_);
    if (!connect6(wire.descriptor_, from, port)) wire.end_ = "EOF";
    return wire;
  }
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in local = address_of(from, 0);
  if (bind(descriptor, as_sockaddr(local), sizeof local) != 0)
    ADD_FAILURE() << "cannot bind " << from;
  set_patience(descriptor);
  const sockaddr_in remote = address_of("127.0.0.1", port);
  Wire wire(descriptor);
  if (::connect(descriptor, as_sockaddr(remote), sizeof remote) != 0) wire.end_ = "EOF";
  return wire;
}

bool Wire::say(const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const auto left = static_cast<int>(text.size() - sent);
    const ssize_t size =
        ssl_ ? SSL_write(ssl_, text.data() + sent, left)
             : ::send(descriptor_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return false;
    sent += static_cast<std::size_t>(size);
  }
  return true;
}

void Wire::choke() const {
  constexpr int kSmall = 4096;
  constexpr int kStuck = 200;  // milliseconds
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &kSmall, sizeof kSmall);
  std::string text;
  while (text.size() < std::size_t{64} * 1024) text += "NOOP\r\n";
  pollfd room{descriptor_, POLLOUT, 0};
  for (std::size_t at = 0; poll(&room, 1, kStuck) == 1 && room.revents == POLLOUT;) {
    const ssize_t sent =
        send(descriptor_, text.data() + at, text.size() - at, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) at = (at + static_cast<std::size_t>(sent)) % text.size();
  }
}

bool Wire::fill() {
  char raw[16384];
  ERR_clear_error();
  const ssize_t size =
      ssl_ ? SSL_read(ssl_, raw, sizeof raw) : recv(descriptor_, raw, sizeof raw, 0);
  if (size > 0) {
    buffer_.append(raw, static_cast<std::size_t>(size));
    return true;
  }
  if (end_.empty()) {
    end_ = ssl_ || size == 0 ? "EOF" : errno == ECONNRESET ? "RESET" : "TIMEOUT";
  }
  return false;
}

std::string Wire::line() {
  for (;;) {
    const auto end = buffer_.find("\r\n");
    if (end != std::string::npos) {
      std::string text = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return text;
    }
    if (!end_.empty() || !fill()) return end_;
  }
}

std::string Wire::reply() {
  std::string text;
  for (;;) {
    const std::string one = line();
    text += text.empty() ? one : "|" + one;
    if (one.size() < 4 || one[3] != '-') return text;
  }
}

std::string Wire::ask(const std::string& text) {
  say(text + "\r\n");
  return reply();
}

bool Wire::start_tls(SSL_CTX* context, bool server, SSL_SESSION* session) {
  buffer_.clear();
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, descriptor_);
  if (session) SSL_set_session(ssl_, session);
  ERR_clear_error();
  return (server ? SSL_accept(ssl_) : SSL_connect(ssl_)) == 1;
}

Context client_context(const Bench& bench, const std::string& pair) {
  Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (!pair.empty()) {
    SSL_CTX_use_certificate_chain_file(context.get(), bench.path(pair + ".pem").c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), bench.path(pair + ".key").c_str(), SSL_FILETYPE_PEM);
  }
  return context;
}

Context server_context(const Bench& bench, const std::string& pair) {
  Context context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_use_certificate_chain_file(context.get(), bench.path(pair + ".pem").c_str());
  SSL_CTX_use_PrivateKey_file(context.get(), bench.path(pair + ".key").c_str(), SSL_FILETYPE_PEM);
  return context;
}

NextHop::NextHop(const Bench& bench, Kind kind, const std::string& pair, const std::string& where)
    : kind_(kind),
      context_(server_context(bench, pair)),
      listener_(socket(where == "::1" ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (kind == Kind::demands_certificate) {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_load_verify_file(context_.get(), bench.path("ca.pem").c_str());
  }
  if (where == "::1") {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    port_ = bind_to(listener_, address);
  } else {
    port_ = bind_to(listener_, address_of(where, 0));
  }
  if (port_ == 0) ADD_FAILURE() << "cannot bind a next hop";
  ::listen(listener_, 1024);
  acceptor_ = std::thread([this] { listen(); });
}

NextHop::~NextHop() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  close(listener_);
}

void NextHop::listen() {
  for (;;) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    set_patience(descriptor);
    ++connections_;
    threads_.emplace_back(
        [this, wire = std::make_shared<Wire>(descriptor)]() mutable { serve(std::move(*wire)); });
  }
}

void NextHop::note(const std::string& text) {
  const std::lock_guard<std::mutex> guard(mutex_);
  heard_.push_back(text);
}

std::vector<std::string> NextHop::heard() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return heard_;
}

std::vector<std::string> NextHop::messages() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return messages_;
}

void NextHop::serve(Wire wire) {
  std::string mark;
  wire.say("220 mx.b.test ESMTP\r\n");
  for (;;) {
    const std::string command = wire.line();
    if (command == "EOF" || command == "RESET" || command == "TIMEOUT") return;
    note(mark + command);
    if (command == "STARTTLS") {
      if (kind_ == Kind::refuses_starttls) {
        wire.say("454 4.7.0 not now\r\n");
        continue;
      }
      if (kind_ == Kind::unavailable) {
        wire.say("421 4.3.0 going away\r\n");
        std::string rest;
        while ((rest = wire.line()) != "EOF" && rest != "RESET" && rest != "TIMEOUT")
          note("after 421");
        return;
      }
      wire.say(kind_ == Kind::adds_replies ? "220 2.0.0 go on\r\n250-evil\r\n250 AUTH PLAIN\r\n"
                                           : "220 2.0.0 go on\r\n");
      if (kind_ == Kind::breaks_handshake) {
        wire.fill();  // the ClientHello: what comes before it would be discarded (OUT-7)
        wire.drop();  // now and then it holds a CRLF
        wire.say("this is not TLS\r\n");
        std::string rest;
        while ((rest = wire.line()) != "EOF" && rest != "RESET" && rest != "TIMEOUT")
          note("after 220: " + rest);
        return;
      }
      if (!wire.start_tls(context_.get(), true)) return;
      mark = "tls:";
    } else if (!transaction(wire, command, mark)) {
      return;
    }
  }
}

bool NextHop::transaction(Wire& wire, const std::string& command, const std::string& mark) {
  const std::string verb = command.substr(0, 4);
  const bool offers_tls =
      kind_ != Kind::plain && kind_ != Kind::seven_bit && kind_ != Kind::smtputf8;
  const bool starttls = offers_tls && mark.empty();
  if (verb == "EHLO") {
    wire.say(std::string("250-mx.b.test\r\n250-PIPELINING\r\n") +
             (starttls ? "250-STARTTLS\r\n" : "") +
             (kind_ == Kind::smtputf8 ? "250-SMTPUTF8\r\n" : "") +
             (kind_ == Kind::seven_bit ? "250 HELP\r\n" : "250 8BITMIME\r\n"));
  } else if (verb == "RCPT" &&
             (kind_ == Kind::refuses_all ||
              (kind_ == Kind::refuses_recipient && command.find("<x@") != std::string::npos))) {
    wire.say("550 5.1.1 no such user\r\n");
  } else if (verb == "RCPT" && kind_ == Kind::defers) {
    wire.say("450 4.2.1 later\r\n");
  } else if (verb == "DATA") {
    if (kind_ == Kind::refuses_all || kind_ == Kind::defers) {
      wire.say("554 5.5.1 no recipients\r\n");
      return true;
    }
    wire.say("354 go on\r\n");
    std::string content;
    for (std::string line = wire.line(); line != "."; line = wire.line()) {
      if (line == "EOF" || line == "RESET" || line == "TIMEOUT") return false;
      content += line.substr(line.rfind('.', 0) == 0 ? 1 : 0) + "\r\n";
    }
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      messages_.push_back(content);
    }
    wire.say("250 2.0.0 got it\r\n");
  } else if (verb == "QUIT") {
    wire.say("221 2.0.0 bye\r\n");
    return false;
  } else {
    wire.say("250 2.0.0 ok\r\n");
  }
  return true;
}

Listener::Listener(int backlog) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  // What is accepted inherits it: nobody waits for ever.
  set_patience(descriptor_);
  port_ = bind_to(descriptor_, address_of("127.0.0.1", 0));
  ::listen(descriptor_, backlog);
}

Listener::~Listener() {
  close(descriptor_);
}

Wire Listener::accept() const {
  return Wire(accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
}

std::string Listener::route() const {
  return "<route domain=\"b.test\" host=\"mx.b.test\" address=\"127.0.0.1\" port=\"" +
         std::to_string(port_) + "\"/>";
}

std::string ProcessTest::configure(const std::string& tls, const std::string& more,
                                   const std::string& in_tls) {
  bench_.write("gateway.xml", R"(<gateway name="gw.test" data="queue">
  <listen address="127.0.0.1" port="0"/>
  <tls certificate="gw.pem" key="gw.key" client-ca="ca.pem" next-hop-ca="ca.pem" )" +
                                  tls + ">" + in_tls + R"(</tls>
  <relay network="127.0.0.0/8"/>
  )" + more + "\n</gateway>\n");
  return bench_.path("gateway.xml");
}

std::string ProcessTest::route(const NextHop& hop, const std::string& domain) {
  return "<route domain=\"" + domain + "\" host=\"mx.b.test\" address=\"127.0.0.1\" port=\"" +
         std::to_string(hop.port()) + "\"/>";
}

std::string ProcessTest::send(int port, const std::string& recipient, const std::string& content,
                              const std::string& sender, const std::string& parameters) {
  Wire client = Wire::connect(port);
  client.reply();
  client.ask("EHLO client.test");
  client.ask("MAIL FROM:<" + sender + ">" + parameters);
  client.ask("RCPT TO:<" + recipient + ">");
  client.ask("DATA");
  const std::string reply = client.ask(content + ".");
  client.ask("QUIT");
  return reply;
}

}  // namespace gateway::test
