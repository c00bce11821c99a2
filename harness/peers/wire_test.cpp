#include "peers/wire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>

#include "judge/sentinel.hpp"
#include "peers/scene.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;

namespace postern {
namespace {

const certs::Authority& authority() {
  static const certs::Authority kept = [] {
    Problems problems;
    auto loaded = certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    EXPECT_TRUE(loaded) << problems.text();
    return std::move(*loaded);
  }();
  return kept;
}

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

const Deviation* no_deviation(Point) {
  return nullptr;
}

/// A fake server on a wire (the side that is searched for the sentinel), and a bare socket that
/// plays the gateway.
class WireTest : public ::testing::Test {
 protected:
  using Play = std::function<asio::awaitable<void>(Wire&)>;
  using Gateway = std::function<asio::awaitable<void>(tcp::socket)>;

  void play(const Play& peer, const Gateway& gateway,
            std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    Patience patience(io.get_executor());
    Listener listener(io.get_executor(), asio::ip::make_address("127.0.0.1"));
    owners[observation.token] = &observation;
    auto serve = [&]() -> asio::awaitable<void> {
      auto socket = co_await listener.accept();
      Wire wire(std::move(*socket), observation, Side::kServer, std::chrono::steady_clock::now(),
                owners, patience, limit);
      co_await peer(wire);
      patience.stop();
    };
    auto call = [&]() -> asio::awaitable<void> {
      tcp::socket socket(io);
      const tcp::endpoint to(asio::ip::make_address("127.0.0.1"), listener.port());
      co_await socket.async_connect(to, asio::use_awaitable);
      co_await gateway(std::move(socket));
    };
    const auto rethrow = [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(io, serve, rethrow);
    asio::co_spawn(io, call, rethrow);
    io.run();
    ASSERT_EQ(observation.server.size(), 1U);
  }

  ConnectionFacts& facts() { return observation.server.front(); }

  asio::io_context io;
  Observation observation = [] {
    Observation made;
    made.token = make_token(3, 3);
    return made;
  }();
  TokenOwners owners;
  std::string got;
};

asio::awaitable<void> send(tcp::socket& socket, std::string bytes) {
  co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
}

TEST_F(WireTest, IsNotHeldForGoodByWhoeverDrips) {
  const auto began = std::chrono::steady_clock::now();
  play([&](Wire& wire) -> asio::awaitable<void> { co_await wire.await_end(); },
       [&](tcp::socket socket) -> asio::awaitable<void> {
         asio::steady_timer pause(io);
         boost::system::error_code error;
         while (!error) {
           pause.expires_after(std::chrono::milliseconds(10));
           co_await pause.async_wait(asio::use_awaitable);
           co_await asio::async_write(socket, asio::buffer("2", 1),
                                      asio::redirect_error(asio::use_awaitable, error));
         }
       },
       std::chrono::milliseconds(50));
  EXPECT_EQ(facts().ending, Ending::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(6));
}

TEST_F(WireTest, HasSaidItsFirstBytesWhenTheGatewayAccepts) {
  constexpr int kConnections = 50;
  const auto loopback = asio::ip::make_address("127.0.0.1");
  int kept_back = 0;  // Connections that nobody could have accepted before the first bytes.
  asio::io_context own;
  Patience patience(own.get_executor());
  Listener listener(own.get_executor(), loopback);
  auto call = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < kConnections; ++i) {
      Wire wire(tcp::socket(own), observation, Side::kClient, std::chrono::steady_clock::now(),
                owners, patience, std::chrono::seconds(10));
      const tcp::endpoint from(loopback, 0);
      const tcp::endpoint to(loopback, listener.port());
      EXPECT_EQ(co_await wire.connect(from, to, true), Ending::kOpen);
      kept_back += listener.pending() ? 0 : 1;
      co_await wire.write("EHLO early\r\n");
      auto accepted = co_await listener.accept();
      EXPECT_EQ(accepted->available(), 12U);
    }
    patience.stop();
  };
  asio::co_spawn(own, call, asio::detached);
  own.run();
  // Where this thread stands still for 200 ms, the kernel waits no longer for its bytes: tcp(7).
  EXPECT_GT(kept_back, kConnections / 2);
}

TEST_F(WireTest, TellsAFinFromAReset) {
  play([&](Wire& wire) -> asio::awaitable<void> { co_await wire.await_end(); },
       [](tcp::socket socket) -> asio::awaitable<void> {
         socket.close();
         co_return;
       });
  EXPECT_EQ(facts().ending, Ending::kClose);
  EXPECT_EQ(facts().ended_by, Actor::kGateway);
  EXPECT_FALSE(facts().left);
}

TEST_F(WireTest, TellsWhoLeftFirst) {
  play(
      [&](Wire& wire) -> asio::awaitable<void> {
        co_await wire.finish();
        co_await wire.await_end();
      },
      [](tcp::socket socket) -> asio::awaitable<void> {
        char byte = 0;
        const auto until_its_end = asio::as_tuple(asio::use_awaitable);
        co_await socket.async_receive(asio::buffer(&byte, 1), until_its_end);
        socket.close();
      });
  EXPECT_TRUE(facts().left);
  EXPECT_EQ(facts().ending, Ending::kClose);
  EXPECT_EQ(facts().ended_by, Actor::kGateway);
}

TEST_F(WireTest, TellsAResetFromAFin) {
  play([&](Wire& wire) -> asio::awaitable<void> { co_await wire.await_end(); },
       [](tcp::socket socket) -> asio::awaitable<void> {
         socket.set_option(asio::socket_base::linger(true, 0));
         socket.close();
         co_return;
       });
  EXPECT_EQ(facts().ending, Ending::kReset);
}

TEST_F(WireTest, EndsAWaitThatLastsTooLong) {
  std::shared_ptr<tcp::socket> kept;
  play([&](Wire& wire) -> asio::awaitable<void> { co_await wire.read(got); },
       [&](tcp::socket socket) -> asio::awaitable<void> {
         kept = std::make_shared<tcp::socket>(std::move(socket));
         co_return;
       },
       std::chrono::milliseconds(50));
  EXPECT_EQ(facts().ending, Ending::kTimeout);
  EXPECT_EQ(facts().ended_by, Actor::kNone);
}

TEST_F(WireTest, AConnectionThatThisMachineCannotMakeIsNobodysButOurs) {
  const auto loopback = asio::ip::make_address("127.0.0.1");
  const auto connect = [&](const tcp::endpoint& to) {
    asio::io_context own;
    Patience patience(own.get_executor());
    Observation seen;
    const auto call = [&]() -> asio::awaitable<void> {
      tcp::socket socket(own);
      Wire wire(std::move(socket), seen, Side::kClient, std::chrono::steady_clock::now(), owners,
                patience, std::chrono::seconds(10));
      const tcp::endpoint from(loopback, 0);
      co_await wire.connect(from, to);
      patience.stop();
    };
    asio::co_spawn(own, call, asio::detached);
    own.run();
    return seen;
  };
  // A broadcast address is refused by this kernel, before anything is sent.
  const Observation unsent = connect({asio::ip::make_address("255.255.255.255"), 25});
  EXPECT_NE(unsent.harness_error.find("cannot connect to 255.255.255.255: "), std::string::npos)
      << unsent.harness_error;
  EXPECT_EQ(unsent.client.front().ended_by, Actor::kNone);
  // Nobody listens on port 1.
  const Observation refused = connect({loopback, 1});
  EXPECT_EQ(refused.harness_error, "");
  EXPECT_EQ(refused.client.front().ended_by, Actor::kGateway);
}

TEST_F(WireTest, SeesTheSentinelAcrossTwoSegmentsAndNamesThePlace) {
  play([&](Wire& wire) -> asio::awaitable<void> { co_await wire.await_end(); },
       [&](tcp::socket socket) -> asio::awaitable<void> {
         co_await send(socket, "MAIL FROM:<" + observation.token.substr(0, 9));
         co_await send(socket, observation.token.substr(9) + "@x>\r\n");
       });
  ASSERT_EQ(observation.sightings.size(), 1U);
  EXPECT_EQ(observation.sightings[0].place, "clear-unavailable");
  EXPECT_EQ(observation.sightings[0].coding, "plain");
}

TEST_F(WireTest, SeesTheSentinelInClearTextAfterStarttls) {
  play(
      [&](Wire& wire) -> asio::awaitable<void> {
        wire.facts().starttls_offered = wire.facts().starttls_sent = true;
        wire.facts().starttls_reply = 220;
        TlsWish wish;
        wish.role = Role::kServer;
        wish.identity = authority().identity("server-good");
        TlsContexts contexts;
        SSL_CTX* context = contexts.context(wish);
        Wire::DeviationAt none = no_deviation;
        const bool done =
            co_await wire.handshake(context, Role::kServer, std::string(), std::move(none));
        EXPECT_FALSE(done);
        co_await wire.await_end();
      },
      [&](tcp::socket socket) -> asio::awaitable<void> {
        co_await send(socket, "MAIL FROM:<" + observation.token + "@x>\r\n");
      });
  EXPECT_EQ(facts().handshake, Handshake::kFailed);
  ASSERT_FALSE(observation.sightings.empty());
  EXPECT_EQ(observation.sightings[0].coding, "ciphertext");
}

TEST_F(WireTest, EarlyDataIsOnRecordOnceAndAsWhatItIs) {
  TlsContexts contexts;
  play(
      [&](Wire& wire) -> asio::awaitable<void> {
        TlsManner manner;
        manner.made_up = true;
        manner.early = "NOOP\r\n";
        wire.set_manner(manner);
        SSL_CTX* context = contexts.context(TlsWish());
        Wire::DeviationAt none = no_deviation;
        const bool done =
            co_await wire.handshake(context, Role::kClient, std::string(), std::move(none));
        EXPECT_FALSE(done);
      },
      [](tcp::socket socket) -> asio::awaitable<void> {
        // An empty ServerHello, to which an alert is another flight.
        co_await send(socket, std::string("\x16\x03\x03\0\x04\x02\0\0\0", 9));
        char first = 0;
        co_await socket.async_read_some(asio::buffer(&first, 1), kAsTuple);
      });
  std::vector<std::string> said;
  for (const Event& event : observation.events)
    if (event.from == Actor::kPeer && event.what != What::kAlert) said.push_back(event.text);
  EXPECT_EQ(said, (std::vector<std::string>{"early data, behind the ClientHello:", "NOOP\r\n"}));
  const auto data = std::find_if(observation.events.begin(), observation.events.end(),
                                 [](const Event& event) { return event.text == "NOOP\r\n"; });
  ASSERT_NE(data, observation.events.end());
  EXPECT_EQ(data->what, What::kData);
  EXPECT_EQ(data->phase, Phase::kHandshake);
}

/// A TLS client in place of the gateway, for what comes at the end of a TLS connection.
asio::awaitable<void> shake_hands(tcp::socket& socket, TlsEngine& engine) {
  std::array<char, 16384> buffer;
  for (;;) {
    const TlsEngine::Step step = engine.handshake();
    std::string out = engine.take_output();
    co_await send(socket, std::move(out));
    if (step == TlsEngine::Step::kDone) co_return;
    const std::size_t size =
        co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
    engine.feed(std::string_view(buffer.data(), size));
  }
}

class TlsWireTest : public WireTest {
 protected:
  void play_tls(std::function<asio::awaitable<void>(tcp::socket&, TlsEngine&)> end) {
    TlsContexts contexts;
    play(
        [&](Wire& wire) -> asio::awaitable<void> {
          TlsWish wish;
          wish.role = Role::kServer;
          wish.identity = authority().identity("server-good");
          SSL_CTX* context = contexts.context(wish);
          Wire::DeviationAt none = no_deviation;
          const bool done =
              co_await wire.handshake(context, Role::kServer, std::string(), std::move(none));
          EXPECT_TRUE(done);
          co_await wire.await_end();
        },
        [&](tcp::socket socket) -> asio::awaitable<void> {
          TlsWish wish;
          TlsEngine engine(contexts.context(wish), Role::kClient);
          co_await shake_hands(socket, engine);
          co_await end(socket, engine);
        });
  }
};

TEST_F(TlsWireTest, AFinWithoutCloseNotifyIsATruncation) {
  play_tls([](tcp::socket& socket, TlsEngine&) -> asio::awaitable<void> {
    socket.close();
    co_return;
  });
  EXPECT_EQ(facts().ending, Ending::kTruncated);
  EXPECT_EQ(facts().tls_version, "1.3");
}

TEST_F(TlsWireTest, ACloseNotifyIsAnOrderlyEnd) {
  play_tls([](tcp::socket& socket, TlsEngine& engine) -> asio::awaitable<void> {
    engine.close_notify();
    std::string out = engine.take_output();
    co_await send(socket, std::move(out));
    socket.shutdown(tcp::socket::shutdown_send);
  });
  EXPECT_EQ(facts().ending, Ending::kCloseNotify);
  EXPECT_EQ(facts().bytes_behind_close_notify, 0U);
}

TEST_F(TlsWireTest, BytesBehindCloseNotifyAreSeen) {
  play_tls([this](tcp::socket& socket, TlsEngine& engine) -> asio::awaitable<void> {
    engine.close_notify();
    std::string out = engine.take_output() + observation.token;
    co_await send(socket, std::move(out));
    socket.shutdown(tcp::socket::shutdown_send);
  });
  EXPECT_EQ(facts().bytes_behind_close_notify, kTokenSize);
  ASSERT_FALSE(observation.sightings.empty());
}

TEST_F(TlsWireTest, ARecordBehindCloseNotifyIsNoClearText) {
  play_tls([](tcp::socket& socket, TlsEngine& engine) -> asio::awaitable<void> {
    engine.close_notify();
    // A further record: its content nobody reads, and what it holds is no byte in the clear.
    std::string out =
        engine.take_output() + std::string("\x17\x03\x03\x00\x13", 5) + std::string(19, 'x');
    co_await send(socket, std::move(out));
    socket.shutdown(tcp::socket::shutdown_send);
  });
  EXPECT_TRUE(facts().record_behind_close_notify);
  EXPECT_EQ(facts().bytes_behind_close_notify, 0U);
  EXPECT_EQ(facts().ending, Ending::kCloseNotify);
}

/// A handshake that goes wrong at one point of the fake server's side, and what the gateway got of
/// it.
class FaultyHandshakeTest : public WireTest {
 protected:
  std::string play_fault(Deviation fault, bool alerts = false) {
    std::string flight;
    TlsContexts contexts;
    play(
        [&](Wire& wire) -> asio::awaitable<void> {
          TlsWish wish;
          wish.role = Role::kServer;
          wish.identity = authority().identity("server-good");
          SSL_CTX* context = contexts.context(wish);
          Wire::DeviationAt at = [&fault](Point point) {
            return point == fault.at ? &fault : nullptr;
          };
          const bool done =
              co_await wire.handshake(context, Role::kServer, std::string(), std::move(at));
          EXPECT_FALSE(done);
          co_await wire.await_end();
          late_alert = wire.alert();
        },
        [&](tcp::socket socket) -> asio::awaitable<void> {
          TlsWish wish;
          TlsEngine engine(contexts.context(wish), Role::kClient);
          engine.handshake();
          std::string hello = engine.take_output();
          co_await send(socket, std::move(hello));
          std::string alert = record_of(TlsRecord::kAlert, "\x02\x32");
          if (alerts) co_await send(socket, std::move(alert));
          if (alerts) socket.shutdown(tcp::socket::shutdown_send);
          std::array<char, 16384> buffer;
          for (;;) {
            const auto [error, size] =
                co_await socket.async_read_some(asio::buffer(buffer), kAsTuple);
            if (error) break;
            flight.append(buffer.data(), size);
          }
        },
        std::chrono::milliseconds(500));
    return flight;
  }

