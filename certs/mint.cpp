#include "mint.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <stdexcept>

namespace postern::certs {
namespace {

constexpr long kHour = 3600;  // seconds
constexpr long kDay = 24 * kHour;

// An arc of the enterprise number that RFC 5612 keeps for examples: nobody can know it.
constexpr const char* kUnknownOid = "1.3.6.1.4.1.32473.1";

/// Freed owns what OpenSSL allocated.
template <auto kFree>
struct Freer {
  template <typename Thing>
  void operator()(Thing* thing) const {
    kFree(thing);
  }
};
template <typename Thing, auto kFree>
using Owned = std::unique_ptr<Thing, Freer<kFree>>;

/// Refused is thrown where OpenSSL says no; it carries OpenSSL's reason.
[[noreturn]] void refused(const char* what) {
  const unsigned long code = ERR_peek_last_error();
  std::array<char, 256> reason{};
  ERR_error_string_n(code, reason.data(), reason.size());
  ERR_clear_error();
  throw std::runtime_error(
      fmt::format("{}: {}", what, code != 0 ? reason.data() : "no reason given"));
}

void demand(bool good, const char* what) {
  if (!good) refused(what);
}

/// new_ec_key does what EVP_EC_gen does; that macro casts const away.
EVP_PKEY* new_ec_key(std::string curve) {
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.data());
}

EVP_PKEY* new_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEcP256:
      return new_ec_key("P-256");
    case KeyKind::kEcP384:
      return new_ec_key("P-384");
    case KeyKind::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case KeyKind::kRsa1024:
      return EVP_RSA_gen(1024U);
    case KeyKind::kRsa2048:
      return EVP_RSA_gen(2048U);
    case KeyKind::kRsa3072:
      return EVP_RSA_gen(3072U);
  }
  return nullptr;
}

/// digest_for gives nullptr for a key that brings its own digest (RFC 8410).
const EVP_MD* digest_for(Digest digest, EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") != 0) return nullptr;
  switch (digest) {
    case Digest::kSha1:
      return EVP_sha1();
    case Digest::kSha256:
      return EVP_sha256();
    case Digest::kSha384:
      return EVP_sha384();
    case Digest::kSha512:
      return EVP_sha512();
  }
  return nullptr;
}

void set_serial(X509* certificate) {
  // RFC 5280 section 4.1.2.2: positive, at most 20 octets; random, so that a CA made anew never
  // repeats what an earlier run of it gave out.
  const Owned<BIGNUM, BN_free> number(BN_new());
  demand(number != nullptr && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1,
         "serial number");
  demand(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
         "serial number");
}

/// Span is when something is valid, in seconds from now.
struct Span {
  long from, until;
};

Span span_of(Validity validity) {
  if (validity == Validity::kExpired) return {-2 * kDay, -kDay};
  if (validity == Validity::kNotYet) return {kDay, 2 * kDay};
  return {-kHour, kDay};
}

void set_validity(X509* certificate, Validity validity) {
  const Span span = span_of(validity);
  demand(X509_gmtime_adj(X509_getm_notBefore(certificate), span.from) != nullptr &&
             X509_gmtime_adj(X509_getm_notAfter(certificate), span.until) != nullptr,
         "validity");
}

void set_subject(X509* certificate, const std::vector<SubjectName>& subject) {
  X509_NAME* name = X509_get_subject_name(certificate);
  for (const SubjectName& part : subject) {
    const std::basic_string<unsigned char> value(part.value.begin(), part.value.end());
    demand(X509_NAME_add_entry_by_txt(name, part.key.c_str(), MBSTRING_UTF8, value.data(),
                                      static_cast<int>(value.size()), -1, 0) == 1,
           "subject");
  }
}

void add_extension(X509* certificate, X509V3_CTX& context, int nid, const std::string& value) {
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  demand(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
         OBJ_nid2ln(nid));
}

