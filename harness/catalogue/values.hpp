#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The forms that attribute values take. The pattern of a form serves the loader and the schema
// alike, so that an editor and a run say the same.

namespace postern {

enum class ValueType {
  kText,       ///< Any text but none.
  kName,       ///< A name: small letters, digits, '.', '-'.
  kRef,        ///< A requirement's id.
  kWord,       ///< One of the words listed for the attribute.
  kWords,      ///< One or more of the words listed, joined by spaces.
  kNames,      ///< Names joined by spaces.
  kCondition,  ///< Terms as in condition.hpp.
  kOutcomes,   ///< Outcomes as in expectation.hpp.
  kDuration,   ///< 0, or a number with ms, s, m, h or d.
  kDelay,      ///< A duration, or never.
  kReplies,    ///< Reply codes joined by '|'; y and z stand for any digit.
  kEnhanced,   ///< An enhanced status code (RFC 3463), 5.7.1.
  kVerbs,      ///< Verbs of SMTP commands joined by '|'.
  kKeywords,   ///< EHLO keywords joined by spaces.
  kNumbers,    ///< Numbers above 0 joined by spaces.
  kCount,      ///< 0 or a number.
  kSize,       ///< A number of octets, with k or M.
  kAlerts,     ///< TLS alerts joined by '|': names, numbers or fatal.
  kMode,       ///< File permissions, 0600.
  kFileName,   ///< A relative file name that stays in its directory.
  kPattern,    ///< A regular expression (RE2).
  kRaw,        ///< Bytes with the escapes \r \n \t \0 \\ \xHH.
};

/// ValueForm describes one type for people and for the schema.
struct ValueForm {
  ValueType type;
  const char* name;     ///< Its name in the schema and the reference page.
  const char* pattern;  ///< In the syntax that RE2 and XML Schema share; "" where any text will do.
  const char* allowed;  ///< What is allowed, to follow "allowed: ".
};

/// value_forms lists every type once.
const std::vector<ValueForm>& value_forms();
const ValueForm& value_form(ValueType type);

/// is_value tells whether `text` has the form of `type`. Words are not looked up.
bool is_value(ValueType type, std::string_view text);

/// split cuts `text` at each `separator`; empty parts are kept.
std::vector<std::string_view> split(std::string_view text, char separator);

/// words_of cuts `text` at white space; there are no empty words.
std::vector<std::string_view> words_of(std::string_view text);

/// strings_of gives the same as words of their own.
std::vector<std::string> strings_of(std::string_view text);

/// duration_of reads a kDuration; nullopt where `text` is none, or exceeds 1000 days.
std::optional<std::chrono::milliseconds> duration_of(std::string_view text);

/// bytes_of reads a kRaw; nullopt at an unknown escape, which is named in `error`.
std::optional<std::string> bytes_of(std::string_view raw, std::string& error);

/// unindented gives `text` without its first newline, without the indentation that its lines have
/// in common, and without the blanks before the closing tag.
std::string unindented(std::string_view text);

}  // namespace postern
