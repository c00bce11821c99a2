#pragma once

#include <optional>
#include <string>
#include <vector>

#include "condition.hpp"
#include "located_xml.hpp"

// A matrix peer has a goal (one normal conversation) and deviates from it at named points.

namespace postern {

enum class Role { kClient, kServer };

/// Point is where in a conversation a peer can deviate.
enum class Point {
  kGreeting,
  kEhlo,
  kStarttls,
  kReady,
  kClientHello,
  kCertificate,
  kFinished,
  kAfterTls,
  kMail,
  kRcpt,
  kData,
  kBody,
  kDot,
  kQuit,
};

/// Act is what a peer does there instead of what its goal wants.
enum class Act {
  kSay,       ///< Writes `bytes` in place of the line or flight that was due.
  kSkip,      ///< Leaves the step out.
  kClose,     ///< Ends its sending side (FIN), then waits for the gateway's end.
  kReset,     ///< Resets the connection.
  kStall,     ///< Says nothing more, and waits for the gateway to end the connection.
  kTruncate,  ///< In the handshake: writes the first half of the flight that is due, then FIN.
  kAlert,     ///< In the handshake: writes a fatal alert in place of the flight that is due.
};

struct Deviation {
  Point at = Point::kGreeting;
  Act act = Act::kSkip;
  std::string bytes;  ///< For kSay: exactly these, line end included.
  int alert = 0;      ///< For kAlert: its number.
  Condition when;     ///< Keys: phase=clear|tls, connection=N.
  Place place;
};

enum class TlsVersion { k10, k11, k12, k13 };

/// Asks is how a fake server asks for a client certificate.
enum class Asks { kNo, kRequest, kRequire };

struct Peer {
  Role role = Role::kClient;
  std::string name;
  std::string about;
  std::string certificate;           ///< Identity of the PKI; empty: shows none.
  std::string trust;                 ///< A client verifies the gateway against it; empty: does not.
  std::vector<TlsVersion> versions;  ///< Contiguous; default 1.3 only.
  bool upgrades = true;              ///< Client: STARTTLS where offered. Server: offers STARTTLS.
  Asks asks = Asks::kNo;
  bool comes_back_in_clear = false;  ///< Client, after a broken connection: once more, without TLS.
  std::vector<Deviation> deviations;
  std::string control;  ///< The same without the fault; empty: it is a control itself.
  Place place;
};

}  // namespace postern
