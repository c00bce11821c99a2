#pragma once

#include <cstddef>
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
};

struct Step {
  StepKind kind = StepKind::kSay;
  Place place;
  // kSay: the bytes to write, with ${recipient}, ${sender}, ${token} still in them, and the offsets
  // at which the write is split.
  std::string bytes;
  std::vector<std::size_t> splits;
  // kHear, client: reply patterns ("250", "5yz"), enhanced code pattern, what the EHLO reply must
  // offer or lack, text to be found.
  std::vector<std::string> replies;
  std::string enhanced;
  std::vector<std::string> offers, lacks;
  std::string contains;
  // kHear, server: the verb.
  std::string command;
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
  std::string peer;  ///< A peer's name; empty: `steps`.
  std::vector<Step> steps;
  Place place;
};

struct Story {
  std::string name;  ///< Case id: "stories/NAME".
  std::string ref;
  std::string why;
  Assignment settings;          ///< What <gateway …/> states; other settings have their defaults.
  bool applies = false;         ///< Whether a step changes the settings while it plays.
  std::vector<Script> scripts;  ///< At most one client and one server.
  std::optional<Expectation> inbound, outbound;
  bool discloses = false;               ///< Whether it states where the message may be seen.
  std::vector<std::string> disclosure;  ///< Allowed places at the next hop, as in DisclosureRule.
  Place place;
};

}  // namespace postern
