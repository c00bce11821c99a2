#include "control/gateway.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "control/banner.hpp"
#include "control/command.hpp"
#include "control/followed_file.hpp"
#include "control/gateway_output.hpp"
#include "control/installed.hpp"
#include "control/instance_directory.hpp"
#include "control/latch.hpp"
#include "control/mounts.hpp"
#include "control/process.hpp"
#include "control/record_socket.hpp"
#include "control/template.hpp"
#include "control/time_scale.hpp"

namespace postern {

namespace asio = boost::asio;
using Why = GatewayDidNotStart::Why;

namespace {

constexpr std::chrono::seconds kPrepareLimit{30};
constexpr std::chrono::seconds kQueueLimit{10};
constexpr std::chrono::seconds kDrainLimit{2};

const char* environment_variable(const std::string& name) {
  return std::getenv(name.c_str());
}

std::chrono::milliseconds::rep milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

[[noreturn]] void wrong_plan(const std::string& what) {
  throw GatewayDidNotStart(Why::kPlan, what, {}, "");
}

std::string joined(const std::vector<std::string>& arguments) {
  return fmt::format("{}", fmt::join(arguments, " "));
}

}  // namespace

// Instance is all that belongs to one gateway. Its coroutines share it; the Gateway alone decides
// when it ends.
struct Gateway::Instance {
  Instance(asio::any_io_executor on, GatewayPlan the_plan,
           std::function<void(const RecordEvent&)> on_record)
      : executor(std::move(on)),
        plan(std::move(the_plan)),
        output(*plan.file, kProbeAddress, kLastOutput, std::move(on_record)),
        address(plan.listen_address),
        ready_or_ended(executor),
        outputs_ended(executor),
        left(executor) {}

  void write_files();
  Template write_configuration();
  void write_certificates(const Template& text, const InstanceDirectory& into) const;
  void execute();
  void make_mounted_folders() const;
  void follow_records();
  void read_record_file();
  void read_record_socket();
  void leave();
  void close();

  static asio::awaitable<void> prepare(std::shared_ptr<Instance> self);
  static asio::awaitable<void> await_ready(std::shared_ptr<Instance> self);
  static asio::awaitable<void> drain(std::shared_ptr<Instance> self);
  static asio::awaitable<void> read_output(std::shared_ptr<Instance> self, Process::Output output,
                                           Source source);
  static asio::awaitable<void> follow(std::shared_ptr<Instance> self);
  static asio::awaitable<void> receive(std::shared_ptr<Instance> self);
  static asio::awaitable<void> watch_end(std::shared_ptr<Instance> self);

  std::string packages() const { return packages_folder(plan.file->name, plan.program_directory); }

  Program program(std::vector<std::string> arguments) const {
    Program made;
    made.arguments = std::move(arguments);
    made.directory = directory->path();
    made.mounts = mounts;
    return made;
  }

