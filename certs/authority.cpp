#include "authority.hpp"

#include <map>
#include <mutex>

#include "declaration.hpp"
#include "directory.hpp"
#include "mint.hpp"

namespace postern::certs {

std::string Identity::chain_pem() const {
  std::string text;
  for (const X509Ptr& certificate : chain) text += certificate_pem(certificate);
  return text;
}

std::string Identity::key_pem() const {
  return key_pem_of(key);
}

std::string Trust::pem() const {
  std::string text;
  for (const X509Ptr& anchor : anchors) text += certificate_pem(anchor);
  return text;
}

std::string RevocationList::pem() const {
  return crl_pem(list);
}

/// Workshop holds the declarations and mints each once, when it is first asked for. An issuer is
/// minted by whoever needs it first; as issuers never go in a circle, nobody waits for himself, and
/// a slow RSA key holds up only those who asked for it.
class Authority::Workshop {
 public:
  explicit Workshop(Declarations declarations) {
    for (auto& [name, declared] : declarations.certificates) {
      pieces_[name].declared = std::move(declared);
    }
    for (auto& [name, declared] : declarations.trusts) sets_[name].declared = std::move(declared);
    for (auto& [name, declared] : declarations.crls) lists_[name].declared = std::move(declared);
  }

  const Identity* identity(const std::string& name) {
    const auto found = pieces_.find(name);
    if (found == pieces_.end() || found->second.declared.is_ca) return nullptr;
    Piece& piece = found->second;
    minted(piece);
    return &piece.identity;
  }

  const Trust* trust(const std::string& name) {
    const auto found = sets_.find(name);
    if (found == sets_.end()) return nullptr;
    Set& set = found->second;
    std::call_once(set.once, [this, &set] {
      Trust trust{set.declared.name, set.declared.about, {}};
      for (const std::string& anchor : set.declared.anchors) {
        trust.anchors.push_back(minted(pieces_.at(anchor)).certificate);
      }
      set.trust = std::move(trust);
    });
    return &set.trust;
  }

  const RevocationList* crl(const std::string& name) {
    const auto found = lists_.find(name);
    if (found == lists_.end()) return nullptr;
    List& list = found->second;
    std::call_once(list.once, [this, &list] {
      std::vector<X509Ptr> revoked;
      for (const std::string& one : list.declared.revokes) {
        revoked.push_back(minted(pieces_.at(one)).certificate);
      }
      list.list = {list.declared.name, list.declared.about,
                   mint_crl(list.declared, minted(pieces_.at(list.declared.issuer)), revoked)};
    });
    return &list.list;
  }

  std::vector<std::string> identity_names() const {
    std::vector<std::string> names;
    for (const auto& [name, piece] : pieces_) {
      if (!piece.declared.is_ca) names.push_back(name);
    }
    return names;
  }

  std::vector<std::string> trust_names() const {
    std::vector<std::string> names;
    for (const auto& [name, set] : sets_) names.push_back(name);
    return names;
  }

  std::vector<std::string> crl_names() const {
    std::vector<std::string> names;
    for (const auto& [name, list] : lists_) names.push_back(name);
    return names;
  }

  void read(const std::string& directory) {
    const StoredPki stored(directory);
    for (auto& [name, piece] : pieces_) {
      if (piece.declared.is_ca) continue;
      std::call_once(piece.once, [&, one = &piece] {
        std::vector<X509Ptr> chain = stored.certificates(one->declared.name + ".pem");
        KeyPtr key = stored.key(one->declared.name + ".key", chain.front());
        one->minted = {chain.front(), key};
        one->identity = {one->declared.name, one->declared.about, std::move(chain), key};
      });
    }
    for (auto& [name, set] : sets_)
      std::call_once(set.once, [&, one = &set] {
        one->trust = {one->declared.name, one->declared.about,
                      stored.anchors(one->declared.name + ".ca.pem")};
      });
    for (auto& [name, list] : lists_)
      std::call_once(list.once, [&, one = &list] {
        one->list = {one->declared.name, one->declared.about,
                     stored.crl(one->declared.name + ".crl.pem")};
      });
  }

 private:
  struct Piece {
    Declaration declared;
    std::once_flag once;
    Minted minted;
    Identity identity;
  };
  struct Set {
    TrustDeclaration declared;
    std::once_flag once;
    Trust trust;
  };

  struct List {
    CrlDeclaration declared;
    std::once_flag once;
    RevocationList list;
  };

  const Minted& minted(Piece& piece) {
    std::call_once(piece.once, [this, &piece] {
      const Declaration& declared = piece.declared;
      Piece* issuer = declared.issuer.empty() ? nullptr : &pieces_.at(declared.issuer);
      piece.minted = mint(declared, issuer != nullptr ? &minted(*issuer) : nullptr);
      piece.identity = {declared.name, declared.about, chain_of(piece), piece.minted.key};
    });
    return piece.minted;
  }

  /// chain_of leaves out the root, which whoever verifies must have anyway, but not the self-signed
  /// certificate that stands alone.
  std::vector<X509Ptr> chain_of(const Piece& piece) {
    std::vector<X509Ptr> chain{piece.minted.certificate};
    const Declaration* at = &piece.declared;
    while (piece.declared.send_intermediates && !at->issuer.empty()) {
      Piece& issuer = pieces_.at(at->issuer);
      if (issuer.declared.issuer.empty()) break;
      chain.push_back(minted(issuer).certificate);
      at = &issuer.declared;
    }
    return chain;
  }

  std::map<std::string, Piece> pieces_;
  std::map<std::string, Set> sets_;
  std::map<std::string, List> lists_;
};

Authority::Authority(std::shared_ptr<Workshop> workshop) : workshop_(std::move(workshop)) {}

std::optional<Authority> Authority::load(const std::string& file, Problems& problems) {
  const std::optional<LocatedXml> xml = LocatedXml::load(file, problems);
  if (!xml) return std::nullopt;
  return from_xml(*xml, problems);
}

std::optional<Authority> Authority::parse(std::string text, std::string name, Problems& problems) {
  const std::optional<LocatedXml> xml =
      LocatedXml::parse(std::move(text), std::move(name), problems);
  if (!xml) return std::nullopt;
  return from_xml(*xml, problems);
}

std::optional<Authority> Authority::from_xml(const LocatedXml& xml, Problems& problems) {
  // The caller may bring problems of other files along; they do not concern this one.
  Problems found;
  Declarations declarations = read_declarations(xml, found);
  for (const Problem& problem : found.all()) problems.add(problem.place, problem.message);
  if (!found.empty()) return std::nullopt;
  return Authority(std::make_shared<Workshop>(std::move(declarations)));
}

const Identity* Authority::identity(const std::string& name) const {
  return workshop_->identity(name);
}

const Trust* Authority::trust(const std::string& name) const {
  return workshop_->trust(name);
}

const RevocationList* Authority::crl(const std::string& name) const {
  return workshop_->crl(name);
}

std::vector<std::string> Authority::identity_names() const {
  return workshop_->identity_names();
}

std::vector<std::string> Authority::trust_names() const {
  return workshop_->trust_names();
}

std::vector<std::string> Authority::crl_names() const {
  return workshop_->crl_names();
}

void Authority::read(const std::string& directory) {
  workshop_->read(directory);
}

void Authority::write(const std::string& directory) const {
  write_directory(*this, directory);
}

}  // namespace postern::certs
