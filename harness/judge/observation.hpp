#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "judge/traffic.hpp"

// What was seen of one case: facts only, no opinion. Peers and the gateway's record fill it in, the
// judge reads it. Nothing here knows a socket, a clock or a setting.

namespace postern {

/// Side is which of the harness's peers a connection belongs to.
enum class Side { kClient, kServer, kSender };

/// Actor is who did something. kNone stands for what merely happened (a timeout).
enum class Actor { kNone, kPeer, kGateway };

/// Phase is how bytes travelled when an event happened.
enum class Phase { kClear, kHandshake, kTls };

/// What is the kind of an event; kDiffers is where a story's step did not get what it expected.
enum class What { kConnect, kData, kHandshake, kAlert, kClose, kReset, kTimeout, kDiffers, kNote };

/// Event is one thing seen on a connection, on the common time axis.
struct Event {
  std::int64_t at = 0;  ///< Microseconds since the configuration was staged.
  int connection = 0;   ///< From 1 for each side of a case.
  Side side = Side::kClient;
  Actor from = Actor::kNone;
  Phase phase = Phase::kClear;
  What what = What::kNote;
  std::string text;  ///< kData: the bytes; otherwise a description.
};

/// Ending is how a connection ended; each is a different observation.
enum class Ending {
  kOpen,         ///< Not ended yet.
  kClose,        ///< FIN, in clear text or after close_notify.
  kCloseNotify,  ///< close_notify was read, the FIN not waited for.
  kTruncated,    ///< FIN inside TLS without close_notify.
  kReset,        ///< RST.
  kAlert,        ///< A fatal TLS alert.
  kTlsError,     ///< Bytes that TLS cannot read.
  kTimeout,      ///< Nothing came within the time limit.
};

const char* word(Ending ending);

enum class Handshake { kNone, kCompleted, kFailed };

/// Taken is one message that a fake server read to its end and answered 250.
struct Taken {
  std::string sender;                   ///< Of MAIL, without brackets.
  std::vector<std::string> recipients;  ///< Of each RCPT that was taken.
  std::string content;                  ///< As received, dots unstuffed, CRLF line ends.
  bool in_tls = false;
};

/// ConnectionFacts is what is known of one connection, from the harness's end.
struct ConnectionFacts {
  int number = 0;
  bool connected = false;

  bool starttls_offered = false;
  bool starttls_sent = false;
  int starttls_reply = 0;  ///< The code of the reply to STARTTLS; 0: none was seen.
  Handshake handshake = Handshake::kNone;
  std::string tls_version, tls_cipher, tls_error;
  bool asked = false;              ///< Client: the gateway asked for a certificate.
  bool certificate_shown = false;  ///< The client of the two, ours or the gateway, showed one.
  bool tls_agreed = false;         ///< Version and cipher were settled, whatever came then.
  bool smtp_after_failed_tls = false;
  std::size_t bytes_behind_close_notify = 0;  ///< That are no TLS record.
  bool record_behind_close_notify = false;    ///< A further alert, say: it MUST be ignored.

  int last_reply = 0;         ///< Client: the last reply's code.
  std::string last_enhanced;  ///< Client: its enhanced code.
  std::string last_command;   ///< Client: what it answered.
  int accepted = 0;           ///< Client: how many messages got 250 to their end-of-data.
  bool usable = false;        ///< Client: after a refusal a further command was answered.
  int farewell = -1;  ///< Client: the code of the reply to QUIT; 0: none came; -1: not asked.
  std::vector<std::string> faults;  ///< Replies out of form, or bytes nobody asked for.

  bool unspoken = false;     ///< Server: its story does not speak of it.
  bool mail = false;         ///< Server: MAIL was seen.
  bool rcpt = false;         ///< Server: RCPT was seen.
  Taken transaction;         ///< Server: what was said of the message under way.
  std::vector<Taken> taken;  ///< Server: whole messages, in order.

  bool left = false;  ///< Ours ended its side while that of the gateway was open.
  Actor ended_by = Actor::kNone;
  Ending ending = Ending::kOpen;

  /// starttls_refused: STARTTLS was answered 4xx (not 421) or 5xx, so clear text may go on.
  bool starttls_refused() const {
    return starttls_reply >= 400 && starttls_reply < 600 && starttls_reply != 421;
  }
  /// tls_broke: STARTTLS was sent, was not refused, and no handshake was completed.
  bool tls_broke() const {
    return starttls_sent && !starttls_refused() && handshake != Handshake::kCompleted;
  }
};

/// Sighting is the sentinel seen in what the gateway sent.
struct Sighting {
  Side side = Side::kServer;
  int connection = 0;
  std::string place;         ///< As in DisclosureRule, or "clear-after-ready", "foreign-listener".
  std::string coding;        ///< "plain", "quoted-printable", "base64", "ciphertext".
  std::uint64_t offset = 0;  ///< Byte of the connection's stream at which it ends, about.
  std::int64_t at = 0;       ///< As in Event.
};

/// RecordFact is one line of the gateway's record that concerns this case.
struct RecordFact {
  std::int64_t at = 0;
  std::string kind;
  std::map<std::string, std::string> fields;
  std::string line;
};

/// Observation is everything seen of one case.
struct Observation {
  std::string token;
  std::string sender, recipient;  ///< Envelope addresses.
  std::string message;            ///< As submitted, before dot-stuffing.
  std::vector<Event> events;
  std::size_t kept_bytes = 0;                           ///< How much text the events hold.
  std::deque<ConnectionFacts> client, server, mailbox;  ///< Stable in memory while they grow.
  std::vector<Sighting> sightings;
  std::vector<RecordFact> record;
  std::map<std::string, std::string> captured;  ///< What the steps of a story kept, by name.
  std::vector<std::string> broken_steps;  ///< Story steps that did not hold, each with its place.
  bool canary = false;        ///< After its end a later message came through the same path.
  bool in_time = true;        ///< The case came to its end within its time limit.
  std::string harness_error;  ///< The harness or its environment failed; empty: no.
  std::uint64_t memory = 0;   ///< Octets that the gateway held at most, resident; 0: not known.
  std::shared_ptr<Traffic> traffic;  ///< nullptr: it is not asked for.
  std::string gateway_died;  ///< How the gateway ended with this case in hand; empty: it lives.
};

/// all_ended tells whether each connection came to its end, and not just to our time limit.
inline bool all_ended(const std::deque<ConnectionFacts>& connections) {
  return std::all_of(connections.begin(), connections.end(), [](const ConnectionFacts& one) {
    return one.ending != Ending::kOpen && one.ending != Ending::kTimeout;
  });
}

/// was_accepted tells whether the gateway gave 250 for a message.
inline bool was_accepted(const Observation& observation) {
  return std::any_of(observation.client.begin(), observation.client.end(),
                     [](const ConnectionFacts& one) { return one.accepted > 0; });
}

/// Fence is what closing a configuration proved.
struct Fence {
  bool stopped = false;  ///< Stopped and reaped, record read to its end, listeners open till then.
  std::string exit;      ///< How the gateway ended, "exited 0".
  std::string problem;   ///< Why the fence is not closed; empty: it is.
  std::string stray;     ///< Mail of no case, on record or in the queue; empty: there is none.
  bool clean_exit = false;
  bool queue_known = false;
  std::vector<std::string> queued;  ///< Recipients still queued.
};

}  // namespace postern
