// Revocation lists, and certificates about to expire: what the files of a configuration say.
#include <csignal>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

class Revocation : public ProcessTest {
 protected:
  Revocation()
      : other_("Other CA"),
        revoked_(bench_.mint().issue("revoked.test", "clientAuth")),
        revoked_hop_(bench_.mint().issue("mx.b.test", "serverAuth")) {
    bench_.write_pair("revoked", revoked_);
    bench_.write_pair("revoked-mx", revoked_hop_);
    bench_.write("crl.pem", bench_.mint().crl({revoked_, revoked_hop_}));
    bench_.write("empty.pem", bench_.mint().crl({}));
    bench_.write("expired.pem", bench_.mint().crl({}, -30, -1));
    bench_.write("other.pem", other_.crl({}));
  }

  std::string with_crl(const std::string& name) {
    return configure(
        "server-level=\"require\" client-certificate=\"require\" client-crl=\"" + name + "\"", "");
  }

  // meet is the reply to EHLO under TLS of a client with this certificate.
  std::string meet(const Program& program, const std::string& pair) const {
    const Context context = client_context(bench_, pair);
    Wire client = Wire::connect(program.port());
    client.reply();
    client.ask("EHLO c.test");
    client.ask("STARTTLS");
    EXPECT_TRUE(client.start_tls(context.get(), false));
    return client.ask("EHLO c.test").substr(0, 3);
  }

  Mint other_;
  PemPair revoked_;
  PemPair revoked_hop_;
};

TEST_F(Revocation, ARevokedClientCertificateDoesNotVerify) {
  Program program(with_crl("crl.pem"));
  EXPECT_EQ(meet(program, "revoked"), "554");
  EXPECT_EQ(meet(program, "client"), "250");
  program.wait_for({"session-end", "\"client-certificate\":\"not-verified\"", "revoked"});
}

TEST_F(Revocation, AnExpiredListAndOneOfAnotherCaVerifyNobody) {
  Program program(with_crl("expired.pem"));
  EXPECT_EQ(meet(program, "client"), "554");
  program.wait_for({"session-end", "\"client-error\":\"CRL has expired\""});
  with_crl("other.pem");
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\",\"generation\":2"});
  EXPECT_EQ(meet(program, "client"), "554");
  program.wait_for({"session-end", "\"client-error\":\"unable to get certificate CRL\""});
}

TEST_F(Revocation, TheListIsReadAgainAtSighup) {
  bench_.write("now.pem", bench_.mint().crl({}));
  Program program(with_crl("now.pem"));
  EXPECT_EQ(meet(program, "revoked"), "250");
  bench_.write("now.pem", bench_.mint().crl({revoked_}));
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\",\"generation\":2"});
  EXPECT_EQ(meet(program, "revoked"), "554");
}

TEST_F(Revocation, AListThatCannotBeReadIsRefused) {
  bench_.write("no.pem", "this is no list\n");
  const Result result = run_to_end({"--check", with_crl("no.pem")});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("gateway.xml:3:"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("no.pem: cannot use this CRL file"), std::string::npos) << result.err;
  EXPECT_EQ(run_to_end({"--check", with_crl("absent.pem")}).code, 2);
}

TEST_F(Revocation, NextHopsAreHeldAgainstTheirList) {
  NextHop good(bench_, NextHop::Kind::tls);
  NextHop bad(bench_, NextHop::Kind::tls, "revoked-mx");
  const std::string more = route(good, "good.test") + route(bad, "bad.test") +
                           "<retry schedule=\"1h\" lifetime=\"5d\"/>";
  const auto start = [&](const std::string& list) {
    return configure("client-level=\"verify\" next-hop-crl=\"" + list + "\"", more);
  };
  Program program(start("crl.pem"));
  send(program.port(), "x@good.test");
  program.wait_for({"\"event\":\"relayed\"", "x@good.test", "\"certificate\":\"verified\""});
  send(program.port(), "x@bad.test");
  program.wait_for({"\"event\":\"deferred\"", "x@bad.test", "\"enhanced\":\"4.7.5\"", "revoked"});
  start("expired.pem");
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\",\"generation\":2"});
  send(program.port(), "y@good.test");
  program.wait_for({"\"event\":\"deferred\"", "y@good.test", "CRL has expired"});
  start("other.pem");
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\",\"generation\":3"});
  send(program.port(), "z@good.test");
  program.wait_for({"\"event\":\"deferred\"", "z@good.test", "unable to get certificate CRL"});
}

TEST_F(ProcessTest, CertificatesAboutToExpireAreNamed) {
  bench_.write_pair("gw", bench_.mint().issue("gw.test", "serverAuth", -1, 10));
  Program program(configure("", ""));
  program.wait_for({"\"event\":\"warning\",\"reason\":\"",
                    "the certificate of CN=gw.test, shown to", "expires in 9 days",
                    "\"purpose\":\"shown to clients\"", "\"days-left\":9}"});
  bench_.write_pair("client", bench_.mint().issue("client.test", "clientAuth", -1, 5));
  configure("sending-certificate=\"client.pem\" sending-key=\"client.key\"", "");
  program.signal(SIGHUP);
  program.wait_for(
      {"\"event\":\"warning\"", "\"purpose\":\"shown to next hops\"", "\"days-left\":4}"});
  EXPECT_EQ(program.terminate(), 0);
  // The CA has 30 days left.
  EXPECT_EQ(program.lines({"\"event\":\"warning\"", "trusted for"}), 0U);
}

}  // namespace
}  // namespace gateway::test
