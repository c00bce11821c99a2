#include "apply.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "durable_file.hpp"
#include "services.hpp"
#include "words.hpp"

namespace gateway::web {
namespace {

namespace fs = std::filesystem;

// changed_text is the configuration with `attributes` in it. It throws, with the reason, where that
// could not come into force.
std::string changed_text(const Settings& in_force, const std::string& path,
                         const Attributes& attributes) {
  const std::string on_disk = load_config(path).text;
  if (on_disk != in_force.config.text) throw Refusal("file-changed", path);
  std::string text;
  try {
    text = with_attributes(on_disk, attributes);
  } catch (const std::runtime_error& error) {
    throw ConfigError(fmt::format("{}:1:1: this file cannot be changed: {}", path, error.what()));
  }
  Config config = read_config(path, text);
  if (!has_attributes(text, attributes)) {
    throw ConfigError(path + ":1:1: this file cannot be changed: its <tls> was not found");
  }
  const std::string restart = restart_reason(in_force.config, config);
  if (!restart.empty()) throw ConfigError(restart);
  make_settings(std::move(config), in_force.generation + 1);  // keys and certificates are good
  return text;
}

// replace_file keeps who may read the file as it was. Where its group cannot be kept, another has
// no right to it.
void replace_file(const std::string& path, const std::string& text) {
  const std::string real = fs::canonical(path).string();
  struct stat before {};
  if (stat(real.c_str(), &before) != 0) throw std::runtime_error(path + ": cannot be found");
  constexpr mode_t kPermissions = 07777;
  const mode_t mode = before.st_mode & kPermissions;
  write_durably(real, text, static_cast<int>(mode));
  const bool same_group = chown(real.c_str(), before.st_uid, before.st_gid) == 0 ||
                          chown(real.c_str(), static_cast<uid_t>(-1), before.st_gid) == 0;
  // Whatever the umask has taken away.
  chmod(real.c_str(), same_group ? mode : mode & ~static_cast<mode_t>(S_IRWXG));
}

}  // namespace

void apply_settings(Server& server, const std::string& path, const Attributes& attributes,
                    const std::string& who) {
  Services& services = server.services();
  const std::shared_ptr<const Settings> in_force = services.settings;
  try {
    const std::string text = changed_text(*in_force, path, attributes);
    replace_file(path, text);
    const std::string refused = server.reload(who);
    if (refused.empty()) return;
    replace_file(path, in_force->config.text);
    throw ConfigError(refused);
  } catch (const std::exception& error) {
    services.journal.add(JournalLine("settings-refused")
                             .add("generation", services.settings->generation)
                             .add("error", error.what())
                             .add("by", "web")
                             .add("who", who));
    services.journal.flush();
    throw;
  }
}

}  // namespace gateway::web
