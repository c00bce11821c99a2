#include "tls_context.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>

#include "smtp_command.hpp"
#include "utf8.hpp"
#include "verdict.hpp"

namespace gateway {
namespace {

constexpr int kSecurityLevel = 2;

// Where a handshake keeps the verdict on the peer's certificate, apart from OpenSSL's own result,
// which an accepted failure may overwrite.
void free_verdict(void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Verdict*>(pointer);
}

int verdict_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_verdict);
  return index;
}

// note_dates keeps what dates a chain that verified has in common with the lists it was held
// against.
void note_dates(X509_STORE_CTX* store_context, Verdict& verdict) {
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store_context);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* certificate = sk_X509_value(chain, i);
    verdict.valid_from = std::max(verdict.valid_from, time_of(X509_get0_notBefore(certificate)));
    verdict.valid_until = std::min(verdict.valid_until, time_of(X509_get0_notAfter(certificate)));
  }
  const STACK_OF(X509_OBJECT)* known =
      X509_STORE_get0_objects(X509_STORE_CTX_get0_store(store_context));
  for (int i = 0; i < sk_X509_OBJECT_num(known); ++i) {
    const X509_CRL* list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(known, i));
    if (!list || !X509_CRL_get0_nextUpdate(list)) continue;
    verdict.valid_until = std::min(verdict.valid_until, time_of(X509_CRL_get0_nextUpdate(list)));
  }
}

// note_verdict verifies the chain, keeps the result and lets the handshake go on: both sides tell
// the peer what is wrong in SMTP, not with an alert (IN-7, OUT-5).
int note_verdict(X509_STORE_CTX* store_context, void*) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* verdict = static_cast<Verdict*>(SSL_get_ex_data(ssl, verdict_index()));
  const bool good = X509_verify_cert(store_context) == 1;
  if (good) note_dates(store_context, *verdict);
  verdict->checked = true;
  verdict->error = good ? X509_V_OK : X509_STORE_CTX_get_error(store_context);
  if (!good && verdict->error == X509_V_OK) verdict->error = X509_V_ERR_UNSPECIFIED;
  ERR_clear_error();
  return 1;
}

// no_password refuses to decrypt a key: to ask on a terminal would stop the gateway.
int no_password(char*, int, int, void*) {
  return -1;
}

SslContext bare_context(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method));
  if (!context) throw ConfigError("cannot make a TLS context: " + tls_error());
  SSL_CTX_set_security_level(context.get(), kSecurityLevel);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_max_early_data(context.get(), 0);
  SSL_CTX_set_default_passwd_cb(context.get(), &no_password);
  // What the certificate file holds is what is sent: nothing is added from the CA files.
  SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_cert_verify_callback(context.get(), &note_verdict, nullptr);
  return context;
}

// reading_error says why OpenSSL, whose errors are on record, has read no `wanted` from a file.
std::string reading_error(const std::string& path, std::string_view wanted) {
  const unsigned long code = ERR_peek_error();
  std::string error = tls_error();
  std::error_code ignored;
  // OpenSSL reads a folder as an empty file.
  if (std::filesystem::is_directory(path, ignored)) return std::strerror(EISDIR);
  if (ERR_SYSTEM_ERROR(code)) return error;
  const int reason = ERR_GET_REASON(code);
  if (reason == ERR_R_INTERRUPTED_OR_CANCELLED) return "it is behind a password";
  const int library = ERR_GET_LIB(code);
  const bool none = (library == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
                    (library == ERR_LIB_X509 && reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) ||
                    reason == ERR_R_UNSUPPORTED;
  return none ? fmt::format("no {} in PEM is in it", wanted) : error;
}

// Material is a file of the configuration, and where it is named there.
struct Material {
  Material(const TlsConfig& tls, const char* attribute, const std::string& file) : path(file) {
    const auto found = tls.places.find(attribute);
    if (found != tls.places.end()) place = found->second + ": ";
  }
  // refuse throws ConfigError: `what` is the matter with it.
  [[noreturn]] void refuse(std::string_view what) const {
    throw ConfigError(fmt::format("{}{}: {}", place, path, what));
  }
  // refuse_to throws it where OpenSSL could not read the file to `use` it, in which a `wanted`
  // ought to be.
  [[noreturn]] void refuse_to(std::string_view use, std::string_view wanted) const {
    refuse(fmt::format("cannot use this {}: {}", use, reading_error(path, wanted)));
  }
  std::string path;
  std::string place;
};

void check_dates(X509* certificate, const Material& material) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    material.refuse("the certificate has expired");
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    material.refuse("the certificate is not valid yet");
  }
}

