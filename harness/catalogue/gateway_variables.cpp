#include "catalogue/gateway_variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace postern {
namespace {

/// known_variables lists all that may stand in a text, with a * where any name may.
std::vector<std::string> known_variables(Variables where, const PkiNames& pki) {
  std::vector<std::string> known = {"dir",           "packages",     "listen.address",
                                    "listen.port",   "route.domain", "route.host",
                                    "route.address", "route.port",   "program.postern-gateway"};
  if (where == Variables::kText) {
    for (const Setting& one : settings()) known.push_back(one.name);
  }
  for (const std::string& name : pki.identities) {
    known.push_back("certificate." + name);
    known.push_back("key." + name);
  }
  for (const std::string& name : pki.trusts) known.push_back("trust." + name);
  for (const std::string& name : pki.crls) known.push_back("crl." + name);
  if (where == Variables::kSettingText) known.push_back("value");
  return known;
}

/// allowed_for names what may stand in the place of `name`: of certificates, keys, trusts and lists
/// those that there are, else all that is known there.
std::string allowed_for(const std::string& name, Variables where, const PkiNames& pki) {
  const std::string kind = name.substr(0, name.find('.') + 1);
  const std::map<std::string, const std::vector<std::string>*> named = {
      {"certificate.", &pki.identities},
      {"key.", &pki.identities},
      {"trust.", &pki.trusts},
      {"crl.", &pki.crls}};
  const auto found = named.find(kind);
  if (found == named.end() || found->second->empty()) return variable_list(where);
  return fmt::format("${{{}NAME}} with one of the names {}", kind, quoted_list(*found->second));
}

void multiply(std::vector<Assignment>& combinations, const std::string& name,
              const std::vector<std::string>& values) {
  std::vector<Assignment> product;
  product.reserve(combinations.size() * values.size());
  for (const Assignment& combination : combinations) {
    for (const std::string& value : values) {
      product.push_back(combination);
      product.back().set(name, value);
    }
  }
  combinations = std::move(product);
}

}  // namespace

std::string variable_list(Variables where) {
  std::vector<std::string> names = {"${dir}",
                                    "${packages}",
                                    "${listen.address}",
                                    "${listen.port}",
                                    "${certificate.NAME}",
                                    "${key.NAME}",
                                    "${trust.NAME}",
                                    "${crl.NAME}",
                                    "${route.domain}",
                                    "${route.host}",
                                    "${route.address}",
                                    "${route.port}",
                                    "${program.postern-gateway}",
                                    "${env.NAME}"};
  if (where == Variables::kSettingText) names.push_back("${value}");
  if (where == Variables::kText) {
    for (const Setting& one : settings()) names.push_back(fmt::format("${{{}}}", one.name));
  }
  return fmt::format("{}", fmt::join(names, " "));
}

std::vector<std::string> unknown_variables(const std::string& text, Variables where,
                                           const PkiNames& pki) {
  std::vector<std::string> messages;
  std::vector<std::string> known;
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    if (at > 0 && text[at - 1] == '$') continue;
    const std::size_t end = text.find_first_of("}\n", at);
    if (end == std::string::npos || text[end] == '\n') {
      messages.push_back(fmt::format("found \"{}\" without its \"}}\"", text.substr(at, end - at)));
      continue;
    }
    const std::string name = text.substr(at + 2, end - at - 2);
    if (name.rfind("env.", 0) == 0 && name.size() > 4) continue;
    if (known.empty()) known = known_variables(where, pki);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    messages.push_back(fmt::format("found \"${{{}}}\", allowed: {}{}", name,
                                   allowed_for(name, where, pki), did_you_mean(name, known)));
  }
  return messages;
}

std::vector<Assignment> combinations_of(const std::set<std::string>& names) {
  static const std::vector<std::string> kDelays = {"0", "1s", "never"};
  Assignment defaults;
  for (const Setting& one : settings()) defaults.set(one.name, one.default_value);
  std::vector<Assignment> combinations = {defaults};
  for (const Setting& one : settings())
    if (names.contains(one.name))
      multiply(combinations, one.name, one.values.empty() ? kDelays : one.values);
  return combinations;
}

}  // namespace postern
