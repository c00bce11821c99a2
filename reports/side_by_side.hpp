#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "result.hpp"

// Several gateways under the same cases: what each did, decision by decision, the differences
// first.

namespace postern::reports {

/// SideBySide takes the cases of a run one by one. A decision is what a gateway does with a peer
/// under some settings, on that peer's leg. Its size does not depend on how many cases there were.
class SideBySide {
 public:
  /// Row is one decision, or several peers of which the same became.
  struct Row {
    std::string leg;                 ///< "inbound" or "outbound".
    Facts settings;                  ///< Those that anything on this leg depends on.
    std::vector<std::string> peers;  ///< In order of first appearance.
    std::vector<std::string> cells;  ///< By gateway; "" where it was not asked or nothing was seen.
    bool differs = false;            ///< Not all that were asked did the same, or not as required.
  };

  /// Reached counts the cases of one gateway that passed, by the grade that they reached.
  struct Reached {
    int form = 0, letter = 0, policy = 0;
    int failed = 0, deviating = 0, skipped = 0, undecided = 0;
  };

  void add(const CaseResult& result);

  const std::vector<std::string>& gateways() const { return gateways_; }
  /// reached is in the order of the gateways.
  const std::vector<Reached>& reached() const { return reached_; }
  /// rows gives those that differ first, otherwise in order of first appearance.
  std::vector<Row> rows() const;

 private:
  struct Cell {
    std::set<std::string> outcomes;
    bool wrong = false, deviates = false;
    std::string text() const;
  };
  struct Decision {
    std::string leg, peer;
    Facts settings;
    std::vector<Cell> cells;  ///< By gateway; may be shorter.
  };

  std::size_t gateway(const std::string& name);
  void add_leg(const CaseResult& result, const std::string& leg_name, const Leg& leg,
               const Leg& other, const std::string& peer);

  std::vector<std::string> gateways_;
  std::vector<Reached> reached_;
  std::vector<Decision> decisions_;
  std::map<std::string, std::size_t> known_;  ///< Where a decision stands, by all that names it.
};

/// side_by_side_text gives the section of a Markdown page; "" for fewer than two gateways.
std::string side_by_side_text(const SideBySide& sides);

}  // namespace postern::reports
