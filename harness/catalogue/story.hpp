#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condition.hpp"
#include "expectation.hpp"
#include "located_xml.hpp"
#include "peer.hpp"
#include "tls_step.hpp"

// A story is one dialogue that matters, line by line; its steps are the actions that matrix peers
// are made of.

namespace postern {

enum class StepKind {
  kSay,          ///< Writes bytes.
  kHear,         ///< Client: one reply. Server: one command.
  kStarttls,     ///< The handshake (not the command or its reply).
  kDeliver,      ///< Client: MAIL, RCPT, DATA, the message, its 250. Server: takes one message.
  kMessage,      ///< Client: the message and the final dot, after a 354 was heard.
  kConnect,      ///< Client: a further connection. Server: waits for a further one.
  kClose,        ///< Ends the sending side (FIN; close_notify first under TLS).
  kReset,        ///< Resets the connection.
  kEnd,          ///< The gateway ends the connection, after sending nothing more.
  kRenegotiate,  ///< Asks for a second handshake inside TLS 1.2.
  kHearAlert,    ///< Reads TLS records up to an alert.
  kApply,        ///< Client: the gateway gets other settings while it runs.
  kUse,          ///< The steps of a prefix; none is left once a story is loaded.
  kMeet,         ///< Waits until every script that names this meeting is there.
  kAwait,        ///< Waits until the gateway's record tells something of this case.
  kSilence,      ///< The gateway has said nothing that was not heard.
  kNobody,       ///< Server: no connection ever comes.
};

struct Step {
  StepKind kind = StepKind::kSay;
  Place place;
  // kSay: the bytes to write, with ${recipient}, ${sender}, ${token} still in them, and the offsets
  // at which the write is split.
  std::string bytes;
  std::vector<std::size_t> splits;
  std::size_t times = 1;    ///< How often they are written, without a pause.
  std::size_t dribble = 0;  ///< Octets a write; 0: all in one.
  // kHear, client: reply patterns ("250", "5yz"), enhanced code pattern, what the EHLO reply must
  // offer or lack, text to be found.
  std::vector<std::string> replies;
  std::string enhanced;
  std::vector<std::string> offers, lacks;
  std::string contains;
  bool or_end = false;  ///< The gateway's close conforms too, and ends the script.
  // kHear, server: the verbs that conform, and text that the line must not have.
  std::vector<std::string> commands;
  std::string without;
  // kHear: a pattern whose first group is kept under a name, for ${name} later on.
  std::string capture, as;
  // kUse: a prefix; kMeet: a meeting; kAwait: a kind of event, and how many of it.
  std::string name;
  int count = 1;
  TlsStep tls;
  // kApply: the settings that change, and whether the gateway must refuse them.
  Assignment changes;
  bool refused = false;
  // kEnd, kClose: how, in the words of the vocabulary.
  std::string how;
};

/// Script is what one peer of a story does: its own steps, or a matrix peer's goal.
struct Script {
  Role role = Role::kClient;
  std::string name;  ///< For readers; empty: it has none.
  std::string peer;  ///< A peer's name; empty: `steps`.
  std::vector<Step> steps;
  // Server: the name, the address and the level in the gateway's route; empty: those of every
  // next hop.
  std::string host, address, level;
  bool elsewhere = false;  ///< Client: it does not come from the clients' network.
  Place place;
};

/// Prefix is the beginning of a dialogue that many stories share.
struct Prefix {
  Role role = Role::kClient;
  std::vector<Step> steps;
  Place place;
};

/// MessageCheck is what every delivered message, or every bounce, must hold and must not.
struct MessageCheck {
  bool bounce = false;
  std::string contains, lacks;  ///< Empty: not asked for.
  Place place;
};

/// RecordCheck is what the gateway's record must tell of the case: so many events of a kind.
struct RecordCheck {
  std::string event;
  std::optional<int> count;  ///< Exactly; without it one at least.
  std::string contains;      ///< In each line that counts; empty: any line does.
  Place place;
};

/// Checks are judged beside the outcomes of a story.
struct Checks {
  int messages = 1;      ///< Copies of the message that the next hop gets where it gets any.
  bool by_hand = false;  ///< The message was said line by line: it is not the case's own.
  std::vector<MessageCheck> texts;
  std::vector<RecordCheck> record;
  std::uint64_t memory = 0;  ///< Octets that the gateway may have held at most; 0: not asked for.
  Place memory_place;
};

/// own_words are the names that ${…} stands for in every story.
const std::vector<std::string>& own_words();

struct Story {
  std::string name;    ///< As its file is named.
  Assignment variant;  ///< What the story's axes stand at; empty: it has none.
  std::string ref;
  std::string why;
  std::string
      grade;  ///< "form": asked only of gateways held to it; empty: its requirement decides.
  Assignment settings;  ///< What <gateway …/> states; other settings have their defaults.
  bool alone = false;   ///< It has a gateway to itself: it changes settings, weighs memory, or has
                        ///< levels of its own for next hops.
  std::vector<Script> scripts;   ///< Clients, then servers in the order of preference.
  std::string mailbox = "good";  ///< The server that the sender's bounces go to.
  Place mailbox_place;
  std::optional<Expectation> inbound, outbound;
  bool discloses = false;               ///< Whether it states where the message may be seen.
  std::vector<std::string> disclosure;  ///< Allowed places at the next hop, as in DisclosureRule.
  std::optional<std::vector<std::string>> sender;  ///< Likewise for its bounce; none: not stated.
  Checks checks;
  Place place;

  /// id is "stories/NAME", and the axes behind it as in matrices.
  std::string id() const {
    return "stories/" + name + (variant.values().empty() ? "" : "/" + variant.text());
  }
  bool applies() const;     ///< Whether a step changes the settings while it plays.
  bool has_levels() const;  ///< Whether a next hop has a level of its own.
};

}  // namespace postern
