#include "services.hpp"

namespace gateway {

BodyInMemory MemoryBudget::hold(std::string& body, std::uint64_t limit) {
  const std::uint64_t size = body.size();
  if (*used_ + size > limit) return nullptr;
  *used_ += size;
  auto owned = std::make_unique<const std::string>(std::move(body));
  return {owned.release(), [used = used_, size](const std::string* text) {
            *used -= size;
            delete text;
          }};
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
      .add("client-error", tls.error);
}

}  // namespace gateway
