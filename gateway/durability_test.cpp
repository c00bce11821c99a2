// Durability, shown: what was acknowledged survives kill -9, and the sync comes before the 250.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

// Load is clients that send numbered messages until the gateway goes away.
class Load {
 public:
  Load(int port, int round, int clients) {
    for (int i = 0; i < clients; ++i) {
      threads_.emplace_back([this, port, round, i] { run(port, round, i); });
    }
  }
  ~Load() {
    for (auto& thread : threads_) thread.join();
  }

  // wait_for returns once so many messages were acknowledged.
  void wait_for(std::size_t count) {
    std::unique_lock<std::mutex> guard(mutex_);
    more_.wait(guard, [&] { return acknowledged_.size() >= count || gone_; });
  }

  // acknowledged is complete once the threads have ended.
  std::set<std::string> acknowledged() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    return acknowledged_;
  }

 private:
  void run(int port, int round, int client) {
    Wire wire = Wire::connect(port);
    wire.reply();
    wire.ask("EHLO c.test");
    for (int i = 0;; ++i) {
      const std::string id = "id-" + std::to_string(round) + "-" + std::to_string(client) + "-" +
                             std::to_string(i) + "-";
      wire.ask("MAIL FROM:<a@a.test>");
      wire.ask("RCPT TO:<x@b.test>");
      wire.ask("DATA");
      const bool accepted = wire.ask("Subject: " + id + "\r\n\r\nx\r\n.").substr(0, 3) == "250";
      const std::lock_guard<std::mutex> guard(mutex_);
      if (accepted) acknowledged_.insert(id);
      gone_ = gone_ || !accepted;
      more_.notify_all();
      if (!accepted) return;
    }
  }

  std::mutex mutex_;
  std::condition_variable more_;
  bool gone_ = false;
  std::set<std::string> acknowledged_;
  std::vector<std::thread> threads_;
};

TEST_F(ProcessTest, KillAtRandomPointsLosesNothingAcknowledged) {
  const unsigned seed = std::random_device()();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random(seed);
  NextHop hop(bench_, NextHop::Kind::plain);
  const std::string file = configure("", route(hop));
  std::set<std::string> acknowledged;
  for (int round = 0; round < 6; ++round) {
    Program program(file);
    Load load(program.port(), round, 4);
    load.wait_for(1 + random() % 60);
    program.signal(SIGKILL);
    acknowledged.merge(load.acknowledged());
    program.kill_hard();
  }
  const Result queue = run_to_end({"--queue", file});
  const auto held = static_cast<std::size_t>(std::count(queue.out.begin(), queue.out.end(), '\n'));
  Program program(file);
  program.wait_for_count({"\"event\":\"relayed\""}, held);
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(run_to_end({"--queue", file}).out, "");
  std::string all;
  for (const auto& message : hop.messages()) all += message;
  EXPECT_GE(acknowledged.size(), 6U);
  for (const auto& id : acknowledged) {
    EXPECT_NE(all.find(id), std::string::npos) << id << " is lost, seed " << seed;
  }
}

// sync_before_each_250 looks through a trace of one client's messages, one after the other.
void check_trace(const std::string& file, std::size_t messages) {
  std::ifstream in(file);
  bool in_data = false;
  bool synced = false;
  std::size_t acknowledged = 0;
  for (std::string line; std::getline(in, line);) {
    const bool good = line.size() > 3 && line.compare(line.size() - 3, 3, "= 0") == 0;
    if (good && line.find("sync") != std::string::npos) synced = true;
    if (line.find("\"354 End") != std::string::npos) {
      in_data = true;
      synced = false;
    }
    if (line.find("\"250 2.0.0 Ok: queued") != std::string::npos) {
      EXPECT_TRUE(in_data && synced) << "a 250 without a sync before it: " << line;
      in_data = false;
      ++acknowledged;
    }
  }
  EXPECT_EQ(acknowledged, messages) << "the trace is not what this test reads";
}

TEST_F(ProcessTest, TheSyncComesBeforeEach250) {
  if (std::system("strace -f -e trace=none true >/dev/null 2>&1") != 0) {
    const char* ci = std::getenv("CI");
    if (ci && std::string(ci) == "true") FAIL() << "strace does not work here";
    GTEST_SKIP() << "strace does not work here";
  }
  // Nothing is delivered, so that no other sync can stand where that of the message is missing.
  const std::string file = configure("", R"(<route domain="*" address="127.0.0.1" port="1"/>
    <limits deliveries="1" deliveries-per-next-hop="1"/>)");
  const std::string trace = bench_.path("trace");
  constexpr std::size_t kMessages = 5;
  {
    // The leak checker of a sanitizer build cannot work under a tracer.
    // -D keeps the program our direct child; its stdout ends only once the tracer is done, too.
    Program program(
        file, {find_program("strace"), "-E", "ASAN_OPTIONS=detect_leaks=0", "-D", "-f", "-o", trace,
               "-s", "40", "-e", "trace=fsync,fdatasync,write,sendto,sendmsg"});
    for (std::size_t i = 0; i < kMessages; ++i) {
      EXPECT_EQ(send(program.port(), "x@b.test").substr(0, 3), "250");
      program.wait_for_count({"\"event\":\"deferred\""}, i + 1);
    }
    EXPECT_EQ(program.terminate(), 0);
  }
  check_trace(trace, kMessages);
}

}  // namespace
}  // namespace gateway::test
