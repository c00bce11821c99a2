#pragma once

#include <string>

#include "relay.hpp"

namespace faulty {

/// Fate is what one attempt came to.
enum class Fate { kDelivered, kDeferred, kBounced };

/// Attempt is one attempt to bring one message to its next hop, under the sending level. After
/// failed TLS the message is held, under attempt too.
class Attempt {
 public:
  Attempt(Relay& relay, const Message& message);

  void make();
  Fate fate() const { return fate_; }
  const std::string& code() const { return code_; }    ///< Enhanced, of a deferral.
  const std::string& cause() const { return cause_; }  ///< Why it went in clear text.

 private:
  bool greet();
  bool start_tls();
  void give_up(const std::string& code);
  void hand_over_by_level();
  void leak();
  std::string leaking_line() const;
  bool is(Fault fault) const { return relay_.fault() == fault; }

  Relay& relay_;
  const Message& message_;
  const Route& route_;
  std::string level_, token_, offers_;
  Connection next_;
  Fate fate_ = Fate::kDeferred;
  std::string code_ = "4.4.2", cause_;
};

/// hand_over says MAIL, RCPT, DATA and the message as it came, then QUIT. It gives the code of the
/// last reply before QUIT, 0 if the connection ended.
int hand_over(Connection& next, const Message& message);

}  // namespace faulty
