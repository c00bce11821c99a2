#include "catalogue/tls_alerts.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace postern {
namespace {

constexpr int kNoRenegotiation = 100;
constexpr int kUserCanceled = 90;

constexpr std::pair<int, const char*> kAlerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {kUserCanceled, "user_canceled"},
    {kNoRenegotiation, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
};

}  // namespace

const std::vector<std::string>& alert_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const auto& [number, name] : kAlerts) names.emplace_back(name);
    return names;
  }();
  return kNames;
}

int alert_number(std::string_view word) {
  for (const auto& [number, name] : kAlerts)
    if (word == name) return number;
  int number = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  return whole && number >= 0 && number <= 255 ? number : -1;
}

std::string alert_name(int number) {
  for (const auto& [known, name] : kAlerts)
    if (known == number) return name;
  return "alert " + std::to_string(number);
}

bool alert_conforms(const std::vector<std::string>& alerts, int number) {
  if (number < 0) return false;
  const bool fatal = number != 0 && number != kUserCanceled && number != kNoRenegotiation;
  return std::any_of(alerts.begin(), alerts.end(), [number, fatal](const std::string& word) {
    return word == "fatal" ? fatal : alert_number(word) == number;
  });
}

}  // namespace postern