  int late_alert = -1;
};

TEST_F(FaultyHandshakeTest, TruncatesTheFlightThatIsDue) {
  Deviation fault;
  fault.at = Point::kClientHello;
  fault.act = Act::kTruncate;
  const std::string half = play_fault(fault);
  TlsRecords records;
  records.feed(half);
  ASSERT_TRUE(records.next());  // The ServerHello is whole; what follows it is cut.
  while (records.next()) {
  }
  EXPECT_FALSE(records.rest().empty());
}

TEST_F(FaultyHandshakeTest, SendsAnAlertInPlaceOfTheFlight) {
  Deviation fault;
  fault.at = Point::kClientHello;
  fault.act = Act::kAlert;
  fault.alert = 40;
  EXPECT_EQ(play_fault(fault, true), record_of(TlsRecord::kAlert, "\x02\x28"));
}

TEST_F(FaultyHandshakeTest, StallsWithoutAWordAndSeesTheAlertThatComes) {
  Deviation fault;
  fault.at = Point::kClientHello;
  fault.act = Act::kStall;
  EXPECT_EQ(play_fault(fault, true), "");
  EXPECT_EQ(late_alert, 50);
  EXPECT_EQ(facts().ended_by, Actor::kGateway);
}

/// A fake server whose TLS goes in a manner of its own.
class MannerTest : public WireTest {
 protected:
  /// play_manner gives the sizes of the records that the gateway received in the handshake and of
  /// `said`.
  std::vector<std::size_t> play_manner(TlsManner manner, TlsVersion version,
                                       std::function<asio::awaitable<void>(Wire&)> then) {
    std::vector<std::size_t> sizes;
    TlsContexts contexts;
    play(
        [&](Wire& wire) -> asio::awaitable<void> {
          TlsWish wish;
          wish.role = Role::kServer;
          wish.versions = {version};
          wish.identity = authority().identity("server-good");
          SSL_CTX* context = contexts.context(wish);
          Wire::DeviationAt none = no_deviation;
          wire.set_manner(manner);
          const bool done =
              co_await wire.handshake(context, Role::kServer, std::string(), std::move(none));
          EXPECT_TRUE(done);
          co_await then(wire);
          co_await wire.await_end();
        },
        [&](tcp::socket socket) -> asio::awaitable<void> {
          TlsWish wish;
          wish.versions = {version};
          TlsEngine engine(contexts.context(wish), Role::kClient);
          TlsRecords records;
          std::array<char, 16384> buffer;
          TlsEngine::Step step = engine.handshake();
          for (;;) {
            std::string out = engine.take_output();
            co_await send(socket, std::move(out));
            const auto [error, size] =
                co_await socket.async_read_some(asio::buffer(buffer), kAsTuple);
            if (error) break;
            engine.feed(std::string_view(buffer.data(), size));
            records.feed(std::string_view(buffer.data(), size));
            while (const auto record = records.next()) sizes.push_back(record->payload.size());
            if (step == TlsEngine::Step::kWantRead) step = engine.handshake();
            if (step != TlsEngine::Step::kDone) continue;
            const TlsEngine::Step now = engine.read(received);
            if (now == TlsEngine::Step::kCloseNotify || now == TlsEngine::Step::kFailed) break;
          }
          ending = engine.error();
          beneath = engine.take_unread();
        });
    return sizes;
  }

