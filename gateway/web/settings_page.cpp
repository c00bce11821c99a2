#include "settings_page.hpp"
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "apply.hpp"
#include "certificates_page.hpp"
#include "delivery.hpp"
#include "form.hpp"
#include "http_server.hpp"
#include "login.hpp"
#include "password.hpp"
#include "services.hpp"
#include "slow_work.hpp"
#include "view.hpp"
#include "words.hpp"

namespace gateway::web {
namespace {

Response html(int status, std::string body) {
  return {status, "text/html; charset=utf-8", std::move(body), {}};
}

Response go_to(const std::string& path) {
  return {303, "text/plain; charset=utf-8", {}, {{"Location", path}}};
}

// cookie is the value of a Set-Cookie header; `seconds` is how long it is kept, 0: it goes
// away.
std::string cookie(const std::string& name, const std::string& value, const std::string& more) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}", name, value, more);
}

// enumerator_of is the one whose word this is.
template <typename Value, typename WordOf>
std::optional<Value> enumerator_of(std::string_view word, Value last, WordOf word_for) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (word_for(static_cast<Value>(i)) == word) return static_cast<Value>(i);
  }
  return std::nullopt;
}

// levels_in reads the three lists. The one that may be greyed out is not sent then, be another
// level chosen beside it or not.
std::optional<Levels> levels_in(const Fields& form) {
  const auto field = [&](const char* name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string_view() : std::string_view(found->second);
  };
  const auto words_of = [](auto value) { return word_of(value); };
  const auto server = enumerator_of(field("server-level"), ServerLevel::require, words_of);
  const auto certificate =
      form.count("client-certificate") == 0
          ? std::optional(ClientCertificate::none)
          : enumerator_of(field("client-certificate"), ClientCertificate::require, words_of);
  const auto client = enumerator_of(field("client-level"), ClientLevel::verify, level_word);
  if (!server || !certificate || !client) return std::nullopt;
  return Levels{{*server, *certificate}, *client};
}

}  // namespace

class SettingsPage::Inside : public std::enable_shared_from_this<SettingsPage::Inside> {
 public:
  Inside(Server& server, std::string config_path, WebConfig web)
      : server_(server),
        config_path_(std::move(config_path)),
        web_(std::move(web)),
        certificates_(server, config_path_, slow_work_) {
    server_.services().sessions = &recent_;
  }

  void open(asio::any_io_executor executor);
  std::string endpoint() const { return http_->endpoint(); }
  void start() { http_->start(); }
  void stop();
  void join() { slow_work_.join(); }

 private:
  // Call is a request with what is known of it.
  struct Call {
    Request request;
    std::string path;
    Frame frame;
    Fields form;  // of a POST
    const Visit* visit = nullptr;
  };

  asio::awaitable<Response> answer(Request request);
  std::optional<Response> settle_language(Call& call);
  std::optional<Response> check_form(Call& call);
  Response routed(Call& call);
  asio::awaitable<Response> log_in(Call call);
  Response log_out(const Call& call);
  Response message(const Call& call, int status, const char* id);
  Response encryption(Call& call, const Levels& chosen, int status = 200);
  Response encryption_form(Call& call);
  Response outdated(Call& call);
  EncryptionView encryption_view(const Levels& chosen) const;
  Levels in_force() const;
  Response certificates(Call& call);
  asio::awaitable<Response> certificates_form(Call call);
  Response signing_request(Call& call);
  Response queue(Call& call);
  Response queue_form(Call& call);
  asio::awaitable<bool> is_password(std::string given);
  std::string visit_cookie() const;

  Server& server_;
  std::string config_path_;
  WebConfig web_;
  SlowWork slow_work_;
  LoginLimit limit_;
  Visits visits_;
  RecentSessions recent_;
  CertificatesPage certificates_;
  std::unique_ptr<HttpServer> http_;
};

