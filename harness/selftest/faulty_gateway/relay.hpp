#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "connection.hpp"
#include "fault.hpp"

namespace faulty {

/// Route is where the mail of a domain goes.
struct Route {
  std::string domain, host, address;
  unsigned short port = 0;
};

/// Settings is what its file tells: `name value` a line, `route DOMAIN HOST ADDRESS PORT`.
struct Settings {
  std::map<std::string, std::string> values;
  std::vector<Route> routes;

  /// read gives false if the file cannot be read.
  bool read(const std::string& path);
  const std::string& get(const std::string& name) { return values[name]; }

  /// route gives the route of an address; `another`: of an address of another case, but of the same
  /// kind (next hop or sender).
  const Route& route(const std::string& address, bool another = false) const;
};

/// Message is one message for one recipient.
struct Message {
  std::string id, sender, recipient, content;
};

/// Relay keeps the queue and the record, takes messages and sends them on.
class Relay {
 public:
  Relay(Settings settings, Fault fault);

  /// serve is the session of one client, to its end.
  void serve(int socket, const std::string& client);

  /// stop waits for what is under way, and does what is wrong at the end.
  void stop();

  /// record writes a line of the record.
  void record(const std::string& line);

  Fault fault() const { return fault_; }
  Settings& settings() { return settings_; }

  /// list_queue prints what is queued, one line a recipient.
  static void list_queue(const std::string& directory);

 private:
  friend class Session;
  friend class Attempt;

  /// take queues a message whose 250 is about to be given, and records it.
  Message take(std::string sender, std::string recipient, std::string content);
  void refuse(const std::string& sender);

  /// send_on brings a message that was taken to its fate; send_on_aside does so in a thread.
  void send_on(Message message);
  void send_on_aside(const Message& message);
  void hold(const Message& message, const std::string& code);
  void bounce(const Message& message);
  void delivered(const Message& message, const std::string& cause);
  bool deliver_in_clear(const Message& message, const Route& to);
  void enqueue(const std::string& name, const std::string& recipient);
  void dequeue(const Message& message);
  bool is(Fault fault) const { return fault_ == fault; }

  Settings settings_;
  Fault fault_;
  TlsContext server_tls_, client_tls_;
  std::mutex mutex_;
  std::condition_variable sent_;
  int sending_ = 0;  ///< Messages on their way to their fate.
  int last_id_ = 0;
  std::vector<Message> for_the_stop_;  ///< What a fault sends when the gateway is stopped.
};

}  // namespace faulty
