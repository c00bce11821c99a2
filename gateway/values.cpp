#include "values.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>
#include <numeric>
#include <utility>
#include <vector>

namespace gateway {
namespace {

std::tm utc(TimePoint time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch() / std::chrono::seconds(1);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

TimePoint now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr std::uint64_t kTenYears = 10ULL * 366 * 86400 * 1'000'000;
  constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {{"ms", 1'000},
                                                                   {"s", 1'000'000},
                                                                   {"m", 60'000'000},
                                                                   {"h", 3'600'000'000},
                                                                   {"d", 86'400'000'000}};
  if (text == "0") return Duration(0);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = parse_number(text.substr(0, digits));
  for (const auto& [unit, factor] : kUnits) {
    if (value && text.substr(digits) == unit && *value <= kTenYears / factor) {
      return Duration(static_cast<Duration::rep>(*value * factor));
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t factor = 1;
  if (!text.empty()) {
    if (text.back() == 'k') factor = 1024;
    if (text.back() == 'M') factor = 1024 * 1024;
    if (text.back() == 'G') factor = 1024ULL * 1024 * 1024;
    if (factor != 1) text.remove_suffix(1);
  }
  const auto value = parse_number(text);
  if (!value || *value > (1ULL << 50) / factor) return std::nullopt;
  return *value * factor;
}

std::string rfc3339(TimePoint time) {
  const std::tm t = utc(time);
  const auto micros = (time - std::chrono::floor<std::chrono::seconds>(time)).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, micros);
}

std::string rfc5322_date(TimePoint time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm t = utc(time);
  return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} +0000", kDays[t.tm_wday], t.tm_mday,
                     kMonths[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), address.octets_.data()) == 1) return address;
  if (inet_pton(AF_INET6, copy.c_str(), address.octets_.data()) != 1) return std::nullopt;
  constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  address.v4_ = std::memcmp(address.octets_.data(), kMapped, sizeof kMapped) == 0;
  if (address.v4_) {
    std::rotate(address.octets_.begin(), address.octets_.begin() + 12, address.octets_.end());
    std::fill(address.octets_.begin() + 4, address.octets_.end(), static_cast<unsigned char>(0));
  }
  return address;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(v4_ ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
  return text;
}

std::string IpAddress::literal() const {
  return v4_ ? "[" + to_string() + "]" : "[IPv6:" + to_string() + "]";
}

IpAddress IpAddress::first_of(int prefix) const {
  IpAddress first = *this;
  for (int bit = prefix; bit < bits(); ++bit) {
    const auto octet = static_cast<std::size_t>(bit / 8);
    first.octets_[octet] = static_cast<unsigned char>(first.octets_[octet] & ~(0x80 >> (bit % 8)));
  }
  return first;
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network{*address, address->bits()};
  if (slash != std::string_view::npos) {
    const auto bits = parse_number(text.substr(slash + 1));
    if (!bits || *bits > static_cast<std::uint64_t>(address->bits())) return std::nullopt;
    network.prefix = static_cast<int>(*bits);
  }
  return network;
}

bool Network::contains(const IpAddress& other) const {
  if (other.is_v4() != address.is_v4()) return false;
  for (int bit = 0; bit < prefix; ++bit) {
    const auto octet = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((address.octets()[octet] & mask) != (other.octets()[octet] & mask)) return false;
  }
  return true;
}

std::string Network::to_string() const {
  return fmt::format("{}/{}", address.first_of(prefix).to_string(), prefix);
}

std::string limit_group(const IpAddress& client) {
  constexpr int kSite = 64;
  return client.is_v4() ? client.to_string() : Network{client, kSite}.to_string();
}

std::string limit_group(const std::string& client) {
  const auto address = IpAddress::parse(client);
  return address ? limit_group(*address) : client;
}

bool is_host_name(std::string_view text) {
  constexpr std::size_t kLongestName = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (text.size() > kLongestName) return false;
  for (;;) {
    const std::string_view label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > kLongestLabel) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    const bool good = std::all_of(label.begin(), label.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_';
    });
    if (!good) return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string endpoint_text(std::string_view address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string_view::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", port);
}

}  // namespace gateway