void SettingsPage::Inside::open(asio::any_io_executor executor) {
  Handler handler = [weak = weak_from_this()](Request request) -> asio::awaitable<Response> {
    const auto self = weak.lock();
    if (!self) throw std::runtime_error("the gateway is stopping");
    asio::awaitable<Response> answer = self->answer(std::move(request));
    co_return co_await std::move(answer);
  };
  http_ = std::make_unique<HttpServer>(std::move(executor), web_.address, web_.port,
                                       std::move(handler));
}

void SettingsPage::Inside::stop() {
  server_.services().sessions = nullptr;
  http_->stop();
  slow_work_.stop();
}

// The port is part of the name: cookies are shared by all ports of a host, and so by all
// gateways of a machine.
std::string SettingsPage::Inside::visit_cookie() const {
  const std::string endpoint = http_->endpoint();
  return "visit-" + endpoint.substr(endpoint.rfind(':') + 1);
}

asio::awaitable<Response> SettingsPage::Inside::answer(Request request) {
  const auto self = shared_from_this();
  Call call;
  call.path = std::string(path_of(request.target));
  call.request = std::move(request);
  call.frame.path = call.path;
  call.frame.gateway = server_.services().settings->config.name;
  if (!is_own_host(call.request.host, call.frame.gateway)) {
    co_return message(call, 421, "bad-host");
  }
  if (auto response = settle_language(call)) co_return std::move(*response);
  const std::string token = cookie_value(call.request.cookie, visit_cookie());
  const bool by_itself = call.path == "/sessions/table";
  call.visit = visits_.find(token, Clock::now(), !by_itself);
  if (call.visit) call.frame.csrf = call.visit->csrf;
  if (!call.request.whole) co_return message(call, 413, "too-large");
  if (call.request.method == "POST") {
    if (auto response = check_form(call)) co_return std::move(*response);
    if (call.path == "/login") {
      asio::awaitable<Response> login = log_in(std::move(call));
      co_return co_await std::move(login);
    }
    if (call.path.rfind("/certificates/", 0) == 0) {
      asio::awaitable<Response> done = certificates_form(std::move(call));
      co_return co_await std::move(done);
    }
  }
  co_return routed(call);
}

// settle_language finds the language to answer in. Where another one is asked for, that is
// kept.
std::optional<Response> SettingsPage::Inside::settle_language(Call& call) {
  const auto query = parse_form(query_of(call.request.target));
  std::string language = cookie_value(call.request.cookie, "language");
  const auto known = [](std::string_view code) { return code == "en" || code == "ja"; };
  if (!known(language)) language = preferred_language(call.request.accept_language);
  call.frame.language = language;
  if (call.request.method != "GET" || !query) return std::nullopt;
  const auto asked = query->find("lang");
  if (asked == query->end() || !known(asked->second)) return std::nullopt;
  // Only where this page leads itself: what stands in an address is not to be trusted.
  const std::string_view known_pages[] = {"/login", "/encryption", "/certificates", "/queue",
                                          "/sessions"};
  const bool is_page =
      std::find(std::begin(known_pages), std::end(known_pages), call.path) != std::end(known_pages);
  Response response = go_to(is_page ? call.path : "/encryption");
  response.headers.emplace_back("Set-Cookie",
                                cookie("language", asked->second, "; Max-Age=31536000"));
  return response;
}

// check_form reads the form of a POST, and refuses one that this page did not give out.
std::optional<Response> SettingsPage::Inside::check_form(Call& call) {
  const std::string& type = call.request.content_type;
  const std::string kind = type.substr(0, type.find(';'));
  const auto form = kind == "application/x-www-form-urlencoded" ? parse_form(call.request.body)
                    : kind == "multipart/form-data" ? parse_multipart(call.request.body, type)
                                                    : std::nullopt;
  if (!form) {
    return message(call, 400, "bad-form");
  }
  call.form = *form;
  if (!is_own_origin(call.request.origin, call.request.host)) return message(call, 403, "bad-csrf");
  if (call.path == "/login") return std::nullopt;
  if (!call.visit) {
    if (call.path == "/encryption/consequences") return message(call, 401, "log-in");
    return go_to("/login");
  }
  const auto csrf = call.form.find("csrf");
  if (csrf == call.form.end() || !same_secret(csrf->second, call.visit->csrf)) {
    return message(call, 403, "bad-csrf");
  }
  return std::nullopt;
}

