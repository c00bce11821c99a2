#include "view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <vector>

#include "config.hpp"
#include "consequences.hpp"
#include "page_text.hpp"
#include "words.hpp"

namespace gateway::web {
namespace {

namespace mustache = kainjow::mustache;
using mustache::data;
using mustache::list;
using mustache::object;

data flag(bool on) {
  return on ? data::type::bool_true : data::type::bool_false;
}

// A text, or false where there is none: a section around it is then left out.
data text(const std::string& value) {
  return value.empty() ? flag(false) : data(value);
}

object words(const std::string& language) {
  object all;
  for (const auto& [id, word] : words_in(language)) all.emplace(id, word);
  return all;
}

std::string rendered(const char* page, const object& model) {
  mustache::mustache sheet{std::string(page)};
  return sheet.render(data(model));
}

data partial(const char* page) {
  return data(mustache::partial([page] { return std::string(page); }));
}

// The pages that there are, in the order of the navigation.
struct Entry {
  const char* path;
  const char* name;
};
constexpr Entry kPages[] = {{"/encryption", "encryption"},
                            {"/certificates", "certificates"},
                            {"/queue", "queue"},
                            {"/sessions", "sessions"}};

std::string framed(const Frame& frame, const char* content, object model) {
  list pages;
  for (const Entry& page : kPages) {
    if (frame.csrf.empty()) break;
    pages.push_back(object{{"path", page.path},
                           {"name", word(frame.language, page.name)},
                           {"current", flag(frame.path == page.path)}});
  }
  list languages;
  for (const auto code : kLanguages) {
    languages.push_back(object{{"path", frame.path},
                               {"code", std::string(code)},
                               {"name", word(code, "language")},
                               {"current", flag(frame.language == code)}});
  }
  model.emplace("w", words(frame.language));
  model.emplace("language", frame.language);
  model.emplace("gateway", frame.gateway);
  model.emplace("csrf", text(frame.csrf));
  model.emplace("heading", frame.heading);
  model.emplace("status", text(frame.status));
  model.emplace("error", text(frame.error));
  model.emplace("details", text(frame.details));
  model.emplace("pages", pages);
  model.emplace("languages", languages);
  model.emplace("content", partial(content));
  return rendered(kLayout, model);
}

// Choice is one value of a drop-down list: its word in the form, and whether it is chosen.
struct Choice {
  std::string value;
  bool chosen = false;
};

// drop_down is a list of the settings called `name`.
object drop_down(const std::string& language, const std::string& name,
                 const std::vector<Choice>& choices, bool disabled) {
  list values;
  std::string meaning;
  for (const auto& [value, chosen] : choices) {
    const std::string id = name + "-" + value;
    const std::string explained = word(language, id + "-meaning");
    if (chosen) meaning = explained;
    values.push_back(object{{"value", value},
                            {"label", word(language, id)},
                            {"meaning", explained},
                            {"chosen", flag(chosen)}});
  }
  if (disabled) meaning = word(language, name + "-unavailable");
  return object{{"name", name},
                {"label", word(language, name)},
                {"disabled", flag(disabled)},
                {"meaning", meaning},
                {"values", values}};
}

template <typename Value, typename WordOf>
std::vector<Choice> choices(std::initializer_list<Value> values, Value chosen, WordOf word_for) {
  std::vector<Choice> out;
  for (const Value value : values) {
    out.push_back({std::string(word_for(value)), value == chosen});
  }
  return out;
}

list groups(const std::string& language, const Levels& chosen) {
  const ReceivingPolicy& receiving = chosen.receiving;
  const auto words_of = [](auto value) { return word_of(value); };
  const auto server = choices({ServerLevel::none, ServerLevel::attempt, ServerLevel::require},
                              receiving.level, words_of);
  const auto certificate =
      choices({ClientCertificate::none, ClientCertificate::request, ClientCertificate::require},
              receiving.certificate, words_of);
  const auto client =
      choices({ClientLevel::none, ClientLevel::attempt, ClientLevel::require, ClientLevel::verify},
              chosen.sending, level_word);
  // SET-2: greyed out where there is nothing to choose. A wrong choice that was sent stays open, so
  // that it can be put right.
  const bool unavailable =
      receiving.level == ServerLevel::none && receiving.certificate == ClientCertificate::none;
  list both;
  both.push_back(
      object{{"legend", word(language, "receiving")},
             {"lists", list{drop_down(language, "server-level", server, false),
                            drop_down(language, "client-certificate", certificate, unavailable)}}});
  both.push_back(object{{"legend", word(language, "sending")},
                        {"lists", list{drop_down(language, "client-level", client, false)}}});
  return both;
}

const char* tone_word(Tone tone) {
  switch (tone) {
    case Tone::tls:
      return "tls";
    case Tone::clear:
      return "clear";
    case Tone::stop:
      return "stop";
  }
  return "";
}

object table(const std::string& language, const char* caption, bool changed,
             const std::vector<Consequence>& now, const std::vector<Consequence>& then,
             const std::string& delay) {
  list rows;
  const auto said = [&](const Consequence& one) {
    return with_value(word(language, one.outcome), delay);
  };
  for (std::size_t i = 0; i < now.size(); ++i) {
    rows.push_back(object{{"peer", word(language, now[i].peer)},
                          {"now", said(now[i])},
                          {"now_tone", tone_word(now[i].tone)},
                          {"then", said(then[i])},
                          {"then_tone", tone_word(then[i].tone)},
                          {"differs", flag(!(now[i] == then[i]))},
                          {"changed", flag(changed)}});
  }
  return object{{"caption", word(language, caption)}, {"changed", flag(changed)}, {"rows", rows}};
}

// warnings are SET-3 and SET-4, about what is chosen.
list warnings(const std::string& language, const EncryptionView& view) {
  const ReceivingPolicy& policy = view.chosen.receiving;
  list out;
  const auto add = [&](const char* kind, const char* role, const char* mark, const char* id) {
    out.push_back(object{{"kind", kind},
                         {"role", role},
                         {"mark", word(language, mark)},
                         {"text", word(language, id)}});
  };
  if (!combination_warning(policy).empty()) add("warning", "alert", "warning", "warning-set-3");
  if (requests_certificate(policy)) {
    if (!view.has_client_ca) add("warning", "alert", "warning", "warning-no-client-ca");
    add("advice", "note", "advice", "advice-request");
  }
  if (!certificate_warning(policy).empty()) add("advice", "note", "advice", "advice-require");
  return out;
}

list notes(const std::string& language, const EncryptionView& view) {
  list out;
  const auto add = [&](const char* id, std::size_t count) {
    if (count == 0) return;
    out.push_back(object{{"text", with_value(word(language, id), fmt::format("{}", count))}});
  };
  add("own-networks", view.own_networks);
  add("own-routes", view.own_routes);
  return out;
}

std::string shown(const std::string& language, std::optional<Duration> delay) {
  if (!delay) return {};
  return with_value(word(language, "seconds"),
                    fmt::format("{:g}", std::chrono::duration<double>(*delay).count()));
}

bool same(const Levels& a, const Levels& b) {
  return a.receiving.level == b.receiving.level &&
         a.receiving.certificate == b.receiving.certificate && a.sending == b.sending;
}

object consequences(const std::string& language, const EncryptionView& view) {
  const bool changed = !same(view.in_force, view.chosen);
  const auto delay = view.clear_fallback_delay;
  list tables;
  tables.push_back(table(language, "clients", changed,
                         consequences_for_clients(view.in_force.receiving),
                         consequences_for_clients(view.chosen.receiving), {}));
  tables.push_back(table(
      language, "next-hops", changed, consequences_for_next_hops(view.in_force.sending, delay),
      consequences_for_next_hops(view.chosen.sending, delay), shown(language, delay)));
  return object{{"state", word(language, changed ? "not-applied" : "in-force")},
                {"state_class", changed ? "open" : "settled"},
                {"warnings", warnings(language, view)},
                {"tables", tables},
                {"notes", notes(language, view)}};
}

// shown_time is a moment as people read it, in UTC, to the second.
std::string shown_time(TimePoint time) {
  const std::string text = rfc3339(time);  // 2026-01-31T12:00:00.000000Z
  return text.substr(0, 10) + " " + text.substr(11, 8) + " UTC";
}

list recipients(const std::string& language, const Delivery::Waiting& waiting) {
  constexpr std::size_t kMostRecipients = 50;
  const auto& all = waiting.envelope.recipients;
  list rows;
  for (const Recipient& recipient : all) {
    if (rows.size() == kMostRecipients) {
      rows.push_back(object{{"first", flag(false)},
                            {"address", fmt::format("… +{}", all.size() - kMostRecipients)},
                            {"why", ""},
                            {"attempts", ""},
                            {"next", ""}});
      break;
    }
    std::string next = shown_time(recipient.next_attempt);
    if (waiting.held) next = word(language, "is-held");
    if (waiting.trying) next = word(language, "trying");
    const std::string why = recipient.enhanced.empty()
                                ? word(language, "not-tried")
                                : recipient.enhanced + " " + recipient.reason;
    rows.push_back(object{{"first", flag(rows.empty())},
                          {"address", recipient.address},
                          {"why", why},
                          {"attempts", fmt::format("{}", recipient.attempts)},
                          {"next", next}});
  }
  return rows;
}

list sessions(const std::string& language, const RecentSessions& recent) {
  list items;
  for (const SessionFacts& session : recent.all()) {
    const std::string certificate =
        session.certificate.empty() ? "" : word(language, "cert-" + session.certificate);
    const std::string ended =
        with_value(word(language, "ended-" + (session.ended.empty() ? "under-way" : session.ended)),
                   fmt::format("{}", session.last_reply));
    const std::string tls =
        session.resumed ? with_value(word(language, "resumed"), session.tls) : session.tls;
    items.push_back(object{{"id", session.id},
                           {"began", shown_time(session.began)},
                           {"client", session.client},
                           {"helo", text(session.helo)},
                           {"tone", session.tls.empty() ? "clear" : "tls"},
                           {"tls", session.tls.empty() ? word(language, "clear-text") : tls},
                           {"cipher", text(session.cipher)},
                           {"certificate", certificate},
                           {"subject", text(session.subject)},
                           {"error", text(session.error)},
                           {"messages", fmt::format("{}", session.messages)},
                           {"ended", ended}});
  }
  return items;
}

list attempts(const std::string& language, const RecentSessions& recent) {
  list items;
  for (const AttemptFacts& one : recent.attempts()) {
    const bool encrypted = !one.tls.empty();
    // Without a cause for clear text nothing of the message went out.
    const char* without = !one.connected      ? "not-connected"
                          : one.cause.empty() ? "no-tls"
                                              : "clear-text";
    const std::string cause = one.cause.empty() ? "" : word(language, "cause-" + one.cause);
    const std::string certificate =
        one.certificate.empty() ? "" : word(language, "cert-" + one.certificate);
    items.push_back(object{{"ended", shown_time(one.ended)},
                           {"host", one.host},
                           {"endpoint", one.endpoint},
                           {"level", word(language, "client-level-" + one.level)},
                           {"tone", encrypted       ? "tls"
                                    : one.connected ? "clear"
                                                    : "stop"},
                           {"tls", encrypted ? one.tls : word(language, without)},
                           {"detail", text(encrypted ? one.cipher : cause)},
                           {"certificate", certificate},
                           {"error", text(one.error)},
                           {"result", word(language, one.sent ? "sent" : "not-sent")},
                           {"reason", one.reason}});
  }
  return items;
}

object sessions_model(const std::string& language, const RecentSessions& recent) {
  return object{{"any", flag(!recent.all().empty())},
                {"items", sessions(language, recent)},
                {"any_attempt", flag(!recent.attempts().empty())},
                {"attempts", attempts(language, recent)}};
}

// buttons are what can be done with a certificate of the store.
list buttons(const std::string& language, const CertificateRow& row) {
  using Kind = StoredCertificate::Kind;
  list all;
  const auto add = [&](const char* action, bool there) {
    if (!there) return;
    all.push_back(object{{"action", action}, {"label", word(language, action)}});
  };
  const bool good = !row.certificate.error;
  const bool own = row.certificate.kind == Kind::own && good;
  const bool authority = row.certificate.kind == Kind::authority && good;
  add("use-receiving", own && !row.receiving);
  add("use-sending", own && !row.sending);
  add("trust-clients", authority && !row.trusted_clients);
  add("trust-next-hops", authority && !row.trusted_next_hops);
  add("delete", !row.in_use());
  return all;
}

list uses(const std::string& language, const CertificateRow& row) {
  list all;
  const auto add = [&](const char* id, bool there) {
    if (there) all.push_back(object{{"use", word(language, id)}});
  };
  add("in-receiving", row.receiving);
  add("in-sending", row.sending);
  add("in-key", row.key_in_use && !row.receiving && !row.sending);
  add("in-trusted-clients", row.trusted_clients);
  add("in-trusted-next-hops", row.trusted_next_hops);
  return all;
}

object certificate(const std::string& language, const CertificateRow& row) {
  using Kind = StoredCertificate::Kind;
  const StoredCertificate& one = row.certificate;
  const bool request = one.kind == Kind::request;
  object model{{"name", row.stored ? one.name : one.path},
               {"kind", request                 ? "request"
                        : one.kind == Kind::own ? "own"
                                                : "ca"},
               {"bad", text(one.error ? one.error->in(language) : "")},
               {"uses", uses(language, row)},
               {"elsewhere", row.stored ? flag(false) : data(word(language, "cert-elsewhere"))},
               {"any", flag(row.stored)},
               {"buttons", buttons(language, row)},
               {"request", flag(request)},
               {"subject", request ? word(language, "cert-request") : ""},
               {"issuer", ""},
               {"names", ""},
               {"expires", ""},
               {"tone", "quiet"},
               {"more", flag(false)},
               {"no_ca", flag(false)}};
  if (one.facts.empty()) return model;
  const CertificateFacts& facts = one.facts.front();
  const bool expired = facts.not_after < now();
  const std::string expires = shown_time(facts.not_after);
  model["subject"] = facts.subject;
  model["issuer"] = facts.issuer;
  model["names"] = fmt::format("{}", fmt::join(facts.names, ", "));
  model["expires"] = expired ? with_value(word(language, "cert-expired"), expires) : expires;
  if (expired) model["tone"] = "stop";
  if (one.facts.size() > 1) {
    model["more"] =
        with_value(word(language, "cert-more"), fmt::format("{}", one.facts.size() - 1));
  }
  const bool all_are_cas = std::all_of(one.facts.begin(), one.facts.end(),
                                       [](const CertificateFacts& each) { return each.is_ca; });
  if (one.kind == Kind::authority && !all_are_cas) model["no_ca"] = word(language, "cert-no-ca");
  return model;
}

}  // namespace

std::string login_page(const Frame& frame) {
  return framed(frame, kLogin, {});
}

std::string message_page(const Frame& frame) {
  return framed(frame, kMessage, {});
}

std::string encryption_page(const Frame& frame, const EncryptionView& view) {
  object model = consequences(frame.language, view);
  model.emplace("generation", fmt::format("{}", view.generation));
  model.emplace("groups", groups(frame.language, view.chosen));
  model.emplace("consequences", partial(kConsequences));
  return framed(frame, kEncryption, std::move(model));
}

std::string consequences_part(const std::string& language, const EncryptionView& view) {
  object model = consequences(language, view);
  model.emplace("w", words(language));
  return rendered(kConsequences, model);
}

std::string queue_page(const Frame& frame, const QueueView& view) {
  const std::string& language = frame.language;
  list items;
  for (const Delivery::Waiting& waiting : view.shown) {
    const Envelope& envelope = waiting.envelope;
    const list rows = recipients(language, waiting);
    const char* retry = waiting.held ? "release" : "retry";
    items.push_back(object{
        {"id", queue_id(envelope.id)},
        {"number", fmt::format("{}", envelope.id)},
        {"since", shown_time(envelope.received)},
        {"sender", envelope.sender.empty() ? word(language, "null-sender") : envelope.sender},
        {"rows", fmt::format("{}", rows.size())},
        {"action", retry},
        {"retry", word(language, retry)},
        {"can_hold", flag(!waiting.held)},
        {"recipients", rows}});
  }
  const bool all = view.shown.size() == view.count;
  const std::string count = fmt::format("{}", view.count);
  const std::string shown = fmt::format("{}", view.shown.size());
  return framed(
      frame, kQueue,
      object{{"count", view.count == 0 ? word(language, "queue-empty")
                                       : with_value(word(language, "queue-count"), count)},
             {"shown", all ? "" : with_value(word(language, "queue-shown"), shown)},
             {"any", flag(view.count != 0)},
             {"items", items}});
}

std::string question_page(const Frame& frame, const Question& question) {
  list fields;
  for (const auto& [name, value] : question.fields) {
    fields.push_back(object{{"name", name}, {"value", value}});
  }
  return framed(frame, kQuestion,
                object{{"question", question.text},
                       {"action", question.action},
                       {"back", frame.path},
                       {"fields", fields}});
}

std::string certificates_page(const Frame& frame, const std::vector<CertificateRow>& rows) {
  list own;
  list authorities;
  bool sends = false;
  for (const CertificateRow& row : rows) {
    sends = sends || row.sending;
    const bool authority = row.certificate.kind == StoredCertificate::Kind::authority;
    (authority ? authorities : own).push_back(certificate(frame.language, row));
  }
  return framed(frame, kCertificates,
                object{{"own", own},
                       {"authorities", authorities},
                       {"sends", flag(sends)},
                       {"row", partial(kCertificateRow)}});
}

std::string sessions_page(const Frame& frame, const RecentSessions& recent) {
  object model = sessions_model(frame.language, recent);
  model.emplace("table", partial(kSessionsTable));
  return framed(frame, kSessions, std::move(model));
}

std::string sessions_table(const std::string& language, const RecentSessions& recent) {
  object model = sessions_model(language, recent);
  model.emplace("w", words(language));
  return rendered(kSessionsTable, model);
}

std::string style() {
  return kStyle;
}

std::string script() {
  return kScript;
}

}  // namespace gateway::web
