#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "located_xml.hpp"

// What authority.xml declares, checked and typed, before anything is minted.

namespace postern::certs {

enum class KeyKind { kEcP256, kEcP384, kEd25519, kRsa1024, kRsa2048, kRsa3072 };
enum class Validity { kNow, kExpired, kNotYet };
enum class Digest { kSha1, kSha256, kSha384, kSha512 };
enum class CaFlag { kYes, kNo, kMissing };
enum class UnknownExtension { kNone, kCritical, kNonCritical };
enum class Purpose { kServer, kClient, kEmail, kAny };

/// SubjectName is one part of a subject, such as CN and its value. A value may hold a NUL.
struct SubjectName {
  std::string key;
  std::string value;
};

/// AlternativeName is one entry of the subjectAltName extension (RFC 5280 section 4.2.1.6).
struct AlternativeName {
  enum class Kind { kDns, kIp };
  Kind kind = Kind::kDns;
  std::string value;  ///< A DNS name, which may hold a NUL, or the 4 or 16 octets of an address.
};

/// Declaration is one certificate to be minted: a CA or what a peer shows.
struct Declaration {
  std::string name;
  std::string about;
  std::string issuer;  ///< Name of another declaration; empty: signed with its own key.
  bool is_ca = false;  ///< Declared with <ca>; says nothing of ca_flag.
  std::vector<SubjectName> subject;
  std::vector<AlternativeName> names;
  std::vector<Purpose> purposes;  ///< Extended key usage; empty: without that extension.
  KeyKind key = KeyKind::kEcP256;
  Validity validity = Validity::kNow;
  Digest digest = Digest::kSha256;
  CaFlag ca_flag = CaFlag::kNo;
  UnknownExtension unknown_extension = UnknownExtension::kNone;
  std::optional<unsigned> path_length;
  std::vector<std::string> permitted;  ///< DNS name constraints; empty: none.
  bool may_sign = true;                ///< A CA's key usage has keyCertSign.
  bool send_intermediates = true;
  bool tampered = false;  ///< The signature is changed after signing.
  Place place;
};

/// TrustDeclaration is a set of declared certificates to believe in.
struct TrustDeclaration {
  std::string name;
  std::string about;
  std::vector<std::string> anchors;
};

/// CrlDeclaration is a list of what a CA has revoked.
struct CrlDeclaration {
  std::string name;
  std::string about;
  std::string issuer;                ///< Name of the certificate that signs it.
  std::vector<std::string> revokes;  ///< Names of certificates that it signed, too.
  Validity validity = Validity::kNow;
  Place place;
};

/// Declarations is the whole of an authority.xml.
struct Declarations {
  std::map<std::string, Declaration> certificates;
  std::map<std::string, TrustDeclaration> trusts;
  std::map<std::string, CrlDeclaration> crls;
};

/// read_declarations reads `xml` and checks it whole: elements, attributes, values, that each
/// issuer and anchor is declared, that no chain of issuers comes back to where it began, and that a
/// revocation list names what its issuer signed.
/// Whatever is wrong is added to `problems`; what is returned then must not be used.
Declarations read_declarations(const LocatedXml& xml, Problems& problems);

}  // namespace postern::certs
