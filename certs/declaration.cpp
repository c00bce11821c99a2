#include "declaration.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "strict_element.hpp"

namespace postern::certs {
namespace {

using namespace std::string_literals;

const std::vector<std::string> kCaAttributes{
    "name",    "about",       "issuer",    "subject", "key",
    "valid",   "path-length", "permitted", "ca-flag", "unknown-extension",
    "purpose", "signature",   "tampered",  "may-sign"};
const std::vector<std::string> kCertificateAttributes{"name",
                                                      "about",
                                                      "issuer",
                                                      "for",
                                                      "names",
                                                      "subject",
                                                      "key",
                                                      "valid",
                                                      "signature",
                                                      "purpose",
                                                      "ca-flag",
                                                      "tampered",
                                                      "unknown-extension",
                                                      "send-intermediates"};
const std::vector<std::string> kTrustAttributes{"name", "about", "anchors"};
const std::vector<std::string> kCrlAttributes{"name", "about", "issuer", "revokes", "valid"};
const std::vector<std::string> kSubjectKeys{"CN", "O", "OU", "C", "ST", "L"};

constexpr const char* kSelf = "self";
constexpr std::size_t kLongestSubjectValue = 64;  // ub-common-name, RFC 5280 appendix A.1

/// with_nul replaces each `\0` by the character that XML cannot hold.
std::string with_nul(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text.compare(i, 2, "\\0") == 0;
    result.push_back(escape ? '\0' : text[i]);
    if (escape) ++i;
  }
  return result;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// octets_of gives the octets of an IPv4 or IPv6 address, or nothing if `text` is none.
std::optional<std::string> octets_of(const std::string& text) {
  std::array<char, 16> octets{};
  if (::inet_pton(AF_INET, text.c_str(), octets.data()) == 1) return std::string(octets.data(), 4);
  if (::inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) {
    return std::string(octets.data(), 16);
  }
  return std::nullopt;
}

/// is_dns_name admits what an IA5String may hold and a name may need, faulty names included: `*`
/// anywhere, and `\0`.
bool is_dns_name(const std::string& word) {
  if (word.empty() || word.size() > 253) return false;
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '*' || c == '\0';
  });
}

std::vector<AlternativeName> read_names(StrictElement& element) {
  std::vector<AlternativeName> names;
  for (const std::string& word : element.list("names")) {
    if (const std::optional<std::string> octets = octets_of(word)) {
      names.push_back({AlternativeName::Kind::kIp, *octets});
    } else if (is_dns_name(with_nul(word))) {
      names.push_back({AlternativeName::Kind::kDns, with_nul(word)});
    } else {
      element.refuse("names", fmt::format("found \"{}\" in names; allowed are DNS names (with `*`, "
                                          "and `\\0` for a NUL) and IP addresses",
                                          word));
    }
  }
  return names;
}

bool is_subject_value(const std::string& key, const std::string& value) {
  if (key == "C") {
    return value.size() == 2 &&
           std::all_of(value.begin(), value.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  }
  return !value.empty() && value.size() <= kLongestSubjectValue;
}

/// read_subject reads `CN=mx.postern.test, O=Postern`. An empty one is an empty subject.
std::vector<SubjectName> read_subject(StrictElement& element, const std::string& name) {
  if (!element.has("subject")) return {{"CN", name}};
  std::vector<SubjectName> subject;
  const std::string text = trimmed(element.text("subject"));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    const std::size_t equals = part.find('=');
    const std::string key = trimmed(part.substr(0, equals));
    const std::string value =
        equals == std::string::npos ? ""s : with_nul(trimmed(part.substr(equals + 1)));
    if (std::find(kSubjectKeys.begin(), kSubjectKeys.end(), key) == kSubjectKeys.end()) {
      element.refuse_word("subject", key, kSubjectKeys);
    } else if (!is_subject_value(key, value)) {
      element.refuse("subject", fmt::format("found \"{}\" in subject; allowed is KEY=VALUE with 1 "
                                            "to {} bytes of value (C: two capital letters)",
                                            part, kLongestSubjectValue));
    } else {
      subject.push_back({key, value});
    }
  }
  return subject;
}

