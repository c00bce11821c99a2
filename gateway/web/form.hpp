// What is read from a request: forms, cookies, the language asked for, and whether it was meant for
// this page at all. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http.hpp"

namespace gateway::web {

using Fields = std::map<std::string, std::string>;

// parse_form reads application/x-www-form-urlencoded, as a body or behind the "?" of an address.
// nullopt where it is not that: a broken %XX, a name given twice, too many fields.
std::optional<Fields> parse_form(std::string_view text);

// parse_multipart reads multipart/form-data (RFC 7578), as browsers send files: a file is a field
// with its octets. nullopt where it is not that.
std::optional<Fields> parse_multipart(std::string_view body, std::string_view content_type);

// cookie_value is the value of a cookie in a Cookie header; empty where there is none.
std::string cookie_value(std::string_view header, std::string_view name);

// preferred_language is "ja" or "en": the one that an Accept-Language header (RFC 9110 section
// 12.5.4) likes better; "en" where it likes neither.
std::string preferred_language(std::string_view accept_language);

// path_of and query_of are the two parts of a request's target.
std::string_view path_of(std::string_view target);
std::string_view query_of(std::string_view target);

// is_own_host tells whether a Host header names this page: an IP address, localhost or the name of
// the gateway. Any other name may be one that somebody has made to point here (DNS rebinding).
bool is_own_host(std::string_view host, std::string_view gateway_name);

// is_own_origin tells whether a request comes from a page of this host, or from no page at all.
bool is_own_origin(std::string_view origin, std::string_view host);

}  // namespace gateway::web
