// Values as people write them in the configuration and read them in the record.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

using Duration = std::chrono::microseconds;
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Duration>;

// now is the wall clock in microseconds.
TimePoint now();

// parse_duration reads `0`, or digits and a unit: ms, s, m, h, d. nullopt when it is neither, or
// longer than ten years.
std::optional<Duration> parse_duration(std::string_view text);

// parse_size reads digits with an optional k, M or G (powers of 1024).
std::optional<std::uint64_t> parse_size(std::string_view text);

// parse_number reads decimal digits and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);

// rfc3339 writes UTC with microseconds: 2026-01-31T12:00:00.000000Z.
std::string rfc3339(TimePoint time);

// rfc5322_date writes a date for a message header, in UTC.
std::string rfc5322_date(TimePoint time);

// IpAddress is an IPv4 or IPv6 address. IPv4 inside IPv6 (::ffff:a.b.c.d) is taken as IPv4.
class IpAddress {
 public:
  // parse reads a literal without brackets; nullopt when it is none.
  static std::optional<IpAddress> parse(std::string_view text);

  std::string to_string() const;
  bool is_v4() const { return v4_; }
  int bits() const { return v4_ ? 32 : 128; }
  const std::array<unsigned char, 16>& octets() const { return octets_; }  // IPv4: the first four

  // literal is the address as in a Received header: [192.0.2.1], [IPv6:2001:db8::1].
  std::string literal() const;

  // first_of is the address with all bits behind `prefix` cleared.
  IpAddress first_of(int prefix) const;

 private:
  bool v4_ = true;
  std::array<unsigned char, 16> octets_{};
};

// Network is an address with a prefix length.
struct Network {
  // parse reads ADDRESS or ADDRESS/BITS.
  static std::optional<Network> parse(std::string_view text);

  bool contains(const IpAddress& address) const;

  // to_string is the network's first address and the prefix length: 10.0.0.0/8. Two networks are
  // the same where their texts are.
  std::string to_string() const;

  IpAddress address;
  int prefix = 0;
};

// limit_group names those whom the limits of a client take for one: an IPv4 address, or the /64
// that an IPv6 address is in, all of which one host can have for itself (RFC 6177).
std::string limit_group(const IpAddress& client);
// The same of an address as text; what is none is taken for one of its own.
std::string limit_group(const std::string& client);

// is_host_name tells whether `text` is a name of letters, digits, hyphens and dots that DNS could
// hold (RFC 1123 section 2.1); underscores, which some hosts have, are let pass.
bool is_host_name(std::string_view text);

// edit_distance is the number of single letters to change, add or drop: for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

// endpoint_text joins an address and a port: 127.0.0.1:25, [::1]:25.
std::string endpoint_text(std::string_view address, std::uint16_t port);

}  // namespace gateway
