#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>

#include "catalogue/catalogue.hpp"
#include "catalogue/vocabulary.hpp"
#include "control/gateway.hpp"
#include "control/installed.hpp"

// The reference gateway is run as its file says, with the means that any gateway is run with.

namespace postern {
namespace {

namespace asio = boost::asio;

class ReferenceGatewayTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string program = std::string(CONTROL_PROGRAM_DIR) + "/postern-gateway";
    if (::access(program.c_str(), X_OK) != 0) GTEST_SKIP() << program << " is not built";
    Problems problems;
    authority_ = certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    ASSERT_TRUE(authority_) << problems.text();
    catalogue_ = load_catalogue(POSTERN_SOURCE_DIR "/scenarios", *authority_, problems);
    ASSERT_TRUE(catalogue_) << problems.text();
    plan_.file = &catalogue_->gateways.at("reference");
    plan_.authority = &*authority_;
    plan_.listen_address = "127.44.0.1";
    plan_.program_directory = CONTROL_PROGRAM_DIR;
    plan_.routes = {{"a.test", "mx.postern.test", "127.44.0.2", 2525}};
    plan_.settings = complete({{"server-level", "attempt"},
                               {"client-certificate", "none"},
                               {"client-level", "verify"},
                               {"clear-fallback-delay", "0"}});
  }

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
  static asio::awaitable<void> act(ReferenceGatewayTest* self, Scene scene) {
    std::function<void(const RecordEvent&)> on_record = [self](const RecordEvent& event) {
      self->events_.push_back(event);
    };
    GatewayPlan plan = self->plan_;
    const std::unique_ptr<Gateway> gateway =
        co_await Gateway::start(std::move(plan), std::move(on_record));
    co_await scene(*gateway);
  }

  std::optional<certs::Authority> authority_;
  std::unique_ptr<Catalogue> catalogue_;
  GatewayPlan plan_;
  std::vector<RecordEvent> events_;
};

TEST_F(ReferenceGatewayTest, starts_applies_its_settings_again_and_stops_with_an_empty_queue) {
  const auto scene = [](Gateway& gateway) -> asio::awaitable<void> {
    EXPECT_EQ(gateway.address(), "127.44.0.1");
    EXPECT_NE(gateway.port(), 0);
    struct stat key {};
    EXPECT_EQ(::stat((gateway.directory() + "/pki/gateway.key").c_str(), &key), 0);
    EXPECT_EQ(key.st_mode & 07777, 0600u);
    gateway.signal(SIGHUP);
    const Exit exit = co_await gateway.stop();
    EXPECT_TRUE(exit.clean) << exit.text;
    EXPECT_EQ(exit.text, "exited 0");
    EXPECT_EQ(gateway.record_problem(), "");
    const QueueState queue = co_await gateway.queue();
    EXPECT_TRUE(queue.known) << queue.why;
    EXPECT_THAT(queue.recipients, testing::IsEmpty());
  };
  play(scene);
}

TEST_F(ReferenceGatewayTest, an_invalid_setting_is_rejected_with_its_reason_on_record) {
  plan_.settings.set("server-level", "none");
  plan_.settings.set("client-certificate", "require");
  const auto scene = [](Gateway&) -> asio::awaitable<void> {
    ADD_FAILURE() << "it started";
    co_return;
  };
  try {
    play(scene);
  } catch (const GatewayDidNotStart& problem) {
    EXPECT_EQ(problem.why, GatewayDidNotStart::Why::kEnded);
    EXPECT_EQ(problem.exit, "exited 2");
  }
  ASSERT_EQ(events_.size(), 1u);
  EXPECT_EQ(events_.front().kind, "rejected");
  EXPECT_THAT(events_.front().fields.at("reason"), testing::HasSubstr("client-certificate"));
}

TEST_F(ReferenceGatewayTest, tells_its_version) {
  EXPECT_NE(gateway_version(*plan_.file, plan_.program_directory), "");
}

}  // namespace
}  // namespace postern
