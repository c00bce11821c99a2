// Certificates, keys and requests as the page makes, reads and shows them. All in memory: files are
// certificate_store's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "values.hpp"

namespace gateway::web {

// CertificateFacts is what people are shown of one.
struct CertificateFacts {
  std::string subject;
  std::string issuer;
  std::vector<std::string> names;  // DNS names and IP addresses
  TimePoint not_before{};
  TimePoint not_after{};
  bool is_ca = false;
};

// OwnCertificate is a certificate with its chain, leaf first, and its key; all PEM.
struct OwnCertificate {
  std::string chain;
  std::string key;
};

// SigningRequest is what a CA is to sign, and the key that stays here; both PEM.
struct SigningRequest {
  std::string request;
  std::string key;
};

// Import is what was found in a file.
struct Import {
  std::vector<std::string> certificates;  // PEM, in their order there
  std::string key;                        // PEM, not encrypted; empty: there is none
};

// All of these throw std::runtime_error, mostly a Refusal, which says what is wrong.

// facts_in reads the certificates of a PEM text; there is at least one.
std::vector<CertificateFacts> facts_in(const std::string& pem);

// make_self_signed makes one for these DNS names and IP addresses, with a key of ECDSA P-256, for
// either direction.
OwnCertificate make_self_signed(const std::vector<std::string>& names, int days);

// make_request makes a key of ECDSA P-256 and asks for a certificate for it.
SigningRequest make_request(const std::vector<std::string>& names);

// read_import reads PEM, PKCS #12, or one certificate in DER. `password` opens what is encrypted.
Import read_import(const std::string& octets, const std::string& password);

// key_belongs tells whether the key is that of the certificate.
bool key_belongs(const std::string& key, const std::string& certificate);

// own_certificate puts the certificate of `key` in front, and behind each the one that certifies
// it.
OwnCertificate own_certificate(const Import& import, const std::string& key);

// parse_names takes apart names that are separated by spaces, commas or lines, and checks each.
std::vector<std::string> parse_names(std::string_view text);

}  // namespace gateway::web
