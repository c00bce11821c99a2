#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

// The leak sentinel: every message carries a token, and everything a gateway sends is searched for
// it, in clear text, base64 and quoted-printable, across the borders of chunks.

namespace postern {

/// A token is kTokenPrefix followed by letters of [a-z2-7], kTokenSize characters in all.
inline constexpr std::string_view kTokenPrefix = "sentinel";
inline constexpr std::size_t kTokenSize = 20;

/// make_token gives the token of the case with this index in the run with this seed; two different
/// (seed, index) pairs give different tokens but for a chance of 2^-60.
std::string make_token(std::uint64_t seed, std::uint64_t index);

/// SentinelScan searches one stream of bytes for tokens. Memory is bounded by the length of a
/// token.
class SentinelScan {
 public:
  /// Found gets the token, "plain" (quoted-printable is undone first) or "base64", and the offset
  /// in the stream behind the chunk in which it was completed.
  using Found =
      std::function<void(const std::string& token, const char* coding, std::uint64_t offset)>;

  explicit SentinelScan(Found found) : found_(std::move(found)) {}

  /// feed searches the next chunk. A token is reported each time it stands in the stream.
  void feed(std::string_view chunk);

 private:
  void feed_plain(std::string_view chunk);
  void feed_base64(std::string_view chunk);
  void search_plain();
  void search_base64();

  Found found_;
  std::uint64_t offset_ = 0;
  std::string pending_;  ///< An unfinished quoted-printable escape.
  std::string plain_;    ///< Undone text not yet ruled out.
  std::string base64_;   ///< The stream without line ends, not yet ruled out.
};

}  // namespace postern
