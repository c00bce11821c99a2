#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "help/tree.hpp"

// The man page, in man(7). Lines of its source are cut at 72 columns, as mandoc wants them.

namespace postern::help {
namespace {

// Text as man(7) takes it: "-" is a minus, not a hyphen, so that what is copied from a page works.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string bold(std::string_view text) {
  return "\\fB" + escaped(text) + "\\fR";
}
std::string italic(std::string_view text) {
  return "\\fI" + escaped(text) + "\\fR";
}

std::string prose(std::string_view text) {
  std::string out;
  for (const std::string& line : wrapped(text, 66)) out += escaped(line) + "\n";
  return out;
}

void list(std::string& out, const std::vector<Option>& options) {
  for (const Option& option : options) {
    out += ".TP\n";
    for (const std::string& name : option.names)
      out += (&name == &option.names.front() ? "" : ", ") +
             (name.starts_with('-') ? bold(name) : italic(name));
    if (!option.value.empty()) out += " " + italic(option.value);
    out += (option.many ? " ...\n" : "\n") +
           prose((option.required ? "Needed. " : "") + about_of(option));
  }
}

// The notes: what begins with a blank is an example, the rest are paragraphs.
void notes(std::string& out, std::string_view text) {
  bool example = false;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool next = line.starts_with(' ');
    if (example != next) out += next ? ".RS 2\n.EX\n" : ".EE\n.RE\n";
    example = next;
    if (!example) {
      out += ".PP\n" + prose(line);
      continue;
    }
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    out += escaped(line) + "\n";
  }
  if (example) out += ".EE\n.RE\n";
}

std::string usage(const Command& command) {
  return bold(command.path) + " " + escaped(usage_of(command));
}

}  // namespace

std::string manual_of(const Command& program, std::string_view version, std::string_view date) {
  std::string title = program.name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  std::string out =
      fmt::format(".TH {} 1 {} \"{} {}\"\n.nh\n.SH NAME\n{} \\- test an SMTP gateway's TLS\n",
                  title, date, program.name, version, program.name);
  out += ".SH SYNOPSIS\n" + usage(program) + "\n.SH DESCRIPTION\n" + prose(program.about);
  notes(out, program.notes);
  out += ".SH OPTIONS\nThese may stand before a command or behind it.\n";
  list(out, program.options);
  out += ".SH COMMANDS\n";
  for (const Command& command : program.commands) {
    out += ".SS " + command.name + "\n" + usage(command) + "\n.PP\n" + prose(command.about);
    list(out, command.words);
    list(out, command.options);
    notes(out, command.notes);
  }
  return out;
}

}  // namespace postern::help
