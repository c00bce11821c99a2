#include <fmt/format.h>

#include <algorithm>

#include "catalogue/loaders.hpp"
#include "catalogue/tls_alerts.hpp"

namespace postern {
namespace {

constexpr const char* kUsualControls[] = {"good-cert", "good"};  // By role.

const char* role_word(Role role) {
  return role == Role::kClient ? "client" : "server";
}

/// read_alert reads the alert that is sent: one, by name or number.
void read_alert(const Reader& reader, pugi::xml_node node, Deviation& deviation) {
  const std::string word = reader.text(node, "alert");
  deviation.alert = alert_number(word);
  if (deviation.alert >= 0 || word.empty()) return;
  reader.complain(node, "alert",
                  fmt::format("found alert=\"{}\", allowed: one name of RFC 8446 §6, or a number "
                              "from 0 to 255{}",
                              word, did_you_mean(word, alert_names())));
}

/// check_flight complains of acts upon a flight where none is due that is in clear text.
void check_flight(const Reader& reader, pugi::xml_node node, Role role,
                  const Deviation& deviation) {
  if (deviation.act != Act::kTruncate && deviation.act != Act::kAlert) return;
  // A server's flight is the answer to the ClientHello; when that is out, the client's is due.
  if (deviation.at == Point::kClientHello) return;
  if (deviation.at == Point::kCertificate && role == Role::kClient) return;
  reader.complain(node, "do",
                  fmt::format("found do=\"{}\" at=\"{}\" of a {}, allowed: only at {}, where its "
                              "flight is due",
                              reader.text(node, "do"), reader.text(node, "at"), role_word(role),
                              role == Role::kClient ? "\"client-hello\" or \"certificate\""
                                                    : "\"client-hello\""));
}

/// only_for complains of an attribute that means nothing for the role.
void only_for(const Reader& reader, pugi::xml_node node, const char* attribute, Role role) {
  if (!reader.has(node, attribute) || reader.text(node, "role") == role_word(role)) return;
  reader.complain(node, attribute,
                  fmt::format("found \"{}\" in a {}, allowed: only in a {}", attribute,
                              reader.text(node, "role"), role_word(role)));
}

PeerDraft read_peer(const Reader& reader, pugi::xml_node node) {
  PeerDraft draft;
  Peer& peer = draft.peer;
  peer.place = reader.place(node);
  peer.role = reader.text(node, "role") == "server" ? Role::kServer : Role::kClient;
  peer.name = reader.text(node, "name");
  peer.about = reader.text(node, "about");
  peer.certificate = reader.text(node, "certificate");
  peer.trust = reader.text(node, "trust");
  peer.versions = {TlsVersion::k13};
  if (reader.has(node, "tls")) peer.versions = read_versions(reader, node, "tls");
  peer.upgrades = reader.text(node, "starttls") != "never";
  static const std::vector<std::string> kAsks = {"no", "request", "require"};
  peer.asks = static_cast<Asks>(index_of(kAsks, reader.text(node, "asks")));
  peer.comes_back_in_clear = reader.has(node, "afterwards");
  peer.control = reader.text(node, "control");
  for (pugi::xml_node child : node.children("deviate")) {
    peer.deviations.push_back(read_deviation(reader, child, peer.role));
  }
  only_for(reader, node, "trust", Role::kClient);
  only_for(reader, node, "afterwards", Role::kClient);
  only_for(reader, node, "asks", Role::kServer);
  draft.like = reader.text(node, "like");
  for (pugi::xml_attribute attribute : node.attributes()) draft.given.insert(attribute.name());
  draft.like_place = reader.place(node, "like");
  draft.certificate_place = reader.place(node, "certificate");
  draft.trust_place = reader.place(node, "trust");
  draft.control_place = reader.place(node, "control");
  return draft;
}

/// Resolution completes drafts of one role, each after the one it is like.
class Resolution {
 public:
  Resolution(Role role, const std::vector<PeerDraft>& drafts, Problems& problems)
      : role_(role), problems_(problems) {
    for (const PeerDraft& draft : drafts) {
      if (draft.peer.role != role || draft.peer.name.empty()) continue;
      const auto [entry, is_new] = drafts_.emplace(draft.peer.name, &draft);
      if (is_new) continue;
      problems_.add(
          draft.peer.place,
          fmt::format("found the {} \"{}\" a second time, the first is at {}", role_word(role),
                      draft.peer.name, entry->second->peer.place.text()));
    }
  }

  std::map<std::string, Peer> all() {
    for (const auto& [name, draft] : drafts_) resolve(name);
    std::map<std::string, Peer> peers;
    for (auto& [name, peer] : resolved_) {
      check_control(peer);
      if (peer.control == name) peer.control.clear();
      peers.emplace(name, peer);
    }
    return peers;
  }

 private:
  const Peer& resolve(const std::string& name) {
    const auto done = resolved_.find(name);
    if (done != resolved_.end()) return done->second;
    const PeerDraft& draft = *drafts_.at(name);
    Peer peer = draft.peer;
    if (!draft.like.empty()) {
      under_way_.push_back(name);
      if (const Peer* model = model_of(draft)) inherit(peer, draft, *model);
      under_way_.pop_back();
    }
    if (peer.control.empty()) peer.control = kUsualControls[role_ == Role::kServer];
    return resolved_.emplace(name, std::move(peer)).first->second;
  }

