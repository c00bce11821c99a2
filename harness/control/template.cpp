#include "control/template.hpp"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>

namespace postern {

namespace {

constexpr std::string_view kOpen = "${";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// for_each_variable hands out the plain pieces and the names of ${…} in turn. It ends early where
// a callback returns false, or with an error where a "${" is never closed.
template <typename Plain, typename Name>
bool for_each_variable(std::string_view text, std::string& error, Plain plain, Name name) {
  while (true) {
    const std::size_t open = text.find(kOpen);
    if (open == std::string_view::npos) {
      plain(text);
      return true;
    }
    if (open > 0 && text[open - 1] == '$') {
      plain(text.substr(0, open - 1));
      if (!name(std::nullopt)) return false;
      text.remove_prefix(open + kOpen.size());
      continue;
    }
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      error = fmt::format("\"{}\" has no closing \"}}\"", text.substr(open, 40));
      return false;
    }
    plain(text.substr(0, open));
    const std::string inner(text.substr(open + kOpen.size(), close - open - kOpen.size()));
    if (!name(std::optional<std::string>(inner))) return false;
    text.remove_prefix(close + 1);
  }
}

// setting_text finds the one <setting> that gives `name` its meaning under `settings`.
const SettingText* setting_text(const std::vector<SettingText>& texts, const Assignment& settings,
                                const std::string& name, const std::string& value,
                                std::string& error) {
  const SettingText* found = nullptr;
  bool declared = false;
  for (const SettingText& text : texts) {
    if (text.name != name) continue;
    declared = true;
    if (!text.value.empty() && text.value != value) continue;
    if (!text.when.holds(settings)) continue;
    if (found != nullptr) {
      error = fmt::format("{}={} has two texts that hold: {} and {}", name, value,
                          found->place.text(), text.place.text());
      return nullptr;
    }
    found = &text;
  }
  if (found == nullptr) {
    error = declared
                ? fmt::format("{}={} has no text that holds under {}", name, value, settings.text())
                : fmt::format("${{{}}} has no <setting>", name);
  }
  return found;
}

}  // namespace

std::string Template::certificate_path(const std::string& name) const {
  return values_.directory + "/pki/" + name + ".pem";
}

std::string Template::key_path(const std::string& name) const {
  return values_.directory + "/pki/" + name + ".key";
}

std::string Template::trust_path(const std::string& name) const {
  return values_.directory + "/pki/" + name + ".ca.pem";
}

std::string Template::crl_path(const std::string& name) const {
  return values_.directory + "/pki/" + name + ".crl.pem";
}

namespace {

// for_each_line hands out the lines of `text`, line ends included, until `line` returns false.
template <typename Line>
bool for_each_line(std::string_view text, Line line) {
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
    if (!line(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool speaks_of_route(std::string_view text) {
  return text.find("${route.") != std::string_view::npos;
}

}  // namespace

Expansion Template::expand(std::string_view text) {
  Expansion out;
  for_each_line(text, [&](std::string_view line) {
    const std::string with_settings = expand_settings(line, *values_.settings, out);
    if (!out.error.empty()) return false;
    if (!speaks_of_route(line))
      return for_each_line(with_settings,
                           [&](std::string_view one) { return expand_routes(one, out); });
    for (const Route& route : *values_.routes) {
      Assignment settings = *values_.settings;
      if (!route.level.empty()) settings.set("next-hop-level", route.level);
      const std::string own = expand_settings(line, settings, out);
      if (!out.error.empty() || !expand_line(own, &route, out)) return false;
    }
    return true;
  });
  return out;
}

// expand_routes writes a line once, or once for each route where a setting's text speaks of them.
bool Template::expand_routes(std::string_view line, Expansion& out) {
  if (!speaks_of_route(line)) return expand_line(line, nullptr, out);
  for (const Route& route : *values_.routes)
    if (!expand_line(line, &route, out)) return false;
  return true;
}

// expand_settings puts the texts of settings in; other variables stay. A mistake goes to `out`.
std::string Template::expand_settings(std::string_view text, const Assignment& settings,
                                      Expansion& out) const {
  std::string expanded;
  const auto plain = [&expanded](std::string_view piece) { expanded += piece; };
  const auto name = [&](const std::optional<std::string>& variable) {
    if (!variable) {
      expanded += "$${";
      return true;
    }
    const std::string* value = settings.get(*variable);
    if (value == nullptr) {
      expanded += "${" + *variable + "}";
      return true;
    }
    const SettingText* found =
        setting_text(*values_.setting_texts, settings, *variable, *value, out.error);
    if (found == nullptr) return false;
    expanded += replace_all(found->text, "${value}", *value);
    return true;
  };
  for_each_variable(text, out.error, plain, name);
  return expanded;
}

bool Template::expand_line(std::string_view line, const Route* route, Expansion& out) {
  const auto plain = [&out](std::string_view piece) { out.text += piece; };
  const auto name = [this, route, &out](const std::optional<std::string>& variable) {
    if (!variable) {
      out.text += kOpen;
      return true;
    }
    return value_of(*variable, route, out);
  };
  return for_each_variable(line, out.error, plain, name);
}

bool Template::value_of(const std::string& name, const Route* route, Expansion& out) {
  const auto rest_of = [&name](std::string_view prefix) { return name.substr(prefix.size()); };
  if (name == "dir") {
    out.text += values_.directory;
  } else if (name == "packages") {
    out.text += values_.packages;
  } else if (name == "listen.address") {
    out.text += values_.listen_address;
  } else if (name == "listen.port") {
    out.text += std::to_string(values_.listen_port);
  } else if (route != nullptr && name == "route.domain") {
    out.text += route->domain;
  } else if (route != nullptr && name == "route.host") {
    out.text += route->host;
  } else if (route != nullptr && name == "route.address") {
    out.text += route->address;
  } else if (route != nullptr && name == "route.port") {
    out.text += std::to_string(route->port);
  } else if (starts_with(name, "certificate.")) {
    identities_.insert(rest_of("certificate."));
    out.text += certificate_path(rest_of("certificate."));
  } else if (starts_with(name, "key.")) {
    identities_.insert(rest_of("key."));
    out.text += key_path(rest_of("key."));
  } else if (starts_with(name, "trust.")) {
    trusts_.insert(rest_of("trust."));
    out.text += trust_path(rest_of("trust."));
  } else if (starts_with(name, "crl.")) {
    crls_.insert(rest_of("crl."));
    out.text += crl_path(rest_of("crl."));
  } else if (starts_with(name, "program.")) {
    out.text += values_.program_directory + "/" + rest_of("program.");
  } else if (starts_with(name, "env.")) {
    const char* value = values_.environment ? values_.environment(rest_of("env.")) : nullptr;
    if (value == nullptr) {
      out.error = fmt::format("${{{}}}: the environment has no {}", name, rest_of("env."));
      return false;
    }
    out.text += value;
  } else {
    out.error = fmt::format(
        "${{{}}} stands for nothing; allowed are dir, packages, listen.address, listen.port, "
        "certificate.…, "
        "key.…, trust.…, crl.…, program.…, env.…, the names of settings, and route.domain, "
        "route.host, "
        "route.address, route.port",
        name);
    return false;
  }
  return true;
}

std::vector<std::string> expand_command(Template& text, const Command& command) {
  std::vector<std::string> arguments;
  for (const std::string& argument : command.arguments) {
    Expansion expansion = text.expand(argument);
    if (!expansion.error.empty())
      throw std::invalid_argument(command.place.text() + ": " + expansion.error);
    arguments.push_back(std::move(expansion.text));
  }
  return arguments;
}

}  // namespace postern
