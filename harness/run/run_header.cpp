#include "run/run_header.hpp"

#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>

#include "control/installed.hpp"
#include "run/now.hpp"

namespace postern {
namespace {

// axes_of orders what the views show: as the matrix with the most axes does, and behind that what
// only others know.
reports::Axes axes_of(const Catalogue& catalogue) {
  std::vector<const Matrix*> matrices;
  for (const auto& matrix : catalogue.matrices) matrices.push_back(matrix.get());
  std::stable_sort(matrices.begin(), matrices.end(), [](const Matrix* one, const Matrix* other) {
    return one->axes.size() > other->axes.size();
  });
  reports::Axes axes;
  for (const Matrix* matrix : matrices)
    for (const Axis& axis : matrix->axes) {
      auto known = std::find_if(axes.begin(), axes.end(),
                                [&](const auto& one) { return one.first == axis.key; });
      if (known == axes.end()) known = axes.insert(axes.end(), {axis.key, {}});
      for (const std::string& value : axis.values)
        if (std::find(known->second.begin(), known->second.end(), value) == known->second.end())
          known->second.push_back(value);
    }
  return axes;
}

}  // namespace

reports::RunHeader header_of(const RunOptions& options, const RunPlan& plan,
                             const Catalogue& catalogue,
                             const std::vector<const GatewayFile*>& gateways) {
  reports::RunHeader header;
  header.started = utc_now("%Y-%m-%dT%H:%M:%S");
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) == 0) header.host = host;
  header.postern = POSTERN_VERSION;
  header.openssl = OpenSSL_version(OPENSSL_VERSION);
  for (const GatewayFile* gateway : gateways) {
    const std::string version = gateway_version(*gateway, plan.program_directory);
    header.gateway += (header.gateway.empty() ? "" : ", ") + gateway->name +
                      (version.empty() ? "" : " (" + version + ")");
  }
  header.command = options.command_line;
  header.seed = plan.seed;
  header.axes = axes_of(catalogue);
  return header;
}

}  // namespace postern
