// What the tests of the settings page are written with: a browser of few words.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "password.hpp"
#include "process_fixture.hpp"

namespace gateway::test {

inline constexpr const char* kPassword = "correct horse";

struct Reply {
  int status = 0;
  std::string head;
  std::string body;
};

// SettingsPage is a test that talks HTTP to the page of a running gateway.
class SettingsPage : public ProcessTest {
 protected:
  // with_page is a configuration with a settings page at any free port.
  std::string with_page(const std::string& tls = {}, const std::string& more = {},
                        const std::string& in_tls = {}) {
    static const std::string hash = hash_password(kPassword);
    return configure(tls, more + "<web port=\"0\" password=\"" + hash + "\"/>", in_tls);
  }

  // ask sends a request, and answer reads what comes back to its end.
  Wire ask(const std::string& first_line, const std::string& headers, const std::string& body = {},
           const std::string& from = "127.0.0.1") const {
    Wire wire = Wire::connect(port_, from);
    wire.say(first_line + " HTTP/1.1\r\n" + headers + "Connection: close\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body);
    return wire;
  }
  static Reply answer(Wire wire) {
    while (wire.fill()) continue;
    const std::string all = wire.pending();
    const auto end = all.find("\r\n\r\n");
    if (end == std::string::npos) return {0, all, {}};
    return {std::stoi(all.substr(9, 3)), all.substr(0, end + 2), all.substr(end + 4)};
  }
  Reply request(const std::string& first_line, const std::string& headers,
                const std::string& body = {}) const {
    return answer(ask(first_line, headers, body));
  }

  std::string host() const { return "Host: 127.0.0.1:" + std::to_string(port_) + "\r\n"; }
  std::string visiting() const { return host() + "Cookie: " + cookie_ + "\r\n"; }

  Reply get(const std::string& path) { return request("GET " + path, visiting()); }
  Reply post(const std::string& path, const std::string& form) {
    return request("POST " + path,
                   visiting() + "Content-Type: application/x-www-form-urlencoded\r\n", form);
  }

  // log_in opens a visit, and keeps its cookie and the token of its forms.
  void log_in(const Program& program) {
    port_ = program.web_port();
    const Reply reply = post("/login", "password=correct+horse");
    ASSERT_EQ(reply.status, 303) << reply.head;
    cookie_ = between(reply.head, "Set-Cookie: ", ";");
    csrf_ = between(get("/encryption").body, "name=\"csrf\" value=\"", "\"");
    ASSERT_EQ(csrf_.size(), 64U);
  }

  static std::string between(const std::string& text, const std::string& left,
                             const std::string& right) {
    const auto begin = text.find(left);
    if (begin == std::string::npos) return {};
    const auto from = begin + left.size();
    return text.substr(from, text.find(right, from) - from);
  }

  // generation is that of the settings beside which the form is filled in.
  std::string generation() {
    return between(get("/encryption").body, "name=\"generation\" value=\"", "\"");
  }

  std::string levels(const std::string& server, const std::string& certificate,
                     const std::string& client) {
    return "csrf=" + csrf_ + "&generation=" + generation() + "&server-level=" + server +
           "&client-certificate=" + certificate + "&client-level=" + client;
  }

  Reply apply(const std::string& server, const std::string& certificate,
              const std::string& client) {
    return post("/encryption", levels(server, certificate, client));
  }

  std::string file() const {
    std::ifstream in(bench_.path("gateway.xml"));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  static std::string mail_in_clear_text(int port) {
    Wire client = Wire::connect(port);
    client.reply();
    client.ask("EHLO client.test");
    return client.ask("MAIL FROM:<a@a.test>");
  }

  int port_ = 0;
  std::string cookie_;
  std::string csrf_;
};

}  // namespace gateway::test
