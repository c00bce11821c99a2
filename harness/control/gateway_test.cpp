#include "control/gateway.hpp"
#include "control/installed.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "control/banner.hpp"
#include "control/exit.hpp"
#include "control/time_scale.hpp"

namespace postern {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

RecordPattern pattern(const std::string& event, const std::string& expression) {
  RecordPattern made;
  made.event = event;
  made.pattern = expression;
  return made;
}

// GatewayTest runs little shell programs as gateways under test.
class GatewayTest : public testing::Test {
 protected:
  GatewayTest() {
    file_.name = "fake";
    file_.ready.pattern = "^READY( (?P<address>[0-9.]+):(?P<port>\\d+))?";
    Record record;
    record.patterns = {pattern("accepted", "^accepted (?P<id>\\w+) (?P<recipient>\\S+)"),
                       pattern("delivered", "^delivered (?P<id>\\w+)"),
                       pattern("session-end", "^end (?P<client>\\S+)")};
    file_.records.push_back(record);
    plan_.file = &file_;
  }

  void runs(const std::string& script) { file_.start.arguments = {"sh", "-c", script}; }

  // play starts the gateway and calls `scene` with it. A failure to start is kept.
  template <typename Scene>
  void play(Scene scene) {
    asio::io_context context(1);
    std::exception_ptr failure;
    asio::co_spawn(context, act(this, std::move(scene)),
                   [&failure](std::exception_ptr error) { failure = error; });
    context.run();
    if (failure) std::rethrow_exception(failure);
  }

  template <typename Scene>
  static asio::awaitable<void> act(GatewayTest* self, Scene scene) {
    std::function<void(const RecordEvent&)> on_record = [self](const RecordEvent& event) {
      const auto found = event.fields.find("recipient");
      self->seen_.push_back(event.kind + (found == event.fields.end() ? "" : " " + found->second));
    };
    GatewayPlan plan = self->plan_;
    std::unique_ptr<Gateway> gateway;
    try {
      gateway = co_await Gateway::start(std::move(plan), std::move(on_record));
    } catch (const GatewayDidNotStart& error) {
      self->failure_ = std::make_unique<GatewayDidNotStart>(error);
      co_return;
    }
    co_await scene(*gateway);
  }

  // start_and_stop is the plainest life of a gateway.
  Exit start_and_stop() {
    Exit exit;
    play([&exit](Gateway& gateway) -> asio::awaitable<void> { return stop_into(gateway, exit); });
    return exit;
  }

  static asio::awaitable<void> stop_into(Gateway& gateway, Exit& exit) {
    exit = co_await gateway.stop();
  }

  GatewayFile file_;
  GatewayPlan plan_;
  std::vector<std::string> seen_;
  std::unique_ptr<GatewayDidNotStart> failure_;
};

// The trap stands before the ready sign, so that no signal comes too early.
constexpr const char* kTrap = "trap 'echo delivered q1; exit 0' TERM; ";

TEST_F(GatewayTest, starts_is_ready_and_stops) {
  runs(std::string(kTrap) + "echo READY 127.0.0.9:4711; read x");
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    EXPECT_EQ(gateway.address(), "127.0.0.9");
    EXPECT_EQ(gateway.port(), 4711);
    EXPECT_TRUE(gateway.alive());
    EXPECT_TRUE(fs::exists(gateway.directory()));
    const Exit exit = co_await gateway.stop();
    EXPECT_EQ(exit.text, "exited 0");
    EXPECT_TRUE(exit.clean);
    EXPECT_FALSE(gateway.alive());
    EXPECT_EQ(gateway.record_problem(), "");
    const Exit again = co_await gateway.stop();
    EXPECT_EQ(again.text, "exited 0");
  };
  play(scene);
  ASSERT_EQ(failure_, nullptr);
}

TEST_F(GatewayTest, what_it_says_while_stopping_is_on_record_before_stop_returns) {
  runs(std::string(kTrap) + "echo accepted q1 r@a.test; echo READY; read x");
  EXPECT_EQ(start_and_stop().text, "exited 0");
  EXPECT_THAT(seen_, testing::ElementsAre("accepted r@a.test", "delivered r@a.test"));
}