Response SettingsPage::Inside::routed(Call& call) {
  const bool get = call.request.method == "GET";
  if (get && call.path == "/page.css") return {200, "text/css; charset=utf-8", style(), {}};
  if (get && call.path == "/page.js") return {200, "text/javascript; charset=utf-8", script(), {}};
  if (get && call.path == "/login" && !call.visit) {
    call.frame.heading = word(call.frame.language, "log-in");
    return html(200, login_page(call.frame));
  }
  if (!call.visit && call.path == "/sessions/table") return message(call, 401, "log-in");
  if (!call.visit) return go_to("/login");
  if (get && (call.path == "/" || call.path == "/login")) return go_to("/encryption");
  if (get && call.path == "/encryption") {
    const auto query = parse_form(query_of(call.request.target));
    if (query && query->count("applied") != 0) {
      call.frame.status = word(call.frame.language, "applied");
    }
    return encryption(call, in_force());
  }
  if (!get && call.path == "/logout") return log_out(call);
  if (!get && call.path.rfind("/encryption", 0) == 0) return encryption_form(call);
  if (get && call.path == "/certificates") return certificates(call);
  if (get && call.path == "/certificates/request") return signing_request(call);
  if (get && call.path == "/queue") return queue(call);
  if (!get && call.path.rfind("/queue/", 0) == 0) return queue_form(call);
  if (get && call.path == "/sessions") {
    call.frame.heading = word(call.frame.language, "sessions");
    return html(200, sessions_page(call.frame, recent_));
  }
  if (get && call.path == "/sessions/table") {
    return html(200, sessions_table(call.frame.language, recent_));
  }
  return message(call, 404, "not-found");
}

Response SettingsPage::Inside::message(const Call& call, int status, const char* id) {
  Frame frame = call.frame;
  frame.path = "/";
  frame.heading = word(frame.language, "error");
  frame.error = word(frame.language, id);
  return html(status, message_page(frame));
}

asio::awaitable<bool> SettingsPage::Inside::is_password(std::string given) {
  std::function<bool()> work = [given = std::move(given), hash = web_.password] {
    return password_matches(given, hash);
  };
  asio::awaitable<bool> check = slow_work_.perform(std::move(work));
  co_return co_await std::move(check);
}

asio::awaitable<Response> SettingsPage::Inside::log_in(Call call) {
  const auto self = shared_from_this();
  Journal& journal = server_.services().journal;
  const std::string client = call.request.client;
  const std::string group = limit_group(client);
  call.frame.heading = word(call.frame.language, "log-in");
  const auto note = [&](const char* result) {
    journal.add(JournalLine("web-login").add("client", client).add("result", result));
  };
  if (!limit_.try_one(group, Clock::now())) {
    if (limit_.first_refusal(group, Clock::now())) note("too-many");
    call.frame.error = word(call.frame.language, "too-many");
    Response response = html(429, login_page(call.frame));
    response.headers.emplace_back("Retry-After", "60");
    co_return response;
  }
  std::string given = call.form["password"];
  const bool good = co_await is_password(std::move(given));
  if (!good) {
    note("wrong-password");
    call.frame.error = word(call.frame.language, "wrong-password");
    co_return html(403, login_page(call.frame));
  }
  note("ok");
  limit_.succeeded(group);
  const Visit& visit = visits_.begin(Clock::now());
  Response response = go_to("/encryption");
  response.headers.emplace_back("Set-Cookie", cookie(visit_cookie(), visit.token, {}));
  co_return response;
}

