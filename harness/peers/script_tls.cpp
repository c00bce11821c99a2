#include "peers/script_tls.hpp"

#include <algorithm>

#include "catalogue/tls_alerts.hpp"
#include "peers/tls_records.hpp"

namespace asio = boost::asio;

namespace postern {
namespace {

std::string listed(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

TlsWish wish_of(Scene& scene, Role role, const TlsStep& tls) {
  Peer peer;
  peer.role = role;
  peer.certificate = tls.certificate;
  peer.trust = tls.trust;
  peer.versions = tls.versions;
  peer.asks = tls.asks;
  TlsWish wish = wish_of(scene, peer);
  wish.ciphers = tls.ciphers;
  wish.groups = tls.groups;
  wish.alpn = tls.alpn;
  // Any connection of a client may be the one that a later one wants to resume.
  wish.tickets = role == Role::kClient || tls.resume == Resume::kYes;
  return wish;
}

/// version_of gives the version that a session was made under.
std::string version_of(const SSL_SESSION* session) {
  switch (SSL_SESSION_get_protocol_version(session)) {
    case TLS1_2_VERSION:
      return tls_version_text(TlsVersion::k12);
    case TLS1_3_VERSION:
      return tls_version_text(TlsVersion::k13);
    default:
      return "before 1.2";
  }
}

TlsManner manner_of(Scene& scene, Role role, const Step& step) {
  const TlsStep& tls = step.tls;
  TlsManner manner;
  manner.sni = tls.sni;
  manner.early = words(*scene.observation, step.place, tls.early);
  manner.record_size = tls.record_size;
  manner.splits = tls.splits;
  manner.made_up = tls.resume == Resume::kMadeUp;
  if (role == Role::kServer) return manner;
  manner.tickets = &scene.ticket;
  if (tls.resume != Resume::kYes) return manner;
  if (!scene.ticket) fail(step.place, "a ticket to resume with", "none from the gateway");
  const std::string version = version_of(scene.ticket.get());
  const bool spoken =
      std::any_of(tls.versions.begin(), tls.versions.end(),
                  [&version](TlsVersion one) { return version == tls_version_text(one); });
  if (!spoken) fail(step.place, "a ticket of a version in \"tls\"", "one of TLS " + version);
  manner.session = scene.ticket;
  return manner;
}

void expect_text(const Step& step, const char* what, const std::string& expected,
                 const std::string& got) {
  const std::string seen = got.empty() ? "none" : got;
  if (!expected.empty() && expected != seen)
    fail(step.place, what + (" " + expected), what + (" " + seen));
}

void expect_fact(const Step& step, const std::optional<bool>& expected, bool got, const char* is,
                 const char* is_not) {
  if (expected && *expected != got) fail(step.place, *expected ? is : is_not, got ? is : is_not);
}

/// check_completed holds a handshake that succeeded against what the step says of it.
void check_completed(Talk& talk, Role role, const Step& step) {
  const TlsStep& tls = step.tls;
  const TlsEngine& engine = *talk.wire().tls();
  const ConnectionFacts& facts = talk.facts();
  if (tls.must_fail) fail(step.place, "a handshake that fails", "TLS " + facts.tls_version);
  if (engine.early_accepted())
    fail(step.place, "early data to be refused", "early data that was accepted");
  expect_fact(step, tls.asked, facts.asked, "a request for a certificate",
              "no request for a certificate");
  expect_text(step, "TLS", tls.version, facts.tls_version);
  expect_text(step, "the cipher suite", tls.cipher, facts.tls_cipher);
  expect_text(step, "the group", tls.group, engine.group());
  expect_text(step, "the application protocol", tls.got_alpn, engine.alpn());
  if (role == Role::kServer) expect_text(step, "the server name", tls.got_sni, engine.sni());
  expect_fact(step, tls.shown, facts.certificate_shown, "a client certificate",
              "no client certificate");
  expect_fact(step, tls.resumed, engine.resumed(), "a resumed session", "a new session");
  expect_fact(step, tls.extended_master_secret, engine.extended_master_secret(),
              "the extended master secret", "no extended master secret");
}

bool resets(const TlsStep& tls) {
  return std::any_of(tls.deviations.begin(), tls.deviations.end(),
                     [](const Deviation& deviation) { return deviation.act == Act::kReset; });
}

/// check_failed waits for the gateway to end a handshake that failed, and looks how it did.
asio::awaitable<void> check_failed(Talk& talk, const Step& step) {
  const ConnectionFacts& facts = talk.facts();
  if (!step.tls.may_fail && !step.tls.must_fail) {
    const char* hint = facts.starttls_sent
                           ? ""
                           : "; no STARTTLS came before it, and <starttls/> is the handshake alone";
    fail(step.place, "a TLS handshake", facts.tls_error + hint);
  }
  co_await talk.await_end();
  if (facts.smtp_after_failed_tls)
    fail(step.place, "silence after failed TLS", "SMTP in clear text");
  if (facts.ended_by != Actor::kGateway && !resets(step.tls))
    fail(step.place, "the gateway to close", facts.ending);
  const int alert = talk.wire().alert();
  if (!step.tls.alerts.empty() && !alert_conforms(step.tls.alerts, alert))
    fail(step.place, "the alert " + listed(step.tls.alerts, "|"),
         alert < 0 ? "none" : alert_name(alert));
  if (step.tls.may_fail) throw ScriptEnds();
}

}  // namespace

asio::awaitable<void> play_starttls(Talk& talk, Role role, const Step& step) {
  TlsWish wish = wish_of(talk.scene(), role, step.tls);
  TlsManner manner = manner_of(talk.scene(), role, step);
  // What came in clear text behind the 220 is an answer to what must not have been read. A record
  // is none: a gateway that takes injected bytes for a handshake has its alert for them.
  if (role == Role::kClient && !talk.ahead().empty() && whole_record(talk.ahead()) == 0)
    fail(step.place, "nothing behind the reply to STARTTLS", talk.ahead());
  talk.facts().starttls_reply = 220;
  talk.wire().set_manner(std::move(manner));
  Wire::DeviationAt at = [&step](Point point) -> const Deviation* {
    for (const Deviation& deviation : step.tls.deviations)
      if (deviation.at == point) return &deviation;
    return nullptr;
  };
  const bool done = co_await talk.start_tls(std::move(wish), std::move(at));
  if (done) {
    check_completed(talk, role, step);
  } else {
    co_await check_failed(talk, step);
  }
}

asio::awaitable<void> play_renegotiate(Talk& talk, const Step& step) {
  const bool renegotiated = co_await talk.wire().renegotiate();
  if (renegotiated) fail(step.place, "renegotiation to be refused", "a second handshake");
  // OpenSSL ends the connection when it is told no_renegotiation; then the gateway ends it too.
  const ConnectionFacts& facts = talk.facts();
  if (facts.ended_by != Actor::kGateway)
    fail(step.place, "renegotiation to be refused", facts.ending);
}

asio::awaitable<void> play_hear_alert(Talk& talk, const Step& step) {
  const std::string expected = "the alert " + listed(step.tls.alerts, "|");
  int alert = -1;
  if (talk.phase() == Phase::kTls) {
    const std::size_t before = talk.scene().observation->events.size();
    const Ending ending = co_await talk.await_end();
    if (const std::string data = data_since(talk, before); !data.empty())
      fail(step.place, expected, data);
    alert = talk.wire().alert();
    if (alert < 0) fail(step.place, expected, ending);
  } else {
    TlsRecords records;
    std::string bytes = talk.take_ahead();
    while (alert < 0) {
      records.feed(bytes);
      while (const auto record = records.next())
        if (alert < 0) alert = record->alert();
      if (records.foreign())
        fail(step.place, alert < 0 ? expected : "nothing behind the alert", records.rest());
      if (alert >= 0) break;
      bytes.clear();
      const Ending ending = co_await talk.wire().read(bytes);
      if (ending != Ending::kOpen) fail(step.place, expected, ending);
    }
  }
  if (!alert_conforms(step.tls.alerts, alert)) fail(step.place, expected, alert_name(alert));
}

asio::awaitable<void> play_close(Talk& talk, const Step& step) {
  if (step.how == "notify") {
    co_await talk.wire().notify_close();
  } else if (step.how == "fin") {
    talk.wire().shut_down();
  } else {
    co_await talk.finish();
  }
}

std::string data_since(Talk& talk, std::size_t before) {
  const std::vector<Event>& events = talk.scene().observation->events;
  for (std::size_t i = before; i < events.size(); ++i) {
    const Event& event = events[i];
    const bool here = event.connection == talk.facts().number &&
                      event.side == talk.wire().recorder().side() && event.from == Actor::kGateway;
    if (here && event.what == What::kData) return event.text;
  }
  return {};
}

void expect_no_data(Talk& talk, std::size_t before, const Place& place) {
  const std::string data = data_since(talk, before);
  if (!data.empty()) fail(place, "only the end of the connection", data);
}

bool ends_as(const std::string& how, Ending ending) {
  if (how == "reset") return ending == Ending::kReset;
  if (how == "close-notify") return ending == Ending::kCloseNotify;
  if (how == "truncated") return ending == Ending::kTruncated;
  if (how == "alert") return ending == Ending::kAlert;
  return ending == Ending::kClose || ending == Ending::kCloseNotify || ending == Ending::kTruncated;
}

}  // namespace postern