TEST_F(GatewayTest, ending_before_ready_is_found_at_once_with_its_last_words) {
  file_.ready.within = std::chrono::minutes(10);
  runs("echo settings make no sense >&2; exit 2");
  start_and_stop();
  ASSERT_NE(failure_, nullptr);
  EXPECT_EQ(failure_->why, GatewayDidNotStart::Why::kEnded);
  EXPECT_EQ(failure_->exit, "exited 2");
  EXPECT_STREQ(failure_->what(), "fake exited 2 before it was ready");
  EXPECT_THAT(failure_->last_output, testing::ElementsAre("settings make no sense"));
}

TEST_F(GatewayTest, ending_behind_the_ready_sign_is_no_refusal_to_start) {
  runs("echo READY 127.0.0.9:4711; exit 7");
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    co_await gateway.ended();
    const Exit exit = co_await gateway.stop();
    EXPECT_EQ(exit.text, "exited 7");
    EXPECT_FALSE(exit.clean);
  };
  play(scene);
  EXPECT_EQ(failure_, nullptr);
}

TEST_F(GatewayTest, no_ready_sign_in_time) {
  file_.ready.within = std::chrono::milliseconds(50);
  runs("echo starting; read x");
  start_and_stop();
  ASSERT_NE(failure_, nullptr);
  EXPECT_EQ(failure_->why, GatewayDidNotStart::Why::kNotReady);
  EXPECT_EQ(failure_->exit, "killed by signal 9 (KILL)");
  EXPECT_THAT(failure_->last_output, testing::ElementsAre("starting"));
}

TEST_F(GatewayTest, a_program_that_cannot_be_executed) {
  file_.start.arguments = {"/no/such/gateway"};
  start_and_stop();
  ASSERT_NE(failure_, nullptr);
  EXPECT_EQ(failure_->why, GatewayDidNotStart::Why::kExecute);
}

TEST_F(GatewayTest, a_preparation_that_fails) {
  file_.prepare.push_back({{"sh", "-c", "echo no spool; exit 5"}, {}});
  runs("echo READY; read x");
  start_and_stop();
  ASSERT_NE(failure_, nullptr);
  EXPECT_EQ(failure_->why, GatewayDidNotStart::Why::kPrepare);
  EXPECT_EQ(failure_->exit, "exited 5");
  EXPECT_THAT(failure_->last_output, testing::ElementsAre("no spool"));
}

TEST_F(GatewayTest, files_commands_and_queue_are_expanded) {
  FileTemplate config;
  config.name = "etc/gw.conf";
  config.text = "listen ${listen.address}\nroute ${route.domain} ${route.port}\n";
  file_.files.push_back(config);
  file_.prepare.push_back({{"sh", "-c", "cp etc/gw.conf \"$0\"", "${dir}/copy"}, {}});
  file_.start.arguments = {"sh", "-c", std::string(kTrap) + "cat \"$0\"; echo READY; read x",
                           "${dir}/copy"};
  QueueListing queue;
  queue.command.arguments = {"sh", "-c",
                             "echo 'queued one@a.test'; echo noise; echo 'queued two@b.test'"};
  queue.pattern = "^queued (?P<recipient>\\S+)$";
  file_.queue.push_back(queue);
  plan_.listen_address = "127.0.0.7";
  plan_.routes = {{"a.test", "mx.a.test", "127.0.0.2", 2501},
                  {"b.test", "mx.b.test", "127.0.0.3", 2502}};
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    EXPECT_THAT(gateway.last_output(), testing::ElementsAre("listen 127.0.0.7", "route a.test 2501",
                                                            "route b.test 2502", "READY"));
    EXPECT_THAT(gateway.configuration(),
                testing::StartsWith("--- etc/gw.conf\nlisten 127.0.0.7\nroute a.test 2501\n"));
    co_await gateway.stop();
    const QueueState queue_state = co_await gateway.queue();
    EXPECT_TRUE(queue_state.known);
    EXPECT_THAT(queue_state.recipients, testing::ElementsAre("one@a.test", "two@b.test"));
  };
  play(scene);
  ASSERT_EQ(failure_, nullptr) << failure_->what();
}

