#pragma once

#include <string>

// This room shows a command line in the forms in which terminals want it: help within 80 columns, a
// man page, and what bash and zsh complete from. All are made from CLI11's own tree of options.

namespace CLI {
class App;
}

namespace postern::help {

/// text is what --help prints about a program or one of its commands.
std::string text(const CLI::App& app);

/// show prints a program's help to stdout: `format` is text, man, bash or zsh; `command` one of its
/// commands, or empty: the program. Returns the exit code: 0, or 2, told on stderr, where a command
/// is named to a format that is always about all of them.
int show(const CLI::App& program, const std::string& command, const std::string& format);

}  // namespace postern::help
