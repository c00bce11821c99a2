#include "settings.hpp"

namespace gateway {

std::shared_ptr<const Settings> make_settings(Config config, unsigned generation) {
  auto settings = std::make_shared<Settings>();
  settings->generation = generation;
  settings->config = std::move(config);
  const TlsConfig& tls = settings->config.tls;
  if (tls.receiving.level != ServerLevel::none) settings->receiving = receiving_context(tls);
  if (settings->config.uses_tls()) settings->sending = sending_context(tls);
  return settings;
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