TEST_F(GatewayTest, a_queue_that_cannot_be_listed_is_not_an_empty_one) {
  QueueListing queue;
  queue.command.arguments = {"sh", "-c", "echo database is gone; exit 1"};
  queue.pattern = "(?P<recipient>.+)";
  file_.queue.push_back(queue);
  runs("echo READY; read x");
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    co_await gateway.stop();
    const QueueState state = co_await gateway.queue();
    EXPECT_FALSE(state.known);
    EXPECT_THAT(state.why, testing::AllOf(testing::StartsWith("cannot tell"),
                                          testing::HasSubstr("database is gone")));
  };
  play(scene);
}

TEST_F(GatewayTest, a_wrong_plan_names_the_place) {
  FileTemplate config;
  config.name = "gw.conf";
  config.text = "${nonsense}";
  config.place = {"fake.xml", 3, 5};
  file_.files.push_back(config);
  runs("echo READY");
  start_and_stop();
  ASSERT_NE(failure_, nullptr);
  EXPECT_EQ(failure_->why, GatewayDidNotStart::Why::kPlan);
  EXPECT_THAT(failure_->what(),
              testing::StartsWith("fake.xml:3:5: ${nonsense} stands for nothing"));
}

TEST_F(GatewayTest, a_gateway_that_does_not_stop_is_killed_and_that_is_said) {
  file_.stop_within = std::chrono::milliseconds(50);
  runs("trap '' TERM; echo READY; read x");
  const Exit exit = start_and_stop();
  EXPECT_FALSE(exit.clean);
  const auto waited =
      std::chrono::duration_cast<std::chrono::milliseconds>(scaled(file_.stop_within));
  EXPECT_EQ(exit.text, "killed by signal 9 (KILL) after it did not stop within " +
                           std::to_string(waited.count()) + "ms on SIGTERM");
}

TEST_F(GatewayTest, ending_by_its_stop_signal_is_clean) {
  runs("echo READY; read x");
  const Exit exit = start_and_stop();
  EXPECT_TRUE(exit.clean);
  EXPECT_EQ(exit.text, "killed by signal 15 (TERM)");
}

TEST_F(GatewayTest, a_crash_is_seen_and_named) {
  runs("trap 'echo end 127.0.0.5; kill -SEGV $$' HUP; echo READY; read x; read x");
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    gateway.signal(SIGHUP);
    const Exit end = co_await gateway.ended();
    EXPECT_EQ(end.text, "killed by signal 11 (SEGV)");
    EXPECT_FALSE(gateway.alive());
    const Exit stopped = co_await gateway.stop();
    EXPECT_FALSE(stopped.clean);
    EXPECT_EQ(stopped.text, "killed by signal 11 (SEGV)");
  };
  play(scene);
  EXPECT_THAT(seen_, testing::ElementsAre("session-end"));
}

TEST_F(GatewayTest, a_record_in_a_file_is_followed_and_read_to_its_end) {
  file_.records.front().from = Source::kFile;
  file_.records.front().file = "log/mail.log";
  runs(
      "trap 'printf \"delivered q1\" >> log/mail.log; exit 0' TERM;"
      "echo accepted q1 r@a.test >> log/mail.log; echo READY; read x");
  EXPECT_TRUE(start_and_stop().clean);
  EXPECT_THAT(seen_, testing::ElementsAre("accepted r@a.test", "delivered r@a.test"));
}

TEST_F(GatewayTest, a_record_on_a_socket_is_received_to_its_end) {
  file_.records.front().from = Source::kSocket;
  file_.records.front().file = "dev/log";
  const std::string send = std::string(CONTROL_TEST_PROGRAM) + " send dev/log ";
  runs("trap '" + send + "\"delivered q1\"; exit 0' TERM;" + send +
       "\"accepted q1 r@a.test\"; echo READY; read x");
  EXPECT_TRUE(start_and_stop().clean);
  EXPECT_THAT(seen_, testing::ElementsAre("accepted r@a.test", "delivered r@a.test"));
}

