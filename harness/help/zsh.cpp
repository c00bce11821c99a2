#include <fmt/format.h>

#include "help/tree.hpp"

// What zsh completes from: a function for its compsys, in words of _arguments.

namespace postern::help {
namespace {

// Text inside a spec within single quotes: brackets and colons would end a part of it.
std::string in_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// How a value is completed; a blank: not at all.
std::string action(const Option& option) {
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  if (option.value == "FILE") return "_files";
  if (option.value == "FOLDER") return "_files -/";
  return question_about(option.value) == nullptr ? " " : "_@NAME@_ask " + option.value;
}

// A spec for each name of each option; the names of one option exclude each other.
std::string options_of(const std::vector<Option>& options) {
  std::string out;
  for (const Option& option : options) {
    for (const std::string& name : option.names) {
      out += " \\\n      '";
      if (option.names.size() > 1) out += fmt::format("({})", fmt::join(option.names, " "));
      out += name + (option.value.empty() ? "[" : "=[") + in_quotes(option.about) + "]";
      if (!option.value.empty()) out += ":" + option.value + ":" + action(option);
      out += "'";
    }
  }
  return out;
}

std::string words_of(const std::vector<Option>& words) {
  std::string out;
  for (const Option& word : words)
    out += fmt::format(" \\\n      '{}:{}:{}'", word.many ? "*" : "", word.names[0], action(word));
  return out;
}

constexpr std::string_view kScript = R"(#compdef @NAME@
# zsh completion for @NAME@, made by: @NAME@ help --format zsh

# _@NAME@_ask [FOR-COMPADD...] KIND: completes what @NAME@ itself knows of this kind.
_@NAME@_ask() {
  local -a found scenarios
  (( ${+opt_args[--scenarios]} )) && scenarios=(--scenarios $opt_args[--scenarios])
  case $@[-1] in
@QUESTIONS@  esac
  compadd "$@[1,-2]" -a found
  [[ $@[-1] != CASE ]] || _files
}

_@NAME@() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
@COMMANDS@  )
  _arguments -C \
      '1:command:->command' '*::word:->words'@EVERYWHERE@
  case $state in
    command) _describe -t commands command commands ;;
    words)
      case $line[1] in
@ARMS@      esac ;;
  esac
}

_@NAME@ "$@"
)";

}  // namespace

std::string zsh_of(const Command& program) {
  std::string commands, arms, questions;
  std::vector<Option> everywhere = program.options;
  std::erase_if(everywhere, [](const Option& option) { return option.names.back() == "--help"; });
  for (const Command& command : program.commands) {
    commands += fmt::format("    '{}:{}'\n", command.name, in_quotes(command.about));
    arms += "    " + command.name + ") _arguments" + options_of(command.options) +
            options_of(everywhere) + words_of(command.words) + " ;;\n";
  }
  for (const Question& question : questions_known())
    questions += fmt::format(
        "    {}) found=(${{(f)\"$(@NAME@ $scenarios {} 2>/dev/null | awk '{}')\"}}) ;;\n",
        question.kind, question.arguments, question.filter);
  std::string script = filled(std::string(kScript), "@QUESTIONS@", questions);
  script = filled(script, "@COMMANDS@", commands);
  script = filled(script, "@EVERYWHERE@", options_of(program.options));
  script = filled(script, "@ARMS@", arms);
  return filled(script, "@NAME@", program.name);
}

}  // namespace postern::help
