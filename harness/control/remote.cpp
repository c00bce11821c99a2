#include "control/remote.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <charconv>
#include <stdexcept>

#include "catalogue/vocabulary.hpp"

namespace postern {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

[[noreturn]] void wrong(const Remote& remote, const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}", remote.place.text(), what));
}

std::string filled(const Remote& remote, std::string text,
                   const std::function<const char*(const std::string&)>& environment) {
  constexpr std::string_view kBegin = "${env.";
  for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
    const std::size_t end = text.find('}', at);
    const std::string name = text.substr(at + kBegin.size(), end - at - kBegin.size());
    const char* value = environment(name);
    if (value == nullptr || *value == '\0')
      wrong(remote, fmt::format("{} is not set in the environment", name));
    text.replace(at, end + 1 - at, value);
    at += std::string_view(value).size();
  }
  return text;
}

/// HostPort is HOST:PORT taken apart.
struct HostPort {
  std::string host;
  unsigned short port = 0;
};

HostPort host_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  HostPort found;
  if (colon != std::string::npos && colon > 0) {
    found.host = text.substr(0, colon);
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, found.port);
    const bool bracketed = found.host.front() == '[' && found.host.back() == ']';
    if (bracketed) found.host = found.host.substr(1, found.host.size() - 2);
    const bool bare_ipv6 = !bracketed && found.host.find(':') != std::string::npos;
    if (error == std::errc() && rest == end && found.port > 0 && !bare_ipv6) return found;
  }
  throw std::runtime_error(
      fmt::format("found \"{}\", allowed: HOST:PORT, an IPv6 address in brackets", text));
}

Assignment assignment_of(const Remote& remote, const std::string& text) {
  std::string error;
  const Condition condition = Condition::parse(text, error);
  KnownKeys known;
  for (const Setting& one : settings()) known[one.name] = one.values;
  if (error.empty()) error = unknown_in(condition, known);
  if (!error.empty()) wrong(remote, "settings: " + error);
  Assignment stated;
  for (const Term& term : condition.terms()) {
    if (term.negated || term.values.size() != 1)
      wrong(remote,
            fmt::format("found settings=\"{}\", allowed: one value for each setting", text));
    stated.set(term.key, term.values.front());
  }
  return complete(stated);
}

}  // namespace

std::string RemotePlace::why_not_under(const Assignment& under) const {
  for (const auto& [key, value] : declared.values()) {
    const std::string* asked = under.get(key);
    if (asked != nullptr && *asked != value)
      return fmt::format("it is declared to be set {}={}", key, value);
  }
  return {};
}

tcp::endpoint look_up(const std::string& text) {
  const HostPort place = host_port(text);
  asio::io_context io(1);
  tcp::resolver resolver(io);
  boost::system::error_code error;
  const auto addresses = resolver.resolve(place.host, std::to_string(place.port), error);
  if (error || addresses.empty())
    throw std::runtime_error(place.host + " cannot be looked up: " + error.message());
  return addresses.begin()->endpoint();
}

RemotePlace find_remote(const Remote& remote,
                        const std::function<const char*(const std::string&)>& environment) {
  RemotePlace found;
  found.name = filled(remote, remote.at, environment);
  found.domain = filled(remote, remote.domain, environment);
  const std::string next_hop = filled(remote, remote.next_hop, environment);
  found.settings = filled(remote, remote.settings, environment);
  if (!found.settings.empty()) found.declared = assignment_of(remote, found.settings);
  try {
    found.at = look_up(found.name);
    const HostPort listen = host_port(next_hop);
    boost::system::error_code error;
    found.next_hop = {asio::ip::make_address(listen.host, error), listen.port};
    if (error)
      throw std::runtime_error(
          fmt::format("found next-hop=\"{}\", allowed: ADDRESS:PORT of this machine", next_hop));
  } catch (const std::runtime_error& problem) {
    wrong(remote, problem.what());
  }
  return found;
}

}  // namespace postern