TEST_F(GatewayTest, a_record_that_was_truncated_cannot_be_trusted) {
  file_.records.front().from = Source::kFile;
  file_.records.front().file = "mail.log";
  file_.ready.from = Source::kFile;
  runs("trap ': > mail.log; exit 0' TERM; echo READY > mail.log; read x");
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    co_await gateway.stop();
    EXPECT_THAT(gateway.record_problem(), testing::HasSubstr("was truncated from 6 to 0 bytes"));
  };
  play(scene);
  ASSERT_EQ(failure_, nullptr) << failure_->what();
}

TEST_F(GatewayTest, events_of_the_probes_address_are_left_out) {
  runs(std::string("echo end ") + kProbeAddress + "; echo end 127.0.0.8; echo READY; read x");
  start_and_stop();
  EXPECT_THAT(seen_, testing::ElementsAre("session-end"));
}

TEST_F(GatewayTest, is_ready_when_its_port_answers_and_the_probe_is_not_on_record) {
  file_.ready.how = Ready::How::kBanner;
  file_.start.arguments = {CONTROL_TEST_PROGRAM, "smtp", "${listen.address}", "${listen.port}"};
  plan_.listen_address = "127.0.0.7";
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    EXPECT_EQ(gateway.address(), "127.0.0.7");
    EXPECT_NE(gateway.port(), 0);
    co_await gateway.stop();
    // From its own address it would now and then be its own peer, at the very port.
    EXPECT_THAT(gateway.last_output(), testing::Contains(std::string("end ") + kProbeAddress));
  };
  play(scene);
  ASSERT_EQ(failure_, nullptr) << failure_->what();
  EXPECT_THAT(seen_, testing::IsEmpty());
}

TEST_F(GatewayTest, ending_before_its_port_answers_is_found_at_once) {
  file_.ready.how = Ready::How::kBanner;
  file_.ready.within = std::chrono::minutes(10);
  runs("exit 6");
  start_and_stop();
  ASSERT_NE(failure_, nullptr);
  EXPECT_EQ(failure_->why, GatewayDidNotStart::Why::kEnded);
  EXPECT_EQ(failure_->exit, "exited 6");
}

TEST_F(GatewayTest, its_directory_is_removed_unless_kept) {
  runs("echo READY; read x");
  std::string path;
  const auto scene = [&path](Gateway& gateway) -> asio::awaitable<void> {
    path = gateway.directory();
    co_return;
  };
  play(scene);
  EXPECT_FALSE(path.empty());
  EXPECT_FALSE(fs::exists(path));
  plan_.keep_directory = true;
  play(scene);
  EXPECT_TRUE(fs::exists(path));
  fs::remove_all(path);
}

TEST_F(GatewayTest, destroying_it_unstopped_leaves_no_process) {
  runs("echo $$; trap '' TERM HUP; echo READY; while :; do read x; done");
  int pid = 0;
  const auto scene = [&pid](Gateway& gateway) -> asio::awaitable<void> {
    pid = std::stoi(gateway.last_output().front());
    co_return;
  };
  play(scene);
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(GatewayTest, version_is_the_first_line_of_its_command) {
  EXPECT_EQ(gateway_version(file_, "/bin"), "");
  file_.version.arguments = {"sh", "-c", "echo fake 1.2; echo more"};
  EXPECT_EQ(gateway_version(file_, "/bin"), "fake 1.2");
  file_.version.arguments = {"sh", "-c", "echo fake; exit 1"};
  EXPECT_EQ(gateway_version(file_, "/bin"), "");
}

TEST_F(GatewayTest, missing_programs_are_named) {
  file_.requires_programs = {"sh", "/usr/bin/env", "no-such-program"};
  EXPECT_THAT(missing_programs(file_, "/nowhere"), testing::ElementsAre("no-such-program"));
}

}  // namespace
}  // namespace postern
