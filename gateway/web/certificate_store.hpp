// The certificates that the page has made or taken in, as files of a folder: own/NAME.pem with
// own/NAME.key, own/NAME.csr with its key until it is signed, ca/NAME.pem.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certificates.hpp"
#include "words.hpp"

namespace gateway::web {

// StoredCertificate is one of them.
struct StoredCertificate {
  enum class Kind { own, request, authority };
  Kind kind = Kind::own;
  std::string name;                     // of its files, without what stands behind the dot
  std::string path;                     // of the certificate, or of the request
  std::string key;                      // of its key; empty for an authority
  std::vector<CertificateFacts> facts;  // leaf first; none of a request
  std::optional<Refusal> error;         // why it cannot be read
};

class CertificateStore {
 public:
  // `folder` is made when there is something to be kept in it.
  explicit CertificateStore(std::string folder) : folder_(std::move(folder)) {}

  // all are those that there are, by kind and name.
  std::vector<StoredCertificate> all() const;

  // These add one and return its name, which is new. They throw std::runtime_error. A key is
  // readable for the owner only, and is there before what it belongs to.
  std::string add(const OwnCertificate& certificate) const;
  std::string add(const SigningRequest& request, const std::string& wish) const;
  std::string add_authorities(const std::vector<std::string>& certificates) const;

  // complete puts the certificate in the place of the request whose key it has.
  void complete(const StoredCertificate& request, const OwnCertificate& certificate) const;

  // remove deletes its files.
  void remove(const StoredCertificate& certificate) const;

  // read_text is the content of a file of the store. It throws std::runtime_error.
  static std::string read_text(const std::string& path);

 private:
  std::string fresh_name(const std::string& part, const std::string& wish) const;

  std::string folder_;
};

}  // namespace gateway::web
