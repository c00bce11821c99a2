#include "catalogue/values.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

namespace postern {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

const RE2* expression(ValueType type) {
  static const auto kAll = [] {
    std::map<ValueType, std::unique_ptr<RE2>> all;
    for (const ValueForm& form : value_forms()) {
      if (*form.pattern) all[form.type] = std::make_unique<RE2>(form.pattern);
    }
    return all;
  }();
  const auto found = kAll.find(type);
  return found == kAll.end() ? nullptr : found->second.get();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

const std::vector<ValueForm>& value_forms() {
  static const std::vector<ValueForm> kForms = {
      {ValueType::kText, "text", "", "any text, not empty"},
      {ValueType::kName, "name", "[a-z0-9]([a-z0-9.\\-]*[a-z0-9])?",
       "a name of small letters, digits, \".\" and \"-\""},
      {ValueType::kRef, "requirement-id", "[A-Z]+-[0-9]+", "a requirement's id, as IN-3"},
      {ValueType::kWord, "word", "", "one of the words listed"},
      {ValueType::kWords, "words", "", "words listed, joined by spaces"},
      {ValueType::kNames, "names", " *[a-z0-9][a-z0-9.\\-]*( +[a-z0-9][a-z0-9.\\-]*)* *",
       "names joined by spaces"},
      {ValueType::kCondition, "condition",
       " *[a-z0-9.\\-]+!?=[^ |]+(\\|[^ |]+)*( +[a-z0-9.\\-]+!?=[^ |]+(\\|[^ |]+)*)* *",
       "terms key=value, key=a|b and key!=value, joined by spaces"},
      {ValueType::kOutcomes, "outcomes", "[^|].*[^|]",
       "outcomes (a word, then fact=value) joined by \" | \""},
      {ValueType::kDuration, "duration", "0|[1-9][0-9]*(ms|s|m|h|d)",
       "0, or a number with ms, s, m, h or d"},
      {ValueType::kDelay, "delay", "0|never|[1-9][0-9]*(ms|s|m|h|d)",
       "0, a number with ms, s, m, h or d, or never"},
      {ValueType::kReplies, "replies", "[2-5][0-9y][0-9z](\\|[2-5][0-9y][0-9z])*",
       "reply codes joined by \"|\", as 421 or 5yz"},
      {ValueType::kEnhanced, "enhanced-code", "[245]\\.[0-9]{1,3}\\.[0-9]{1,3}",
       "an enhanced status code, as 5.7.1"},
      {ValueType::kVerbs, "verbs", "[A-Z]+(\\|[A-Z]+)*",
       "verbs in capitals joined by \"|\", as MAIL or EHLO|HELO"},
      {ValueType::kKeywords, "keywords", " *[A-Z0-9][A-Z0-9\\-]*( +[A-Z0-9][A-Z0-9\\-]*)* *",
       "EHLO keywords joined by spaces, as \"STARTTLS SIZE\""},
      {ValueType::kNumbers, "numbers", " *[1-9][0-9]{0,6}( +[1-9][0-9]{0,6})* *",
       "numbers above 0 joined by spaces"},
      {ValueType::kCount, "count", "0|[1-9][0-9]{0,6}", "a number"},
      {ValueType::kSize, "size", "[1-9][0-9]{0,8}[kM]?", "a number of octets, with k or M"},
      {ValueType::kAlerts, "alerts", "([a-z_]+|[0-9]{1,3})(\\|([a-z_]+|[0-9]{1,3}))*",
       "TLS alerts joined by \"|\", as handshake_failure, 40 or fatal"},
      {ValueType::kMode, "mode", "0[0-7]{3}", "permissions in octal, as 0600"},
      {ValueType::kFileName, "file-name",
       "[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*(/[A-Za-z0-9_\\-][A-Za-z0-9._\\-]*)*",
       "a relative file name of letters, digits, \".\", \"_\", \"-\" and \"/\""},
      {ValueType::kPattern, "pattern", "", "a regular expression in RE2's syntax"},
      {ValueType::kRaw, "raw", "([^\\\\]|\\\\[rnt0\\\\]|\\\\x[0-9A-Fa-f]{2})+",
       "bytes, with the escapes \\r \\n \\t \\0 \\\\ \\xHH"},
  };
  return kForms;
}

const ValueForm& value_form(ValueType type) {
  const auto& forms = value_forms();
  return *std::find_if(forms.begin(), forms.end(),
                       [type](const ValueForm& form) { return form.type == type; });
}

bool is_value(ValueType type, std::string_view text) {
  if (text.empty()) return false;
  const RE2* pattern = expression(type);
  return !pattern || RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *pattern);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = text.find_first_not_of(kBlanks);
  while (begin != std::string_view::npos) {
    const std::size_t end = text.find_first_of(kBlanks, begin);
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kBlanks, end);
  }
  return words;
}

std::vector<std::string> strings_of(std::string_view text) {
  const auto words = words_of(text);
  return {words.begin(), words.end()};
}

std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  if (!is_value(ValueType::kDuration, text)) return std::nullopt;
  static const std::map<std::string_view, std::int64_t> kUnits = {
      {"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  constexpr std::int64_t kMost = std::int64_t{1000} * 86'400'000;
  std::int64_t number = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc()) return std::nullopt;
  const std::int64_t unit = kUnits.at(text.substr(static_cast<std::size_t>(rest - text.data())));
  if (number > kMost / unit) return std::nullopt;
  return std::chrono::milliseconds(number * unit);
}

std::optional<std::string> bytes_of(std::string_view raw, std::string& error) {
  static const std::map<char, char> kEscapes = {
      {'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'0', '\0'}, {'\\', '\\'}};
  std::string bytes;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      bytes += raw[i];
      continue;
    }
    const std::string_view rest = raw.substr(i + 1);
    const auto escape = rest.empty() ? kEscapes.end() : kEscapes.find(rest[0]);
    if (escape != kEscapes.end()) {
      bytes += escape->second;
      i += 1;
    } else if (rest.size() >= 3 && rest[0] == 'x' && hex_digit(rest[1]) >= 0 &&
               hex_digit(rest[2]) >= 0) {
      bytes += static_cast<char>(hex_digit(rest[1]) * 16 + hex_digit(rest[2]));
      i += 3;
    } else {
      error = fmt::format("found the escape \"\\{}\", allowed: \\r \\n \\t \\0 \\\\ \\xHH",
                          rest.substr(0, 3));
      return std::nullopt;
    }
  }
  return bytes;
}

std::string unindented(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first != std::string_view::npos && text[first] == '\n') text.remove_prefix(first + 1);
  std::vector<std::string_view> lines = split(text, '\n');
  const auto is_blank = [](std::string_view line) {
    return line.find_first_not_of(kBlanks) == std::string_view::npos;
  };
  std::size_t indentation = std::string_view::npos;
  for (std::string_view line : lines) {
    if (!is_blank(line)) indentation = std::min(indentation, line.find_first_not_of(" \t"));
  }
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!is_blank(lines[i])) result += lines[i].substr(indentation);
    if (i + 1 < lines.size()) result += '\n';
  }
  return result;
}

}  // namespace postern
