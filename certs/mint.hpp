#pragma once

#include "authority.hpp"
#include "declaration.hpp"

// Making one certificate with OpenSSL, faults included.

namespace postern::certs {

/// Minted is a certificate with its key. Empty pointers: not minted yet.
struct Minted {
  X509Ptr certificate;
  KeyPtr key;
};

/// mint makes a new key and the certificate that `declared` describes, signed by `issuer`, or by
/// its own key if that is nullptr. Validity counts from now. Throws std::runtime_error, with the
/// declaration's place and OpenSSL's reason, if OpenSSL refuses.
Minted mint(const Declaration& declared, const Minted* issuer);

/// mint_crl makes the list in which `issuer` revokes `revoked`, since an hour ago. Validity counts
/// from now. Throws as mint does.
CrlPtr mint_crl(const CrlDeclaration& declared, const Minted& issuer,
                const std::vector<X509Ptr>& revoked);

/// certificate_pem, crl_pem and key_pem_of give PEM text; the key is unencrypted PKCS#8.
/// All throw std::runtime_error if OpenSSL refuses.
std::string certificate_pem(const X509Ptr& certificate);
std::string crl_pem(const CrlPtr& list);
std::string key_pem_of(const KeyPtr& key);

}  // namespace postern::certs
