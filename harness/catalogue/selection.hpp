#pragma once

#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"

// Which cases to run: by file, by id, by condition; with the controls that twins need.

namespace postern {

/// SelectedCase is a cell of a matrix or a story; `control` marks one that was not chosen itself
/// but is the control of one that was.
struct SelectedCase {
  const MatrixCase* matrix = nullptr;
  const Story* story = nullptr;
  bool control = false;
};

/// Configuration is all selected cases that one start of the gateway serves: settings is complete.
struct Configuration {
  Assignment settings;
  std::vector<SelectedCase> cases;
};

struct Selection {
  std::vector<Configuration> configurations;  ///< In order of their first case.
  std::vector<const InvalidCase*> invalid;
  std::size_t chosen = 0;    ///< Cases chosen, invalid ones included.
  std::size_t controls = 0;  ///< Cases taken along.
};

/// select finds what `words` name: a case id, a suite or the leading parts of one
/// ("tls-modes/server-level=require"), a story ("stories/NAME"), a matrix's name, or the path of an
/// XML file or folder; nothing named means everything. `filters` all have to hold, over the
/// settings and the keys client, server, kind (matrix, story, invalid) and case. A word or filter
/// that finds nothing is told in `problems`, with the nearest name.
Selection select(const Catalogue& catalogue, const std::vector<std::string>& words,
                 const std::vector<Condition>& filters, std::vector<std::string>& problems);

}  // namespace postern