/// general_name_of holds the bytes as they are: OpenSSL's own syntax ends a name at a NUL.
GENERAL_NAME* general_name_of(const AlternativeName& name) {
  const bool is_ip = name.kind == AlternativeName::Kind::kIp;
  Owned<GENERAL_NAME, GENERAL_NAME_free> made(GENERAL_NAME_new());
  Owned<ASN1_STRING, ASN1_STRING_free> text(
      ASN1_STRING_type_new(is_ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  demand(
      made != nullptr && text != nullptr &&
          ASN1_STRING_set(text.get(), name.value.data(), static_cast<int>(name.value.size())) == 1,
      "subjectAltName");
  GENERAL_NAME_set0_value(made.get(), is_ip ? GEN_IPADD : GEN_DNS, text.release());
  return made.release();
}

void add_names(X509* certificate, const Declaration& declared) {
  if (declared.names.empty()) return;
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(GENERAL_NAMES_new());
  demand(names != nullptr, "subjectAltName");
  for (const AlternativeName& name : declared.names) {
    demand(sk_GENERAL_NAME_push(names.get(), general_name_of(name)) > 0, "subjectAltName");
  }
  // RFC 5280 section 4.2.1.6: critical where the subject is empty.
  demand(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(),
                           declared.subject.empty() ? 1 : 0, X509V3_ADD_DEFAULT) == 1,
         "subjectAltName");
}

void add_unknown_extension(X509* certificate, UnknownExtension unknown) {
  if (unknown == UnknownExtension::kNone) return;
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(kUnknownOid, 1));
  const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> data(ASN1_OCTET_STRING_new());
  constexpr std::array<unsigned char, 2> kNull{0x05, 0x00};
  demand(object != nullptr && data != nullptr &&
             ASN1_OCTET_STRING_set(data.get(), kNull.data(), kNull.size()) == 1,
         "unknown extension");
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509_EXTENSION_create_by_OBJ(
      nullptr, object.get(), unknown == UnknownExtension::kCritical ? 1 : 0, data.get()));
  demand(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
         "unknown extension");
}

std::string purposes_text(const std::vector<Purpose>& purposes) {
  std::string text;
  for (const Purpose purpose : purposes) {
    if (!text.empty()) text += ",";
    switch (purpose) {
      case Purpose::kServer:
        text += "serverAuth";
        break;
      case Purpose::kClient:
        text += "clientAuth";
        break;
      case Purpose::kEmail:
        text += "emailProtection";
        break;
      case Purpose::kAny:
        text += "anyExtendedKeyUsage";
        break;
    }
  }
  return text;
}

std::string key_usage_of(const Declaration& declared, EVP_PKEY* key) {
  // A CA whose flag is missing keeps the right to sign: the flag is the one thing wrong with it.
  if (declared.is_ca || declared.ca_flag == CaFlag::kYes) {
    return declared.may_sign ? "critical,keyCertSign,cRLSign,digitalSignature"
                             : "critical,cRLSign,digitalSignature";
  }
  // keyEncipherment is for the RSA key exchange of TLS 1.2 and before.
  return EVP_PKEY_is_a(key, "RSA") != 0 ? "critical,digitalSignature,keyEncipherment"
                                        : "critical,digitalSignature";
}

void add_constraints(X509* certificate, X509V3_CTX& context, const Declaration& declared) {
  if (declared.ca_flag != CaFlag::kMissing) {
    std::string value = declared.ca_flag == CaFlag::kYes ? "critical,CA:TRUE" : "critical,CA:FALSE";
    if (declared.path_length) value += fmt::format(",pathlen:{}", *declared.path_length);
    add_extension(certificate, context, NID_basic_constraints, value);
  }
  if (!declared.permitted.empty()) {
    std::string value = "critical";
    for (const std::string& name : declared.permitted) value += ",permitted;DNS:" + name;
    add_extension(certificate, context, NID_name_constraints, value);
  }
}

void add_extensions(X509* certificate, X509* issuer, const Declaration& declared, EVP_PKEY* key) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  add_constraints(certificate, context, declared);
  add_extension(certificate, context, NID_key_usage, key_usage_of(declared, key));
  if (!declared.purposes.empty()) {
    add_extension(certificate, context, NID_ext_key_usage, purposes_text(declared.purposes));
  }
  add_names(certificate, declared);
  add_unknown_extension(certificate, declared.unknown_extension);
  add_extension(certificate, context, NID_subject_key_identifier, "hash");
  // RFC 5280 section 4.2.1.1: a self-signed certificate may go without.
  if (issuer != certificate) {
    add_extension(certificate, context, NID_authority_key_identifier, "keyid:always");
  }
}

/// tampered gives the certificate with its signature's last bit turned: a signature stands last.
X509Ptr tampered(const X509Ptr& certificate) {
  unsigned char* encoded = nullptr;
  const int length = i2d_X509(certificate.get(), &encoded);
  demand(length > 0, "tampering");
  encoded[length - 1] ^= 1;
  const unsigned char* at = encoded;
  X509Ptr changed(d2i_X509(nullptr, &at, length), X509_free);
  OPENSSL_free(encoded);
  demand(changed != nullptr, "tampering");
  return changed;
}

