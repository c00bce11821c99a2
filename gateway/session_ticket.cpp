#include "session_ticket.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "verdict.hpp"

namespace gateway {
namespace {

// Content is what a ticket carries besides OpenSSL's own. Only the process that wrote a ticket has
// the key to it, so it may stand there as it does in memory.
struct Content {
  TimePoint::rep handshake = 0;  // when the full one was
  TimePoint::rep valid_from = 0;
  TimePoint::rep valid_until = 0;
  bool verified = false;
};
static_assert(std::is_trivially_copyable_v<Content>);

std::optional<Content> content_of(SSL_SESSION* session) {
  void* data = nullptr;
  std::size_t size = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1) return std::nullopt;
  if (!data || size != sizeof(Content)) return std::nullopt;
  Content content;
  std::memcpy(&content, data, sizeof content);
  return content;
}

TimePoint::rep count(TimePoint time) {
  return time.time_since_epoch().count();
}

void free_terms(void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<TicketTerms*>(pointer);
}

int terms_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_terms);
  return index;
}

const TicketTerms* terms_of(const SSL* ssl) {
  return static_cast<const TicketTerms*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), terms_index()));
}

// write_content is called for each ticket that is issued. A resumed session passes on what its own
// ticket carried: resuming over and over makes nothing younger or better.
int write_content(SSL* ssl, void*) {
  if (SSL_session_reused(ssl) == 1) return 1;
  const Verdict& verdict = verdict_of(ssl);
  Content content;
  content.handshake = count(terms_of(ssl)->clock());
  content.valid_from = count(verdict.valid_from);
  content.valid_until = count(verdict.valid_until);
  content.verified = verdict.checked && verdict.error == X509_V_OK;
  return SSL_SESSION_set1_ticket_appdata(SSL_get0_session(ssl), &content, sizeof content);
}

using Scope = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
static_assert(sizeof(Scope) <= SSL_MAX_SID_CTX_LENGTH);

int scope_index() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<Scope*>(pointer);
      });
  return index;
}

bool in_scope(const SSL* ssl, const SSL_SESSION* session) {
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get0_id_context(session, &size);
  const auto* scope = static_cast<const Scope*>(SSL_get_ex_data(ssl, scope_index()));
  return scope && size == scope->size() && std::memcmp(id, scope->data(), size) == 0;
}

bool may_resume(const SSL* ssl, SSL_SESSION* session) {
  const auto content = content_of(session);
  if (!content) return false;
  const TicketTerms& terms = *terms_of(ssl);
  const TimePoint::rep time = count(terms.clock());
  const X509* certificate = SSL_SESSION_get0_peer(session);
  TicketFacts facts;
  facts.same_scope = in_scope(ssl, session);
  facts.in_time = time >= content->handshake && time - content->handshake < terms.lifetime.count();
  facts.certificate_shown = certificate != nullptr;
  facts.certificate_verified = content->verified;
  facts.certificate_still_valid = time >= content->valid_from && time <= content->valid_until;
  return gateway::may_resume(terms.policy, facts);
}

// judge_ticket is called for each ticket that a client shows. One that does not count is passed
// over, and the handshake becomes a full one.
SSL_TICKET_RETURN judge_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
                               SSL_TICKET_STATUS status, void*) {
  const bool readable = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
  if (!readable || !may_resume(ssl, session)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  // Under TLS 1.3 OpenSSL asks for a new one, so that nobody can tell a client by its ticket (RFC
  // 8446 appendix C.4).
  return status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

}  // namespace

void use_tickets(SSL_CTX* context, TicketTerms terms) {
  if (terms.lifetime <= Duration::zero()) return;
  // What is sent as a hint to the client, and OpenSSL's own limit. It counts seconds.
  SSL_CTX_set_timeout(context, std::chrono::ceil<std::chrono::seconds>(terms.lifetime).count());
  SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_ticket_cb(context, &write_content, &judge_ticket, nullptr);
  SSL_CTX_set_ex_data(context, terms_index(), new TicketTerms(std::move(terms)));
}

void bind_tickets(SSL* ssl, const std::string& endpoint) {
  const TicketTerms* terms = terms_of(ssl);
  if (!terms) return;
  const std::string text =
      fmt::format("{}\n{}\n{}\n{}", terms->scope, static_cast<int>(terms->policy.level),
                  static_cast<int>(terms->policy.certificate), endpoint);
  auto scope = std::make_unique<Scope>();
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), scope->data());
  SSL_set_session_id_context(ssl, scope->data(), static_cast<unsigned>(scope->size()));
  SSL_set_ex_data(ssl, scope_index(), scope.release());
}

bool resumed_as_verified(SSL* ssl) {
  SSL_SESSION* session = SSL_get0_session(ssl);
  const auto content = session ? content_of(session) : std::nullopt;
  return content && content->verified;
}

}  // namespace gateway
