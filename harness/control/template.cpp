#include "control/template.hpp"

#include <fmt/format.h>

#include <optional>

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

Expansion Template::expand(std::string_view text) {
  Expansion with_settings;
  if (!expand_settings(text, with_settings)) {
    return with_settings;
  }
  Expansion out;
  std::string_view rest = with_settings.text;
  while (!rest.empty()) {
    const std::size_t newline = rest.find('\n');
    const std::size_t length = newline == std::string_view::npos ? rest.size() : newline + 1;
    const std::string_view line = rest.substr(0, length);
    rest.remove_prefix(length);
    if (line.find("${route.") == std::string_view::npos) {
      if (!expand_line(line, nullptr, out)) return out;
      continue;
    }
    for (const Route& route : *values_.routes) {
      if (!expand_line(line, &route, out)) return out;
    }
  }
  return out;
}

bool Template::expand_settings(std::string_view text, Expansion& out) const {
  const auto plain = [&out](std::string_view piece) { out.text += piece; };
  const auto name = [this, &out](const std::optional<std::string>& variable) {
    if (!variable) {
      out.text += "$${";
      return true;
    }
    const std::string* value = values_.settings->get(*variable);
    if (value == nullptr) {
      out.text += "${" + *variable + "}";
      return true;
    }
    const SettingText* found =
        setting_text(*values_.setting_texts, *values_.settings, *variable, *value, out.error);
    if (found == nullptr) return false;
    out.text += replace_all(found->text, "${value}", *value);
    return true;
  };
  return for_each_variable(text, out.error, plain, name);
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
        "${{{}}} stands for nothing; allowed are dir, listen.address, listen.port, certificate.…, "
        "key.…, trust.…, program.…, env.…, the names of settings, and route.domain, route.host, "
        "route.address, route.port",
        name);
    return false;
  }
  return true;
}

}  // namespace postern