Minted mint_unplaced(const Declaration& declared, const Minted* issuer) {
  Minted made;
  made.key = KeyPtr(new_key(declared.key), EVP_PKEY_free);
  made.certificate = X509Ptr(X509_new(), X509_free);
  demand(made.key != nullptr, "key");
  demand(made.certificate != nullptr, "certificate");
  X509* certificate = made.certificate.get();
  X509* issuing = issuer != nullptr ? issuer->certificate.get() : certificate;
  EVP_PKEY* signing = issuer != nullptr ? issuer->key.get() : made.key.get();
  demand(X509_set_version(certificate, X509_VERSION_3) == 1, "version");
  set_serial(certificate);
  set_validity(certificate, declared.validity);
  set_subject(certificate, declared.subject);
  demand(X509_set_issuer_name(certificate, X509_get_subject_name(issuing)) == 1, "issuer");
  demand(X509_set_pubkey(certificate, made.key.get()) == 1, "public key");
  add_extensions(certificate, issuing, declared, made.key.get());
  demand(X509_sign(certificate, signing, digest_for(declared.digest, signing)) > 0, "signature");
  if (declared.tampered) made.certificate = tampered(made.certificate);
  return made;
}

void revoke(X509_CRL* list, X509* certificate, const ASN1_TIME* since) {
  Owned<X509_REVOKED, X509_REVOKED_free> entry(X509_REVOKED_new());
  demand(entry != nullptr &&
             X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate)) == 1 &&
             X509_REVOKED_set_revocationDate(entry.get(), const_cast<ASN1_TIME*>(since)) == 1 &&
             X509_CRL_add0_revoked(list, entry.get()) == 1,
         "revoked certificate");
  static_cast<void>(entry.release());  // the list owns it
}

/// add_crl_extensions: RFC 5280 sections 5.2.1 and 5.2.3, both a MUST for a CA that conforms.
void add_crl_extensions(X509_CRL* list, X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> key(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  const Owned<ASN1_INTEGER, ASN1_INTEGER_free> number(ASN1_INTEGER_new());
  demand(key != nullptr && X509_CRL_add_ext(list, key.get(), -1) == 1 && number != nullptr &&
             ASN1_INTEGER_set(number.get(), 1) == 1 &&
             X509_CRL_add1_ext_i2d(list, NID_crl_number, number.get(), 0, X509V3_ADD_DEFAULT) == 1,
         "extensions of a revocation list");
}

CrlPtr crl_unplaced(const CrlDeclaration& declared, const Minted& issuer,
                    const std::vector<X509Ptr>& revoked) {
  CrlPtr made(X509_CRL_new(), X509_CRL_free);
  const Span span = span_of(declared.validity);
  const Owned<ASN1_TIME, ASN1_TIME_free> from(X509_gmtime_adj(nullptr, span.from));
  const Owned<ASN1_TIME, ASN1_TIME_free> until(X509_gmtime_adj(nullptr, span.until));
  X509_CRL* list = made.get();
  demand(list != nullptr && from != nullptr && until != nullptr &&
             X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
             X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer.certificate.get())) == 1 &&
             X509_CRL_set1_lastUpdate(list, from.get()) == 1 &&
             X509_CRL_set1_nextUpdate(list, until.get()) == 1,
         "revocation list");
  for (const X509Ptr& certificate : revoked) revoke(list, certificate.get(), from.get());
  add_crl_extensions(list, issuer.certificate.get());
  demand(
      X509_CRL_sort(list) == 1 &&
          X509_CRL_sign(list, issuer.key.get(), digest_for(Digest::kSha256, issuer.key.get())) > 0,
      "signature");
  return made;
}

std::string contents_of(BIO* memory) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(length)};
}

}  // namespace

Minted mint(const Declaration& declared, const Minted* issuer) {
  ERR_clear_error();
  try {
    return mint_unplaced(declared, issuer);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: \"{}\" cannot be minted: {}", declared.place.text(),
                                         declared.name, error.what()));
  }
}

CrlPtr mint_crl(const CrlDeclaration& declared, const Minted& issuer,
                const std::vector<X509Ptr>& revoked) {
  ERR_clear_error();
  try {
    return crl_unplaced(declared, issuer, revoked);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: \"{}\" cannot be made: {}", declared.place.text(),
                                         declared.name, error.what()));
  }
}

std::string certificate_pem(const X509Ptr& certificate) {
  const Owned<BIO, BIO_free> memory(BIO_new(BIO_s_mem()));
  demand(memory != nullptr && PEM_write_bio_X509(memory.get(), certificate.get()) == 1,
         "writing a certificate");
  return contents_of(memory.get());
}

std::string crl_pem(const CrlPtr& list) {
  const Owned<BIO, BIO_free> memory(BIO_new(BIO_s_mem()));
  demand(memory != nullptr && PEM_write_bio_X509_CRL(memory.get(), list.get()) == 1,
         "writing a revocation list");
  return contents_of(memory.get());
}

std::string key_pem_of(const KeyPtr& key) {
  const Owned<BIO, BIO_free> memory(BIO_new(BIO_s_secmem()));
  demand(memory != nullptr && PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr,
                                                            nullptr, 0, nullptr, nullptr) == 1,
         "writing a key");
  return contents_of(memory.get());
}

}  // namespace postern::certs
