#pragma once

#include "catalogue/reader.hpp"
#include "catalogue/story.hpp"

// What stories say of TLS: reading it, and finding what can never happen.

namespace postern {

/// read_tls reads what `node`, an element of the kind of `step`, says of TLS.
void read_tls(const Reader& reader, pugi::xml_node node, Role role, Step& step);

/// ends_half tells whether `step` ends one direction in part only, so that more may be sent.
bool ends_half(const Step& step);

/// TlsLint walks the steps of one script and complains of what can never happen in TLS.
class TlsLint {
 public:
  TlsLint(const Reader& reader, Role role) : reader_(reader), role_(role) {}

  void step(pugi::xml_node node, const Step& step);

 private:
  void handshake(pugi::xml_node node, const Step& step);
  void needs_tls(pugi::xml_node node, const char* attribute, const std::string& what);

  const Reader& reader_;
  Role role_;
  bool encrypted_ = false;    ///< This connection had a handshake.
  bool shook_hands_ = false;  ///< Any connection of this script had one that could succeed.
  bool old_ = false;          ///< The handshake of this connection offered nothing above TLS 1.2.
};

}  // namespace postern
