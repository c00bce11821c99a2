#include "password.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

#include "values.hpp"

namespace gateway {
namespace {

constexpr std::size_t kSalt = 16;
constexpr std::size_t kKey = 32;

// What hashes made here cost; what others may cost is bounded, so that no configuration can stop
// the gateway.
constexpr std::uint64_t kN = 32768;
constexpr std::uint64_t kR = 8;
constexpr std::uint64_t kP = 3;
constexpr std::uint64_t kLeastN = 16384;
constexpr std::uint64_t kMostN = 131072;
constexpr std::uint64_t kMostR = 16;
constexpr std::uint64_t kMostP = 16;

struct Hash {
  std::uint64_t n = kN;
  std::uint64_t r = kR;
  std::uint64_t p = kP;
  std::string salt;  // hexadecimal
  std::string key;
};

std::string hexadecimal(const unsigned char* octets, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += fmt::format("{:02x}", octets[i]);
  return out;
}

bool is_hexadecimal(std::string_view text, std::size_t octets) {
  return text.size() == 2 * octets &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<Hash> parse(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find('$');
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  if (parts.size() != 6 || parts[0] != "scrypt") return std::nullopt;
  const auto n = parse_number(parts[1]);
  const auto r = parse_number(parts[2]);
  const auto p = parse_number(parts[3]);
  if (!n || !r || !p) return std::nullopt;
  if (*n < kLeastN || *n > kMostN || (*n & (*n - 1)) != 0) return std::nullopt;
  if (*r < 1 || *r > kMostR || *p < 1 || *p > kMostP) return std::nullopt;
  if (!is_hexadecimal(parts[4], kSalt) || !is_hexadecimal(parts[5], kKey)) return std::nullopt;
  return Hash{*n, *r, *p, std::string(parts[4]), std::string(parts[5])};
}

std::string derive(std::string_view password, const Hash& hash) {
  std::array<unsigned char, kKey> key{};
  const std::uint64_t memory = 128 * hash.r * (hash.n + hash.p + 2) + 1024;
  if (EVP_PBE_scrypt(password.data(), password.size(),
                     reinterpret_cast<const unsigned char*>(hash.salt.data()), hash.salt.size(),
                     hash.n, hash.r, hash.p, memory, key.data(), key.size()) != 1) {
    throw std::runtime_error("cannot hash a password: scrypt failed");
  }
  return hexadecimal(key.data(), key.size());
}

}  // namespace

std::string random_word(std::size_t octets) {
  std::vector<unsigned char> random(octets);
  if (RAND_bytes(random.data(), static_cast<int>(octets)) != 1) {
    throw std::runtime_error("no random numbers are to be had");
  }
  return hexadecimal(random.data(), octets);
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hash_password(std::string_view password) {
  Hash hash;
  hash.salt = random_word(kSalt);
  return fmt::format("scrypt${}${}${}${}${}", hash.n, hash.r, hash.p, hash.salt,
                     derive(password, hash));
}

std::string password_hash_error(std::string_view hash) {
  if (parse(hash)) return {};
  // The value is not repeated: it may be a password that somebody has written there as it is.
  return "the password is not in the form scrypt$N$r$p$SALT$KEY; allowed: what "
         "postern-gateway --hash-password prints";
}

bool password_matches(std::string_view password, std::string_view hash) {
  const auto parsed = parse(hash);
  return parsed && same_secret(derive(password, *parsed), parsed->key);
}

}  // namespace gateway