std::optional<unsigned> read_path_length(StrictElement& element) {
  if (!element.has("path-length")) return std::nullopt;
  const std::string text = element.text("path-length");
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value <= 100) return value;
  element.refuse("path-length",
                 fmt::format("found path-length=\"{}\"; allowed is a number from 0 to 100", text));
  return std::nullopt;
}

std::vector<std::string> read_permitted(StrictElement& element) {
  std::vector<std::string> names = element.list("permitted");
  for (const std::string& name : names) {
    if (is_dns_name(name) && name.find('*') == std::string::npos) continue;
    element.refuse("permitted",
                   fmt::format("found \"{}\" in permitted; allowed are DNS names", name));
  }
  return names;
}

/// read_purposes reads a list of purposes; `none` stands alone and leaves the extension out.
std::vector<Purpose> read_purposes(StrictElement& element, const char* attribute) {
  const std::vector<std::string> words = element.list(attribute);
  if (words == std::vector<std::string>{"none"}) return {};
  if (words.empty()) element.refuse(attribute, fmt::format("{} must not be empty", attribute));
  std::vector<Purpose> purposes;
  for (const std::string& word : words) {
    if (word == "none") {
      element.refuse(attribute, fmt::format("\"none\" must stand alone in {}", attribute));
      continue;
    }
    const std::optional<Purpose> purpose = element.word<Purpose>(attribute, word,
                                                                 {{"server", Purpose::kServer},
                                                                  {"client", Purpose::kClient},
                                                                  {"email", Purpose::kEmail},
                                                                  {"any", Purpose::kAny},
                                                                  {"none", Purpose::kAny}});
    if (purpose) purposes.push_back(*purpose);
  }
  return purposes;
}

bool read_yes(StrictElement& element, const char* attribute, bool otherwise) {
  return element.choice<bool>(attribute, {{"yes", true}, {"no", false}}, otherwise);
}

Validity read_validity(StrictElement& element) {
  return element.choice<Validity>(
      "valid",
      {{"now", Validity::kNow}, {"expired", Validity::kExpired}, {"not-yet", Validity::kNotYet}},
      Validity::kNow);
}

/// read_shared reads what a CA and a certificate have in common.
Declaration read_shared(StrictElement& element, CaFlag usual_flag) {
  Declaration made;
  made.place = element.place();
  made.name = element.name("name");
  made.about = element.required("about");
  made.subject = read_subject(element, made.name);
  made.key = element.choice<KeyKind>("key",
                                     {{"ec-p256", KeyKind::kEcP256},
                                      {"ec-p384", KeyKind::kEcP384},
                                      {"ed25519", KeyKind::kEd25519},
                                      {"rsa-1024", KeyKind::kRsa1024},
                                      {"rsa-2048", KeyKind::kRsa2048},
                                      {"rsa-3072", KeyKind::kRsa3072}},
                                     KeyKind::kEcP256);
  made.validity = read_validity(element);
  made.digest = element.choice<Digest>("signature",
                                       {{"sha1", Digest::kSha1},
                                        {"sha256", Digest::kSha256},
                                        {"sha384", Digest::kSha384},
                                        {"sha512", Digest::kSha512}},
                                       Digest::kSha256);
  made.ca_flag = element.choice<CaFlag>(
      "ca-flag", {{"yes", CaFlag::kYes}, {"no", CaFlag::kNo}, {"missing", CaFlag::kMissing}},
      usual_flag);
  made.unknown_extension = element.choice<UnknownExtension>(
      "unknown-extension",
      {{"critical", UnknownExtension::kCritical}, {"non-critical", UnknownExtension::kNonCritical}},
      UnknownExtension::kNone);
  made.tampered = read_yes(element, "tampered", false);
  return made;
}