  std::string received, ending, beneath;
};

TEST_F(MannerTest, RecordsAreAsShortAsTheyAreToBe) {
  for (TlsVersion version : {TlsVersion::k12, TlsVersion::k13}) {
    observation.server.clear();
    received.clear();
    io.restart();
    TlsManner manner;
    manner.record_size = 1;
    manner.splits = {1, 7};
    const auto sizes = play_manner(manner, version, [](Wire& wire) -> asio::awaitable<void> {
      co_await wire.write("220");
      co_await wire.finish();
    });
    EXPECT_EQ(received, "220");
    EXPECT_GE(std::count(sizes.begin(), sizes.end(), 1U), 90) << "of the ServerHello";
  }
}

TEST_F(MannerTest, WritesBeneathTls) {
  play_manner(TlsManner(), TlsVersion::k13, [](Wire& wire) -> asio::awaitable<void> {
    co_await wire.write_beneath("250 no record\r\n");
  });
  EXPECT_EQ(received, "");
  EXPECT_NE(ending, "");
}

TEST_F(MannerTest, SaysTheEndOfTlsWithoutThatOfTheConnection) {
  play_manner(TlsManner(), TlsVersion::k13, [](Wire& wire) -> asio::awaitable<void> {
    co_await wire.notify_close();
    co_await wire.write_beneath("250 behind it\r\n");
  });
  EXPECT_EQ(ending, "");
}

}  // namespace
}  // namespace postern