  const Peer* model_of(const PeerDraft& draft) {
    if (drafts_.count(draft.like) == 0) {
      problems_.add(draft.like_place,
                    fmt::format("found no {} \"{}\" to be like{}", role_word(role_), draft.like,
                                did_you_mean(draft.like, names())));
      return nullptr;
    }
    const auto circle = std::find(under_way_.begin(), under_way_.end(), draft.like);
    if (circle != under_way_.end()) {
      problems_.add(draft.like_place,
                    fmt::format("found a circle: {} is like {}",
                                fmt::join(circle, under_way_.end(), " is like "), draft.like));
      return nullptr;
    }
    return &resolve(draft.like);
  }

  static void inherit(Peer& peer, const PeerDraft& draft, const Peer& model) {
    const auto takes = [&draft](const char* attribute) {
      return draft.given.count(attribute) == 0;
    };
    if (takes("certificate")) peer.certificate = model.certificate;
    if (takes("trust")) peer.trust = model.trust;
    if (takes("tls")) peer.versions = model.versions;
    if (takes("starttls")) peer.upgrades = model.upgrades;
    if (takes("asks")) peer.asks = model.asks;
    if (takes("afterwards")) peer.comes_back_in_clear = model.comes_back_in_clear;
    if (takes("control")) peer.control = model.control;
    for (const Deviation& inherited : model.deviations) {
      const bool replaced =
          std::any_of(draft.peer.deviations.begin(), draft.peer.deviations.end(),
                      [&inherited](const Deviation& own) { return own.at == inherited.at; });
      if (!replaced) peer.deviations.push_back(inherited);
    }
  }

  void check_control(const Peer& peer) {
    if (drafts_.count(peer.control) > 0) return;
    problems_.add(drafts_.at(peer.name)->control_place,
                  fmt::format("found no {} \"{}\" to be the control of \"{}\", allowed: {}{}",
                              role_word(role_), peer.control, peer.name, quoted_list(names()),
                              did_you_mean(peer.control, names())));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, draft] : drafts_) names.push_back(name);
    return names;
  }

  Role role_;
  Problems& problems_;
  std::map<std::string, const PeerDraft*> drafts_;
  std::map<std::string, Peer> resolved_;
  std::vector<std::string> under_way_;
};

}  // namespace

Deviation read_deviation(const Reader& reader, pugi::xml_node node, Role role) {
  static const KnownKeys kKeys = {{"phase", {"clear", "tls"}}, {"connection", {}}};
  Deviation deviation;
  deviation.place = reader.place(node);
  deviation.at = static_cast<Point>(index_of(deviation_points(), reader.text(node, "at")));
  deviation.act = static_cast<Act>(index_of(deviation_acts(), reader.text(node, "do")));
  if (reader.has(node, "when")) deviation.when = reader.condition(node, "when", &kKeys);
  const std::string act = reader.text(node, "do");
  for (const auto& [needed, attribute] : {std::pair{"say", "raw"}, {"alert", "alert"}}) {
    if (act == needed && !reader.has(node, attribute)) {
      reader.complain(node, "do",
                      fmt::format("found do=\"{}\" without the attribute \"{}\", which it needs",
                                  needed, attribute));
    } else if (act != needed && reader.has(node, attribute)) {
      reader.complain(
          node, attribute,
          fmt::format("found \"{}\" without do=\"{}\", allowed: only with it", attribute, needed));
    }
  }
  if (deviation.act == Act::kSay && reader.has(node, "raw"))
    deviation.bytes = reader.raw(node, "raw");
  if (deviation.act == Act::kAlert) read_alert(reader, node, deviation);
  check_flight(reader, node, role, deviation);
  return deviation;
}

std::vector<TlsVersion> read_versions(const Reader& reader, pugi::xml_node node,
                                      const char* attribute) {
  static const std::vector<std::string> kWords = {"1.0", "1.1", "1.2", "1.3"};
  std::set<std::size_t> found;
  for (const std::string& word : strings_of(reader.text(node, attribute))) {
    found.insert(index_of(kWords, word));
  }
  std::vector<TlsVersion> versions;
  for (std::size_t version : found) versions.push_back(static_cast<TlsVersion>(version));
  if (!found.empty() && *found.rbegin() - *found.begin() + 1 != found.size()) {
    reader.complain(node, attribute,
                    fmt::format("found a gap in {}=\"{}\", allowed: versions without a gap",
                                attribute, reader.text(node, attribute)));
  }
  return versions;
}

std::vector<PeerDraft> load_peers(const Reader& reader) {
  std::vector<PeerDraft> drafts;
  for (pugi::xml_node node : reader.root().children("peer")) {
    drafts.push_back(read_peer(reader, node));
  }
  return drafts;
}

void resolve_peers(const std::vector<PeerDraft>& drafts, Catalogue& catalogue, Problems& problems) {
  catalogue.clients = Resolution(Role::kClient, drafts, problems).all();
  catalogue.servers = Resolution(Role::kServer, drafts, problems).all();
}

}  // namespace postern
