// When the certificates run out that the configuration names: said in time, so that mail does not
// stop over it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "values.hpp"

namespace gateway {

// DatedCertificate is one certificate of a file that the configuration names.
struct DatedCertificate {
  std::string file;
  std::string purpose;  // what the file is for, in words
  std::string subject;
  TimePoint not_after;
};

// ExpiryWarning is what is to be said about one of them.
struct ExpiryWarning {
  std::string file;
  std::string purpose;
  std::string expires;          // its last moment, RFC 3339
  std::uint64_t days_left = 0;  // whole days; 0 also where it has expired
  std::string reason;           // all of it in words
};

// expiry_warnings are those due at `time`: from 21 days before a certificate expires, and after.
std::vector<ExpiryWarning> expiry_warnings(const std::vector<DatedCertificate>& certificates,
                                           TimePoint time);

// dated_certificates reads all certificates of a PEM file. What cannot be read is left out: whether
// a file can be used is said where it is put to use.
std::vector<DatedCertificate> dated_certificates(const std::string& file,
                                                 const std::string& purpose);

}  // namespace gateway
