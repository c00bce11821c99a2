#pragma once

#include <string>

#include "authority.hpp"

// The PKI as files, for programs that read certificates from files.

namespace postern::certs {

/// write_directory does what Authority::write says. Everything is minted, and every place looked
/// at, before the first file is written; each file appears whole or not at all.
void write_directory(const Authority& authority, const std::string& directory);

/// StoredPki reads what write_directory wrote. All throw std::runtime_error with the path and what
/// is wrong with it.
class StoredPki {
 public:
  explicit StoredPki(std::string directory) : directory_(std::move(directory)) {}

  /// certificates gives all certificates of a file, one at least.
  std::vector<X509Ptr> certificates(const std::string& name) const;
  /// anchors does so, and wants each to be valid now.
  std::vector<X509Ptr> anchors(const std::string& name) const;
  /// key reads a private key, which must be that of `certificate`.
  KeyPtr key(const std::string& name, const X509Ptr& certificate) const;
  CrlPtr crl(const std::string& name) const;

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& what) const;
  std::shared_ptr<BIO> open(const std::string& name) const;

  std::string directory_;
};

}  // namespace postern::certs
