#include "mint.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

#include "tls_context.hpp"

namespace gateway {
namespace {

constexpr long kDay = 86400;

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("cannot ") + what + ": " + tls_error());
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const auto extension = std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)>(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), &X509_EXTENSION_free);
  must(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

template <typename Write>
std::string to_pem(Write write) {
  const auto bio = std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new(BIO_s_mem()), &BIO_free);
  must(bio && write(bio.get()) == 1, "write PEM");
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

EVP_PKEY* new_key() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  must(key != nullptr, "make a key");
  return key;
}

}  // namespace

Mint::Certificate Mint::draft(const std::string& name, EVP_PKEY* key, int from_day, int to_day) {
  Certificate certificate(X509_new());
  X509* x = certificate.get();
  std::uint64_t serial = 0;
  must(x && RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1,
       "draw a serial number");
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x), from_day * kDay);
  X509_gmtime_adj(X509_getm_notAfter(x), to_day * kDay);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  if (!name.empty()) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, text, -1, -1, 0);
  }
  must(X509_set_pubkey(x, key) == 1, "set a public key");
  return certificate;
}

Mint::Mint(const std::string& name)
    : key_(new_key()), certificate_(draft(name, key_.get(), -1, 30)) {
  X509* x = certificate_.get();
  X509_set_issuer_name(x, X509_get_subject_name(x));
  extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
  extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(x, x, NID_subject_key_identifier, "hash");
  must(X509_sign(x, key_.get(), EVP_sha256()) > 0, "sign a certificate");
}

std::string Mint::certificate() const {
  return to_pem([this](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
}

PemPair Mint::issue(const std::string& name, const char* usage, int from_day, int to_day) const {
  const Key key(new_key());
  const Certificate certificate = draft(name, key.get(), from_day, to_day);
  X509* x = certificate.get();
  X509_set_issuer_name(x, X509_get_subject_name(certificate_.get()));
  extend(x, certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  extend(x, certificate_.get(), NID_key_usage, "critical,digitalSignature");
  extend(x, certificate_.get(), NID_ext_key_usage, usage);
  extend(x, certificate_.get(), NID_subject_alt_name,
         (IpAddress::parse(name) ? "IP:" : "DNS:") + name);
  must(X509_sign(x, key_.get(), EVP_sha256()) > 0, "sign a certificate");
  PemPair pair;
  pair.certificate = to_pem([x](BIO* bio) { return PEM_write_bio_X509(bio, x); });
  pair.key = to_pem([&key](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return pair;
}

std::string Mint::crl(const std::vector<PemPair>& revoked, int from_day, int to_day) const {
  const auto list =
      std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)>(X509_CRL_new(), &X509_CRL_free);
  const auto date =
      std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)>(ASN1_TIME_new(), &ASN1_TIME_free);
  must(list && date, "make a revocation list");
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
  X509_gmtime_adj(date.get(), from_day * kDay);
  X509_CRL_set1_lastUpdate(list.get(), date.get());
  for (const PemPair& pair : revoked) {
    const auto bio = std::unique_ptr<BIO, decltype(&BIO_free)>(
        BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size())),
        &BIO_free);
    const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    X509_REVOKED* entry = X509_REVOKED_new();
    must(certificate && entry, "revoke a certificate");
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate.get()));
    X509_REVOKED_set_revocationDate(entry, date.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  X509_gmtime_adj(date.get(), to_day * kDay);
  X509_CRL_set1_nextUpdate(list.get(), date.get());
  X509_CRL_sort(list.get());
  must(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0, "sign a revocation list");
  return to_pem([&list](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list.get()); });
}

}  // namespace gateway