Declaration read_ca(StrictElement& element) {
  Declaration made = read_shared(element, CaFlag::kYes);
  made.is_ca = true;
  if (element.has("issuer")) made.issuer = element.required("issuer");
  made.path_length = read_path_length(element);
  made.permitted = read_permitted(element);
  made.may_sign = read_yes(element, "may-sign", true);
  if (element.has("purpose")) made.purposes = read_purposes(element, "purpose");
  if (made.path_length && made.ca_flag != CaFlag::kYes) {
    element.refuse("path-length", "path-length is allowed only with ca-flag=\"yes\"");
  }
  return made;
}

Declaration read_certificate(StrictElement& element) {
  Declaration made = read_shared(element, CaFlag::kNo);
  made.issuer = element.required("issuer");
  made.names = read_names(element);
  element.required("for");
  if (element.has("for")) made.purposes = read_purposes(element, "for");
  if (element.has("purpose")) made.purposes = read_purposes(element, "purpose");
  made.send_intermediates = read_yes(element, "send-intermediates", true);
  return made;
}

TrustDeclaration read_trust(StrictElement& element) {
  TrustDeclaration made;
  made.name = element.name("name");
  made.about = element.required("about");
  element.required("anchors");
  made.anchors = element.list("anchors");
  return made;
}

CrlDeclaration read_crl(StrictElement& element) {
  CrlDeclaration made;
  made.place = element.place();
  made.name = element.name("name");
  made.about = element.required("about");
  made.issuer = element.required("issuer");
  element.required("revokes");
  made.revokes = element.list("revokes");
  made.validity = read_validity(element);
  return made;
}

std::vector<std::string> names_in(const std::map<std::string, Declaration>& certificates) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : certificates) names.push_back(name);
  return names;
}

/// Reader walks the root's children, twice: names first, so that an issuer may stand below.
class Reader {
 public:
  Reader(const LocatedXml& xml, Problems& problems) : xml_(xml), problems_(problems) {}

  Declarations read() {
    if (xml_.root().name() != "authority"s) {
      problems_.add(xml_.place(xml_.root()),
                    fmt::format("found <{}>; allowed is <authority>", xml_.root().name()));
      return {};
    }
    for (const pugi::xml_attribute attribute : xml_.root().attributes()) {
      problems_.add(
          xml_.place_of_attribute(xml_.root(), attribute.name()),
          fmt::format("<authority> has no attribute \"{}\"; allowed is none", attribute.name()));
    }
    for (const pugi::xml_node node : xml_.root().children()) read_child(node);
    for (auto& [name, made] : made_.certificates) check_issuer(made);
    for (auto& [name, node] : trust_nodes_) check_anchors(node, made_.trusts[name]);
    for (auto& [name, node] : crl_nodes_) check_crl(node, made_.crls[name]);
    check_cycles();
    return std::move(made_);
  }

 private:
  void read_child(pugi::xml_node node) {
    const std::string kind = node.name();
    if (kind == "ca") {
      StrictElement element(xml_, node, problems_, kCaAttributes);
      keep(node, read_ca(element));
    } else if (kind == "certificate") {
      StrictElement element(xml_, node, problems_, kCertificateAttributes);
      keep(node, read_certificate(element));
    } else if (kind == "trust") {
      StrictElement element(xml_, node, problems_, kTrustAttributes);
      keep_apart(node, read_trust(element), made_.trusts, trust_nodes_);
    } else if (kind == "crl") {
      StrictElement element(xml_, node, problems_, kCrlAttributes);
      keep_apart(node, read_crl(element), made_.crls, crl_nodes_);
    } else {
      refuse_element(xml_, node, problems_, {"ca", "certificate", "trust", "crl"});
    }
  }

  void keep(pugi::xml_node node, Declaration made) {
    if (made.name == kSelf) {
      problems_.add(xml_.place_of_attribute(node, "name"),
                    "the name \"self\" is taken: as an issuer it means the certificate itself");
    }
    keep_apart(node, std::move(made), made_.certificates, nodes_);
  }