  asio::any_io_executor executor;
  GatewayPlan plan;
  GatewayOutput output;
  std::string address;
  unsigned short port = 0;
  std::optional<InstanceDirectory> directory;
  std::string directory_path;
  std::vector<std::vector<std::string>> prepare_lines;
  std::vector<std::string> start_line, queue_line;
  std::vector<MountCall> mounts;
  std::string configuration;
  std::unique_ptr<Process> process;
  std::unique_ptr<FollowedFile> record_file;
  std::unique_ptr<RecordSocket> record_socket;
  std::shared_ptr<BannerProbe> probe;
  Latch ready_or_ended, outputs_ended;
  Latch left;  ///< A gateway that is there already was left.
  int open_outputs = 0;
  bool ready = false;
  bool closed = false;
  std::optional<Exit> stopped;
  std::string record_problem;
};

void Gateway::Instance::write_files() {
  directory.emplace(plan.keep_directory);
  directory_path = directory->path();
  if (plan.remote != nullptr) {
    address = plan.remote->at.address().to_string();
    port = plan.remote->at.port();
  } else if (!GatewayOutput::gives_port(*plan.file)) {
    port = free_port(plan.listen_address);
  }
  Template text = write_configuration();
  mounts = expand_mounts(text, plan.file->mounts, packages());
  make_mounted_folders();
  for (const Command& command : plan.file->prepare) {
    prepare_lines.push_back(expand_command(text, command));
  }
  if (plan.remote == nullptr) start_line = expand_command(text, plan.file->start);
  if (!plan.file->queue.empty()) {
    queue_line = expand_command(text, plan.file->queue.front().command);
  }
  configuration += plan.remote == nullptr
                       ? fmt::format("--- started as\n{}\n", joined(start_line))
                       : fmt::format("--- not started: it is at {}\n", plan.remote->name);
  write_certificates(text, *directory);
}

// write_configuration writes the files of the gateway for the settings of the plan.
Template Gateway::Instance::write_configuration() {
  configuration.clear();
  TemplateValues values;
  values.directory = directory->path();
  values.packages = packages();
  values.listen_address = address;
  values.listen_port = port;
  values.program_directory = plan.program_directory;
  values.setting_texts = &plan.file->settings;
  values.settings = &plan.settings;
  values.routes = &plan.routes;
  values.environment = environment_variable;
  Template text(std::move(values));
  for (const FileTemplate& file : plan.file->files) {
    const Expansion expansion = text.expand(file.text);
    if (!expansion.error.empty()) wrong_plan(file.place.text() + ": " + expansion.error);
    directory->write(file.name, expansion.text, file.mode);
    configuration += fmt::format("--- {}\n{}", file.name, expansion.text);
    if (configuration.back() != '\n') configuration += '\n';
  }
  return text;
}

void Gateway::Instance::write_certificates(const Template& text,
                                           const InstanceDirectory& into) const {
  const auto relative = [&into](const std::string& path) {
    return path.substr(into.path().size() + 1);
  };
  for (const std::string& name : text.identities()) {
    const certs::Identity* identity = plan.authority ? plan.authority->identity(name) : nullptr;
    if (identity == nullptr) wrong_plan(fmt::format("no certificate is named \"{}\"", name));
    into.write(relative(text.certificate_path(name)), identity->chain_pem(), 0644);
    into.write(relative(text.key_path(name)), identity->key_pem(), 0600);
  }
  for (const std::string& name : text.trusts()) {
    const certs::Trust* trust = plan.authority ? plan.authority->trust(name) : nullptr;
    if (trust == nullptr) wrong_plan(fmt::format("no trust is named \"{}\"", name));
    into.write(relative(text.trust_path(name)), trust->pem(), 0644);
  }
  for (const std::string& name : text.crls()) {
    const certs::RevocationList* crl = plan.authority ? plan.authority->crl(name) : nullptr;
    if (crl == nullptr) wrong_plan(fmt::format("no revocation list is named \"{}\"", name));
    into.write(relative(text.crl_path(name)), crl->pem(), 0644);
  }
}

asio::awaitable<void> Gateway::Instance::prepare(std::shared_ptr<Instance> self) {
  for (std::size_t index = 0; index < self->prepare_lines.size(); ++index) {
    const std::vector<std::string>& line = self->prepare_lines[index];
    Program command = self->program(line);
    CommandResult result = co_await run_command(std::move(command), scaled(kPrepareLimit));
    if (!result.exit.clean) {
      throw GatewayDidNotStart(Why::kPrepare, joined(line) + ": " + result.exit.text,
                               std::move(result.lines), result.exit.text);
    }
  }
}

void Gateway::Instance::execute() {
  const GatewayFile& file = *plan.file;
  bool extra = file.ready.how == Ready::How::kLine && file.ready.from == Source::kFd;
  for (const Record& record : file.records) extra = extra || record.from == Source::kFd;
  follow_records();
  Program command = program(start_line);
  command.extra_descriptor = extra;
  command.own_pid_namespace = file.own_pid_namespace && pid_namespace_problem().empty();
  try {
    process = Process::start(executor, command);
  } catch (const std::system_error& error) {
    throw GatewayDidNotStart(Why::kExecute, fmt::format("cannot execute {}", error.what()), {}, "");
  }
}

// make_mounted_folders makes those folders of the instance that are to stand in another's place and
// that no file of it has made.
void Gateway::Instance::make_mounted_folders() const {
  for (const Mount& mount : plan.file->mounts) {
    std::string path = mount.from;
    constexpr std::string_view kOwn = "${dir}";
    if (!path.starts_with(kOwn)) continue;
    path.replace(0, kOwn.size(), directory->path());
    if (!std::filesystem::exists(path)) std::filesystem::create_directories(path);
  }
}

void Gateway::Instance::follow_records() {
  for (const Record& record : plan.file->records) {
    if (record.file.empty()) continue;
    const std::string path = directory->path() + "/" + record.file;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    if (record.from == Source::kFile) record_file = std::make_unique<FollowedFile>(executor, path);
    if (record.from == Source::kSocket)
      record_socket = std::make_unique<RecordSocket>(executor, path);
  }
}

void Gateway::Instance::read_record_socket() {
  for (std::string lines = record_socket->take(); !lines.empty(); lines = record_socket->take())
    output.bytes(Source::kSocket, lines);
}

void Gateway::Instance::read_record_file() {
  for (std::string bytes = record_file->read_new(); !bytes.empty();
       bytes = record_file->read_new()) {
    output.bytes(Source::kFile, bytes);
  }
  if (record_problem.empty()) record_problem = record_file->problem();
}

asio::awaitable<void> Gateway::Instance::read_output(std::shared_ptr<Instance> self,
                                                     Process::Output from, Source source) {
  while (!self->closed) {
    const std::string bytes = co_await self->process->read(from);
    if (bytes.empty() || self->closed) break;
    self->output.bytes(source, bytes);
  }
  if (!self->closed) self->output.finish(source);
  if (--self->open_outputs == 0) self->outputs_ended.fire();
}

asio::awaitable<void> Gateway::Instance::follow(std::shared_ptr<Instance> self) {
  while (!self->closed) {
    const bool more = co_await self->record_file->changed();
    if (!more || self->closed) break;
    self->read_record_file();
  }
}

asio::awaitable<void> Gateway::Instance::receive(std::shared_ptr<Instance> self) {
  while (!self->closed) {
    const bool more = co_await self->record_socket->ready();
    if (!more || self->closed) break;
    self->read_record_socket();
  }
}

asio::awaitable<void> Gateway::Instance::watch_end(std::shared_ptr<Instance> self) {
  co_await self->process->ended();
  self->ready_or_ended.fire();
}

asio::awaitable<void> Gateway::Instance::await_ready(std::shared_ptr<Instance> self) {
  const asio::any_io_executor& on = self->executor;
  self->open_outputs = 3;
  asio::co_spawn(on, read_output(self, Process::Output::kStdout, Source::kStdout), asio::detached);
  asio::co_spawn(on, read_output(self, Process::Output::kStderr, Source::kStderr), asio::detached);
  asio::co_spawn(on, read_output(self, Process::Output::kExtra, Source::kFd), asio::detached);
  if (self->record_file) asio::co_spawn(on, follow(self), asio::detached);
  if (self->record_socket) asio::co_spawn(on, receive(self), asio::detached);
  asio::co_spawn(on, watch_end(self), asio::detached);

  Instance* const plain = self.get();
  const std::function<void()> on_ready = [plain] {
    plain->ready = true;
    plain->ready_or_ended.fire();
  };
  const Ready& sign = self->plan.file->ready;
  if (sign.how == Ready::How::kBanner) {
    self->probe = std::make_shared<BannerProbe>(on, self->address, self->port);
    asio::co_spawn(on, BannerProbe::run(self->probe, on_ready), asio::detached);
  } else {
    self->output.on_ready = on_ready;
  }

  const auto limit = scaled(sign.within);
  co_await self->ready_or_ended.wait_for(limit);
  if (self->probe) self->probe->stop();
  const std::string& name = self->plan.file->name;
  if (!self->process->running()) {
    const Exit exit = co_await self->process->ended();
    co_await drain(self);
    // One that ends behind its ready sign has been ready: that is a crash, no refusal to start.
    if (!self->ready)
      throw GatewayDidNotStart(Why::kEnded,
                               fmt::format("{} {} before it was ready", name, exit.text),
                               self->output.last_lines(), exit.text);
  } else if (!self->ready) {
    self->process->kill();
    const Exit exit = co_await self->process->ended();
    co_await drain(self);
    throw GatewayDidNotStart(
        Why::kNotReady,
        fmt::format("{} gave no ready sign within {}ms and was killed", name, milliseconds(limit)),
        self->output.last_lines(), exit.text);
  }
  if (!self->output.address().empty()) self->address = self->output.address();
  if (self->output.port() != 0) self->port = self->output.port();
}

// drain reads everything that was written before the end. Only a process that got away from its
// group can keep an output open now.
asio::awaitable<void> Gateway::Instance::drain(std::shared_ptr<Instance> self) {
  const bool all_read = co_await self->outputs_ended.wait_for(scaled(kDrainLimit));
  if (!all_read) {
    self->record_problem = "an output stayed open after the gateway had ended";
    self->process->stop_reading();
    co_await self->outputs_ended.wait();
  }
  if (self->record_file) {
    self->record_file->stop();
    self->read_record_file();
    self->output.finish(Source::kFile);
  }
  if (self->record_socket) {
    self->record_socket->stop();
    self->read_record_socket();
  }
  self->closed = true;
}

// leave ends what is seen of a gateway that was not started; it goes on by itself.
void Gateway::Instance::leave() {
  if (plan.remote == nullptr || stopped) return;
  stopped = Exit{true, "left as it is", 0};
  left.fire();
}

void Gateway::Instance::close() {
  closed = true;
  leave();
  if (probe) probe->stop();
  if (process) process->kill_and_reap();
  if (record_file) record_file->stop();
  if (record_socket) record_socket->stop();
  directory.reset();
}

Gateway::Gateway(std::shared_ptr<Instance> instance) : instance_(std::move(instance)) {}

Gateway::~Gateway() {
  instance_->close();
}

asio::awaitable<std::unique_ptr<Gateway>> Gateway::start(
    GatewayPlan plan, std::function<void(const RecordEvent&)> on_record) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  std::shared_ptr<Instance> instance;
  std::unique_ptr<Gateway> gateway;
  try {
    instance = std::make_shared<Instance>(executor, std::move(plan), std::move(on_record));
    gateway.reset(new Gateway(instance));
    instance->write_files();
  } catch (const std::system_error& error) {
    wrong_plan(error.what());
  } catch (const std::invalid_argument& error) {
    wrong_plan(error.what());
  }
  try {
    co_await Instance::prepare(instance);
    if (instance->plan.remote == nullptr) {
      instance->execute();
      co_await Instance::await_ready(instance);
    }
  } catch (GatewayDidNotStart& problem) {
    if (instance->plan.keep_directory) problem.directory = instance->directory_path;
    throw;
  }
  co_return gateway;
}

