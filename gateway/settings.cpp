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
  if (tls.client_level != ClientLevel::none) settings->sending = sending_context(tls);
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
                                                                  : "";
  if (what.empty()) return {};
  return "a change of " + std::string(what) + " needs a restart of the gateway";
}

}  // namespace gateway
