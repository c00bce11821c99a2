#include "catalogue/story_tls.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>

#include "catalogue/loaders.hpp"
#include "catalogue/tls_alerts.hpp"
#include "catalogue/tls_suites.hpp"

namespace postern {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> read_alerts(const Reader& reader, pugi::xml_node node) {
  std::vector<std::string> known = alert_names();
  known.emplace_back("fatal");
  std::vector<std::string> alerts;
  const std::string text = reader.text(node, "alert");
  for (std::string_view word : split(text, '|')) {
    if (word.empty()) continue;
    alerts.emplace_back(word);
    if (word == "fatal" || alert_number(word) >= 0 || !is_value(ValueType::kAlerts, word)) continue;
    reader.complain(node, "alert",
                    fmt::format("found the alert \"{}\", allowed: a name of RFC 8446 §6, a number "
                                "from 0 to 255, or fatal{}",
                                word, did_you_mean(std::string(word), known)));
  }
  return alerts;
}

std::optional<bool> read_yes(const Reader& reader, pugi::xml_node node, const char* attribute) {
  if (!reader.has(node, attribute)) return std::nullopt;
  return reader.text(node, attribute) == "yes";
}

void read_faults(const Reader& reader, pugi::xml_node node, Role role, TlsStep& tls) {
  for (pugi::xml_node child : node.children("deviate")) {
    tls.deviations.push_back(read_deviation(reader, child, role));
    if (tls.may_fail || tls.must_fail) continue;
    reader.complain(child,
                    "found <deviate> in a handshake that must succeed, allowed: only with "
                    "must=\"fail\" or may=\"fail\"");
  }
}

/// check_failure complains of facts that a handshake which fails cannot show.
void check_failure(const Reader& reader, pugi::xml_node node, const TlsStep& tls) {
  if (tls.may_fail && tls.must_fail)
    reader.complain(node, "must", "found both \"may\" and \"must\", allowed: one of them");
  if (!tls.alerts.empty() && !tls.may_fail && !tls.must_fail) {
    reader.complain(node, "alert",
                    "found \"alert\" in a handshake that must succeed, allowed: only with "
                    "must=\"fail\" or may=\"fail\"");
  }
  if (!tls.must_fail) return;
  for (const char* fact : {"version", "cipher", "group", "resumed", "ems", "shown", "got-alpn"}) {
    if (!reader.has(node, fact)) continue;
    reader.complain(node, fact,
                    fmt::format("found \"{}\" beside must=\"fail\", allowed: only where the "
                                "handshake can succeed",
                                fact));
  }
}

bool speaks(const TlsStep& tls, TlsVersion version) {
  return std::find(tls.versions.begin(), tls.versions.end(), version) != tls.versions.end();
}

/// check_offer complains of what cannot be agreed on, because it is not offered.
void check_offer(const Reader& reader, pugi::xml_node node, const TlsStep& tls) {
  const TlsVersion agreed = tls.version == "1.2" ? TlsVersion::k12 : TlsVersion::k13;
  if (!tls.version.empty() && !speaks(tls, agreed)) {
    reader.complain(
        node, "version",
        fmt::format("found version=\"{}\", allowed: one that \"tls\" lists", tls.version));
  }
  std::string error;
  std::vector<std::string> suites;
  if (!tls.ciphers.empty() || !tls.cipher.empty())  // It takes a context of OpenSSL's.
    suites = offered_suites(tls.versions, tls.ciphers, error);
  if (!error.empty()) {
    reader.complain(node, "ciphers",
                    fmt::format("found ciphers=\"{}\" ({}), allowed: a list of cipher suites as "
                                "OpenSSL writes it",
                                tls.ciphers, error));
  } else if (!tls.cipher.empty() && !contains(suites, tls.cipher)) {
    reader.complain(node, "cipher",
                    fmt::format("found cipher=\"{}\", allowed: one that \"tls\" and \"ciphers\" "
                                "offer{}",
                                tls.cipher, did_you_mean(tls.cipher, suites)));
  }
  if (!tls.group.empty() && !tls.groups.empty() && !contains(tls.groups, tls.group)) {
    reader.complain(
        node, "group",
        fmt::format("found group=\"{}\", allowed: one that \"groups\" lists", tls.group));
  }
  if (tls.extended_master_secret && speaks(tls, TlsVersion::k13)) {
    reader.complain(node, "ems",
                    "found \"ems\" beside TLS 1.3, which always has it, allowed: only with "
                    "tls=\"1.2\"");
  }
}

/// check_session complains of early data and sessions that cannot be sent.
void check_session(const Reader& reader, pugi::xml_node node, const TlsStep& tls) {
  if (tls.resumed.value_or(false) && tls.resume != Resume::kYes) {
    reader.complain(node, "resumed",
                    "found resumed=\"yes\" without resume=\"yes\", allowed: only beside it");
  }
  if (!tls.early.empty() && tls.resume == Resume::kNo) {
    reader.complain(node, "early",
                    "found \"early\" without \"resume\", allowed: only with a session to resume");
  }
  for (const char* attribute : {"early", "resume"}) {
    const bool needs =
        attribute == std::string("early") ? !tls.early.empty() : tls.resume == Resume::kMadeUp;
    if (!needs || speaks(tls, TlsVersion::k13)) continue;
    reader.complain(node, attribute,
                    fmt::format("found {}=\"{}\" without TLS 1.3, allowed: only where \"tls\" has "
                                "1.3",
                                attribute, reader.text(node, attribute)));
  }
}

void read_handshake(const Reader& reader, pugi::xml_node node, Role role, TlsStep& tls) {
  static const std::vector<std::string> kAsks = {"no", "request", "require"};
  static const std::vector<std::string> kResume = {"no", "yes", "made-up"};
  tls.certificate = reader.text(node, "certificate", role == Role::kServer ? "server-good" : "");
  tls.trust = reader.text(node, "trust");
  tls.versions = {TlsVersion::k13};
  if (reader.has(node, "tls")) tls.versions = read_versions(reader, node, "tls");
  tls.asks = static_cast<Asks>(index_of(kAsks, reader.text(node, "asks")));
  tls.ciphers = reader.text(node, "ciphers");
  tls.groups = strings_of(reader.text(node, "groups"));
  tls.alpn = strings_of(reader.text(node, "alpn"));
  tls.sni = reader.text(node, "sni");
  tls.resume = static_cast<Resume>(index_of(kResume, reader.text(node, "resume")));
  if (reader.has(node, "early")) tls.early = reader.raw(node, "early");
  for (const std::string& word : strings_of(reader.text(node, "split")))
    if (is_value(ValueType::kNumbers, word)) tls.splits.push_back(std::stoul(word));
  const std::string records = reader.text(node, "records");
  if (is_value(ValueType::kNumbers, records)) tls.record_size = std::stoul(records);
  tls.may_fail = reader.has(node, "may");
  tls.must_fail = reader.has(node, "must");
  tls.alerts = read_alerts(reader, node);
  tls.version = reader.text(node, "version");
  tls.cipher = reader.text(node, "cipher");
  tls.group = reader.text(node, "group");
  tls.got_sni = reader.text(node, "got-sni");
  tls.got_alpn = reader.text(node, "got-alpn");
  tls.asked = read_yes(reader, node, "asked");
  tls.shown = read_yes(reader, node, "shown");
  tls.resumed = read_yes(reader, node, "resumed");
  tls.extended_master_secret = read_yes(reader, node, "ems");
  read_faults(reader, node, role, tls);
  check_failure(reader, node, tls);
  check_offer(reader, node, tls);
  check_session(reader, node, tls);
}

}  // namespace

