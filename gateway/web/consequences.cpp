#include "consequences.hpp"

namespace gateway::web {
namespace {

bool serves(ReceivingPolicy policy, ClientTls tls) {
  return rule_on(policy, tls, Verb::mail).admission == Admission::serve;
}

Consequence plain_client(ReceivingPolicy policy) {
  if (serves(policy, {})) return {"client-plain", "accepted-clear", Tone::clear};
  return {"client-plain", "dropped-without-tls", Tone::stop};
}

// tls_client is one that can do TLS, and takes it where it is offered.
Consequence tls_client(ReceivingPolicy policy, std::string_view peer, bool verified) {
  if (!offers_starttls(policy, false)) return {peer, "accepted-clear-not-offered", Tone::clear};
  if (!serves(policy, {true, verified})) return {peer, "dropped-certificate", Tone::stop};
  return {peer, requests_certificate(policy) ? "accepted-tls-recorded" : "accepted-tls", Tone::tls};
}

Consequence broken_client(ReceivingPolicy policy) {
  constexpr std::string_view kPeer = "client-breaks";
  if (!offers_starttls(policy, false)) return {kPeer, "accepted-clear-not-offered", Tone::clear};
  if (serves(policy, {})) return {kPeer, "broken-then-clear", Tone::clear};
  return {kPeer, "broken", Tone::stop};
}

Consequence decided(std::string_view peer, const SendingDecision& decision,
                    std::string_view in_clear) {
  if (decision.step == SendingStep::send_clear) return {peer, in_clear, Tone::clear};
  return {peer, "held", Tone::stop};
}

// tls_next_hop is one that offers TLS and completes the handshake.
Consequence tls_next_hop(ClientLevel level, std::string_view peer, Verification verification) {
  const auto first = after_ehlo(level, true, false);
  if (first.step != SendingStep::start_tls) return decided(peer, first, "sent-clear-untried");
  const auto then = after_handshake(level, verification);
  if (then.step == SendingStep::send_tls) return {peer, "sent-tls", Tone::tls};
  return decided(peer, then, "sent-clear");
}

Consequence refusing_next_hop(ClientLevel level) {
  constexpr std::string_view kPeer = "next-hop-refuses";
  const auto first = after_ehlo(level, true, false);
  if (first.step != SendingStep::start_tls) return decided(kPeer, first, "sent-clear-untried");
  return decided(kPeer, after_starttls(level, 454), "sent-clear");
}

Consequence broken_next_hop(ClientLevel level, std::optional<Duration> delay) {
  constexpr std::string_view kPeer = "next-hop-breaks";
  const auto first = after_ehlo(level, true, false);
  if (first.step != SendingStep::start_tls) return decided(kPeer, first, "sent-clear-untried");
  if (may_fall_back(level, delay, Duration(0))) return {kPeer, "sent-clear-again", Tone::clear};
  if (delay && may_fall_back(level, delay, *delay)) {
    return {kPeer, "sent-clear-later", Tone::clear};
  }
  return {kPeer, "held", Tone::stop};
}

}  // namespace

std::vector<Consequence> consequences_for_clients(ReceivingPolicy policy) {
  return {plain_client(policy), tls_client(policy, "client-no-certificate", false),
          tls_client(policy, "client-verified", true),
          tls_client(policy, "client-not-verified", false), broken_client(policy)};
}

std::vector<Consequence> consequences_for_next_hops(ClientLevel level,
                                                    std::optional<Duration> delay) {
  return {decided("next-hop-plain", after_ehlo(level, false, false), "sent-clear"),
          tls_next_hop(level, "next-hop-verified", Verification::verified),
          tls_next_hop(level, "next-hop-not-verified", Verification::not_verified),
          refusing_next_hop(level), broken_next_hop(level, delay)};
}

}  // namespace gateway::web
