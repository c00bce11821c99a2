#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"

// Which cases a run is to play, and which controls it must take along to believe the negatives.

namespace postern {

/// Query says what was asked for on the command line.
struct Query {
  /// Each an exact case id, the beginning of ids up to a '/', a story's name, or the path of a
  /// scenario file or of a directory of them. None: everything.
  std::vector<std::string> what;
  /// All must hold. Keys: the settings, client, server, case (an id or its beginning up to a '/'),
  /// kind=matrix|story|invalid. A story has a client or server only where a named peer plays it.
  std::vector<Condition> filters;
  /// 2 or 3: of each matrix no more cases than cover every pair (triple) of values of its axes that
  /// what was asked for has. 0: all of them.
  unsigned strength = 0;
  std::uint64_t seed = 0;  ///< Decides which cases those are.
};

/// Chosen is one case to play; exactly one of the three pointers is set. They point into the
/// catalogue.
struct Chosen {
  const MatrixCase* cell = nullptr;
  const InvalidCase* invalid = nullptr;
  const Story* story = nullptr;
  bool control = false;  ///< Taken along for another's sake; not counted.

  std::string id() const;
};

/// Configuration is what one start of the gateway serves: the cases under the same settings.
struct Configuration {
  Assignment settings;            ///< Every setting, defaults included.
  bool must_be_rejected = false;  ///< Then it holds one invalid case and nothing else.
  bool alone = false;             ///< Then it holds one story, which has its gateway to itself.
  std::vector<Chosen> cases;
};

/// Coverage is what a choice by strength leaves of matrices, and the proof that it is enough.
struct Coverage {
  std::size_t chosen = 0, of = 0;  ///< Cases of matrices: taken, and asked for.
  std::size_t tuples = 0;          ///< Pairs (triples) of values that have to be covered.
  std::vector<std::string> holes;  ///< Those that are not, with the name of the matrix.
};

/// Selection is the answer to a query.
struct Selection {
  std::vector<Configuration> configurations;  ///< In the catalogue's order.
  std::size_t chosen = 0;
  std::size_t controls = 0;
  Coverage coverage;  ///< Of a query with a strength.
  std::vector<std::string>
      errors;  ///< What was asked for and is not there; then all else is empty.
};

/// select finds the cases, thins them out to the strength asked for, adds the controls that their
/// negatives need, and groups all by configuration. Asking for nothing that exists is an error,
/// with the nearest that does.
Selection select(const Catalogue& catalogue, const Query& query);

/// settings_of gives every setting of a case its value.
Assignment settings_of(const Chosen& chosen);

/// filter_keys gives what filters may ask about cases: the settings, client, server, kind, case.
KnownKeys filter_keys(const Catalogue& catalogue);

/// holds_for tells whether a filter holds for a case.
bool holds_for(const Condition& filter, const Chosen& chosen);

/// all_cases lists every case of the catalogue.
std::vector<Chosen> all_cases(const Catalogue& catalogue);

/// Twins are the ids of a case's controls, by leg; "" where the leg needs none.
struct Twins {
  std::string inbound, outbound;
};

/// twins_of gives the controls of `cell`: an inbound negative's is the same settings and server
/// with the client's control, an outbound one's the same settings and client with the server's.
Twins twins_of(const Catalogue& catalogue, const MatrixCase& cell);

}  // namespace postern
