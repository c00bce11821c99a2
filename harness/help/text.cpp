#include <fmt/format.h>

#include "help/tree.hpp"

namespace postern::help {
namespace {

constexpr std::size_t kWidth = 80, kColumn = 28;

// A name and beside it, or below where it is long, what it is about.
void entry(std::string& out, const std::string& name, const std::string& about) {
  out += "  " + name;
  std::size_t at = 2 + name.size();
  for (const std::string& line : wrapped(about, kWidth - kColumn)) {
    if (at + 2 > kColumn) {
      out += "\n";
      at = 0;
    }
    out += std::string(kColumn - at, ' ') + line;
    at = kWidth;
  }
  out += "\n";
}

void entries(std::string& out, const std::string& title, const std::vector<Option>& options) {
  if (options.empty()) return;
  out += "\n" + title + ":\n";
  for (const Option& option : options) {
    std::string name = fmt::format("{}", fmt::join(option.names, ", "));
    if (!option.value.empty()) name += " " + option.value;
    if (option.many) name += " ...";
    entry(out, name, (option.required ? "Needed. " : "") + about_of(option));
  }
}

}  // namespace

std::string text_of(const Command& command) {
  std::string out;
  for (const std::string& line : wrapped(command.about, kWidth)) out += line + "\n";
  out += "Usage: " + command.path + " " + usage_of(command) + "\n";
  entries(out, "Words", command.words);
  entries(out, "Options", command.options);
  if (!command.commands.empty()) out += "\nCommands:\n";
  for (const Command& below : command.commands) entry(out, below.name, below.about);
  if (command.notes.empty()) return out;
  out += "\n";
  std::string_view rest = command.notes;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.starts_with(' '))
      out += std::string(line) + "\n";
    else
      for (const std::string& piece : wrapped(line, kWidth)) out += piece + "\n";
  }
  return out;
}

}  // namespace postern::help