  /// keep_apart files what was made under its name, which nothing else of its kind may have.
  template <typename Made>
  void keep_apart(pugi::xml_node node, Made made, std::map<std::string, Made>& kind,
                  std::map<std::string, pugi::xml_node>& nodes) {
    const std::string name = made.name;
    if (!kind.emplace(name, std::move(made)).second) refuse_twin(node, name);
    nodes.emplace(name, node);
  }

  void refuse_twin(pugi::xml_node node, const std::string& name) {
    problems_.add(xml_.place_of_attribute(node, "name"),
                  fmt::format("the name \"{}\" is there already; each must be used once", name));
  }

  void refuse_unknown(pugi::xml_node node, const char* attribute, const std::string& found) {
    const std::vector<std::string> known = names_in(made_.certificates);
    problems_.add(xml_.place_of_attribute(node, attribute),
                  fmt::format("found {}=\"{}\"{}; no <ca> or <certificate> has that name",
                              attribute, found, did_you_mean(found, known)));
  }

  void check_issuer(Declaration& made) {
    const pugi::xml_node node = nodes_[made.name];
    if (made.issuer == kSelf || made.issuer == made.name) made.issuer.clear();
    const auto issuer = made_.certificates.find(made.issuer.empty() ? made.name : made.issuer);
    if (issuer == made_.certificates.end()) {
      refuse_unknown(node, "issuer", made.issuer);
    } else if (issuer->second.key == KeyKind::kEd25519 && node.attribute("signature")) {
      // RFC 8410: Ed25519 signs without a digest of one's choice.
      problems_.add(xml_.place_of_attribute(node, "signature"),
                    "signature is not allowed where the issuer's key is ed25519");
    }
  }

  void check_anchors(pugi::xml_node node, const TrustDeclaration& made) {
    for (const std::string& anchor : made.anchors) {
      if (!made_.certificates.contains(anchor)) refuse_unknown(node, "anchors", anchor);
    }
  }

  /// check_crl: what its issuer did not sign is not its to revoke (RFC 5280 section 5).
  void check_crl(pugi::xml_node node, const CrlDeclaration& made) {
    if (!made_.certificates.contains(made.issuer)) refuse_unknown(node, "issuer", made.issuer);
    for (const std::string& name : made.revokes) {
      const auto revoked = made_.certificates.find(name);
      if (revoked == made_.certificates.end()) {
        refuse_unknown(node, "revokes", name);
      } else if (revoked->second.issuer != made.issuer) {
        problems_.add(
            xml_.place_of_attribute(node, "revokes"),
            fmt::format("found \"{}\" in revokes; allowed are those whose issuer is \"{}\"", name,
                        made.issuer));
      }
    }
  }

  /// check_cycles reports a circle of issuers at every certificate that is in it.
  void check_cycles() {
    for (const auto& [name, made] : made_.certificates) {
      std::set<std::string> seen;
      std::string way = name;
      const Declaration* at = &made;
      while (!at->issuer.empty() && made_.certificates.contains(at->issuer) &&
             seen.insert(at->name).second) {
        way += " -> " + at->issuer;
        at = &made_.certificates.at(at->issuer);
        if (at->name != name) continue;
        problems_.add(xml_.place_of_attribute(nodes_[name], "issuer"),
                      fmt::format("the issuers go in a circle: {}", way));
        break;
      }
    }
  }

  const LocatedXml& xml_;
  Problems& problems_;
  Declarations made_;
  std::map<std::string, pugi::xml_node> nodes_;
  std::map<std::string, pugi::xml_node> trust_nodes_;
  std::map<std::string, pugi::xml_node> crl_nodes_;
};

}  // namespace

Declarations read_declarations(const LocatedXml& xml, Problems& problems) {
  return Reader(xml, problems).read();
}

}  // namespace postern::certs
