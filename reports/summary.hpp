#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "result.hpp"
#include "side_by_side.hpp"

// What a run comes to, in a size that does not depend on how many cases it had: counts, the grid of
// outcomes, the first cases that did not pass. Terminal and Markdown are two ways to print it.

namespace postern::reports {

/// kListed is how many cases that did not pass are kept to be listed, and kListedEach how many of
/// each requirement at the least.
constexpr std::size_t kListed = 50, kListedEach = 5;

/// Cell holds what was observed of all cases of one mode with one peer, on that peer's leg.
struct Cell {
  /// Observed is one outcome, in short, and how often it came.
  struct Observed {
    std::string text;
    int count = 0;
  };
  std::vector<Observed> observed;  ///< In order of first appearance.
  int cases = 0;
  int wrong = 0;      ///< Cases that neither passed nor were skipped, because of this leg.
  int deviating = 0;  ///< Cases that deviate on this leg as is known.
  int skipped = 0;
  int never_ran = 0;  ///< Cases of which nothing was observed, without being skipped.
};

/// Grid is one matrix: rows are mode combinations, columns the peers of either leg.
struct Grid {
  struct Row {
    std::string suite;
    Facts settings;
    std::vector<Cell> inbound;   ///< By client, as in `clients`; may be shorter.
    std::vector<Cell> outbound;  ///< By server, likewise.
  };
  std::string name;
  std::vector<std::string> clients, servers;
  std::vector<Row> rows;

  /// inbound_decisions counts the cells mode × client that were judged; outbound_decisions those
  /// of mode × server.
  int inbound_decisions() const;
  int outbound_decisions() const;
};

/// Listed is a case that did not pass, as far as a list needs it.
struct Listed {
  std::string id, reason, file, rerun;
  std::string requirement;  ///< That it breaks, the first of broken_by.
  std::string also;         ///< The others that it breaks, separated by commas.
  unsigned line = 0;
  Verdict verdict = Verdict::kError;
};

/// Broken is a requirement with how many cases that cite it did not pass; id "" stands for none.
struct Broken {
  std::string id, text;
  int cases = 0;
};

/// Cited is a requirement with the cases that are held to it.
struct Cited {
  std::string id, text;
  int cases = 0;
  int passed = 0,
      failed = 0;  ///< By what cites it. What is in neither had no answer, or was skipped.
};

/// only_follows tells of a case of a matrix whose `nothing` at the next hop follows from its
/// inbound outcome, and says nothing about that server.
bool only_follows(const CaseResult& result);

/// short_text gives an outcome in the few characters of a cell: "accept tls", "accept clear",
/// "drop 530", "redirect clear #2" (on the second connection), "hold 4.7.5".
std::string short_text(const Outcome& outcome);

/// Summary takes the cases of a run one by one.
class Summary {
 public:
  /// add counts `result`; a control that was only taken along is counted apart and is in no grid.
  void add(const CaseResult& result);

  /// arrange orders rows and columns as `axes` lists settings and peers (RunHeader::axes); what it
  /// does not name follows in order of appearance. To be called once, after the last add.
  void arrange(const Axes& axes);

  const Tally& tally() const { return tally_; }
  /// by_kind counts "matrix", "invalid-setting" and "story" apart, in order of first appearance.
  const std::vector<std::pair<std::string, Tally>>& by_kind() const { return by_kind_; }
  const std::vector<Grid>& grids() const { return grids_; }
  /// listed are the first kListed cases that neither passed nor were skipped, and behind them those
  /// that the first kListedEach of their requirement lack.
  const std::vector<Listed>& listed() const { return listed_; }
  /// broken are the requirements of all of these, each case counted under one, in order of first
  /// appearance.
  const std::vector<Broken>& broken() const { return broken_; }
  /// cited are all requirements, in the order of their ids; a case counts under each that it is
  /// held to.
  const std::vector<Cited>& cited() const { return cited_; }
  /// side_by_side compares the gateways of the run.
  const SideBySide& side_by_side() const { return side_by_side_; }
  /// not_passed counts those cases, the unlisted ones too.
  int not_passed() const { return tally_.chosen() - tally_.pass - tally_.skip; }
  int inbound_decisions() const;
  int outbound_decisions() const;

 private:
  void add_to_grid(const CaseResult& result);
  void list(const CaseResult& result);
  void cite(const CaseResult& result);

  Tally tally_;
  std::vector<std::pair<std::string, Tally>> by_kind_;
  std::vector<Grid> grids_;
  std::vector<Listed> listed_;
  std::vector<Broken> broken_;
  std::vector<Cited> cited_;
  SideBySide side_by_side_;
  /// Where suites and peers stand, by "suite", "grid\nclient=NAME" …
  std::unordered_map<std::string, std::size_t> rows_, columns_;
};

/// RunSummary is a results file read from end to end.
struct RunSummary {
  RunHeader header;
  RunFooter footer;
  bool ended = false;                ///< The file has its footer.
  std::vector<std::string> remarks;  ///< What is odd about the file, one thing each.
  Summary summary;                   ///< Arranged by the header's axes.

  /// exit_code is the footer's; of a run that did not end what its cases say, and never 0.
  int exit_code() const;
};

/// summarize reads the results file `path`. Throws ResultsError.
RunSummary summarize(const std::string& path);

}  // namespace postern::reports
