#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "located_xml.hpp"

// The test PKI: certificates that are right, and certificates that are wrong in named ways.
//
// authority.xml declares them; nothing is kept in the repository. Each is minted in memory when it
// is first asked for, so they never go stale and a start costs only the reading of the file.

namespace postern::certs {

using X509Ptr = std::shared_ptr<X509>;
using KeyPtr = std::shared_ptr<EVP_PKEY>;
using CrlPtr = std::shared_ptr<X509_CRL>;

/// Identity is one key with the chain that a peer shows for it, leaf first, without the root.
struct Identity {
  std::string name;
  std::string about;  ///< What it is for, in words, from the declaration.
  std::vector<X509Ptr> chain;
  KeyPtr key;

  /// chain_pem gives the chain as PEM, in its order.
  std::string chain_pem() const;
  /// key_pem gives the key as unencrypted PKCS#8 PEM.
  std::string key_pem() const;
};

/// Trust is a set of CA certificates that a peer or a gateway believes in.
struct Trust {
  std::string name;
  std::string about;
  std::vector<X509Ptr> anchors;

  /// pem gives the anchors as PEM, in the order of the declaration.
  std::string pem() const;
};

/// RevocationList is what a CA has revoked (RFC 5280 section 5).
struct RevocationList {
  std::string name;
  std::string about;
  CrlPtr list;

  /// pem gives the list as PEM.
  std::string pem() const;
};

/// Authority is the PKI of one run. Any thread may use it at any time; copies share what was
/// minted.
class Authority {
 public:
  /// load reads and checks the declarations in `file`; nothing is minted yet. Problems are added to
  /// `problems` and nothing is returned.
  static std::optional<Authority> load(const std::string& file, Problems& problems);

  /// parse does the same for text already in memory; `name` stands in for the file's name.
  static std::optional<Authority> parse(std::string text, std::string name, Problems& problems);

  /// identity, trust and crl find by name; nullptr if there is none. The first call for a name
  /// mints it: 0.3 ms, but up to a second where the declaration asks for an RSA key. What they
  /// return lives as long as any copy of this object. Throws std::runtime_error if OpenSSL cannot
  /// make it.
  const Identity* identity(const std::string& name) const;
  const Trust* trust(const std::string& name) const;
  const RevocationList* crl(const std::string& name) const;

  /// identity_names, trust_names and crl_names list what can be asked for, sorted. They mint
  /// nothing.
  std::vector<std::string> identity_names() const;
  std::vector<std::string> trust_names() const;
  std::vector<std::string> crl_names() const;

  /// write puts every identity (NAME.pem: chain; NAME.key: key, mode 0600), trust (NAME.ca.pem) and
  /// revocation list (NAME.crl.pem) below `directory`, made 0700 if missing, with an index INDEX.md
  /// that says what each is for.
  /// A file of the same name that an earlier call wrote is replaced, and one removed that the index
  /// of an earlier call lists and this one does not; any other file or link is left as it is, and
  /// in the way of one of these nothing is written. Throws std::runtime_error with the path and the
  /// reason.
  void write(const std::string& directory) const;

  /// read takes every identity, trust and revocation list from where write put it, in the place of
  /// minting: for gateways that know them already. Before the first is asked for, by one thread.
  /// Throws std::runtime_error with the path and the reason: a file that is missing or is no PEM, a
  /// key that is not the certificate's, a CA that is not valid now.
  void read(const std::string& directory);

 private:
  class Workshop;
  explicit Authority(std::shared_ptr<Workshop> workshop);
  static std::optional<Authority> from_xml(const LocatedXml& xml, Problems& problems);

  std::shared_ptr<Workshop> workshop_;
};

}  // namespace postern::certs
