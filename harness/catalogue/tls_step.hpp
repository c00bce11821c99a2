#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "peer.hpp"

namespace postern {

/// Resume is which session a handshake offers (client) or whether tickets are given (server).
enum class Resume {
  kNo,
  kYes,     ///< Client: that of the last ticket of this story. Server: issues and accepts tickets.
  kMadeUp,  ///< Client: one that the gateway never gave.
};

/// TlsStep is what a story's step says of TLS; which part counts depends on the step's kind.
struct TlsStep {
  // <starttls>: what is shown, believed, spoken and offered.
  std::string certificate, trust;
  std::vector<TlsVersion> versions;
  Asks asks = Asks::kNo;
  std::string ciphers;  ///< In OpenSSL's words; empty: its default.
  std::vector<std::string> groups, alpn;
  std::string sni;  ///< Client.
  Resume resume = Resume::kNo;
  std::string early;                  ///< Client: sent as early data.
  std::size_t record_size = 0;        ///< Bytes in a record; 0: as OpenSSL cuts them.
  std::vector<std::size_t> splits;    ///< Offsets at which the first flight is cut into writes.
  std::vector<Deviation> deviations;  ///< At points of the handshake.
  // <starttls>: what must be seen.
  bool may_fail = false;   ///< A handshake that fails conforms too, and ends the story.
  bool must_fail = false;  ///< Only a handshake that fails conforms.
  std::vector<std::string>
      alerts;           ///< <hear-alert> too: names, numbers or "fatal"; empty: any or none.
  std::string version;  ///< "1.2" or "1.3" must be agreed on.
  std::string cipher, group;
  std::string got_sni, got_alpn;  ///< "none": there must be none; empty: not looked at.
  std::optional<bool> asked;      ///< Client: whether a certificate is asked for.
  std::optional<bool> shown;      ///< Server: whether the gateway shows one.
  std::optional<bool> resumed, extended_master_secret;
  // <say>: the bytes go onto the connection beneath TLS.
  bool wire = false;
};

}  // namespace postern
