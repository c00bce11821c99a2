// Certificates that the simulator makes itself, so that it needs no files to start. They are for
// trying things out on one machine: their CA exists only as long as the program runs. The settings
// page begins its own in the same way.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace gateway {

// PemPair is a certificate and its key as PEM.
struct PemPair {
  std::string certificate;
  std::string key;
};

// Mint is a CA of ECDSA P-256. All functions throw std::runtime_error where OpenSSL fails.
class Mint {
 public:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct FreeCertificate {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
  using Certificate = std::unique_ptr<X509, FreeCertificate>;

  // draft is what every certificate begins with: a serial number, its days, the subject, and the
  // key that it is for. Without `name` the subject is empty. Issuer and signature are yet to come.
  static Certificate draft(const std::string& name, EVP_PKEY* key, int from_day, int to_day);

  explicit Mint(const std::string& name);

  // certificate is the CA's own, as PEM.
  std::string certificate() const;

  // issue makes a key and a certificate for one DNS name or IP address. `usage` is serverAuth or
  // clientAuth; `from_day` and `to_day` bound its validity, counted from today.
  PemPair issue(const std::string& name, const char* usage, int from_day = -1,
                int to_day = 30) const;

  // crl is the revocation list of this CA, as PEM, with the certificates of `revoked` on it. The
  // days bound its own validity.
  std::string crl(const std::vector<PemPair>& revoked, int from_day = -1, int to_day = 30) const;

 private:
  Key key_;
  Certificate certificate_;
};

}  // namespace gateway
