#include "services.hpp"

#include <utility>

namespace gateway {

MemoryBudget::Share::Share(Share&& other) noexcept
    : used_(std::move(other.used_)), octets_(std::exchange(other.octets_, 0)) {}

MemoryBudget::Share& MemoryBudget::Share::operator=(Share&& other) noexcept {
  if (this == &other) return *this;
  release();
  used_ = std::move(other.used_);
  octets_ = std::exchange(other.octets_, 0);
  return *this;
}

void MemoryBudget::Share::release() {
  if (octets_ > 0) *used_ -= std::exchange(octets_, 0);
}

bool MemoryBudget::grow(Share& share, std::uint64_t octets, std::uint64_t limit) {
  if (octets > limit || *used_ > limit - octets) return false;
  *used_ += octets;
  share.used_ = used_;
  share.octets_ += octets;
  return true;
}

BodyInMemory hold_body(std::string body, MemoryBudget::Share share) {
  struct Held {
    std::string body;
    MemoryBudget::Share share;
  };
  const auto held = std::make_shared<Held>(Held{std::move(body), std::move(share)});
  return {held, &held->body};
}

std::string_view client_certificate_word(const TlsFacts& tls, bool requested) {
  if (!tls.active) return {};
  if (!requested) return "not-requested";
  if (!tls.peer_certificate) return "none";
  return tls.verified ? "verified" : "not-verified";
}

void add_client_tls(JournalLine& line, const TlsFacts& tls, bool requested) {
  line.add("tls", tls.version)
      .add("cipher", tls.cipher)
      .add("client-certificate", client_certificate_word(tls, requested))
      .add("client-subject", tls.subject)
      .add("client-error", tls.error)
      .add("resumed", !tls.active   ? ""
                      : tls.resumed ? "yes"
                                    : "no");
}

}  // namespace gateway
