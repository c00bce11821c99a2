#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "located_xml.hpp"

// The test PKI: certificates that are right, and certificates that are wrong in one named way.
//
// authority.xml declares them; nothing is kept in the repository. They are minted in memory, in a
// few milliseconds, when a run starts, so they never go stale.

namespace postern::certs {

using X509Ptr = std::shared_ptr<X509>;
using KeyPtr = std::shared_ptr<EVP_PKEY>;

/// Identity is one key with the chain that a peer shows for it, leaf first, without the root.
struct Identity {
  std::string name;
  std::string about;  ///< What it is for, in words, from the declaration.
  std::vector<X509Ptr> chain;
  KeyPtr key;

  std::string chain_pem() const;
  std::string key_pem() const;
};

/// Trust is a set of CA certificates that a peer or a gateway believes in.
struct Trust {
  std::string name;
  std::string about;
  std::vector<X509Ptr> anchors;

  std::string pem() const;
};

/// Authority is the PKI of one run. After load it is only read, from any thread.
class Authority {
 public:
  /// load reads the declarations in `file` and mints everything. Problems are added to `problems`
  /// and nothing is returned.
  static std::optional<Authority> load(const std::string& file, Problems& problems);

  /// identity and trust find by name; nullptr if there is none.
  const Identity* identity(const std::string& name) const;
  const Trust* trust(const std::string& name) const;

  std::vector<std::string> identity_names() const;
  std::vector<std::string> trust_names() const;

  /// write puts every identity (NAME.pem: chain; NAME.key: key, mode 0600) and trust (NAME.ca.pem)
  /// below `directory`, made 0700 if missing, with an index that says what each is for.
  /// Throws std::runtime_error with the path and the system's reason.
  void write(const std::string& directory) const;

 private:
  std::map<std::string, Identity> identities_;
  std::map<std::string, Trust> trusts_;
};

}  // namespace postern::certs
