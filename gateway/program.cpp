#include "program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>

#include "database.hpp"
#include "journal.hpp"
#include "password.hpp"
#include "server.hpp"
#include "services.hpp"
#include "settings.hpp"
#include "settings_page.hpp"
#include "simulator.hpp"

namespace gateway {
namespace {

constexpr int kConfigurationError = 2;

void ask_for_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int complain(const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return kConfigurationError;
}

int list_queue(const Config& config) {
  const std::string file = config.data + "/queue.db";
  if (access(file.c_str(), F_OK) != 0) return 0;  // nothing was ever queued
  Database database(file, Database::Mode::read);
  for (const auto& envelope : database.messages()) {
    for (const auto& recipient : envelope.recipients) {
      fmt::print(
          "{{\"queue-id\":{},\"sender\":{},\"recipient\":{},\"attempts\":{},"
          "\"received\":\"{}\",\"next-attempt\":\"{}\",\"enhanced\":{},\"reason\":{}}}\n",
          json_string(queue_id(envelope.id)), json_string(envelope.sender),
          json_string(recipient.address), recipient.attempts, rfc3339(envelope.received),
          rfc3339(recipient.next_attempt), json_string(recipient.enhanced),
          json_string(recipient.reason));
    }
  }
  return 0;
}

// check_ready_descriptor refuses, before anything is served, a descriptor that could not be told.
void check_ready_descriptor(int descriptor) {
  if (descriptor < 0) return;
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    throw std::runtime_error(
        fmt::format("--ready-fd: found {}, which is {}; allowed: a descriptor open for writing",
                    descriptor, flags < 0 ? "not open" : "open for reading only"));
  }
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

// tell_ready writes the ready line and closes the descriptor, unless it is stdout. `page` may be
// null.
void tell_ready(int descriptor, const Server& server, const web::SettingsPage* page) {
  std::string line = "READY";
  for (const auto& endpoint : server.endpoints()) line += " smtp=" + endpoint;
  if (page) line += " web=" + page->endpoint();
  line += '\n';
  const int target = descriptor < 0 ? STDOUT_FILENO : descriptor;
  if (write(target, line.data(), line.size()) < 0) fmt::print(stderr, "cannot tell: {}", line);
  if (descriptor > STDERR_FILENO) close(descriptor);
}

// wanted_web is where the settings page is to be served, and for whom; nullopt: nowhere. What --web
// says goes before the configuration. It throws ConfigError where that is no address, and where
// others than this machine could reach the page without a password that is kept. Only --web does
// without one: a service would tell its password to whoever may read its log.
std::optional<WebConfig> wanted_web(const Options& options, const Config& config) {
  if (!options.web) return config.web;
  WebConfig web = config.web.value_or(WebConfig{});
  std::string_view text = *options.web;
  if (text.empty()) return web;
  const auto colon = text.rfind(':');
  std::string_view address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  const auto parsed = IpAddress::parse(address);
  const auto port =
      colon == std::string_view::npos ? std::nullopt : parse_number(text.substr(colon + 1));
  constexpr std::uint64_t kMostPort = 65535;
  if (!parsed || !port || *port > kMostPort) {
    throw ConfigError(fmt::format(
        "--web: found {}; allowed: ADDRESS:PORT, such as 127.0.0.1:8025 or [::1]:8025 (FILE goes "
        "before it)",
        text));
  }
  web.address = parsed->to_string();
  web.port = static_cast<std::uint16_t>(*port);
  if (web.password.empty() && !is_loopback(web.address)) {
    throw ConfigError(fmt::format(
        "--web: found {}, which others can reach, and no password in the configuration; allowed: "
        "<web password=\"...\"/> as postern-gateway --hash-password prints it, or an address of "
        "this machine alone",
        text));
  }
  return web;
}

// open_page makes the settings page where it is wanted, else null. Where --web wants it and no
// password is configured, it makes one for this run, and tells it on stderr.
std::unique_ptr<web::SettingsPage> open_page(asio::io_context& context, Server& server,
                                             const Options& options, const std::string& file) {
  std::optional<WebConfig> wanted = wanted_web(options, server.services().settings->config);
  if (!wanted) return nullptr;
  constexpr std::size_t kPasswordOctets = 12;
  std::string password;
  if (wanted->password.empty()) {
    password = random_word(kPasswordOctets);
    wanted->password = hash_password(password);
  }
  auto page =
      std::make_unique<web::SettingsPage>(context.get_executor(), server, file, std::move(*wanted));
  if (!password.empty()) {
    fmt::print(stderr, "The settings page is http://{}/\nIts password for this run is {}\n",
               page->endpoint(), password);
  }
  return page;
}

// Process is the running program: it turns signals, and the end of stdin, into calls of the server.
class Process {
 public:
  // `page` may be null. `ended` is called once the server has stopped.
  Process(asio::io_context& context, Server& server, web::SettingsPage* page,
          std::function<void()> ended)
      : server_(server),
        page_(page),
        ended_(std::move(ended)),
        signals_(context, SIGTERM, SIGINT, SIGHUP),
        stdin_(context) {}

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        server_.reload();
      } else {
        stop();
      }
      watch_signals();
    });
  }

  void watch_stdin() {
    stdin_.assign(STDIN_FILENO);
    read_stdin();
  }

 private:
  void read_stdin() {
    stdin_.async_read_some(asio::buffer(buffer_),
                           [this](const boost::system::error_code& error, std::size_t) {
                             if (!error) return read_stdin();
                             if (error != asio::error::operation_aborted) stop();
                           });
  }

  void stop() {
    if (page_) page_->stop();
    server_.stop(ended_);
  }

  Server& server_;
  web::SettingsPage* page_;
  std::function<void()> ended_;
  asio::signal_set signals_;
  asio::posix::stream_descriptor stdin_;
  std::array<char, 64> buffer_{};
};

