// The TLS level of selected next hops: a route's own stands instead of the one of <tls>.
#include <algorithm>
#include <csignal>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

// leveled is a route with a level of its own.
std::string leveled(const NextHop& hop, const std::string& level,
                    const std::string& domain = "b.test") {
  return "<route domain=\"" + domain + "\" host=\"mx.b.test\" address=\"127.0.0.1\" port=\"" +
         std::to_string(hop.port()) + "\" client-level=\"" + level + "\"/>";
}

bool said_mail(const NextHop& hop) {
  const auto heard = hop.heard();
  return std::any_of(heard.begin(), heard.end(), [](const std::string& line) {
    return line.find("MAIL FROM") != std::string::npos;
  });
}

class RouteLevel : public ProcessTest {};

TEST_F(RouteLevel, VerifyForOneNextHopUnderNoneForTheOthers) {
  NextHop strict(bench_, NextHop::Kind::tls);
  NextHop lax(bench_, NextHop::Kind::tls);
  Program program(
      configure("client-level=\"none\"", leveled(strict, "verify") + route(lax, "c.test")));
  send(program.port(), "x@b.test");
  send(program.port(), "x@c.test");
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"x@b.test\"", "\"tls\":\"TLSv1.3\"",
                    "\"certificate\":\"verified\"", "\"level\":\"verify\""});
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"x@c.test\"",
                    "\"cause\":\"level-none\"", "\"level\":\"none\""});
}

TEST_F(RouteLevel, NoneForOneNextHopUnderVerifyForTheOthers) {
  NextHop strict(bench_, NextHop::Kind::plain);
  NextHop lax(bench_, NextHop::Kind::tls);
  Program program(
      configure("client-level=\"verify\"", leveled(lax, "none") + route(strict, "c.test")));
  send(program.port(), "x@b.test");
  send(program.port(), "x@c.test");
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"x@b.test\"",
                    "\"cause\":\"level-none\"", "\"level\":\"none\""});
  program.wait_for({"\"event\":\"deferred\"", "\"recipient\":\"x@c.test\"",
                    "\"enhanced\":\"4.7.4\"", "\"level\":\"verify\""});
  EXPECT_FALSE(said_mail(strict));
}

TEST_F(RouteLevel, RequireNeverFallsBackWhereTheOthersMay) {
  NextHop strict(bench_, NextHop::Kind::breaks_handshake);
  NextHop lax(bench_, NextHop::Kind::breaks_handshake);
  Program program(configure(
      "client-level=\"attempt\" clear-fallback-delay=\"0\"",
      leveled(strict, "require") + route(lax, "c.test") + "<retry schedule=\"20ms 1h\"/>"));
  send(program.port(), "x@b.test");
  send(program.port(), "x@c.test");
  program.wait_for({"\"event\":\"relayed\"", "\"recipient\":\"x@c.test\"",
                    "\"cause\":\"tls-failed\"", "\"level\":\"attempt\""});
  program.wait_for({"\"event\":\"deferred\"", "\"recipient\":\"x@b.test\"", "\"attempt\":2",
                    "\"enhanced\":\"4.7.5\"", "\"level\":\"require\""});
  EXPECT_FALSE(said_mail(strict));
}

TEST_F(RouteLevel, TwoNextHopsOfADomainHaveEachTheirOwn) {
  NextHop first(bench_, NextHop::Kind::plain);
  NextHop second(bench_, NextHop::Kind::plain);
  Program program(configure("client-level=\"attempt\"", leveled(first, "require") + route(second)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"relayed\"", "\"cause\":\"starttls-not-supported\"",
                    "\"port\":" + std::to_string(second.port()) + ",", "\"level\":\"attempt\""});
  EXPECT_FALSE(said_mail(first));
}

TEST_F(RouteLevel, ABounceGoesUnderTheLevelOfItsSendersRoute) {
  NextHop hop(bench_, NextHop::Kind::refuses_all);
  NextHop home(bench_, NextHop::Kind::plain);
  Program program(
      configure("client-level=\"none\"", leveled(home, "require", "a.test") + route(hop)));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"bounced\"", "\"level\":\"none\""});
  program.wait_for({"\"event\":\"deferred\"", "\"sender\":\"\"", "\"recipient\":\"a@a.test\"",
                    "\"enhanced\":\"4.7.4\"", "\"level\":\"require\""});
  EXPECT_FALSE(said_mail(home));
}

TEST_F(RouteLevel, AChangeOfItHoldsForWhatIsQueued) {
  NextHop hop(bench_, NextHop::Kind::plain);
  Program program(
      configure("client-level=\"none\"", leveled(hop, "require") + "<retry schedule=\"300ms\"/>"));
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"deferred\"", "\"level\":\"require\""});
  configure("client-level=\"require\"", leveled(hop, "none"));
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"relayed\"", "\"level\":\"none\""});
}

}  // namespace
}  // namespace gateway::test
