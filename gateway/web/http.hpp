// The settings page of the gateway. What this room holds: http_server (Boost.Beast: what moves the
// bytes, with its limits), slow_work (a thread of its own for what would hold up mail), form and
// login (what is read from a request, and whom it is believed), consequences (what would become of
// each kind of peer under chosen settings), level_rewrite (the configuration with other levels in
// it), words (English and Japanese), view (HTML) and settings_page, which brings them together.
// docs/settings-page.md is the manual.
//
// This header: a request and a response as the page sees them.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gateway::web {

// Request is one that was read. Fields that were not sent are empty.
struct Request {
  std::string method;
  std::string target;  // as it came: /encryption?lang=ja
  std::string host;
  std::string origin;
  std::string cookie;
  std::string accept_language;
  std::string content_type;
  std::string body;
  bool whole = true;   // false: the body was too long, and is not here
  std::string client;  // the address it came from
  std::string local;   // the address it came to
};

// Response is answered with Content-Length and the headers that every response has.
struct Response {
  int status = 200;
  std::string type = "text/html; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides
};

}  // namespace gateway::web
