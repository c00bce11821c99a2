#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "authority.hpp"
#include "departures.hpp"
#include "gateway_file.hpp"
#include "matrix.hpp"
#include "peer.hpp"
#include "story.hpp"

// Everything below a scenarios directory, typed, cross-checked and proven before anything runs.

namespace postern {

struct Requirement {
  std::string id, source, level, text;
  Place place;
};

/// Catalogue owns all that was loaded; pointers into it stay valid while it lives.
struct Catalogue {
  std::string directory;
  std::map<std::string, Requirement> requirements;
  std::map<std::string, Peer> clients, servers;
  std::map<std::string, GatewayFile> gateways;
  std::map<std::string, Departures> departures;  ///< By gateway; most have none.
  std::vector<std::unique_ptr<Matrix>> matrices;
  std::map<std::string, Prefix> prefixes;       ///< Beginnings that stories share.
  std::vector<std::unique_ptr<Story>> stories;  ///< The variants of one story stand together.
  std::vector<MatrixCase> matrix_cases;  ///< Every valid cell, decided, in order of its matrix.
  std::vector<InvalidCase> invalid_cases;
  unsigned files = 0;

  /// control_client and control_server name the peer whose case is the control of one with `name`;
  /// a peer without a fault is its own.
  const std::string& control_client(const std::string& name) const;
  const std::string& control_server(const std::string& name) const;
};

/// load_catalogue reads every .xml file below `directory`, in order of path. Names of certificates
/// are checked against `authority`. Nothing is returned while any file is wrong: `problems` has
/// every mistake, the proofs of the decision tables included (a gap or an overlap names the case
/// and the rules).
std::unique_ptr<Catalogue> load_catalogue(const std::string& directory,
                                          const certs::Authority& authority, Problems& problems);

/// read_departures reads a deviations file that is not part of the scenarios, and holds it against
/// them. Nothing where it has a mistake; `problems` then has all of them.
std::optional<Departures> read_departures(const std::string& file, const Catalogue& catalogue,
                                          Problems& problems);

}  // namespace postern
