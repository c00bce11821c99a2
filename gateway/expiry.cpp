#include "expiry.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <chrono>
#include <memory>

#include "tls_context.hpp"
#include "verdict.hpp"

namespace gateway {
namespace {

constexpr std::chrono::hours kDay(24);
constexpr Duration kNotice = 21 * kDay;

ExpiryWarning warning_of(const DatedCertificate& certificate, TimePoint time) {
  ExpiryWarning warning;
  warning.file = certificate.file;
  warning.purpose = certificate.purpose;
  warning.expires = rfc3339(certificate.not_after);
  const bool expired = certificate.not_after < time;
  if (!expired) {
    warning.days_left = static_cast<std::uint64_t>((certificate.not_after - time) / kDay);
  }
  const std::string when = expired                  ? "has expired"
                           : warning.days_left == 0 ? "expires in less than a day"
                           : warning.days_left == 1
                               ? "expires in 1 day"
                               : fmt::format("expires in {} days", warning.days_left);
  warning.reason = fmt::format("{}: the certificate of {}, {}, {}: {}", certificate.file,
                               certificate.subject, certificate.purpose, when, warning.expires);
  return warning;
}

}  // namespace

std::vector<ExpiryWarning> expiry_warnings(const std::vector<DatedCertificate>& certificates,
                                           TimePoint time) {
  std::vector<ExpiryWarning> warnings;
  for (const auto& certificate : certificates) {
    if (certificate.not_after > time + kNotice) continue;
    warnings.push_back(warning_of(certificate, time));
  }
  return warnings;
}

std::vector<DatedCertificate> dated_certificates(const std::string& file,
                                                 const std::string& purpose) {
  std::vector<DatedCertificate> certificates;
  const auto bio =
      std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_file(file.c_str(), "r"), &BIO_free);
  while (bio) {
    const auto certificate = std::unique_ptr<X509, decltype(&X509_free)>(
        PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr), &X509_free);
    if (!certificate) break;
    certificates.push_back({file, purpose, printable_subject(certificate.get()),
                            time_of(X509_get0_notAfter(certificate.get()))});
  }
  ERR_clear_error();
  return certificates;
}

}  // namespace gateway
