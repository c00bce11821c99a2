#include <CLI/CLI.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "control/time_scale.hpp"
#include "help/help.hpp"
#include "located_xml.hpp"
#include "run/commands.hpp"
#include "run/screen.hpp"

// postern: the SMTP TLS conformance harness. This file reads the command line and nothing else.

namespace {

std::string joined(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += (i == 0 ? "" : " ") + std::string(argv[i]);
  return text;
}

void add_views(CLI::App& command, postern::ViewOptions& options) {
  command.add_option("--results", options.results, "Write every case as a JSON line")
      ->type_name("FILE");
  command.add_option("--junit", options.junit, "Write a JUnit report")->type_name("FILE");
  command
      .add_option("--junit-flavour", options.junit_flavour,
                  "strict has only what Jenkins' xUnit schema allows")
      ->check(CLI::IsMember({"common", "strict"}))
      ->capture_default_str();
  command.add_option("--markdown", options.markdown, "Write a summary for a CI job's page")
      ->type_name("FILE");
  command
      .add_option("--html", options.html,
                  "Write the whole report as one page: grid, cases, ladders; it fetches nothing")
      ->type_name("FILE");
}

void add_run(CLI::App& app, postern::RunOptions& options) {
  auto* run = app.add_subcommand("run", "Run cases against a gateway and judge them");
  run->add_option(
         "what", options.words,
         "Case ids, suites (or their first parts), stories, XML files; nothing: everything")
      ->type_name("CASE");
  run->add_option(
      "--filter", options.filter,
      "Only cases for which this holds: key=a|b key!=c; keys: the settings, client, server, "
      "kind (matrix, story, invalid), case");
  run->add_option(
         "--strength", options.strength,
         "Of each matrix only as many cases as cover every pair (2) or triple (3) of values "
         "of its axes; which, --seed decides")
      ->check(CLI::IsMember({2, 3}));
  run->add_option(
         "--gateway", options.gateway,
         "The gateway file to run, by name; several, with commas between them, one after the other")
      ->type_name("GATEWAY")
      ->capture_default_str();
  run->add_option("--jobs", options.jobs, "Gateways run at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  add_views(*run, options);
  run->add_flag("--jitter", options.jitter,
                "At random, by --seed: the order of cases, where peers cut what they write, and "
                "small delays before it");
  run->add_option("--repeat", options.repeat,
                  "Run everything this often; a case that does not end the same each time fails")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  // Left to itself, a reader of unsigned numbers takes -1 for the largest of them.
  const CLI::Validator number(
      [](const std::string& text) {
        const bool good =
            !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        return good ? std::string() : "found \"" + text + "\", allowed: a whole number from 0";
      },
      "", "number");
  run->add_option("--seed", options.seed,
                  "Seed of all that is random; without one a new one is drawn and shown")
      ->check(number);
  run->add_option("--min", options.min, "Exit with 3 if fewer cases than this were judged");
  run->add_option("--bundle", options.bundle,
                  "For each case that does not pass a folder in this one, with its dialogue, a "
                  "capture that Wireshark decrypts, and the gateway's configuration; NAME.zip: "
                  "packed")
      ->type_name("FOLDER");
  run->add_option("--bundle-of", options.bundle_of, "Which cases get one")
      ->check(CLI::IsMember({"failing", "all"}))
      ->capture_default_str();
  run->add_flag("--keep", options.keep, "Keep the folder of every gateway that was run");
  run->add_option("--resume", options.resume,
                  "Results of an earlier run: what it found is taken over, the rest is run")
      ->type_name("FILE");
  run->add_option("--shard", options.shard,
                  "I/N: only the I-th of N parts, which other machines share; without it as "
                  "GTEST_TOTAL_SHARDS, TEST_TOTAL_SHARDS or CI_NODE_TOTAL say");
  run->add_option("--certs", options.certs,
                  "The test PKI of this folder, as postern certs wrote it, instead of a new one")
      ->type_name("FOLDER");
  run->add_flag("--fail-fast", options.fail_fast,
                "Stop after the first configuration with a case that did not pass");
  run->add_flag("--transcripts,--verbose", options.transcripts,
                "Print the dialogue of every case, not only of what failed");
  run->add_flag("--quiet", options.quiet, "Print what did not pass and the counts; no grid");
  run->footer(
      "Exit codes: 0 only passes and allowed skips; 1 a case failed or was unstable; 2 usage, a "
      "bad "
      "file, no such case; 3 an error, an inconclusive or invalid case, or too few; 130 "
      "interrupted.\n"
      "Examples:\n"
      "  postern run\n"
      "  postern run tls-modes/server-level=require\n"
      "  postern run --filter 'client-level=verify server=expired|wrong-host'\n"
      "  postern run stories/bytes-after-starttls-are-not-executed --transcripts");
}

void add_list(CLI::App& app, postern::ListOptions& options) {
  auto* list = app.add_subcommand("list", "List cases");
  list->add_option("what", options.words, "As for run")->type_name("CASE");
  list->add_option("--filter", options.filter, "As for run");
  list->add_option("--strength", options.strength, "As for run")->check(CLI::IsMember({2, 3}));
  list->add_option("--seed", options.seed, "As for run; without one it is 0");
  list->add_flag("--suites", options.suites, "List suites instead of cases");
  list->add_flag("--ctest", options.ctest,
                 "Print an include file for ctest, one test a suite or story");
  list->add_option("--reports", options.reports,
                   "With --ctest: the folder for each test's results and JUnit")
      ->type_name("FOLDER")
      ->capture_default_str();
  list->footer(
      "Exit codes: 0 done; 2 usage, a bad file, no such case.\n"
      "Examples:\n"
      "  postern list --suites\n"
      "  postern list tls-modes --filter 'client=plain server=expired'");
}

void add_explain(CLI::App& app, postern::ExplainOptions& options) {
  auto* explain = app.add_subcommand(
      "explain", "Say what must happen, and by which rule and requirement; runs nothing");
  explain
      ->add_option("what", options.words,
                   "Cases as for run, or settings and peers as key=value; nothing: everything")
      ->type_name("CASE");
  explain->add_option("--filter", options.filter, "As for run");
  explain->footer(
      "Exit codes: 0 done; 2 usage, a bad file, no such case.\n"
      "Examples:\n"
      "  postern explain server-level=require client=plain\n"
      "  postern explain client-level=verify server='expired|wrong-host'\n"
      "  postern explain stories/bytes-after-starttls-are-not-executed");
}

void add_gaps(CLI::App& app, postern::GapsOptions& options) {
  auto* gaps = app.add_subcommand("gaps", "Show what no case covers");
  gaps->add_option("which", options.which, "List the gaps whose id begins so, one by one");
  gaps->add_option("--new", options.begin, "Write the beginnings of what closes this gap");
  gaps->add_option("--faults", options.faults,
                   "The report of scripts/faults in a checkout of Postern, for faults that nothing "
                   "catches")
      ->type_name("FILE")
      ->capture_default_str();
  gaps->footer(
      "Exit codes: 0 no gap, or --new wrote its files; 1 gaps; 2 a bad file, no such gap.\n"
      "Examples:\n"
      "  postern gaps\n"
      "  postern gaps fault/server\n"
      "  postern gaps --new story/data/tls-1.2");
}

void add_new_story(CLI::App& app, postern::NewStoryOptions& options) {
  auto* story = app.add_subcommand("new-story", "Write a story to begin with: it passes as it is");
  story->add_option("name", options.name, "Its name: what it shows, in words with hyphens")
      ->required();
  story->add_option("--ref", options.ref, "The requirement it is about, IN-3")->required();
  story
      ->add_option("--side", options.side,
                   "Whose lines it has; without it as the requirement's id says")
      ->check(CLI::IsMember({"client", "server"}));
  story->footer(
      "Exit codes: 0 written; 2 usage, no such requirement, or a story of this name is there.\n"
      "Example:\n"
      "  postern new-story a-client-that-changes-its-mind --ref IN-2");
}

void add_report(CLI::App& app, postern::ReportOptions& options) {
  auto* report = app.add_subcommand(
      "report", "Show results again, in any view; several files, such as shards, as one run");
  report->add_option("files", options.files, "Results, as run --results wrote them")
      ->type_name("FILE")
      ->required();
  add_views(*report, options);
  report->add_flag("--quiet", options.quiet, "Print the counts alone");
  report->footer(
      "Exit codes: those of the runs, the worst of several; 2 a file that is none.\n"
      "Example:\n"
      "  postern report shard-1.jsonl shard-2.jsonl --results all.jsonl --junit all.xml");
}

void add_compare(CLI::App& app, postern::CompareOptions& options) {
  auto* compare = app.add_subcommand("compare", "Say what differs between the results of two runs");
  compare->add_option("before", options.before, "Results of the earlier run")
      ->type_name("FILE")
      ->required();
  compare->add_option("now", options.now, "Results of the later one")
      ->type_name("FILE")
      ->required();
  compare
      ->add_option("--known", options.known,
                   "A deviations file of failures that are known, each with its reason and the "
                   "day until which it counts; one that passes is worse")
      ->type_name("FILE");
  compare->footer(
      "Exit codes: 0 nothing is worse; 1 a case does not pass any more, is new and does not pass, "
      "is "
      "gone, or passed and is left out now; 2 a file that is none.\n"
      "Example:\n"
      "  postern compare before.jsonl now.jsonl");
}

void add_serve(CLI::App& app, postern::ServeOptions& options) {
  auto* serve = app.add_subcommand(
      "serve", "Play fake servers that stay, for trying a mailer against them by hand");
  serve
      ->add_option("servers", options.names,
                   "Their names; nothing: all of them, in the order of their names")
      ->type_name("SERVER");
  serve->add_option("--address", options.address, "Where they listen")
      ->default_str("127.0.0.1, with --addresses 127.0.0.2");
  serve
      ->add_option("--port", options.port,
                   "The port of the first; the others follow, one port each")
      ->check(CLI::Range(1, 65535))
      ->default_str("2600, with --addresses 2525");
  serve->add_flag("--addresses", options.addresses,
                  "Give each an address of its own, counted from --address, and all the same port");
  serve->add_option("--certs", options.certs, "As for run")->type_name("FOLDER");
  serve->add_flag("--list", options.list, "Say what is where, and serve nothing");
  serve->add_option("--page", options.page, "Write a page that says what is where")
      ->type_name("FILE");
  serve->add_flag("--quiet", options.quiet, "One line a connection, no dialogue");
  serve->footer(
      "Exit codes: 0 ended by Ctrl-C or SIGTERM; 2 usage, no such server; 3 a port is taken.\n"
      "Examples:\n"
      "  postern serve --list\n"
      "  postern serve good expired wrong-host --certs pki\n"
      "  postern serve expired --port 25\n"
      "  postern serve --addresses --port 25");
}

void add_send(CLI::App& app, postern::SendOptions& options) {
  auto* send = app.add_subcommand(
      "send", "Play a fake client once, against any server, and say how it went");
  send->add_option("server", options.at, "HOST:PORT")->required();
  send->add_option("--to", options.to, "The recipient")->required();
  send->add_option("--from", options.from, "The sender")->capture_default_str();
  send->add_option("--client", options.client, "The client, as postern list names it")
      ->capture_default_str();
  send->add_option("--message", options.message, "A file with the message; without it a short one")
      ->type_name("FILE");
  send->add_option("--certs", options.certs, "As for run")->type_name("FOLDER");
  send->add_flag("--quiet", options.quiet, "No dialogue");
  send->footer(
      "Exit codes: 0 the message was accepted; 1 it was not; 2 usage; 3 there was no connection.\n"
      "Examples:\n"
      "  postern send 127.0.0.1:25 --to me@example.test\n"
      "  postern send mx.example.test:25 --to me@example.test --client expired");
}

void add_coverage(CLI::App& app, postern::CoverageOptions& options) {
  auto* coverage =
      app.add_subcommand("coverage", "Show each requirement with the cases that cite it");
  coverage->add_option("requirement", options.wanted, "List every case of these requirements");
  coverage->add_flag("--cases", options.cases,
                     "Below each requirement, the rules and stories that cite it");
  coverage->footer(
      "Exit codes: 0 every requirement has a case; 1 one has none; 2 a bad file, no such one.\n"
      "Examples:\n"
      "  postern coverage --cases\n"
      "  postern coverage IN-8");
}

void add_check(CLI::App& app, std::string& directory) {
  auto* check = app.add_subcommand("check", "Read and prove scenarios; opens no socket");
  check
      ->add_option("directory", directory,
                   "Folder of scenarios to check, a whole one (default: where they are sought)")
      ->type_name("FOLDER");
  check->footer(
      "Exit codes: 0 they are in order; 2 they are not.\n"
      "Examples:\n"
      "  postern check\n"
      "  postern check my-scenarios");
}

void add_gateways(CLI::App& app, postern::GatewaysOptions& options) {
  auto* gateways =
      app.add_subcommand("gateways", "List the gateways that can be run, and what is missing");
  gateways->add_flag("--packages", options.packages,
                     "List the packages that hold them instead, one a line, for scripts");
  gateways->footer(
      "Exit codes: 0 done; 2 a bad file.\n"
      "Example:\n"
      "  postern gateways");
}

void add_certs(CLI::App& app, std::string& directory) {
  auto* certs = app.add_subcommand("certs", "Write the test certificates and keys as PEM files");
  certs
      ->add_option("directory", directory,
                   "Folder to write to; made if missing, and an earlier PKI in it replaced")
      ->type_name("FOLDER")
      ->required();
  certs->footer(
      "Exit codes: 0 written; 2 a bad file; 3 they could not be written.\n"
      "Example:\n"
      "  postern certs pki");
}

struct HelpOptions {
  std::string command;
  std::string format = "text";
};

// The last to be added: it knows the others by name.
void add_help(CLI::App& app, HelpOptions& options) {
  std::vector<std::string> names;
  for (const CLI::App* one : app.get_subcommands({})) names.push_back(one->get_name());
  names.emplace_back("help");
  auto* help = app.add_subcommand("help", "Show this help, or make what terminals need of it");
  help->add_option("command", options.command, "The command to show; nothing: all, in short")
      ->check(CLI::IsMember(names));
  help->add_option("--format", options.format,
                   "text, or of all commands a man page, or what bash or zsh complete from")
      ->check(CLI::IsMember({"text", "man", "bash", "zsh"}))
      ->capture_default_str();
  help->footer(
      "Exit codes: 0 done; 2 usage.\n"
      "Examples:\n"
      "  postern help run\n"
      "  postern help --format man >postern.1 && man ./postern.1\n"
      "  source <(postern help --format bash)");
}

// All that a command line may set.
struct Settings {
  postern::CommonOptions common;
  postern::RunOptions run;
  postern::ListOptions list;
  postern::ExplainOptions explain;
  std::string check_directory, certs_directory;
  postern::CoverageOptions coverage;
  postern::GapsOptions gaps;
  postern::NewStoryOptions new_story;
  postern::GatewaysOptions gateways;
  postern::ReportOptions report;
  postern::CompareOptions compare;
  postern::ServeOptions serve;
  postern::SendOptions send;
  HelpOptions help;
};

// usage_problem says what is wrong with a command line. What is nothing there is told before what
// is missing, which it was meant to be.
std::string usage_problem(const CLI::App* app, const CLI::Error& error) {
  const std::vector<std::string> unknown = app->remaining(true);
  if (unknown.empty()) return CLI::FailureMessage::simple(app, error);
  const std::string& word = unknown.front();
  const std::vector<CLI::App*> chosen = app->get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  const std::string more = "\nRun postern" + command + " --help for what there is.\n";
  std::vector<std::string> known;
  if (!word.starts_with('-')) {
    if (!chosen.empty())
      return "postern: found \"" + word + "\" where nothing more is taken" + more;
    for (const CLI::App* one : app->get_subcommands({})) known.push_back(one->get_name());
    return "postern: there is no command \"" + word + "\"" + postern::did_you_mean(word, known) +
           more;
  }
  for (const CLI::App* one : {app, chosen.empty() ? app : chosen.front()})
    for (const CLI::Option* option : one->get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  const std::string option = word.substr(0, word.find('='));
  return "postern: there is no option \"" + option + "\"" + postern::did_you_mean(option, known) +
         more;
}

void add_all(CLI::App& app, Settings& into) {
  // Commands inherit from the program what is set before they are added.
  app.formatter_fn([](const CLI::App* one, const std::string&, CLI::AppFormatMode) {
    return postern::help::text(*one);
  });
  app.set_version_flag("--version", std::string("postern ") + POSTERN_VERSION, "Print the version");
  app.set_help_flag("-h,--help", "Print this help");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--scenarios", into.common.scenarios,
                 "Folder of scenarios (else $POSTERN_SCENARIOS, ./scenarios, "
                 "PREFIX/share/postern/scenarios)")
      ->type_name("FOLDER");
  app.failure_message(usage_problem);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "postern COMMAND --help shows the options of a command, and examples.\n"
      "Environment: POSTERN_SCENARIOS is the folder of scenarios where --scenarios is not given; "
      "POSTERN_TIME_SCALE stretches all waits by this factor. NO_COLOR, if not empty: no colour.\n"
      "Examples:\n"
      "  postern run tls-modes/server-level=require\n"
      "  postern serve --list");
  add_run(app, into.run);
  add_list(app, into.list);
  add_explain(app, into.explain);
  add_check(app, into.check_directory);
  add_coverage(app, into.coverage);
  add_gaps(app, into.gaps);
  add_new_story(app, into.new_story);
  add_gateways(app, into.gateways);
  add_report(app, into.report);
  add_compare(app, into.compare);
  add_serve(app, into.serve);
  add_send(app, into.send);
  add_certs(app, into.certs_directory);
  add_help(app, into.help);
  for (auto* one : app.get_subcommands({}))
    one->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

int play(const CLI::App& app, const Settings& with) {
  if (app.got_subcommand("run")) return postern::run_command(with.common, with.run);
  if (app.got_subcommand("serve")) return postern::serve_command(with.common, with.serve);
  if (app.got_subcommand("send")) return postern::send_command(with.common, with.send);
  // The others open no socket: a reader of their output that goes away ends them as it ends others.
  std::signal(SIGPIPE, SIG_DFL);
  if (app.got_subcommand("help"))
    return postern::help::show(app, with.help.command, with.help.format);
  if (app.got_subcommand("report")) return postern::report_command(with.report);
  if (app.got_subcommand("compare")) return postern::compare_command(with.common, with.compare);
  if (app.got_subcommand("explain")) return postern::explain_command(with.common, with.explain);
  if (app.got_subcommand("list")) return postern::list_command(with.common, with.list);
  if (app.got_subcommand("check")) return postern::check_command(with.common, with.check_directory);
  if (app.got_subcommand("coverage")) return postern::coverage_command(with.common, with.coverage);
  if (app.got_subcommand("gaps")) return postern::gaps_command(with.common, with.gaps);
  if (app.got_subcommand("gateways")) return postern::gateways_command(with.common, with.gateways);
  if (app.got_subcommand("new-story"))
    return postern::new_story_command(with.common, with.new_story);
  return postern::certs_command(with.common, with.certs_directory);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  postern::fold_to_screen(argv[0]);
  Settings settings;
  settings.common.program = argv[0];
  settings.run.command_line = joined(argc, argv);
  settings.list.reports = "reports";
  CLI::App app("postern asks of a mail gateway: does it really do with TLS what its settings say?",
               "postern");
  add_all(app, settings);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  if (const std::string problem = postern::time_scale_problem(std::getenv("POSTERN_TIME_SCALE"));
      !problem.empty()) {
    std::fprintf(stderr, "postern: %s\n", problem.c_str());
    return 2;
  }
  try {
    return play(app, settings);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "postern: %s\n", problem.what());
    return 3;
  }
}
