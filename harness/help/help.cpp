#include "help/help.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "help/tree.hpp"

namespace postern::help {

std::string text(const CLI::App& app) {
  return text_of(read(app));
}

int show(const CLI::App& program, const std::string& command, const std::string& format) {
  if (format != "text" && !command.empty()) {
    std::fprintf(stderr, "postern: --format %s is about all commands; leave \"%s\" out\n",
                 format.c_str(), command.c_str());
    return 2;
  }
  const Command all = read(program);
  std::string out;
  if (format == "man") {
    out = manual_of(all, POSTERN_VERSION, POSTERN_DATE);
  } else if (format == "bash") {
    out = bash_of(all);
  } else if (format == "zsh") {
    out = zsh_of(all);
  } else if (command.empty()) {
    out = text_of(all);
  } else {
    for (const Command& one : all.commands)
      if (one.name == command) out = text_of(one);
  }
  std::fputs(out.c_str(), stdout);
  return 0;
}

}  // namespace postern::help
