#include <fmt/format.h>

#include "help/tree.hpp"

// What bash completes from. The script needs bash alone, not the package bash-completion.

namespace postern::help {
namespace {

std::string names_of(const std::vector<Option>& options) {
  std::string names;
  for (const Option& option : options)
    names += fmt::format("{}{}", names.empty() ? "" : " ", fmt::join(option.names, " "));
  return names;
}

std::string takes(const Option& option) {
  if (option.choices.empty()) return "kind=" + option.value;
  return fmt::format("kind=CHOICE choices=\"{}\"", fmt::join(option.choices, " "));
}

// The arms that tell what follows an option of a command, or is a word of it ("word").
void arms(std::string& out, const std::string& command, const Command& of) {
  for (const Option& option : of.options) {
    if (option.value.empty()) continue;
    std::string patterns;
    for (const std::string& name : option.names)
      patterns += fmt::format("{}{}\\ {}", patterns.empty() ? "" : " | ", command, name);
    out += fmt::format("    {}) {} ;;\n", patterns, takes(option));
  }
  // Of several words, all are completed as the first.
  if (!of.words.empty()) out += fmt::format("    {}\\ word) {} ;;\n", command, takes(of.words[0]));
}

// The arms that ask the program itself.
std::string questions() {
  std::string out;
  for (const Question& question : questions_known())
    out += fmt::format("    {}) candidates=$(_@NAME@_ask {} | awk '{}') ;;\n", question.kind,
                       question.arguments, question.filter);
  return out;
}

// NAME, COMMANDS, OPTIONS, ARMS, QUESTIONS are filled in.
constexpr std::string_view kScript =
    R"(# bash completion for @NAME@, made by: @NAME@ help --format bash

# _@NAME@_options COMMAND: the options that may stand behind it.
_@NAME@_options() {
  case $1 in
@OPTIONS@  esac
}

# _@NAME@_takes COMMAND OPTION: sets kind, and choices, to what follows the option; "word": to what the
# words of the command are.
_@NAME@_takes() {
  kind="" choices=""
  case $1\ $2 in
@ARMS@  esac
}

# _@NAME@_ask ARGUMENTS: what @NAME@ itself answers, of the scenarios that the line names.
_@NAME@_ask() { "${COMP_WORDS[0]}" "${scenarios[@]}" "$@" 2>/dev/null; }

_@NAME@() {
  local IFS=$' \t\n' words=() scenarios=() command="" kind choices candidates="" i word value lead=""
  # Readline cuts words at "=": they are put together again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    if ((i > 1)) && [[ ${COMP_WORDS[i]} == =* || ${COMP_WORDS[i - 1]} == = ]]; then
      words[${#words[@]} - 1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}")
    fi
  done
  # What stands before the cursor: the command, and whether the last of it is an option with a value.
  kind="" value=${words[${#words[@]} - 1]}
  for ((i = 0; i < ${#words[@]} - 1; i++)); do
    word=${words[i]}
    if [ -n "$kind" ]; then
      [ "${words[i - 1]}" != --scenarios ] || scenarios=(--scenarios "$word")
      kind=""
    elif [[ $word == --*=* ]]; then
      [[ $word != --scenarios=* ]] || scenarios=("$word")
    elif [[ $word == -* ]]; then
      _@NAME@_takes "$command" "$word"
    elif [ -z "$command" ]; then
      command=$word
    fi
  done
  if [ -z "$kind" ] && [[ $value == --*=* ]]; then
    _@NAME@_takes "$command" "${value%%=*}"
    [[ $COMP_WORDBREAKS == *=* ]] || lead=${value%%=*}=
    value=${value#*=}
  elif [ -z "$kind" ] && [[ $value == -* ]]; then
    kind=CHOICE choices=$(_@NAME@_options "$command")
  elif [ -z "$kind" ] && [ -z "$command" ]; then
    kind=CHOICE choices="@COMMANDS@"
  elif [ -z "$kind" ]; then
    _@NAME@_takes "$command" word
  fi
  case $kind in
    CHOICE) candidates=$choices ;;
@QUESTIONS@  esac
  # Of names with commas between them the last is completed.
  if [ "$kind" = GATEWAY ] && [[ $value == *,* ]]; then
    lead+=${value%,*},
    value=${value##*,}
  fi
  COMPREPLY=()
  for word in $candidates; do
    [[ $word != "$value"* ]] || COMPREPLY+=("$lead$word")
  done
  case $kind in
    FILE | CASE) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -P "$lead" -f -- "$value") ;;
    FOLDER) mapfile -t COMPREPLY < <(compgen -P "$lead" -d -- "$value") ;;
  esac
  case $kind in FILE | FOLDER | CASE) compopt -o filenames 2>/dev/null ;; esac
  # Readline replaces only what stands behind the last "=".
  if [[ $value == *=* && $COMP_WORDBREAKS == *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${value%=*}="}")
  fi
}
complete -F _@NAME@ @NAME@
)";

}  // namespace

std::string bash_of(const Command& program) {
  const std::string everywhere = names_of(program.options);
  std::string options, all, commands;
  for (const Command& command : program.commands) {
    commands += (commands.empty() ? "" : " ") + command.name;
    // The program's own are allowed behind a command too; --help is in both.
    std::string more;
    for (const Option& option : program.options)
      if (names_of(command.options).find(option.names.back()) == std::string::npos)
        more += " " + names_of({option});
    options +=
        fmt::format("    {}) echo \"{}{}\" ;;\n", command.name, names_of(command.options), more);
    arms(all, command.name, command);
  }
  options += fmt::format("    *) echo \"{}\" ;;\n", everywhere);
  arms(all, "*", program);
  std::string script(kScript);
  script = filled(script, "@OPTIONS@", options);
  script = filled(script, "@ARMS@", all);
  script = filled(script, "@COMMANDS@", commands);
  script = filled(script, "@QUESTIONS@", questions());
  return filled(script, "@NAME@", program.name);
}

}  // namespace postern::help
