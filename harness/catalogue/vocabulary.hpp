#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalogue/condition.hpp"
#include "catalogue/values.hpp"

// The vocabulary of scenarios: one table of every element, where it may stand and what it may hold.
// The loader's messages, the XML schema and the reference page are all made from it.

namespace postern {

/// SettingSide is the part of the gateway that a setting rules.
enum class SettingSide { kReceiving, kSending };

/// Setting is one TLS setting of a gateway.
struct Setting {
  std::string name;
  std::string label;                ///< As on the settings page.
  std::vector<std::string> values;  ///< Empty: a kDelay.
  std::string default_value;        ///< In force where a scenario does not state it.
  SettingSide side = SettingSide::kReceiving;
  /// A gateway's file may say nothing of it; cases that set it otherwise are skipped then.
  bool extra = false;
};

/// settings lists all that scenarios may set, in the order in which case ids name them.
const std::vector<Setting>& settings();

/// setting finds one by name; nullptr if there is none.
const Setting* setting(std::string_view name);

/// complete gives every setting its value: as stated in `stated`, or its default.
Assignment complete(const Assignment& stated);

/// setting_keys gives the settings as the keys of a condition.
KnownKeys setting_keys();

struct AttributeEntry {
  std::string name;
  ValueType type = ValueType::kText;
  bool required = false;
  std::vector<std::string> words;  ///< For kWord and kWords.
  std::string default_value;       ///< Shown on the reference page; empty: none.
  std::string about;
};

enum class Occurs { kAny, kAtMostOnce, kOnce };
enum class Text { kNone, kRequired, kOptional };

/// ElementEntry is one element in one kind of place. Elements of one name that stand in different
/// places with different attributes are entries of their own.
struct ElementEntry {
  std::string id;  ///< Unique; the element's name unless that is taken.
  std::string name;
  std::vector<std::string> parents;  ///< Ids of entries; none: the root of a file.
  Occurs occurs = Occurs::kAny;
  Text text = Text::kNone;
  std::vector<AttributeEntry> attributes;
  std::string about;

  const AttributeEntry* attribute(std::string_view attribute_name) const;
};

/// elements lists the whole vocabulary, parents before children.
const std::vector<ElementEntry>& elements();

/// children_of lists the entries that may stand in `parent`, or as roots where it is "".
std::vector<const ElementEntry*> children_of(std::string_view parent);

/// deviation_points, deviation_acts and places list words in the order of their enumerations.
const std::vector<std::string>& deviation_points();
const std::vector<std::string>& deviation_acts();
const std::vector<std::string>& disclosure_places();
const std::vector<std::string>& event_kinds();
const std::vector<std::string>& event_groups();

}  // namespace postern
