// The last clients that connected and the last messages that were sent on, with what is known of
// their TLS: for the settings page.
#pragma once

#include <deque>
#include <string>

#include "values.hpp"

namespace gateway {

// SessionFacts is one session, under way or ended.
struct SessionFacts {
  std::string id;
  std::string client;
  std::string helo;
  TimePoint began{};
  std::string ended;  // how, in the words of the journal; empty: it is under way
  std::uint64_t messages = 0;
  int last_reply = 0;
  std::string tls;  // the version; empty: clear text
  std::string cipher;
  std::string certificate;  // as client-certificate in the journal
  std::string subject;
  std::string error;  // why the certificate did not verify
  bool resumed = false;
};

// AttemptFacts is one message on one connection to a next hop.
struct AttemptFacts {
  TimePoint ended{};
  std::string host;
  std::string endpoint;
  std::string level;
  bool connected = false;
  std::string tls;  // the version; empty: clear text, or not connected
  std::string cipher;
  std::string cause;        // why in clear text, in the words of the journal
  std::string certificate;  // verified, not-verified; empty in clear text
  std::string error;        // why the certificate did not verify
  bool sent = false;        // to every recipient
  std::string reason;       // of the first that it was not sent to, else of the last
};

// RecentSessions keeps the last of them.
class RecentSessions {
 public:
  static constexpr std::size_t kMost = 100;

  // begin keeps a session that begins; note what is known now of one that is still kept.
  void begin(SessionFacts facts);
  void note(SessionFacts facts);

  void note(AttemptFacts facts);

  // These are those that are kept, the latest first.
  const std::deque<SessionFacts>& all() const { return sessions_; }
  const std::deque<AttemptFacts>& attempts() const { return attempts_; }

 private:
  std::deque<SessionFacts> sessions_;
  std::deque<AttemptFacts> attempts_;
};

}  // namespace gateway
