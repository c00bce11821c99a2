#include "settings.hpp"

#include <fmt/format.h>

#include <utility>

namespace gateway {

namespace {

SslContext context_for(const Config& config, unsigned generation, ReceivingPolicy policy,
                       const std::string& network) {
  if (policy.level == ServerLevel::none) return nullptr;
  TicketTerms tickets{policy, fmt::format("generation {} network {}", generation, network),
                      config.limits.ticket_time};
  return receiving_context(config.tls, std::move(tickets));
}

// note_certificates keeps the dates of all files that the contexts of `settings` were made of.
void note_certificates(Settings& settings) {
  const TlsConfig& tls = settings.config.tls;
  const auto note = [&](const std::string& file, const char* purpose) {
    if (file.empty()) return;
    for (auto& one : dated_certificates(file, purpose)) {
      settings.certificates.push_back(std::move(one));
    }
  };
  bool offers = false;
  bool requests = false;
  const auto look = [&](ReceivingPolicy policy) {
    offers = offers || policy.level != ServerLevel::none;
    requests = requests || requests_certificate(policy);
  };
  look(tls.receiving);
  for (const auto& clients : tls.client_networks) look(clients.policy);
  if (offers) note(tls.certificate, "shown to clients");
  if (requests) note(tls.client_ca, "trusted for clients");
  if (!settings.sending) return;
  note(tls.next_hop_ca, "trusted for next hops");
  note(tls.sending_certificate, "shown to next hops");
}

}  // namespace

std::shared_ptr<const Settings> make_settings(Config config, unsigned generation) {
  auto settings = std::make_shared<Settings>();
  settings->generation = generation;
  settings->config = std::move(config);
  const TlsConfig& tls = settings->config.tls;
  const Config& all = settings->config;
  settings->receiving = context_for(all, generation, tls.receiving, {});
  for (const auto& [network, policy] : tls.client_networks) {
    settings->receiving_networks.push_back(
        context_for(all, generation, policy, network.to_string()));
  }
  if (all.uses_tls()) settings->sending = sending_context(tls);
  note_certificates(*settings);
  return settings;
}

Reception Settings::reception_of(const IpAddress& client) const {
  const auto network = config.tls.network_of(client);
  if (!network) return {config.tls.receiving, {}, receiving.get()};
  const ClientNetwork& clients = config.tls.client_networks[*network];
  return {clients.policy, clients.network.to_string(), receiving_networks[*network].get()};
}

std::string restart_reason(const Config& running, const Config& next) {
  const std::string_view what = running.listen != next.listen     ? "<listen>"
                                : running.data != next.data       ? "data"
                                : running.journal != next.journal ? "<journal>"
                                : running.web != next.web         ? "<web>"
                                                                  : "";
  if (what.empty()) return {};
  return "a change of " + std::string(what) + " needs a restart of the gateway";
}

}  // namespace gateway
