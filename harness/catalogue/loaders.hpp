#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "catalogue/reader.hpp"

// One function a kind of document: it turns a checked document into the model. What needs other
// files (names of peers, requirements, certificates) is checked when all have been read.

namespace postern {

/// PeerDraft is a peer as one element states it, before it takes the rest from another.
struct PeerDraft {
  Peer peer;
  std::string like;
  std::set<std::string> given;  ///< Attributes that the element states itself.
  Place like_place, certificate_place, trust_place, control_place;
};

/// PkiNames are the certificates, CAs and revocation lists that scenarios may name.
struct PkiNames {
  std::vector<std::string> identities, trusts, crls;
};

std::vector<Requirement> load_requirements(const Reader& reader);
std::vector<PeerDraft> load_peers(const Reader& reader);
std::unique_ptr<Matrix> load_matrix(const Reader& reader);
std::map<std::string, Prefix> load_prefixes(const Reader& reader);

/// load_story reads one variant of a story: the reader has the values of its axes.
std::unique_ptr<Story> load_story(const Reader& reader,
                                  const std::map<std::string, Prefix>& prefixes);
GatewayFile load_gateway(const Reader& reader, const PkiNames& pki);
Departures load_departures(const Reader& reader);

/// resolve_peers completes the drafts with what they inherit and with defaults, and files them in
/// `catalogue`. Unknown names, circles and controls that do not exist are problems.
void resolve_peers(const std::vector<PeerDraft>& drafts, Catalogue& catalogue, Problems& problems);

/// check_references looks up in `catalogue` and `pki` every name that a story, a matrix, a peer or
/// a gateway cites.
void check_references(const Catalogue& catalogue, const std::vector<PeerDraft>& drafts,
                      const PkiNames& pki, Problems& problems);

/// check_departures holds what is known of a gateway against the catalogue: the gateway and every
/// key and value must be there, and each departure must speak of cases that its gateway is asked.
void check_departures(const Catalogue& catalogue, const Departures& departures, Problems& problems);

/// read_deviation reads one <deviate>, of a peer or of a handshake of that role.
Deviation read_deviation(const Reader& reader, pugi::xml_node node, Role role);

/// read_versions reads a list of TLS versions; a gap in it is a problem at `attribute`.
std::vector<TlsVersion> read_versions(const Reader& reader, pugi::xml_node node,
                                      const char* attribute);

/// read_places reads where a message may be seen; "nothing" stands alone and gives none.
std::vector<std::string> read_places(const Reader& reader, pugi::xml_node node,
                                     const char* attribute);

}  // namespace postern