void use_pair(SSL_CTX* context, const Material& certificate, const Material& key) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate.path.c_str()) != 1) {
    certificate.refuse_to("certificate", "certificate");
  }
  // Where the key is of another kind, OpenSSL makes room for a second pair, and forgets this one.
  X509* leaf = SSL_CTX_get0_certificate(context);
  const std::string use = "key for " + certificate.path;
  const bool used = SSL_CTX_use_PrivateKey_file(context, key.path.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!used && ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_X509) key.refuse_to(use, "private key");
  if (!used || X509_check_private_key(leaf, SSL_CTX_get0_privatekey(context)) != 1) {
    key.refuse(fmt::format("cannot use this {}: it is not the key of that certificate", use));
  }
  check_dates(leaf, certificate);
}

void trust(SSL_CTX* context, const Material& material) {
  if (material.path.empty()) return;
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context, material.path.c_str()) != 1) {
    material.refuse_to("CA file", "certificate");
  }
}

void use_crl(SSL_CTX* context, const Material& material) {
  if (material.path.empty()) return;
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  ERR_clear_error();
  if (!lookup || X509_load_crl_file(lookup, material.path.c_str(), X509_FILETYPE_PEM) < 1) {
    material.refuse_to("CRL file", "revocation list");
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
}

SslHandle new_handle(SSL_CTX* context) {
  SslHandle ssl(SSL_new(context));
  if (!ssl) throw std::bad_alloc();
  SSL_set_ex_data(ssl.get(), verdict_index(), new Verdict);
  return ssl;
}

// has_c1_control finds U+0080 to U+009F, which are commands to some terminals.
bool has_c1_control(std::string_view text) {
  for (auto at = text.find('\xc2'); at < text.size(); at = text.find('\xc2', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) return true;
  }
  return false;
}

bool ip_id_matches(const ASN1_OCTET_STRING* presented, const IpAddress& address) {
  const int length = address.is_v4() ? 4 : 16;
  return ASN1_STRING_length(presented) == length &&
         std::memcmp(ASN1_STRING_get0_data(presented), address.octets().data(),
                     static_cast<std::size_t>(length)) == 0;
}

}  // namespace

std::string printable_name(const X509_NAME* name) {
  const auto printed = [&](unsigned long flags) {
    const auto bio = std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new(BIO_s_mem()), &BIO_free);
    X509_NAME_print_ex(bio.get(), name, 0, flags);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(length));
  };
  const std::string readable =
      printed(XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  // OpenSSL takes the octets of a UTF8String as they are, and escapes the controls of ASCII only.
  return is_utf8(readable) && !has_c1_control(readable) ? readable : printed(XN_FLAG_RFC2253);
}

std::string printable_subject(X509* certificate) {
  std::string text = printable_name(X509_get_subject_name(certificate));
  // Whoever connects writes this, and it goes into every line about a session.
  constexpr std::size_t kLongest = 256;
  if (text.size() <= kLongest) return text;
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not amid one
  text.resize(end);
  return text;
}

Verdict& verdict_of(const SSL* ssl) {
  return *static_cast<Verdict*>(SSL_get_ex_data(ssl, verdict_index()));
}

TimePoint time_of(const ASN1_TIME* date) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(date, &parts) != 1) return TimePoint::min();
  return TimePoint(std::chrono::seconds(timegm(&parts)));
}

