#include "certificates.hpp"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "mint.hpp"
#include "smtp_command.hpp"
#include "tls_context.hpp"
#include "verdict.hpp"
#include "words.hpp"

namespace gateway::web {
namespace {

template <typename Type, void (*kFree)(Type*)>
struct Free {
  void operator()(Type* object) const { kFree(object); }
};
using Key = Mint::Key;
using Certificate = Mint::Certificate;
using X509Request = std::unique_ptr<X509_REQ, Free<X509_REQ, X509_REQ_free>>;
using Bundle = std::unique_ptr<PKCS12, Free<PKCS12, PKCS12_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION, X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES, GENERAL_NAMES_free>>;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Memory = std::unique_ptr<BIO, FreeBio>;

constexpr std::size_t kMostCertificates = 1000;  // in one file

[[noreturn]] void fail(const char* id, std::string value = {}) {
  throw Refusal(id, std::move(value));
}

void must(bool good, const char* what) {
  if (!good) fail("no-way", fmt::format("{}: {}", what, tls_error()));
}

Memory reader(const std::string& octets) {
  return Memory(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

template <typename Write>
std::string written(Write write) {
  const Memory bio(BIO_new(BIO_s_mem()));
  must(bio && write(bio.get()) == 1, "write PEM");
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::string pem_of(X509* certificate) {
  return written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string pem_of(EVP_PKEY* key) {
  return written([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

// give_password hands the password over that the caller has; it never asks on a terminal.
int give_password(char* buffer, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.empty() || static_cast<int>(text.size()) > size) return -1;
  std::copy(text.begin(), text.end(), buffer);
  return static_cast<int>(text.size());
}

std::string name_of(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
            static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))};
  }
  if (name->type != GEN_IPADD) return {};
  const unsigned char* octets = ASN1_STRING_get0_data(name->d.iPAddress);
  if (ASN1_STRING_length(name->d.iPAddress) == 4) {
    return fmt::format("{}.{}.{}.{}", octets[0], octets[1], octets[2], octets[3]);
  }
  if (ASN1_STRING_length(name->d.iPAddress) != 16) return {};
  std::string text;
  for (int i = 0; i < 16; i += 2) {
    text += fmt::format("{}{:02x}{:02x}", i == 0 ? "" : ":", octets[i], octets[i + 1]);
  }
  return IpAddress::parse(text).value_or(IpAddress()).to_string();
}

CertificateFacts facts_of_one(X509* certificate) {
  CertificateFacts facts;
  facts.subject = printable_name(X509_get_subject_name(certificate));
  facts.issuer = printable_name(X509_get_issuer_name(certificate));
  facts.not_before = time_of(X509_get0_notBefore(certificate));
  facts.not_after = time_of(X509_get0_notAfter(certificate));
  facts.is_ca = X509_check_ca(certificate) != 0;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = name_of(sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty()) facts.names.push_back(name);
  }
  return facts;
}

std::vector<Certificate> certificates_in(const std::string& pem) {
  const Memory bio = reader(pem);
  std::vector<Certificate> all;
  ERR_clear_error();
  for (;;) {
    Certificate one(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    if (all.size() == kMostCertificates) {
      fail("many-certificates", fmt::format("{}", kMostCertificates));
    }
    all.push_back(std::move(one));
  }
  const unsigned long error = ERR_peek_last_error();
  if (error != 0 && ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    fail("bad-certificate", tls_error());
  }
  ERR_clear_error();
  return all;
}

Certificate first_certificate(const std::string& pem) {
  std::vector<Certificate> all = certificates_in(pem);
  if (all.empty()) fail("no-certificate");
  return std::move(all.front());
}

Key new_key() {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  must(key != nullptr, "make a key");
  return key;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", IpAddress::parse(name) ? "IP" : "DNS",
                        name);
  }
  return text;
}

// common_name is the first name, where it is not too long for one (X.520).
std::string common_name(const std::vector<std::string>& names) {
  constexpr std::size_t kLongest = 64;
  return names.front().size() > kLongest ? std::string() : names.front();
}

void extend(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  must(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

Import read_pkcs12(PKCS12* bundle, const std::string& password) {
  const int length = static_cast<int>(password.size());
  if (PKCS12_mac_present(bundle) == 0) {
    // OpenSSL opens none without a MAC, and there is nothing to hold the password against.
    PKCS12_set_mac(bundle, password.c_str(), length, nullptr, 0, 1, nullptr);
  } else if (PKCS12_verify_mac(bundle, password.c_str(), length) != 1) {
    ERR_clear_error();
    fail(password.empty() ? "p12-needs-password" : "p12-wrong-password");
  }
  EVP_PKEY* raw_key = nullptr;
  X509* raw_leaf = nullptr;
  STACK_OF(X509)* raw_others = nullptr;
  ERR_clear_error();
  if (PKCS12_parse(bundle, password.c_str(), &raw_key, &raw_leaf, &raw_others) != 1) {
    fail("p12-unreadable", tls_error());
  }
  const Key key(raw_key);
  const Certificate leaf(raw_leaf);
  const auto free_all = [](STACK_OF(X509) * all) { sk_X509_pop_free(all, X509_free); };
  const std::unique_ptr<STACK_OF(X509), decltype(free_all)> others(raw_others, free_all);
  Import import;
  if (leaf) import.certificates.push_back(pem_of(leaf.get()));
  for (int i = 0; i < sk_X509_num(others.get()); ++i) {
    import.certificates.push_back(pem_of(sk_X509_value(others.get(), i)));
  }
  if (key) import.key = pem_of(key.get());
  if (import.certificates.empty()) fail("no-certificate");
  return import;
}

Import read_pem(const std::string& text, const std::string& password) {
  Import import;
  for (const Certificate& certificate : certificates_in(text)) {
    import.certificates.push_back(pem_of(certificate.get()));
  }
  if (import.certificates.empty()) fail("no-certificate");
  const bool has_key = text.find("PRIVATE KEY-----") != std::string::npos;
  if (!has_key) return import;
  const Memory bio = reader(text);
  std::string secret = password;
  ERR_clear_error();
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &give_password, &secret));
  if (!key) {
    const std::string error = tls_error();
    const bool encrypted = text.find("ENCRYPTED") != std::string::npos;
    if (encrypted && password.empty()) fail("key-needs-password");
    fail(encrypted ? "key-wrong-password" : "key-unreadable", error);
  }
  import.key = pem_of(key.get());
  return import;
}

// order_by_issuer puts behind each certificate the one that certifies it, as RFC 5246 section 7.4.2
// has it. Where there is none, the others follow as they came.
void order_by_issuer(std::vector<std::string>& chain) {
  std::vector<Certificate> parsed;
  for (const std::string& one : chain) parsed.push_back(first_certificate(one));
  for (std::size_t place = 1; place < chain.size(); ++place) {
    const auto here = parsed.begin() + static_cast<std::ptrdiff_t>(place);
    const auto issuer = std::find_if(here, parsed.end(), [&](const Certificate& other) {
      return X509_check_issued(other.get(), parsed[place - 1].get()) == X509_V_OK;
    });
    if (issuer == parsed.end()) return;
    const auto text = chain.begin() + (issuer - parsed.begin());
    std::rotate(chain.begin() + (here - parsed.begin()), text, text + 1);
    std::rotate(here, issuer, issuer + 1);
  }
}

}  // namespace

std::vector<CertificateFacts> facts_in(const std::string& pem) {
  std::vector<CertificateFacts> facts;
  for (const Certificate& certificate : certificates_in(pem)) {
    facts.push_back(facts_of_one(certificate.get()));
  }
  if (facts.empty()) fail("no-certificate");
  return facts;
}

OwnCertificate make_self_signed(const std::vector<std::string>& names, int days) {
  const Key key = new_key();
  const Certificate certificate = Mint::draft(common_name(names), key.get(), 0, days);
  X509* x = certificate.get();
  X509_set_issuer_name(x, X509_get_subject_name(x));
  extend(x, NID_basic_constraints, "critical,CA:FALSE");
  extend(x, NID_key_usage, "critical,digitalSignature");
  extend(x, NID_ext_key_usage, "serverAuth,clientAuth");
  extend(x, NID_subject_alt_name, alternative_names(names));
  extend(x, NID_subject_key_identifier, "hash");
  must(X509_sign(x, key.get(), EVP_sha256()) > 0, "sign a certificate");
  return {pem_of(x), pem_of(key.get())};
}

SigningRequest make_request(const std::vector<std::string>& names) {
  const Key key = new_key();
  const X509Request request(X509_REQ_new());
  must(request != nullptr, "make a request");
  X509_REQ_set_version(request.get(), X509_REQ_VERSION_1);
  if (const std::string name = common_name(names); !name.empty()) {
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  }
  must(X509_REQ_set_pubkey(request.get(), key.get()) == 1, "set a public key");
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                alternative_names(names).c_str()));
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions, extension.get());
  const int added = extension ? X509_REQ_add_extensions(request.get(), extensions) : 0;
  sk_X509_EXTENSION_free(extensions);
  must(added == 1, "add the names");
  must(X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0, "sign a request");
  return {written([&](BIO* bio) { return PEM_write_bio_X509_REQ(bio, request.get()); }),
          pem_of(key.get())};
}