void read_tls(const Reader& reader, pugi::xml_node node, Role role, Step& step) {
  if (step.kind == StepKind::kStarttls) read_handshake(reader, node, role, step.tls);
  if (step.kind == StepKind::kHearAlert) step.tls.alerts = read_alerts(reader, node);
  if (step.kind == StepKind::kSay) step.tls.wire = reader.has(node, "wire");
  if (step.kind == StepKind::kClose) step.how = reader.text(node, "how");
  if (step.kind == StepKind::kEnd) step.how = reader.text(node, "how", "close");
}

bool ends_half(const Step& step) {
  return step.kind == StepKind::kClose && step.how == "notify";
}

void TlsLint::needs_tls(pugi::xml_node node, const char* attribute, const std::string& what) {
  if (encrypted_) return;
  reader_.complain(node, attribute,
                   fmt::format("found {} before any <starttls> on this connection, allowed: only "
                               "inside TLS",
                               what));
}

void TlsLint::handshake(pugi::xml_node node, const Step& step) {
  const bool only_client = std::distance(reader_.root().children("client").begin(),
                                         reader_.root().children("client").end()) == 1;
  if (role_ == Role::kClient && step.tls.resume == Resume::kYes && !shook_hands_ && only_client) {
    reader_.complain(node, "resume",
                     "found resume=\"yes\" without an earlier handshake, allowed: only behind a "
                     "<starttls> that can have got a ticket");
  }
  encrypted_ = true;
  old_ = !speaks(step.tls, TlsVersion::k13);
  shook_hands_ = shook_hands_ || !step.tls.must_fail;
}

void TlsLint::step(pugi::xml_node node, const Step& step) {
  switch (step.kind) {
    case StepKind::kConnect:
      encrypted_ = old_ = false;
      break;
    case StepKind::kStarttls:
      handshake(node, step);
      break;
    case StepKind::kRenegotiate:
      needs_tls(node, "must", "<renegotiate>");
      if (encrypted_ && !old_) {
        reader_.complain(node,
                         "found <renegotiate> where TLS 1.3 can be agreed on, which has none, "
                         "allowed: only behind <starttls tls=\"1.2\">");
      }
      break;
    case StepKind::kSay:
      if (step.tls.wire) needs_tls(node, "wire", "wire=\"yes\"");
      break;
    case StepKind::kClose:
      if (!step.how.empty()) needs_tls(node, "how", fmt::format("how=\"{}\"", step.how));
      break;
    case StepKind::kEnd:
      if (step.how != "close" && step.how != "reset" && step.how != "alert")
        needs_tls(node, "how", fmt::format("how=\"{}\"", step.how));
      break;
    default:
      break;
  }
}

}  // namespace postern
