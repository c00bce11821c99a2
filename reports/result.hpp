#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What a run found, case by case: the one truth of which every report is a view.
//
// A results file is JSON lines: a header line, one line a case in the order in which cases ended,
// a footer line. docs/results.md describes it; the format has a version number.

namespace postern::reports {

enum class Verdict { kPass, kFail, kError, kInconclusive, kInvalid, kSkip };

/// word gives the verdict as reports spell it: pass, fail, error, inconclusive, invalid, skip.
const char* word(Verdict verdict);

/// Facts are name=value pairs in the order in which they are shown; a name occurs once.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Outcome is what became of a message on one leg: a word (accept, drop, hold …) and its facts.
struct Outcome {
  std::string word;
  Facts facts;

  /// text gives "drop reply=530 closed=clean".
  std::string text() const;
};

/// Leg is one side of a case, inbound (client and gateway) or outbound (gateway and server).
struct Leg {
  std::string requirement;       ///< The id the deciding rule cites, "IN-3"; empty: not judged.
  std::string requirement_text;  ///< The requirement in words.
  std::string rule;              ///< Where the rule stands, "file:line".
  std::string expected;          ///< What the rule expects, as it is written (form).
  std::string letter;            ///< Wider alternatives as written; empty: as expected.
  std::string policy;
  Outcome observed;
  std::string grade;  ///< "form", "letter", "policy", or "" if none was reached.
  std::vector<std::string> evidence;
  std::string broken;  ///< "outcome": it is not what is expected; "other": something else on this
                       ///< leg is wrong, or lacks evidence; "": nothing is known to be.
};

/// Demand is what a case is held to beside the outcomes of its legs: where its message may be seen,
/// what its gateway has to say of its settings.
struct Demand {
  std::string requirement;       ///< The id, "LEAK-4".
  std::string requirement_text;  ///< The requirement in words.
  std::string rule;              ///< Where the rule stands, "file:line"; empty: no rule of its own.
  std::string leg;               ///< "outbound": seen on that leg; empty: of the case as a whole.
  bool broken = false;
};

/// Line is one event of a case on the common time axis.
struct Line {
  std::int64_t at = 0;  ///< Microseconds since the case began.
  int connection = 0;   ///< From 1, counted for each side; 0: belongs to none.
  std::string side;     ///< "client", "server", "sender" (the sender's mailbox), "record".
  std::string from;     ///< Who acted: "peer", "gateway", "" (an observation).
  std::string phase;    ///< "clear", "handshake", "tls": how bytes travelled.
  std::string kind;     ///< "connect", "data", "handshake" (its outcome: phase "tls" where agreed),
                        ///< "alert", "close", "reset", "timeout", "leak", "differs", "note".
  std::string text;     ///< Bytes as read or written (data), or a description.
};

/// CaseResult is all that a report can say about one case.
struct CaseResult {
  std::string id;       ///< Unique: suite + "/" + name.
  std::string suite;    ///< "tls-modes/server-level=require/…"
  std::string name;     ///< "client=plain/server=expired"
  std::string kind;     ///< "matrix", "invalid-setting", "story"
  std::string gateway;  ///< Name of the gateway file.
  Verdict verdict = Verdict::kError;
  std::string deviation;             ///< Of a skip: the known deviation that was seen; else empty.
  std::string grade;                 ///< The lower of the legs' grades.
  std::string reason;                ///< One line: why this verdict; empty for pass.
  std::vector<std::string> details;  ///< Further lines: expected and got, one thing a line.
  Facts settings;
  std::string client;
  std::string server;
  Leg inbound;
  Leg outbound;
  std::vector<Demand> demands;
  std::string file;  ///< The scenario file (or rule) a reader should open.
  unsigned line = 0;
  double seconds = 0;
  bool control = false;  ///< Taken along as somebody's control: not chosen, not counted.
  std::vector<Line> events;
  std::vector<std::string> record;    ///< The gateway's own lines about this message.
  std::vector<std::string> warnings;  ///< The gateway's own lines that warn of its settings.
  std::string rerun;                  ///< The command that runs just this case again.
};

/// blames tells whether `leg` is what a case that did not pass, or that deviates as is known, is to
/// be blamed for. Where nothing says what was broken (a crash, results of an earlier version), it
/// is the leg that reached less; both, if they reached the same.
bool blames(const CaseResult& result, const Leg& leg, const Leg& other);

/// troubles tells whether the trouble of such a case shows on `leg`: it is to be blamed, or a
/// demand is that was broken on this leg or on none.
bool troubles(const CaseResult& result, const Leg& leg, const Leg& other);

/// Requirement is an id with its words.
using Requirement = std::pair<std::string, std::string>;

/// broken_by gives the requirements that a case which did not pass breaks, each once, those of its
/// legs first; where none is to be blamed, that of the first leg that has one.
std::vector<Requirement> broken_by(const CaseResult& result);

/// Axes name settings and peer roles ("client", "server") with their values, in the order in which
/// views show them; a name occurs once.
using Axes = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// RunHeader says what was run, with what.
struct RunHeader {
  std::string started;  ///< UTC, ISO 8601 without zone or fraction.
  std::string host;
  std::string postern;  ///< Version of this program.
  std::string openssl;
  std::string gateway;  ///< Name, and version if it tells.
  std::string command;
  std::uint64_t seed = 0;
  unsigned shard = 0;   ///< Which of `shards` it is, from 1; 0: the run is not shared.
  unsigned shards = 0;  ///< How many parts there are.
  Axes axes;            ///< Of the matrices run; empty: views show what came first first.
};

/// RunFooter closes a results file; a file without it is of a run that did not end.
struct RunFooter {
  double seconds = 0;
  int exit_code = 0;
  bool interrupted = false;
  std::vector<std::string> notes;  ///< What the run says of itself as a whole, one line each.
  std::string reason;  ///< Why the run as a whole is not in order, in one line; empty: it is.
  Facts counters;      ///< handshakes by kind, connections, gateway starts, cpu …
};

/// Tally counts verdicts. Controls that were only taken along are not in it.
struct Tally {
  int pass = 0, fail = 0, error = 0, inconclusive = 0, invalid = 0, skip = 0;
  int deviations = 0;  ///< Of the skips: known deviations that happened.
  int controls = 0;

  void count(const CaseResult& result);
  int chosen() const { return pass + fail + error + inconclusive + invalid + skip; }

  /// exit_code follows the table: 1 any fail; 3 an error, inconclusive, invalid, or fewer than
  /// `min`; else 0.
  int exit_code(int min) const;
};

}  // namespace postern::reports