Import read_import(const std::string& octets, const std::string& password) {
  if (octets.empty()) fail("file-empty");
  if (octets.find("-----BEGIN ") != std::string::npos) return read_pem(octets, password);
  const Memory bio = reader(octets);
  const Bundle bundle(d2i_PKCS12_bio(bio.get(), nullptr));
  if (bundle) return read_pkcs12(bundle.get(), password);
  ERR_clear_error();
  const Memory again = reader(octets);
  const Certificate one(d2i_X509_bio(again.get(), nullptr));
  ERR_clear_error();
  if (!one) fail("file-unknown");
  return {{pem_of(one.get())}, {}};
}

bool key_belongs(const std::string& key, const std::string& certificate) {
  const Memory bio = reader(key);
  const Key parsed(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const Certificate leaf = first_certificate(certificate);
  const bool good = parsed && X509_check_private_key(leaf.get(), parsed.get()) == 1;
  ERR_clear_error();
  return good;
}

OwnCertificate own_certificate(const Import& import, const std::string& key) {
  std::vector<std::string> chain = import.certificates;
  const auto leaf = std::find_if(chain.begin(), chain.end(), [&](const std::string& certificate) {
    return key_belongs(key, certificate);
  });
  if (leaf == chain.end()) fail("key-of-none");
  std::rotate(chain.begin(), leaf, leaf + 1);
  order_by_issuer(chain);
  return {fmt::format("{}", fmt::join(chain, "")), key};
}

std::vector<std::string> parse_names(std::string_view text) {
  constexpr std::size_t kMostNames = 50;
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" ,;\t\r\n"), text.size());
    const std::string name = lower_case(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    const std::string_view plain =
        name.rfind("*.", 0) == 0 ? std::string_view(name).substr(2) : std::string_view(name);
    if (!IpAddress::parse(name) && !is_host_name(plain)) {
      fail("bad-name", name);
    }
    names.push_back(name);
  }
  if (names.empty()) fail("no-name");
  if (names.size() > kMostNames) fail("many-names", fmt::format("{}", kMostNames));
  return names;
}

}  // namespace gateway::web
