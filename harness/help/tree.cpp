#include "help/tree.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>

namespace postern::help {
namespace {

// What CLI11 says of a value: its type, then what each check allows: "TEXT:{a,b}", "UINT:INT in [1
// - 9]".
void read_value(const std::string& told, Option& into) {
  const std::size_t end = std::min(told.find(':'), told.size());
  into.value = told.substr(0, end);
  if (into.value == "UINT" || into.value == "INT") into.value = "N";
  const std::size_t open = told.find_first_of("{[", end);
  if (open == std::string::npos) return;
  const std::string inside = told.substr(open + 1, told.find_first_of("}]", open) - open - 1);
  if (told[open] == '[')
    into.range = inside;
  else
    into.choices = CLI::detail::split(inside, ',');
}

Option option_of(const CLI::Option& from) {
  Option to;
  if (from.get_positional()) to.names.push_back(from.get_name(true));
  for (const std::string& name : from.get_snames()) to.names.push_back("-" + name);
  for (const std::string& name : from.get_lnames()) to.names.push_back("--" + name);
  to.about = from.get_description();
  to.required = from.get_required();
  if (from.get_type_size() == 0) return to;
  read_value(from.get_type_name(), to);
  to.fallback = from.get_default_str();
  to.many = from.get_items_expected_max() > 1;
  return to;
}

constexpr std::array kQuestions = {
    Question{"GATEWAY", "gateways", "/^[^ ]/ { print $1 }"},
    Question{"CASE", "list --suites", "{ print $1 }"},
    Question{"SERVER", "serve --list", "{ print $2 }"},
};

}  // namespace

Command read(const CLI::App& app) {
  Command command;
  command.name = command.path = app.get_name();
  for (const CLI::App* above = app.get_parent(); above != nullptr; above = above->get_parent())
    command.path = above->get_name() + " " + command.path;
  command.about = app.get_description();
  command.notes = app.get_footer();
  for (const CLI::Option* option : app.get_options())
    (option->get_positional() ? command.words : command.options).push_back(option_of(*option));
  const std::function<bool(const CLI::App*)> all;
  for (const CLI::App* below : app.get_subcommands(all)) command.commands.push_back(read(*below));
  return command;
}

std::string usage_of(const Command& command) {
  std::string usage = "[OPTIONS]";
  for (const Option& word : command.words) {
    const std::string name = word.names.front() + (word.many ? "..." : "");
    usage += word.required ? " " + name : " [" + name + "]";
  }
  return command.commands.empty() ? usage : usage + " COMMAND ...";
}

std::string about_of(const Option& option) {
  std::string more =
      option.choices.empty() ? option.range : fmt::format("{}", fmt::join(option.choices, ", "));
  if (!option.fallback.empty())
    more += (more.empty() ? "" : "; ") + ("default: " + option.fallback);
  return more.empty() ? option.about : option.about + " (" + more + ")";
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      lines.push_back(line);
      line.clear();
    }
    line += line.empty() ? "" : " ";
    line += word;
  }
  lines.push_back(line);
  return lines;
}

std::span<const Question> questions_known() {
  return kQuestions;
}

const Question* question_about(std::string_view kind) {
  for (const Question& question : kQuestions)
    if (question.kind == kind) return &question;
  return nullptr;
}

std::string filled(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

}  // namespace postern::help