Response SettingsPage::Inside::log_out(const Call& call) {
  visits_.end(call.visit->token);
  Response response = go_to("/login");
  response.headers.emplace_back("Set-Cookie", cookie(visit_cookie(), {}, "; Max-Age=0"));
  return response;
}

Levels SettingsPage::Inside::in_force() const {
  const TlsConfig& tls = server_.services().settings->config.tls;
  return {tls.receiving, tls.client_level};
}

EncryptionView SettingsPage::Inside::encryption_view(const Levels& chosen) const {
  const Config& config = server_.services().settings->config;
  EncryptionView view;
  view.generation = server_.services().settings->generation;
  view.in_force = in_force();
  view.chosen = chosen;
  view.clear_fallback_delay = config.tls.clear_fallback_delay;
  view.has_client_ca = !config.tls.client_ca.empty();
  view.own_networks = config.tls.client_networks.size();
  view.own_routes = routes_with_levels(config.text);
  return view;
}

Response SettingsPage::Inside::encryption(Call& call, const Levels& chosen, int status) {
  call.frame.path = "/encryption";
  call.frame.heading = word(call.frame.language, "encryption");
  return html(status, encryption_page(call.frame, encryption_view(chosen)));
}

Response SettingsPage::Inside::encryption_form(Call& call) {
  const auto levels = levels_in(call.form);
  if (!levels) return message(call, 400, "bad-form");
  if (call.path == "/encryption/consequences") {
    return html(200, consequences_part(call.frame.language, encryption_view(*levels)));
  }
  const bool preview = call.path == "/encryption/preview";
  if (!preview && call.path != "/encryption") return message(call, 404, "not-found");
  const auto seen = parse_number(call.form["generation"]);
  if (!seen) return message(call, 400, "bad-form");
  if (*seen != server_.services().settings->generation) return outdated(call);
  if (preview) return encryption(call, *levels);
  try {
    apply_settings(server_, config_path_, attributes_of(*levels), call.request.client);
    return go_to("/encryption?applied=yes");
  } catch (const std::exception& error) {
    call.frame.error = word(call.frame.language, "refused");
    call.frame.details = reason_in(call.frame.language, error);
  }
  return encryption(call, *levels, 422);
}

// outdated answers a form that was filled in beside settings that no longer hold: with it
// somebody would undo, unseen, what another has applied.
Response SettingsPage::Inside::outdated(Call& call) {
  const std::string& who = server_.services().settings_by;
  const std::string& language = call.frame.language;
  call.frame.error =
      who.empty() ? word(language, "outdated") : with_value(word(language, "outdated-by"), who);
  return encryption(call, in_force(), 409);
}

Response SettingsPage::Inside::certificates(Call& call) {
  call.frame.path = "/certificates";
  call.frame.heading = word(call.frame.language, "certificates");
  const auto query = parse_form(query_of(call.request.target));
  if (query && query->count("done") != 0) {
    call.frame.status = word(call.frame.language, "cert-done");
  }
  return html(200, certificates_page(call.frame, certificates_.rows()));
}

Response SettingsPage::Inside::signing_request(Call& call) {
  Fields query = parse_form(query_of(call.request.target)).value_or(Fields{});
  query["kind"] = "request";
  const auto row = certificates_.find(query);
  if (!row) return message(call, 404, "not-found");
  Response response{
      200, "application/pkcs10", CertificateStore::read_text(row->certificate.path), {}};
  response.headers.emplace_back(
      "Content-Disposition", fmt::format("attachment; filename=\"{}.csr\"", row->certificate.name));
  return response;
}

