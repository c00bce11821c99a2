#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalogue/reader.hpp"
#include "catalogue/story.hpp"

// The parts of which story_loader.cpp makes a story.

namespace postern {

/// variants_of gives every combination of the story's axes, the first axis slowest; a single empty
/// one where it has none. Mistakes in axes are problems, and leave the axis out.
std::vector<Assignment> variants_of(const LocatedXml& document, Problems& problems);

/// step_kind_of gives the kind of an element that is a step.
std::optional<StepKind> step_kind_of(std::string_view element);

/// read_step reads one step of a script of this role.
Step read_step(const Reader& reader, pugi::xml_node node, Role role, StepKind kind);

/// holds_here tells whether an element's `when`, if it has one, holds in this variant.
bool holds_here(const Reader& reader, pugi::xml_node node);

/// rules_out tells whether what must have the text `contains` cannot but have what it must lack.
bool rules_out(const std::string& contains, const std::string& lacks);

/// Lint walks the steps of one script in order and complains of what can never happen.
class Lint {
 public:
  Lint(const Reader& reader, Role role) : reader_(reader), role_(role) {}

  /// step takes the next step; `node` is the element that it stands in, for the complaint.
  void step(pugi::xml_node node, const Step& step);

  /// finish is called behind the last step.
  void finish();

  /// leave is called where a script leaves its connection, at `node`; a prefix does not.
  void leave(pugi::xml_node node);

 private:
  void opened();
  void follow(pugi::xml_node node, const Step& step);
  void heard(pugi::xml_node node, const Step& step);
  void said(pugi::xml_node node, const Step& step);
  bool goes_on(const Step& step) const;

  const Reader& reader_;
  Role role_;
  std::string over_;          ///< What ended this connection; empty: it is open.
  pugi::xml_node unproved_;   ///< A <silence> that nothing has followed yet.
  std::string last_command_;  ///< Server: what was heard last, and not answered yet.
  int owed_ = 1;              ///< Client: replies that may still come.
  bool counted_ = true;       ///< Client: `owed_` is exact.
  pugi::xml_node last_said_;
  bool spoken_ = false;  ///< Server: something was said on this connection.
  bool encrypted_ = false;
  bool go_ahead_ = false;
  bool alerts_ = false;    ///< The gateway has been given cause to speak TLS.
  bool notified_ = false;  ///< Only close_notify was sent; the connection is open below TLS.
};

/// scripts_of lists the scripts of one role.
std::vector<const Script*> scripts_of(const Story& story, Role role);

/// read_expectation reads what is expected of one leg, once the scripts of `story` are read; what
/// its steps contradict is a problem.
std::optional<Expectation> read_expectation(const Reader& reader, pugi::xml_node node,
                                            const char* attribute, LegName leg, const Story& story);

/// read_disclosure reads where the message may be seen at the next hop, likewise.
std::vector<std::string> read_disclosure(const Reader& reader, pugi::xml_node node,
                                         const Story& story);

/// lint_together complains of what the scripts and checks of one story make of each other: scripts
/// that wait for each other, captures that are never made, or only later.
void lint_together(const Reader& reader, const Story& story);

}  // namespace postern
