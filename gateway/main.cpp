// postern-gateway: command line only. docs/gateway.md is the manual.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "program.hpp"

int main(int argc, char** argv) {
  CLI::App app(
      "The reference mail gateway of Postern: a store-and-forward SMTP relay.\n"
      "Without a file it starts a simulator on loopback.",
      "postern-gateway");
  app.footer(
      "Examples:\n"
      "  postern-gateway\n"
      "  postern-gateway --web\n"
      "  postern-gateway --check gateway.xml\n"
      "  postern-gateway --queue gateway.xml");
  gateway::Options options;
  auto* file = app.add_option("FILE", options.file, "the configuration");
  // As an unset variable of a script: without a file the simulator would start.
  file->check([](const std::string& name) {
    return std::string(name.empty() ? "found an empty name; allowed: a configuration" : "");
  });
  app.add_flag("--check", options.check, "check the configuration and end: 0 good, 2 not")
      ->needs(file);
  app.add_flag("--queue", options.list_queue, "list what is queued, one JSON line a recipient")
      ->needs(file);
  app.add_option("--ready-fd", options.ready_fd, "write the ready line to this descriptor")
      ->check(CLI::Range(0, 65535))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_flag("--die-with-parent", options.die_with_parent,
               "end when stdin ends or the parent dies");
  std::string web;
  auto* page = app.add_option("--web", web, "serve the settings page, else on 127.0.0.1:8025")
                   ->type_name("[ADDRESS:PORT]")
                   ->expected(0, 1)
                   ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_flag("--hash-password", options.hash_password,
               "read a password from stdin, print it for <web>")
      ->excludes(file);
  app.set_version_flag("--version", POSTERN_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (page->count() > 0) options.web = web;
  return gateway::run_program(options);
}
