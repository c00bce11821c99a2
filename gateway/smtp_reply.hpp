// SMTP replies: those the gateway gives, and a reader for those a next hop gives (RFC 5321
// section 4.2, RFC 2034).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

// Reply is a reply of ours. `enhanced` is empty where RFC 2034 wants none: the greeting and the
// replies to HELO and EHLO.
struct Reply {
  Reply() = default;
  Reply(int reply_code, std::string_view enhanced_code, std::string_view line)
      : code(reply_code), enhanced(enhanced_code), lines{std::string(line)} {}
  Reply(int reply_code, std::vector<std::string> text) : code(reply_code), lines(std::move(text)) {}

  // wire is the reply as it is sent, with its line endings.
  std::string wire() const;

  int code = 0;
  std::string enhanced;
  std::vector<std::string> lines;
};

// PeerReply is a whole reply of a next hop.
struct PeerReply {
  // text joins the lines with spaces, shortened to something a record can hold.
  std::string text() const;

  // enhanced_or is the enhanced status code at the start of the reply, or `fallback`.
  std::string enhanced_or(std::string_view fallback) const;

  // By the first digit, whatever follows it (RFC 5321 section 4.2).
  bool positive() const { return code >= 200 && code <= 299; }
  bool intermediate() const { return code >= 300 && code <= 399; }
  bool permanent() const { return code >= 500 && code <= 599; }

  int code = 0;
  std::vector<std::string> lines;  // what follows the code and its separator
};

// PeerReplyReader takes replies out of a buffer. Replies longer than any honest server gives are
// not valid, so that memory stays bounded.
class PeerReplyReader {
 public:
  enum class Status { complete, incomplete, invalid };

  // take removes one whole reply from the front of `buffer`. `incomplete`: nothing was removed for
  // good, more bytes are needed. `invalid`: what stands there is no SMTP reply.
  Status take(std::string& buffer, PeerReply& reply);

 private:
  PeerReply partial_;
  std::size_t octets_ = 0;
};

}  // namespace gateway
