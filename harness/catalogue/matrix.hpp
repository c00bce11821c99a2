#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "condition.hpp"
#include "expectation.hpp"
#include "located_xml.hpp"

// Decision tables: axes, and rules that decide every case exactly once.

namespace postern {

/// Axis is a setting with its values, or the peers of one role.
struct Axis {
  enum class Kind { kSetting, kClient, kServer };
  Kind kind = Kind::kSetting;
  std::string key;  ///< The setting's name, "client" or "server".
  std::vector<std::string> values;
  Place place;
};

/// Rule decides one leg of the cases for which its condition holds.
struct Rule {
  std::string ref;
  Condition when;
  Expectation expect;
  std::string no_control;  ///< Why a negative needs no control; empty: it has one.
  Place place;
};

/// DisclosureRule says where the bytes of an accepted message may be seen. The places:
///   tls                 inside TLS
///   clear-untried       in clear text, STARTTLS offered but never asked for on this connection
///   clear-unavailable   in clear text, STARTTLS not offered, or answered 4xx (not 421) or 5xx
///   clear-later         in clear text on a connection made after one on which TLS failed
struct DisclosureRule {
  std::string ref;
  Condition when;
  std::vector<std::string> next_hop;  ///< Allowed places at its own next hop; empty: "nothing".
  /// Likewise, for gateways that are not held to the form; none: as next_hop.
  std::optional<std::vector<std::string>> letter;
  std::vector<std::string> sender;  ///< Allowed places for a bounce, at the sender's mailbox.
  Place place;
};

/// InvalidSetting is a combination that a gateway must reject.
struct InvalidSetting {
  std::string ref;
  Condition when;
  std::string mentions;  ///< Text that the gateway's complaint must hold.
  Place place;
};

/// Warning is what the gateway's record must show when it starts under these settings.
struct ExpectedWarning {
  std::string ref;
  Condition when;
  std::string mentions;  ///< Text that the warning must hold.
  Place place;
};

struct Matrix {
  std::string name;
  std::vector<Axis> axes;
  std::vector<InvalidSetting> invalid;
  std::vector<ExpectedWarning> warnings;
  std::vector<Rule> inbound, outbound;
  std::vector<DisclosureRule> disclosure;
  Place inbound_place, outbound_place, disclosure_place;
  Place place;
};

/// MatrixCase is one cell of the full product with the rules that decide it.
struct MatrixCase {
  std::string suite;  ///< "tls-modes/server-level=…/client-certificate=…/client-level=…"
  std::string name;   ///< "client=…/server=…"
  Assignment settings;
  std::string client, server;
  const Rule* inbound = nullptr;
  const Rule* outbound = nullptr;  ///< nullptr where inbound does not accept: `nothing`.
  const DisclosureRule* disclosure = nullptr;  ///< nullptr likewise.

  std::string id() const { return suite + "/" + name; }
};

/// InvalidCase is one combination of settings that must be rejected.
struct InvalidCase {
  std::string suite;  ///< "tls-modes/invalid"
  std::string name;
  Assignment settings;
  const InvalidSetting* rule = nullptr;
  std::string id() const { return suite + "/" + name; }
};

}  // namespace postern
