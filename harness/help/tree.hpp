#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

// A command line as plain data, and the forms it is written in. Pure.

namespace CLI {
class App;
}

namespace postern::help {

/// Option is an option, or a word without dashes.
struct Option {
  std::vector<std::string> names;    ///< "-h" and "--help"; of a word its one name.
  std::string value;                 ///< What it takes: FILE, N, ...; empty: nothing.
  std::vector<std::string> choices;  ///< All values that are allowed, where the tree lists them.
  std::string range;                 ///< "1 - 64"; empty: none.
  std::string fallback;              ///< The value where none is given; may be empty.
  std::string about;
  bool required = false;
  bool many = false;  ///< Takes any number of values.
};

/// Command is a program or one of its commands.
struct Command {
  std::string name, path;  ///< "run", "postern run".
  std::string about;
  std::string notes;  ///< What stands below all: prose, and examples, which begin with two blanks.
  std::vector<Option> words, options;
  std::vector<Command> commands;
};

/// read gives what CLI11 knows of a program or command.
Command read(const CLI::App& app);

/// usage_of is "[OPTIONS] file..." or what else may follow a command's name.
std::string usage_of(const Command& command);

/// about_of is what an option does, with what is allowed and what counts where it is not given.
std::string about_of(const Option& option);

/// wrapped cuts text into lines of at most `width` columns, at blanks. A word that is longer keeps
/// its length.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

/// text_of is help within 80 columns.
std::string text_of(const Command& command);

/// manual_of is a page in man(7) about the whole program, as it was on `date`.
std::string manual_of(const Command& program, std::string_view version, std::string_view date);

/// bash_of and zsh_of are scripts by which a shell completes the program's command lines.
std::string bash_of(const Command& program);
std::string zsh_of(const Command& program);

/// Question is how the program itself is asked for the values of one kind.
struct Question {
  std::string_view kind;       ///< An option's `value`.
  std::string_view arguments;  ///< Of the program.
  std::string_view filter;     ///< An awk program that leaves one value a line.
};

/// questions_known are all that a program can be asked.
std::span<const Question> questions_known();

/// question_about finds the one of a kind; nullptr: the program does not know its values.
const Question* question_about(std::string_view kind);

/// filled puts `with` in every place of `what`.
std::string filled(std::string text, std::string_view what, std::string_view with);

}  // namespace postern::help
