#include "form.hpp"

#include <algorithm>
#include <cstdlib>

#include "smtp_command.hpp"
#include "values.hpp"

namespace gateway::web {
namespace {

constexpr std::size_t kMostFields = 64;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]);
    const int low = digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  const auto end = text.find_last_not_of(" \t");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

// next_part takes what stands before the next `separator` off the front of `rest`.
std::string_view next_part(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

std::optional<Fields> parse_form(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    std::string_view value = next_part(text, '&');
    if (value.empty()) continue;
    const auto name = decode(next_part(value, '='));
    const auto content = decode(value);
    if (!name || !content || fields.size() == kMostFields) return std::nullopt;
    if (!fields.emplace(*name, *content).second) return std::nullopt;
  }
  return fields;
}

std::optional<Fields> parse_multipart(std::string_view body, std::string_view content_type) {
  constexpr std::string_view kBoundary = "boundary=";
  constexpr std::string_view kName = " name=\"";
  const auto at = content_type.find(kBoundary);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view boundary = content_type.substr(at + kBoundary.size());
  boundary = trimmed(boundary.substr(0, boundary.find(';')));
  if (boundary.size() > 2 && boundary.front() == '"') {
    boundary = boundary.substr(1, boundary.size() - 2);
  }
  if (boundary.empty()) return std::nullopt;
  const std::string mark = "--" + std::string(boundary);
  const std::string next = "\r\n" + mark;
  if (body.substr(0, mark.size()) != mark) return std::nullopt;
  body.remove_prefix(mark.size());
  Fields fields;
  while (body.substr(0, 2) == "\r\n") {
    const auto head_end = body.find("\r\n\r\n");
    const auto end = body.find(next);
    if (head_end == std::string_view::npos || end == std::string_view::npos || end < head_end + 2 ||
        fields.size() == kMostFields) {
      return std::nullopt;
    }
    const std::string_view head = body.substr(0, head_end);
    const auto name = head.find(kName);
    if (name == std::string_view::npos) return std::nullopt;
    const std::string_view rest = head.substr(name + kName.size());
    const auto content = std::min(head_end + 4, end);
    const bool fresh =
        fields.emplace(rest.substr(0, rest.find('"')), body.substr(content, end - content)).second;
    if (!fresh) return std::nullopt;
    body.remove_prefix(end + next.size());
  }
  if (body.substr(0, 2) != "--") return std::nullopt;
  return fields;
}

std::string cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    std::string_view value = next_part(header, ';');
    if (trimmed(next_part(value, '=')) == name) return std::string(trimmed(value));
  }
  return {};
}

std::string preferred_language(std::string_view accept_language) {
  double english = 0;
  double japanese = 0;
  while (!accept_language.empty()) {
    std::string_view weight = next_part(accept_language, ',');
    const std::string range = lower_case(std::string(trimmed(next_part(weight, ';'))));
    double quality = 1;
    weight = trimmed(weight);
    if (weight.substr(0, 2) == "q=") {
      quality = std::strtod(std::string(weight.substr(2)).c_str(), nullptr);
    }
    const std::string_view main = std::string_view(range).substr(0, range.find('-'));
    if (main == "en" || main == "*") english = std::max(english, quality);
    if (main == "ja") japanese = std::max(japanese, quality);
  }
  return japanese > english ? "ja" : "en";
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string_view query_of(std::string_view target) {
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

bool is_own_host(std::string_view host, std::string_view gateway_name) {
  std::string_view name = host;
  if (!name.empty() && name.front() == '[') {
    const auto end = name.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view rest = name.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    return IpAddress::parse(name.substr(1, end - 1)).has_value();
  }
  name = name.substr(0, name.find(':'));
  const std::string lower = lower_case(std::string(name));
  return lower == "localhost" || IpAddress::parse(name).has_value() ||
         (!lower.empty() && lower == lower_case(std::string(gateway_name)));
}

bool is_own_origin(std::string_view origin, std::string_view host) {
  if (origin.empty()) return true;
  const auto slashes = origin.find("://");
  const std::string_view scheme = origin.substr(0, slashes);
  return slashes != std::string_view::npos && (scheme == "http" || scheme == "https") &&
         origin.substr(slashes + 3) == host;
}

}  // namespace gateway::web
