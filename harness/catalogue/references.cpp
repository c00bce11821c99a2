#include <fmt/format.h>

#include <algorithm>

#include "catalogue/loaders.hpp"

namespace postern {
namespace {

constexpr std::size_t kMostNames = 20;  ///< Longer lists are not worth reading beside a good guess.

template <typename Map>
std::vector<std::string> names_in(const Map& map) {
  std::vector<std::string> names;
  for (const auto& entry : map) names.push_back(entry.first);
  return names;
}

/// References looks names up and complains of those that are not there.
class References {
 public:
  References(const Catalogue& catalogue, const PkiNames& pki, Problems& problems)
      : requirements_(names_in(catalogue.requirements)),
        clients_(names_in(catalogue.clients)),
        servers_(names_in(catalogue.servers)),
        pki_(pki),
        problems_(problems) {}

  void requirement(const std::string& id, const Place& place) {
    look_up("requirement", id, requirements_, place);
  }
  void peer(Role role, const std::string& name, const Place& place) {
    if (role == Role::kClient) look_up("client", name, clients_, place);
    if (role == Role::kServer) look_up("server", name, servers_, place);
  }
  void certificate(const std::string& name, const Place& place) {
    if (!name.empty()) look_up("certificate", name, pki_.identities, place);
  }
  void trust(const std::string& name, const Place& place) {
    if (!name.empty()) look_up("trust", name, pki_.trusts, place);
  }

 private:
  void look_up(const char* what, const std::string& name, const std::vector<std::string>& known,
               const Place& place) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    const std::string nearest = did_you_mean(name, known);
    std::string allowed = known.empty() ? "none" : quoted_list(known);
    if (known.size() > kMostNames && !nearest.empty()) {
      allowed = fmt::format("one of {} names", known.size());
    }
    problems_.add(place, fmt::format("found the {} \"{}\", which does not exist, allowed: {}{}",
                                     what, name, allowed, nearest));
  }

  std::vector<std::string> requirements_, clients_, servers_;
  const PkiNames& pki_;
  Problems& problems_;
};

void check_matrix(const Matrix& matrix, References& references) {
  for (const Axis& axis : matrix.axes) {
    if (axis.kind == Axis::Kind::kSetting) continue;
    const Role role = axis.kind == Axis::Kind::kClient ? Role::kClient : Role::kServer;
    for (const std::string& peer : axis.values) references.peer(role, peer, axis.place);
  }
  for (const InvalidSetting& rule : matrix.invalid) references.requirement(rule.ref, rule.place);
  for (const ExpectedWarning& rule : matrix.warnings) references.requirement(rule.ref, rule.place);
  for (const Rule& rule : matrix.inbound) references.requirement(rule.ref, rule.place);
  for (const Rule& rule : matrix.outbound) references.requirement(rule.ref, rule.place);
  for (const DisclosureRule& rule : matrix.disclosure) {
    references.requirement(rule.ref, rule.place);
  }
}

void check_story(const Story& story, References& references) {
  references.requirement(story.ref, story.place);
  if (story.mailbox_place.line > 0)
    references.peer(Role::kServer, story.mailbox, story.mailbox_place);
  for (const Script& script : story.scripts) {
    if (!script.peer.empty()) references.peer(script.role, script.peer, script.place);
    for (const Step& step : script.steps) {
      references.certificate(step.tls.certificate, step.place);
      references.trust(step.tls.trust, step.place);
    }
  }
}

/// check_settings complains of a story that plays under settings which no gateway may accept.
void check_settings(const Story& story, const Catalogue& catalogue, Problems& problems) {
  const Assignment settings = complete(story.settings);
  for (const auto& matrix : catalogue.matrices) {
    for (const InvalidSetting& invalid : matrix->invalid) {
      if (!invalid.when.holds(settings)) continue;
      problems.add(story.place,
                   fmt::format("found a story under settings that a gateway must reject ({}, {})",
                               invalid.ref, invalid.place.text()));
    }
  }
}

}  // namespace

void check_references(const Catalogue& catalogue, const std::vector<PeerDraft>& drafts,
                      const PkiNames& pki, Problems& problems) {
  References references(catalogue, pki, problems);
  for (const PeerDraft& draft : drafts) {
    references.certificate(draft.peer.certificate, draft.certificate_place);
    references.trust(draft.peer.trust, draft.trust_place);
  }
  for (const auto& matrix : catalogue.matrices) check_matrix(*matrix, references);
  for (const auto& story : catalogue.stories) {
    check_story(*story, references);
    check_settings(*story, catalogue, problems);
  }
}

}  // namespace postern
