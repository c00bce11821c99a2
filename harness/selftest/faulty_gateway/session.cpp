#include <unistd.h>

#include "relay.hpp"

namespace faulty {

/// Session is one client's, over one connection.
class Session {
 public:
  Session(Relay& relay, int socket) : relay_(relay), client_(socket) {}
  void run();
  bool refused() const { return refused_; }  ///< For want of TLS.

 private:
  enum class Next { kGoOn, kClose };

  Next answer(const std::string& line);
  Next mail(const std::string& line);
  Next rcpt(const std::string& line);
  Next data();
  Next starttls();
  Next say(const std::string& reply) {
    return client_.say(reply + "\r\n") ? Next::kGoOn : Next::kClose;
  }
  bool offers_tls() const { return level() != "none" && !client_.in_tls(); }
  bool demands_tls() const { return level() == "require" && !client_.in_tls(); }
  const std::string& level() const { return relay_.settings().get("server-level"); }
  bool is(Fault fault) const { return relay_.fault() == fault; }

  Relay& relay_;
  Connection client_;
  bool greeted_ = false, has_sender_ = false, refused_ = false;
  std::string sender_, recipient_;
};

namespace {

std::string path_of(const std::string& line) {
  const std::size_t open = line.find('<');
  return open == std::string::npos ? "" : line.substr(open + 1, line.find('>') - open - 1);
}

}  // namespace

void Session::run() {
  if (is(Fault::kIsBusyAtGreeting)) {
    say("421 4.3.2 Too busy");
    return client_.close();
  }
  Next next = say("220 gw.postern.test ESMTP");
  std::string line;
  while (next == Next::kGoOn && client_.hear(line)) next = answer(line);
  client_.close();
}

Session::Next Session::answer(const std::string& line) {
  const std::string verb = line.substr(0, 4);
  if (verb == "EHLO" || verb == "HELO") {
    greeted_ = true;
    has_sender_ = false;
    const bool offered = verb == "EHLO" && offers_tls();
    return say(offered ? "250-gw.postern.test\r\n250 STARTTLS" : "250 gw.postern.test");
  }
  if (line == "STARTTLS" && offers_tls()) return starttls();
  if (verb == "MAIL" || verb == "RCPT" || line == "DATA") {
    if (demands_tls() && !is(Fault::kAcceptsWhatItMustDrop)) {
      refused_ = true;
      relay_.refuse(path_of(line));
      say("530 5.7.0 Must issue a STARTTLS command first");
      return Next::kClose;
    }
    if (verb == "MAIL") return mail(line);
    return verb == "RCPT" ? rcpt(line) : data();
  }
  if (line == "NOOP" || line == "RSET") return say("250 2.0.0 Ok");
  if (line != "QUIT") return say("500 5.5.2 Not known");
  say("221 2.0.0 Bye");
  return Next::kClose;
}

Session::Next Session::starttls() {
  greeted_ = has_sender_ = false;
  say("220 2.0.0 Ready to start TLS");
  const bool done = client_.start_tls_as_server(relay_.server_tls_.get());
  return done ? Next::kGoOn : Next::kClose;
}

Session::Next Session::mail(const std::string& line) {
  if (is(Fault::kHangsInSession))
    while (true) ::pause();
  if (is(Fault::kAnswersGarbage)) return say("\x16\x03garbage");
  if (is(Fault::kAnswersWithoutEnd))
    while (true)
      if (say("250-2.1.0 And there is more") == Next::kClose) return Next::kClose;
  if (is(Fault::kIsBusy)) return say("451 4.3.0 Not now");
  if (!greeted_) return say("503 5.5.1 EHLO comes first");
  sender_ = path_of(line);
  recipient_.clear();
  has_sender_ = true;
  return say("250 2.1.0 Ok");
}

Session::Next Session::rcpt(const std::string& line) {
  if (!has_sender_) return say("503 5.5.1 MAIL comes first");
  if (!recipient_.empty()) return say("452 4.5.3 One recipient at a time");
  recipient_ = path_of(line);
  return say("250 2.1.5 Ok");
}

Session::Next Session::data() {
  if (recipient_.empty()) return say("503 5.5.1 RCPT comes first");
  say("354 End data with <CR><LF>.<CR><LF>");
  // It is kept as it came: what is sent on needs the same dots.
  std::string content, line;
  while (client_.hear(line) && line != ".") content += line + "\r\n";
  if (line != "." || is(Fault::kHangsUpAfterData)) return Next::kClose;
  Message message = relay_.take(sender_, recipient_, std::move(content));
  has_sender_ = false;
  recipient_.clear();
  if (is(Fault::kSaysAcceptedWithout250)) return say("451 4.3.0 Not now");
  const Next next = say("250 2.0.0 Queued as " + message.id);
  relay_.send_on_aside(message);
  return next;
}

void Relay::serve(int socket, const std::string& client) {
  Session session(*this, socket);
  session.run();
  if (!session.refused() || !is(Fault::kHidesRefusals)) record("session-end client=" + client);
}

}  // namespace faulty