asio::awaitable<Response> SettingsPage::Inside::certificates_form(Call call) {
  const auto self = shared_from_this();
  const std::string action = call.path.substr(std::string_view("/certificates/").size());
  if (action == "delete" && call.form["sure"] != "yes") {
    call.frame.path = "/certificates";
    call.frame.heading = word(call.frame.language, "certificates");
    const char* asked = call.form["kind"] == "ca" ? "delete-authority" : "delete-certificate";
    const std::string text = with_value(word(call.frame.language, asked), call.form["name"]);
    const Question question{
        text, call.path, {{"kind", call.form["kind"]}, {"name", call.form["name"]}}};
    co_return html(200, question_page(call.frame, question));
  }
  try {
    asio::awaitable<void> acting =
        certificates_.act(action, std::move(call.form), call.request.client);
    co_await std::move(acting);
    co_return go_to("/certificates?done=yes");
  } catch (const std::invalid_argument&) {
    co_return message(call, 404, "not-found");
  } catch (const std::runtime_error& error) {
    call.frame.error = word(call.frame.language, "cert-refused");
    call.frame.details = reason_in(call.frame.language, error);
  }
  Response response = certificates(call);
  response.status = 422;
  co_return response;
}

Response SettingsPage::Inside::queue(Call& call) {
  constexpr std::size_t kMostShown = 200;
  const Delivery& delivery = *server_.services().delivery;
  call.frame.path = "/queue";
  call.frame.heading = word(call.frame.language, "queue");
  const auto query = parse_form(query_of(call.request.target)).value_or(Fields{});
  const auto done = query.find("done");
  for (const char* known : {"retry", "retry-all", "hold", "release", "delete"}) {
    if (done == query.end() || done->second != known) continue;
    call.frame.status = word(call.frame.language, std::string("done-") + known);
  }
  return html(200, queue_page(call.frame, {delivery.queued(), delivery.waiting(kMostShown)}));
}

// queue_form has a message tried, held, released or deleted; the last only after a question.
Response SettingsPage::Inside::queue_form(Call& call) {
  Delivery& delivery = *server_.services().delivery;
  const std::string action = call.path.substr(std::string_view("/queue/").size());
  const std::string who = call.request.client;
  const bool all = call.form["id"] == "all" && action == "retry";
  const auto id = parse_number(call.form["id"]);
  const bool known =
      action == "retry" || action == "hold" || action == "release" || action == "delete";
  if (!known || (!id && !all)) {
    return message(call, 400, "bad-form");
  }
  call.frame.heading = word(call.frame.language, "queue");
  if (action == "delete" && call.form["sure"] != "yes") {
    call.frame.path = "/queue";
    const std::string text =
        with_value(word(call.frame.language, "delete-question"), queue_id(*id));
    return html(200, question_page(call.frame, {text, call.path, {{"id", call.form["id"]}}}));
  }
  const auto note = [&](std::uint64_t message) {
    server_.services().journal.add(JournalLine("queue-action")
                                       .add("queue-id", queue_id(message))
                                       .add("action", action)
                                       .add("by", "web")
                                       .add("who", who));
  };
  bool done = true;
  if (all) {
    for (const auto& waiting : delivery.waiting(delivery.queued())) {
      if (!waiting.held && delivery.try_now(waiting.envelope.id)) note(waiting.envelope.id);
    }
  } else if (action == "delete") {
    done = delivery.remove(*id, who);
  } else {
    done = action == "hold" ? delivery.hold(*id) : delivery.try_now(*id);
    if (done) note(*id);
  }
  if (done) return go_to("/queue?done=" + action + (all ? "-all" : ""));
  call.frame.error = word(call.frame.language, action == "delete" ? "busy" : "gone");
  Response response = queue(call);
  response.status = 409;
  return response;
}

SettingsPage::SettingsPage(asio::any_io_executor executor, Server& server, std::string config_path,
                           WebConfig web)
    : inside_(std::make_shared<Inside>(server, std::move(config_path), std::move(web))) {
  inside_->open(std::move(executor));
}

SettingsPage::~SettingsPage() {
  inside_->join();
}

std::string SettingsPage::endpoint() const {
  return inside_->endpoint();
}
void SettingsPage::start() {
  inside_->start();
}
void SettingsPage::stop() {
  inside_->stop();
}

}  // namespace gateway::web
