#pragma once

#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"

// The beginnings of scenarios: texts that load and prove as they are, and that somebody who knows
// what is to be tested goes on from.

namespace postern {

/// StorySkeleton says what a new story is about. Played as it is, it passes with a gateway that
/// keeps its defaults.
struct StorySkeleton {
  std::string ref;
  std::string why;
  Role side = Role::kClient;  ///< Whose lines are written out; a named peer plays the other.
  bool tls = true;
  TlsVersion version = TlsVersion::k13;
  std::string note = {};  ///< A comment above it; empty: none.
};

/// story_text gives the file of a new story.
std::string story_text(const StorySkeleton& story);

/// settings_story_text gives the file of a story under `settings` ("NAME=VALUE" each), in which a
/// client greets and goes.
std::string settings_story_text(const std::string& ref, const std::string& why,
                                const std::vector<std::string>& settings);

/// PeerSkeleton is a peer with one fault, or with a certificate of its own.
struct PeerSkeleton {
  Role role = Role::kClient;
  std::string name;
  std::string certificate;  ///< Empty: that of the good peer.
  std::string point, act;   ///< Empty: no deviation.
  bool hold = true;         ///< Server: whether its message is expected to be held.
  std::string level;        ///< Of its leg, that the matrix sets; empty: those that require TLS.
};

/// peer_text gives the file of a new peer, matrix_text that of a matrix which tries it beside its
/// control: what it expects is a guess, which the one who looks into it first has to settle.
std::string peer_text(const PeerSkeleton& peer);
std::string matrix_text(const PeerSkeleton& peer);

/// fault_story_text gives the file of a story in which a client does `act` at `point` of its
/// conversation, and then, where it has not done so before, comes back and hands its message in. ""
/// where that is no story (what goes wrong within a handshake, what is not due in a message's text,
/// and what is neither said nor an ending).
std::string fault_story_text(const std::string& ref, const std::string& why,
                             const std::string& point, const std::string& act);

/// folder_for gives the folder below stories/ in which a story on `ref` is at home: that of most
/// others on it, else "sending" or "starttls" by its side.
std::string folder_for(const Catalogue& catalogue, const std::string& ref, Role side);

}  // namespace postern
