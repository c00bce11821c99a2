#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/gateway_file.hpp"
#include "control/route.hpp"

// Expansion of ${…} in a gateway's files and commands, as gateway_file.hpp lists them. Pure: it
// knows no file, no process and no environment but what it is given.

namespace postern {

/// TemplateValues is what ${…} stands for in one instance. What it points to must outlive it.
struct TemplateValues {
  std::string directory;
  std::string packages;
  std::string listen_address;
  unsigned short listen_port = 0;
  std::string program_directory;
  const std::vector<SettingText>* setting_texts = nullptr;
  const Assignment* settings = nullptr;
  const std::vector<Route>* routes = nullptr;
  /// environment gives a variable's value, or nullptr.
  std::function<const char*(const std::string&)> environment;
};

/// Expansion is a text without ${…}, or what was wrong with it.
struct Expansion {
  std::string text;
  std::string error;  ///< Empty: nothing is wrong.
};

/// Template expands texts and remembers which PEM files they name, so that just those are written.
class Template {
 public:
  explicit Template(TemplateValues values) : values_(std::move(values)) {}

  /// expand replaces every ${…}. Settings come first, since their texts may hold ${…} themselves;
  /// then a line that names a ${route.…} is written once for each route, in the order of the routes
  /// (with no route it vanishes); then the rest. "$${" gives a plain "${".
  Expansion expand(std::string_view text);

  /// identities, trusts and crls are the names seen in ${certificate.…} and ${key.…}, in
  /// ${trust.…}, and in ${crl.…}.
  const std::set<std::string>& identities() const { return identities_; }
  const std::set<std::string>& trusts() const { return trusts_; }
  const std::set<std::string>& crls() const { return crls_; }

  /// certificate_path, key_path, trust_path and crl_path tell where the PEM files of a name are to
  /// stand.
  std::string certificate_path(const std::string& name) const;
  std::string key_path(const std::string& name) const;
  std::string trust_path(const std::string& name) const;
  std::string crl_path(const std::string& name) const;

 private:
  std::string expand_settings(std::string_view text, const Assignment& settings,
                              Expansion& out) const;
  bool expand_routes(std::string_view line, Expansion& out);
  bool expand_line(std::string_view line, const Route* route, Expansion& out);
  bool value_of(const std::string& name, const Route* route, Expansion& out);

  TemplateValues values_;
  std::set<std::string> identities_, trusts_, crls_;
};

/// expand_command gives the words of a command. Throws std::invalid_argument with its place and
/// what is wrong.
std::vector<std::string> expand_command(Template& text, const Command& command);

}  // namespace postern
