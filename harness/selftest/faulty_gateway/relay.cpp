#include "relay.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "attempt.hpp"

namespace faulty {
namespace {

std::string domain_of(const std::string& address) {
  return address.substr(address.find('@') + 1);
}

TlsContext make_context(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

}  // namespace

bool Settings::read(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name, value;
    words >> name >> value;
    if (name == "route") {
      routes.push_back({value, "", "", 0});
      words >> routes.back().host >> routes.back().address >> routes.back().port;
    } else {
      values[name] = value;
    }
  }
  return !values.empty();
}

const Route& Settings::route(const std::string& address, bool another) const {
  const std::string domain = domain_of(address);
  const auto found = std::find_if(routes.begin(), routes.end(), [&](const Route& route) {
    return another ? route.domain != domain && route.domain[0] == domain[0]
                   : route.domain == domain;
  });
  return found == routes.end() ? routes.front() : *found;
}

Relay::Relay(Settings settings, Fault fault) : settings_(std::move(settings)), fault_(fault) {
  server_tls_ = make_context(TLS_server_method());
  client_tls_ = make_context(TLS_client_method());
  SSL_CTX_use_certificate_chain_file(server_tls_.get(), settings_.get("certificate").c_str());
  SSL_CTX_use_PrivateKey_file(server_tls_.get(), settings_.get("key").c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_load_verify_file(client_tls_.get(), settings_.get("trust").c_str());
  const bool verifies = settings_.get("client-level") == "verify" &&
                        !is(Fault::kLeaksInsideUnverifiedTls) &&
                        !is(Fault::kLeaksBehindCloseNotify);
  SSL_CTX_set_verify(client_tls_.get(), verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  std::filesystem::create_directories(settings_.get("queue"));
}

void Relay::record(const std::string& line) {
  if (is(Fault::kKeepsNoRecord) && !line.starts_with("ready")) return;
  const std::string text = line + "\n";
  const std::lock_guard lock(mutex_);
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) ::_exit(9);
}

void Relay::enqueue(const std::string& name, const std::string& recipient) {
  std::ofstream(settings_.get("queue") + "/" + name) << recipient << "\n";
}

void Relay::dequeue(const Message& message) {
  std::filesystem::remove(settings_.get("queue") + "/" + message.id);
}

void Relay::list_queue(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::string recipient;
    std::ifstream file(entry.path());
    std::getline(file, recipient);
    std::cout << "queued recipient=" << recipient << "\n";
  }
}

Message Relay::take(std::string sender, std::string recipient, std::string content) {
  Message message{"", std::move(sender), std::move(recipient),
                  "Received: by gw.postern.test\r\n" + std::move(content)};
  {
    const std::lock_guard lock(mutex_);
    message.id = std::to_string(++last_id_);
  }
  enqueue(message.id, message.recipient);
  record("accepted id=" + message.id + " recipient=" + message.recipient);
  if (is(Fault::kRecordsForeignMail)) record("accepted id=0 recipient=nobody@elsewhere.test");
  if (is(Fault::kQueuesForeignMail)) enqueue("foreign", "nobody@elsewhere.test");
  return message;
}

// refuse keeps what MAIL told of a message. A case has its recipient in a domain like the sender's,
// with an r for its s.
void Relay::refuse(const std::string& sender) {
  if (!is(Fault::kDeliversRefusedAtStop)) return;
  std::string recipient = sender;
  recipient[recipient.find('@') + 1] = 'r';
  const std::lock_guard lock(mutex_);
  for_the_stop_.push_back({"0", sender, recipient, "Received: late\r\n"});
}

void Relay::delivered(const Message& message, const std::string& cause) {
  record("delivered recipient=" + message.recipient + " cause=" + cause);
  if (!is(Fault::kKeepsDeliveredInQueue)) dequeue(message);
}

void Relay::hold(const Message& message, const std::string& code) {
  if (is(Fault::kSaysHeldAndForgets)) dequeue(message);
  if (is(Fault::kQueuesTwice)) enqueue(message.id + ".again", message.recipient);
  record("deferred recipient=" + message.recipient + " code=" + code);
}

// bounce tells the sender. A bounce of a bounce is not made (RFC 5321 §6.1).
void Relay::bounce(const Message& message) {
  record("bounced recipient=" + message.recipient + " code=5.0.0");
  dequeue(message);
  if (message.sender.empty()) return;
  send_on(take("", message.sender, "Subject: not delivered to " + message.recipient + "\r\n\r\n"));
}

bool Relay::deliver_in_clear(const Message& message, const Route& to) {
  Connection next(Connection::connected(to.address, to.port));
  std::string unread;
  if (next.reply(unread) != 220) return false;
  next.ask("EHLO gw.postern.test");
  return hand_over(next, message) == 250;
}

void Relay::send_on(Message message) {
  if (is(Fault::kLosesMessages)) {
    dequeue(message);
    return;
  }
  if (is(Fault::kSaysDelivered)) return delivered(message, "");
  for (int tries = 0; tries < 2; ++tries) {
    Attempt attempt(*this, message);
    attempt.make();
    if (attempt.fate() == Fate::kBounced) return bounce(message);
    if (attempt.fate() == Fate::kDelivered) {
      if (is(Fault::kDeliversTwice)) Attempt(*this, message).make();
      if (is(Fault::kDeliversAgainAtStop)) {
        const std::lock_guard lock(mutex_);
        for_the_stop_.push_back(message);
      }
      if (!is(Fault::kDeliversAndSaysHeld)) return delivered(message, attempt.cause());
      hold(message, "4.4.2");
      return hold(message, "4.4.2");
    }
    hold(message, attempt.code());
  }
  if (is(Fault::kDeliversHeldAtOnce)) deliver_in_clear(message, settings_.route(message.recipient));
  if (is(Fault::kLeaksInClearBounce) || is(Fault::kLeaksInBounceToAnother)) {
    const Message note{"0", "", message.sender, message.content};
    deliver_in_clear(note, settings_.route(note.recipient, is(Fault::kLeaksInBounceToAnother)));
  }
  if (!is(Fault::kDeliversHeldAtStop)) return;
  const std::lock_guard lock(mutex_);
  for_the_stop_.push_back(message);
}

void Relay::send_on_aside(const Message& message) {
  {
    const std::lock_guard lock(mutex_);
    ++sending_;
  }
  std::thread([this, message] {
    send_on(message);
    const std::lock_guard lock(mutex_);
    --sending_;
    sent_.notify_all();
  }).detach();
}

void Relay::stop() {
  std::unique_lock lock(mutex_);
  sent_.wait(lock, [this] { return sending_ == 0; });
  for (const Message& message : for_the_stop_) {
    if (is(Fault::kDeliversAgainAtStop)) {
      Attempt(*this, message).make();
    } else {
      deliver_in_clear(message, settings_.route(message.recipient));
    }
  }
}

}  // namespace faulty
