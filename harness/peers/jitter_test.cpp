#include "peers/jitter.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "peers/talk.hpp"

namespace asio = boost::asio;

namespace postern {
namespace {

std::string joined(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  return text;
}

TEST(Jitter, CutsIntoAFewPiecesThatAreTheWhole) {
  Jitter jitter(1);
  std::size_t most = 0;
  for (int i = 0; i < 200; ++i) {
    const auto pieces = jitter.pieces("EHLO client.example\r\n");
    EXPECT_EQ(joined(pieces), "EHLO client.example\r\n");
    for (const std::string& piece : pieces) EXPECT_FALSE(piece.empty());
    most = std::max(most, pieces.size());
  }
  EXPECT_EQ(most, Jitter::kMostPieces);
  EXPECT_EQ(jitter.pieces("x"), std::vector<std::string>{"x"});
  EXPECT_TRUE(jitter.pieces("").empty());
}

TEST(Jitter, ItsDelaysAreShort) {
  Jitter jitter(1);
  std::chrono::microseconds longest{0};
  for (int i = 0; i < 1000; ++i) longest = std::max(longest, jitter.delay());
  EXPECT_GT(longest.count(), 0);
  EXPECT_LE(longest, Jitter::kLongestDelay);
}

TEST(Jitter, TheSeedAloneDecides) {
  Jitter one(7), same(7), other(8);
  const std::string text(200, 'x');
  const auto pieces = one.pieces(text);
  EXPECT_EQ(pieces, same.pieces(text));
  EXPECT_EQ(one.delay(), same.delay());
  EXPECT_NE(pieces, other.pieces(text));
}

TEST(Jitter, EveryCaseAndConnectionHasASeedOfItsOwn) {
  const std::uint64_t one = jitter_seed(1, "stories/a");
  EXPECT_EQ(one, jitter_seed(1, "stories/a"));
  EXPECT_NE(one, jitter_seed(1, "stories/b"));
  EXPECT_NE(one, jitter_seed(2, "stories/a"));
  EXPECT_NE(jitter_seed(one, Side::kClient, 1), jitter_seed(one, Side::kServer, 1));
  EXPECT_NE(jitter_seed(one, Side::kClient, 1), jitter_seed(one, Side::kClient, 2));
}

TEST(Jitter, OnlyWholeLinesArePlain) {
  EXPECT_TRUE(is_plain_line("NOOP\r\n"));
  for (const char* bytes : {"", "\r\n", "NOOP", "NOOP\n", "STARTTLS\r\nRSET\r\n", "a\rb\r\n"})
    EXPECT_FALSE(is_plain_line(bytes)) << bytes;
  EXPECT_FALSE(is_plain_line(std::string_view("a\0b\r\n", 5)));
}

/// A fake client that says one thing, and a socket that takes it: what was written in how many
/// writes is on the record.
class TalkWithJitter : public ::testing::Test {
 protected:
  using Say = std::function<asio::awaitable<Ending>(Talk&)>;

  /// writes gives what the client wrote, a string a write, over many seeds.
  std::vector<std::string> writes(const Say& say, std::optional<std::uint64_t> seed) {
    asio::io_context io;
    Observation observation;
    observation.token = "token";
    TokenOwners owners{{"token", &observation}};
    Patience patience(io.get_executor());
    Listener gateway(io.get_executor(), asio::ip::make_address("127.0.0.1"));
    Scene scene;
    scene.observation = &observation;
    scene.executor = io.get_executor();
    scene.owners = &owners;
    scene.patience = &patience;
    scene.gateway = {asio::ip::make_address("127.0.0.1"), gateway.port()};
    scene.client_address = asio::ip::make_address("127.0.0.1");
    scene.limit = std::chrono::seconds(10);
    scene.jitter = seed;
    std::string got;
    auto call = [&]() -> asio::awaitable<void> {
      Talk talk(scene);
      co_await talk.connect(scene.client_address);
      co_await say(talk);
      co_await talk.finish();
    };
    auto take = [&]() -> asio::awaitable<void> {
      auto socket = co_await gateway.accept();
      Talk talk(scene, std::move(*socket), Side::kServer);
      co_await talk.wire().await_end();
      patience.stop();
    };
    const auto rethrow = [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(io, call, rethrow);
    asio::co_spawn(io, take, rethrow);
    io.run();
    std::vector<std::string> texts;
    for (const Event& event : observation.events)
      if (event.side == Side::kClient && event.what == What::kData) texts.push_back(event.text);
    return texts;
  }

  /// cut tells whether any of many seeds cuts what is said.
  bool cut(const Say& say) {
    bool any = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) any = any || writes(say, seed).size() > 1;
    return any;
  }
};

TEST_F(TalkWithJitter, CutsALineAndDoesTheSameAgain) {
  const Say say = [](Talk& talk) { return talk.say("EHLO client.example\r\n"); };
  EXPECT_TRUE(cut(say));
  for (std::uint64_t seed = 0; seed < 5; ++seed) EXPECT_EQ(writes(say, seed), writes(say, seed));
  EXPECT_EQ(joined(writes(say, 3)), "EHLO client.example\r\n");
  EXPECT_EQ(writes(say, std::nullopt).size(), 1U);
}

TEST_F(TalkWithJitter, CutsAnyBytesThatMayBeCut) {
  EXPECT_TRUE(cut([](Talk& talk) { return talk.say_freely("a\r\nb\r\n.\r\n"); }));
}

TEST_F(TalkWithJitter, KeepsInOneWriteWhatHasToBe) {
  EXPECT_FALSE(cut([](Talk& talk) { return talk.say("STARTTLS\r\nRSET\r\n"); }));
  EXPECT_FALSE(cut([](Talk& talk) { return talk.say("STARTTLS\r\nRSET\r\n", {10}); }));
  EXPECT_FALSE(cut([](Talk& talk) { return talk.say_whole("454 4.7.0 Not now\r\n"); }));
}

}  // namespace
}  // namespace postern
