#include "judge/sentinel.hpp"

#include <array>

namespace postern {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// How many characters from a coded prefix on it takes to read the whole token, by how many bytes
// stand before it in its group of three.
constexpr std::array<std::size_t, 3> kBase64Needed = {27, 26, 27};
constexpr std::size_t kLongestCodedPrefix = 10;

bool in_alphabet(char c) {
  return kAlphabet.find(c) != std::string_view::npos;
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (unsigned char byte : bytes) {
    bits = bits << 8 | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += kBase64[bits >> count & 63];
    }
  }
  return out;  // The last, incomplete character is left out: it depends on what follows.
}

// The characters that the prefix always gives when `lead` unknown bytes stand before it in its
// group of three: those that mix in the unknown bytes are cut off.
std::string coded_prefix(std::size_t lead) {
  std::string text(lead, '\0');
  text += kTokenPrefix;
  const std::string coded = encode_base64(text);
  return coded.substr(lead == 0 ? 0 : lead + 1);
}

const std::array<std::string, 3>& coded_prefixes() {
  static const std::array<std::string, 3> prefixes = {coded_prefix(0), coded_prefix(1),
                                                      coded_prefix(2)};
  return prefixes;
}

// mixed is the output function of SplitMix64 (Steele, Lea, Flood 2014): one to one, and well mixed.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

std::string decode_base64(std::string_view text) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (char c : text) {
    const auto value = kBase64.find(c);
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 255);
    }
  }
  return out;
}

// token_at gives the token that starts at `at`, "" if there is none.
std::string token_at(std::string_view text, std::size_t at) {
  if (text.size() - at < kTokenSize) return {};
  const std::string_view candidate = text.substr(at, kTokenSize);
  for (char c : candidate)
    if (!in_alphabet(c)) return {};
  return std::string(candidate);
}

}  // namespace

std::string make_token(std::uint64_t seed, std::uint64_t index) {
  // Two rounds of SplitMix64: every bit of seed and index reaches every letter.
  std::string token(kTokenPrefix);
  std::uint64_t bits = mixed(mixed(seed) + index);
  while (token.size() < kTokenSize) {
    token += kAlphabet[bits & 31];
    bits >>= 5;
  }
  return token;
}

void SentinelScan::feed(std::string_view chunk) {
  offset_ += chunk.size();
  feed_plain(chunk);
  feed_base64(chunk);
}

void SentinelScan::feed_plain(std::string_view chunk) {
  for (char c : chunk) {
    if (!pending_.empty()) {
      pending_ += c;
      if (pending_ == "=\r") continue;
      if (pending_ == "=\r\n" || pending_ == "=\n") {  // A soft line break (RFC 2045 §6.7).
        pending_.clear();
        continue;
      }
      if (pending_.size() == 2 && hex(pending_[1]) >= 0) continue;
      if (pending_.size() == 3 && hex(pending_[1]) >= 0 && hex(c) >= 0) {
        plain_ += static_cast<char>(hex(pending_[1]) << 4 | hex(c));
      } else {
        plain_ += pending_;
      }
      pending_.clear();
    } else if (c == '=') {
      pending_ = "=";
    } else if (c != '\r' && c != '\n') {
      plain_ += c;
    }
  }
  search_plain();
}

void SentinelScan::search_plain() {
  std::size_t keep =
      plain_.size() < kTokenPrefix.size() ? 0 : plain_.size() - kTokenPrefix.size() + 1;
  for (std::size_t at = plain_.find(kTokenPrefix); at != std::string::npos;
       at = plain_.find(kTokenPrefix, at + 1)) {
    if (plain_.size() - at < kTokenSize) {
      keep = at;
      break;
    }
    const std::string token = token_at(plain_, at);
    if (!token.empty()) found_(token, "plain", offset_);
    keep = std::max(keep, at + 1);
  }
  plain_.erase(0, std::min(keep, plain_.size()));
}

void SentinelScan::feed_base64(std::string_view chunk) {
  for (char c : chunk)
    if (c != '\r' && c != '\n') base64_ += c;
  search_base64();
}

void SentinelScan::search_base64() {
  const std::size_t size = base64_.size();
  std::size_t pending = std::string::npos;
  std::size_t done = 0;
  for (std::size_t lead = 0; lead < 3; ++lead) {
    const std::string& prefix = coded_prefixes()[lead];
    for (std::size_t at = base64_.find(prefix); at != std::string::npos;
         at = base64_.find(prefix, at + 1)) {
      if (size - at < kBase64Needed[lead]) {
        pending = std::min(pending, at);
        break;
      }
      // The cut characters before the match carry the prefix's first bits; they are put back as the
      // prefix has them, and the lead decodes to bytes nobody reads.
      std::string text(lead, '\0');
      text += kTokenPrefix;
      const std::string head = encode_base64(text).substr(0, lead == 0 ? 0 : lead + 1);
      const std::string decoded = decode_base64(head + base64_.substr(at, kBase64Needed[lead]));
      const std::string token = decoded.size() > lead ? token_at(decoded, lead) : std::string();
      if (!token.empty()) found_(token, "base64", offset_);
      done = std::max(done, at + 1);
    }
  }
  if (pending == std::string::npos)
    pending = std::max(done, size < kLongestCodedPrefix ? 0 : size - kLongestCodedPrefix + 1);
  base64_.erase(0, pending);
}

}  // namespace postern
