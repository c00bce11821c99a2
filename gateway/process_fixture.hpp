// What the process tests are written with: the program under test, a client and a next hop, all
// blocking, each wait bounded by the socket or by the end of the program.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "mint.hpp"

namespace gateway::test {

// Bench is a temporary folder with certificates and configurations.
class Bench {
 public:
  Bench();
  ~Bench();
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const;
  void write_pair(const std::string& name, const PemPair& pair) const;
  const Mint& mint() const { return mint_; }

 private:
  std::string folder_;
  Mint mint_;
};

// Program is a running postern-gateway. Its journal is read from its stdout.
class Program {
 public:
  // `wrapper` stands in front of the command line, for strace.
  explicit Program(const std::string& file, std::vector<std::string> wrapper = {});
  ~Program();

  // port is where it listens.
  int port() const { return port_; }

  // web_port is where its settings page is; 0: it has none.
  int web_port() const { return web_port_; }
  void signal(int number) const;

  // wait_for reads the journal until a line has all the parts, and returns it. It is empty, and
  // the test has failed, where the program ended before.
  std::string wait_for(const std::vector<std::string>& parts);

  // wait_for_count reads on until `count` lines have all the parts.
  void wait_for_count(const std::vector<std::string>& parts, std::size_t count);

  // lines counts the lines read so far that have all the parts.
  std::size_t lines(const std::vector<std::string>& parts) const;

  // terminate asks it to end, reads its journal to the end and returns the exit code.
  int terminate();
  void kill_hard();

 private:
  class Child;
  bool next(std::string& line);
  std::unique_ptr<Child> child_;
  std::vector<std::string> read_;
  int port_ = 0;
  int web_port_ = 0;
};

// Result is how a program that is not meant to run has ended.
struct Result {
  int code = -1;
  std::string out;
  std::string err;
};
// find_program looks a program up in PATH.
std::string find_program(const std::string& name);
Result run_to_end(const std::vector<std::string>& arguments);

// Wire is one connection, in clear text or TLS. "EOF" and "RESET" are what hear says of an end.
class Wire {
 public:
  explicit Wire(int descriptor) : descriptor_(descriptor) {}
  ~Wire();
  Wire(Wire&& other) noexcept;
  Wire(const Wire&) = delete;

  // connect binds to `from`, and connects to the loopback address of its kind.
  static Wire connect(int port, const std::string& from = "127.0.0.1");

  // say sends `text` as it is; false where the peer is gone.
  bool say(const std::string& text);

  // line reads one line without its CRLF, or "EOF", "RESET", "TIMEOUT".
  std::string line();

  // reply reads a whole reply and returns its lines joined with "|".
  std::string reply();

  // ask is say(text + CRLF) and reply.
  std::string ask(const std::string& text);

  // start_tls shakes hands; false where that fails. What is buffered is dropped. A client shows the
  // ticket of `session`, if there is one.
  bool start_tls(SSL_CTX* context, bool server, SSL_SESSION* session = nullptr);
  std::string pending() const { return buffer_; }
  // drop forgets what is buffered.
  void drop() { buffer_.clear(); }
  SSL* ssl() const { return ssl_; }

  // choke sends commands in clear text and reads no reply, until the peer takes no more of them.
  void choke() const;

  // fill waits for at least one more octet; false at the end of the stream.
  bool fill();

 private:
  int descriptor_;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  std::string end_;
};

using Context = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;
Context client_context(const Bench& bench, const std::string& pair = {});
Context server_context(const Bench& bench, const std::string& pair);

// NextHop serves connections, each on its own thread, with a script. `heard` is every command and
// message it got, with "tls:" in front of what came inside TLS.
class NextHop {
 public:
  enum class Kind {
    plain,
    tls,
    refuses_starttls,   // 454
    unavailable,        // 421 to STARTTLS
    breaks_handshake,   // garbage instead of a ServerHello
    refuses_recipient,  // 550 to x@, 250 to others
    refuses_all,        // 550 to RCPT
    defers,             // 450 to RCPT
    adds_replies,       // more replies behind the 220 to STARTTLS, in the same write
    demands_certificate,
    seven_bit,  // no 8BITMIME, and no TLS
    smtputf8,   // and no TLS
  };
  // `address` is where it listens: 127.0.0.1 or ::1.
  NextHop(const Bench& bench, Kind kind, const std::string& pair = "mx",
          const std::string& address = "127.0.0.1");
  ~NextHop();

  int port() const { return port_; }
  std::vector<std::string> heard() const;
  std::vector<std::string> messages() const;  // contents, unstuffed
  std::size_t connections() const { return connections_; }

 private:
  void listen();
  void serve(Wire wire);
  bool transaction(Wire& wire, const std::string& command, const std::string& mark);
  void note(const std::string& text);

  Kind kind_;
  Context context_;
  int listener_;
  int port_ = 0;
  std::atomic<std::size_t> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::vector<std::string> messages_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Listener is a next hop whose connections a test serves by hand.
class Listener {
 public:
  // backlog: how many connections wait unaccepted before further ones are not answered.
  explicit Listener(int backlog = 100);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const { return port_; }
  Wire accept() const;
  std::string route() const;

 private:
  int descriptor_;
  int port_ = 0;
};

// ProcessTest has a bench and writes configurations.
class ProcessTest : public ::testing::Test {
 protected:
  // configure writes gateway.xml: `tls` are attributes of <tls> besides the files, `more` elements,
  // `in_tls` those inside <tls>.
  std::string configure(const std::string& tls, const std::string& more,
                        const std::string& in_tls = {});
  static std::string route(const NextHop& hop, const std::string& domain = "b.test");

  // send hands over one message in clear text and returns the reply to its end.
  static std::string send(int port, const std::string& recipient,
                          const std::string& content = "Subject: x\r\n\r\nhello\r\n",
                          const std::string& sender = "a@a.test",
                          const std::string& parameters = {});

  Bench bench_;
};

}  // namespace gateway::test