std::string tls_error() {
  const unsigned long code = ERR_get_error();
  // OpenSSL has no words of its own for what the system says.
  const char* reason = ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code))
                       : code                 ? ERR_reason_error_string(code)
                                              : nullptr;
  ERR_clear_error();
  return reason ? reason : code ? fmt::format("error {:x}", code) : std::string("unknown");
}

SslContext receiving_context(const TlsConfig& tls, TicketTerms tickets) {
  SslContext context = bare_context(TLS_server_method());
  use_pair(context.get(), {tls, "certificate", tls.certificate}, {tls, "key", tls.key});
  trust(context.get(), {tls, "client-ca", tls.client_ca});
  use_crl(context.get(), {tls, "client-crl", tls.client_crl});
  if (requests_certificate(tickets.policy)) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (!tls.client_ca.empty()) {
      SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(tls.client_ca.c_str()));
    }
  }
  use_tickets(context.get(), std::move(tickets));
  return context;
}

SslContext sending_context(const TlsConfig& tls) {
  SslContext context = bare_context(TLS_client_method());
  trust(context.get(), {tls, "next-hop-ca", tls.next_hop_ca});
  use_crl(context.get(), {tls, "next-hop-crl", tls.next_hop_crl});
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (!tls.sending_certificate.empty()) {
    use_pair(context.get(), {tls, "sending-certificate", tls.sending_certificate},
             {tls, "sending-key", tls.sending_key});
  }
  return context;
}

SslHandle server_handle(SSL_CTX* context, const std::string& endpoint) {
  SslHandle ssl = new_handle(context);
  bind_tickets(ssl.get(), endpoint);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

SslHandle client_handle(SSL_CTX* context, const std::string& host) {
  SslHandle ssl = new_handle(context);
  SSL_set_connect_state(ssl.get());
  if (!IpAddress::parse(host)) {
    // SSL_set_tlsext_host_name, without the old-style cast of its macro.
    std::string name = host;
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  return ssl;
}

TlsFacts facts_of(SSL* ssl) {
  TlsFacts facts;
  facts.active = true;
  facts.version = SSL_get_version(ssl);
  facts.cipher = SSL_get_cipher_name(ssl);
  facts.resumed = SSL_session_reused(ssl) == 1;
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (!certificate) return facts;
  facts.peer_certificate = true;
  facts.subject = printable_subject(certificate);
  if (facts.resumed) {
    facts.verified = resumed_as_verified(ssl);
    if (!facts.verified) facts.error = "not verified before the session was resumed";
    return facts;
  }
  const Verdict& verdict = verdict_of(ssl);
  facts.verified = verdict.checked && verdict.error == X509_V_OK;
  if (!facts.verified) {
    facts.error = verdict.checked ? X509_verify_cert_error_string(verdict.error) : "not checked";
  }
  return facts;
}

bool dns_id_matches(std::string_view presented, std::string_view host) {
  const std::string name = lower_case(presented);
  const std::string wanted = lower_case(host);
  if (name.empty() || wanted.empty() || name.find('\0') != std::string::npos) return false;
  if (name.size() < 3 || name.compare(0, 2, "*.") != 0) {
    return name.find('*') == std::string::npos && name == wanted;
  }
  // RFC 9525 section 6.3: one wildcard, the whole left-most label, standing for one label.
  const std::string_view suffix = std::string_view(name).substr(1);
  const auto dot = wanted.find('.');
  return suffix.find('*') == std::string_view::npos && dot != std::string::npos && dot > 0 &&
         std::string_view(wanted).substr(dot) == suffix;
}

bool certificate_names_host(SSL* ssl, const std::string& host) {
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (!certificate) return false;
  const auto names = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  if (!names) return false;
  const auto literal = IpAddress::parse(host);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (literal && name->type == GEN_IPADD && ip_id_matches(name->d.iPAddress, *literal)) {
      return true;
    }
    if (!literal && name->type == GEN_DNS) {
      const ASN1_IA5STRING* text = name->d.dNSName;
      const std::string presented(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                  static_cast<std::size_t>(ASN1_STRING_length(text)));
      if (dns_id_matches(presented, host)) return true;
    }
  }
  return false;
}

}  // namespace gateway
