// The last clients that connected, with what is known of their TLS: for the settings page.
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

// RecentSessions keeps the last of them.
class RecentSessions {
 public:
  static constexpr std::size_t kMost = 100;

  // note keeps what is known now: in place of what was known of the same session, or as a new one.
  void note(SessionFacts facts);

  // all are those that are kept, the latest first.
  const std::deque<SessionFacts>& all() const { return sessions_; }

 private:
  std::deque<SessionFacts> sessions_;
};

}  // namespace gateway