std::string Gateway::address() const {
  return instance_->address;
}
unsigned short Gateway::port() const {
  return instance_->port;
}
bool Gateway::alive() const {
  return instance_->process ? instance_->process->running() : !instance_->stopped;
}
void Gateway::configure(const Assignment& settings) {
  instance_->plan.settings = settings;
  const Template text = instance_->write_configuration();
  instance_->write_certificates(text, *instance_->directory);
}
void Gateway::signal(int number) {
  instance_->process->signal(number);
}
namespace {

// peak_of gives the VmHWM of a process, or of that one of its descendants that has the most.
std::uint64_t peak_of(int pid) {
  const std::string folder = fmt::format("/proc/{}", pid);
  std::uint64_t most = 0;
  std::ifstream status(folder + "/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kPeak = "VmHWM:";
    if (line.starts_with(kPeak))
      most = 1024 * std::strtoull(line.c_str() + kPeak.size(), nullptr, 10);
  }
  std::ifstream children(fmt::format("{}/task/{}/children", folder, pid));
  for (int child = 0; children >> child;) most = std::max(most, peak_of(child));
  return most;
}

}  // namespace

std::uint64_t Gateway::peak_memory() const {
  const int pid = instance_->process ? instance_->process->pid() : 0;
  return pid == 0 ? 0 : peak_of(pid);
}
const std::string& Gateway::record_problem() const {
  return instance_->record_problem;
}
std::string Gateway::directory() const {
  return instance_->directory_path;
}
std::string Gateway::configuration() const {
  return instance_->configuration;
}