// run serves until the server has stopped. From then on no signal counts: a second SIGTERM must not
// turn an orderly end into a death by it.
void run(asio::io_context& context) {
  context.run();
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

int serve(const Options& options) {
  Config config = load_config(options.file);
  asio::io_context context(1);
  Server server(context.get_executor(), std::move(config), options.file);
  server.open();
  const auto page = open_page(context, server, options, options.file);
  Process process(context, server, page.get(), [&context] { context.stop(); });
  process.watch_signals();
  if (options.die_with_parent) process.watch_stdin();
  server.start();
  if (page) page->start();
  tell_ready(options.ready_fd, server, page.get());
  run(context);
  return 0;
}

int simulate(const Options& options) {
  const Simulator simulator;
  asio::io_context context(1);
  const std::string next_hop_file = simulator.next_hop_file();
  Server next_hop(context.get_executor(), load_config(next_hop_file), next_hop_file);
  next_hop.open();
  const std::string endpoint = next_hop.endpoints().front();
  simulator.write_gateway_file(endpoint.substr(endpoint.rfind(':') + 1));
  const std::string file = simulator.gateway_file();
  Server server(context.get_executor(), load_config(file), file);
  server.open();
  const auto page = open_page(context, server, options, file);
  Process process(context, server, page.get(), [&] { next_hop.stop([&] { context.stop(); }); });
  process.watch_signals();
  if (options.die_with_parent) process.watch_stdin();
  fmt::print("{}", simulator.instructions(server.endpoints().front()));
  std::fflush(stdout);
  next_hop.start();
  server.start();
  if (page) page->start();
  tell_ready(options.ready_fd, server, page.get());
  run(context);
  return 0;
}

// read_password takes one line from stdin, unseen where that is a terminal.
std::string read_password() {
  termios before{};
  const bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios unseen = before;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
    fmt::print(stderr, "password: ");
  }
  std::string password;
  std::getline(std::cin, password);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fmt::print(stderr, "\n");
  }
  return password;
}

int print_password_hash() {
  constexpr std::size_t kShortest = 8;
  const std::string password = read_password();
  if (password.size() < kShortest) {
    throw std::runtime_error(
        fmt::format("the password has {} octets; allowed: {} or more", password.size(), kShortest));
  }
  fmt::print("{}\n", hash_password(password));
  return 0;
}

}  // namespace

int run_program(const Options& options) {
  // Other people's mail: what we make is for nobody else to read.
  umask(S_IRWXG | S_IRWXO);
  std::signal(SIGPIPE, SIG_IGN);
  if (options.die_with_parent) prctl(PR_SET_PDEATHSIG, SIGKILL);
  ask_for_descriptors();
  try {
    check_ready_descriptor(options.ready_fd);
    if (options.hash_password) return print_password_hash();
    if (options.file.empty()) return simulate(options);
    if (options.check) {
      Journal::check(make_settings(load_config(options.file), 1)->config.journal);
      return 0;
    }
    if (options.list_queue) return list_queue(load_config(options.file));
    return serve(options);
  } catch (const std::exception& error) {
    return complain(error);
  }
}

}  // namespace gateway