const std::vector<std::string>& Gateway::last_output() const {
  return instance_->output.last_lines();
}

asio::awaitable<Exit> Gateway::ended() {
  const std::shared_ptr<Instance> instance = instance_;
  if (!instance->process) {
    co_await instance->left.wait();
    co_return *instance->stopped;
  }
  const Exit exit = co_await instance->process->ended();
  co_return exit;
}

asio::awaitable<Exit> Gateway::stop() {
  const std::shared_ptr<Instance> instance = instance_;
  instance->leave();
  if (instance->stopped) co_return *instance->stopped;
  const GatewayFile& file = *instance->plan.file;
  const int number = signal_number(file.stop_signal);
  const bool ran = instance->process->running();
  instance->process->signal(number);
  const auto limit = scaled(file.stop_within);
  const bool in_time = co_await instance->process->ended_within(limit);
  if (!in_time) instance->process->kill();
  Exit exit = co_await instance->process->ended();
  if (!in_time) {
    exit.clean = false;
    exit.text += fmt::format(" after it did not stop within {}ms on SIG{}", milliseconds(limit),
                             file.stop_signal);
  } else if (ran && exit.signal == number) {
    exit.clean = true;
  }
  co_await Instance::drain(instance);
  instance->stopped = exit;
  co_return exit;
}

asio::awaitable<QueueState> Gateway::queue() {
  const std::shared_ptr<Instance> instance = instance_;
  QueueState state;
  if (instance->queue_line.empty()) {
    state.why = "cannot tell: the gateway's file has no <queue>";
    co_return state;
  }
  Program command = instance->program(instance->queue_line);
  const CommandResult result = co_await run_command(std::move(command), scaled(kQueueLimit));
  if (!result.exit.clean) {
    state.why = fmt::format("cannot tell: {}: {}", joined(instance->queue_line), result.exit.text);
    if (!result.lines.empty()) state.why += ": " + result.lines.back();
    co_return state;
  }
  RecordPattern pattern;
  pattern.event = "queued";
  pattern.pattern = instance->plan.file->queue.front().pattern;
  const RecordReader reader({pattern});
  RecordEvent event;
  for (const std::string& line : result.lines) {
    if (reader.read(line, event)) state.recipients.push_back(event.fields["recipient"]);
  }
  state.known = true;
  co_return state;
}

}  // namespace postern
