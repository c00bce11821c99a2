// The page "TLS certificates" from outside: what is made and chosen there is what peers see.
#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/stat.h>

#include <filesystem>

#include "page_fixture.hpp"

namespace gateway::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// costly is a file that takes its reader about a second, as PKCS #12 may.
std::string costly(const PemPair& pair) {
  constexpr int kIterations = 1'000'000;
  const auto in = [](const std::string& pem) {
    return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  };
  BIO* certificate_in = in(pair.certificate);
  BIO* key_in = in(pair.key);
  X509* certificate = PEM_read_bio_X509(certificate_in, nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_in, nullptr, nullptr, nullptr);
  PKCS12* made =
      PKCS12_create("secret", "name", key, certificate, nullptr, 0, 0, 0, kIterations, 0);
  BIO* out = BIO_new(BIO_s_mem());
  i2d_PKCS12_bio(out, made);
  char* octets = nullptr;
  const long length = BIO_get_mem_data(out, &octets);
  std::string text(octets, static_cast<std::size_t>(length));
  for (BIO* bio : {certificate_in, key_in, out}) BIO_free(bio);
  PKCS12_free(made);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return text;
}

class CertificatesPage : public SettingsPage {
 protected:
  Reply act(const std::string& action, const std::string& more) {
    return post("/certificates/" + action, "csrf=" + csrf_ + "&" + more);
  }

  // uploading sends a file as a browser does.
  Wire uploading(const std::string& action, const std::string& octets, const std::string& csrf,
                 const std::string& password) {
    const auto part = [](const std::string& name, const std::string& value) {
      return "--xx\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
             "\r\n";
    };
    return ask(
        "POST /certificates/" + action,
        visiting() + "Content-Type: multipart/form-data; boundary=xx\r\n",
        part("csrf", csrf) + part("password", password) + part("file", octets) + "--xx--\r\n");
  }
  Reply upload(const std::string& action, const std::string& octets) {
    return answer(uploading(action, octets, csrf_, ""));
  }

  // shown is the common name of the certificate that a client sees.
  std::string shown(int port) {
    Wire client = Wire::connect(port);
    client.reply();
    client.ask("EHLO client.test");
    client.ask("STARTTLS");
    const Context context = client_context(bench_);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    if (!client.start_tls(context.get(), false)) return "no TLS";
    X509* certificate = SSL_get1_peer_certificate(client.ssl());
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    X509_free(certificate);
    return name;
  }
};

TEST_F(CertificatesPage, WhatIsMadeAndChosenIsWhatClientsSee) {
  const std::string path = with_page();
  Program program(path);
  log_in(program);
  EXPECT_EQ(shown(program.port()), "gw.test");
  EXPECT_THAT(get("/certificates").body, HasSubstr("kept elsewhere"));
  EXPECT_EQ(act("self-signed", "names=new.test+192.0.2.1&days=30").status, 303);
  program.wait_for(
      {"\"event\":\"certificate-action\",\"action\":\"made\",\"name\":\"new.test\","
       "\"by\":\"web\",\"who\":\"127.0.0.1\""});
  EXPECT_THAT(get("/certificates").body, HasSubstr("new.test, 192.0.2.1"));
  struct stat status {};
  ASSERT_EQ(stat(bench_.path("certificates/own/new.test.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(shown(program.port()), "gw.test");
  EXPECT_EQ(act("use-receiving", "kind=own&name=new.test").status, 303);
  program.wait_for(
      {"\"event\":\"certificate-action\",\"action\":\"use-receiving\",\"name\":"
       "\"new.test\",\"by\":\"web\",\"who\":\"127.0.0.1\""});
  EXPECT_EQ(shown(program.port()), "new.test");
  EXPECT_THAT(file(), HasSubstr("certificate=\"certificates/own/new.test.pem\""));
  // What is in use stays.
  const Reply refused = act("delete", "kind=own&name=new.test&sure=yes");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("in use"));
  EXPECT_EQ(program.terminate(), 0);
  Program again(path);
  EXPECT_EQ(shown(again.port()), "new.test");
}

// What is in use is that by whatever name: the gateway could not start again without it.
TEST_F(CertificatesPage, AKeyInUseStaysWhateverItsCertificateIs) {
  std::filesystem::create_directories(bench_.path("certificates/own"));
  std::filesystem::copy(bench_.path("gw.key"), bench_.path("certificates/own/asked.test.key"));
  bench_.write("certificates/own/asked.test.csr", "the request for what is now gw.pem");
  with_page();
  std::string text = file();
  text.replace(text.find("gw.key"), 6, "certificates/own/asked.test.key");
  bench_.write("gateway.xml", text);
  Program program(bench_.path("gateway.xml"));
  log_in(program);
  EXPECT_THAT(get("/certificates").body, HasSubstr("<strong>its key</strong>"));
  const Reply refused = act("delete", "kind=request&name=asked.test&sure=yes");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("in use"));
  EXPECT_TRUE(std::filesystem::exists(bench_.path("certificates/own/asked.test.key")));
}

TEST_F(CertificatesPage, WhatIsInUseByAnotherPathStays) {
  with_page();
  std::filesystem::create_directories(bench_.path("certificates/own"));
  for (const char* type : {".pem", ".key"}) {
    std::filesystem::rename(bench_.path("gw") + type,
                            bench_.path("certificates/own/gw.test") + type);
  }
  std::filesystem::create_directory_symlink(bench_.path("certificates/own"), bench_.path("linked"));
  std::string text = file();
  text.replace(text.find("gw.pem"), 6, "linked/gw.test.pem");
  text.replace(text.find("gw.key"), 6, "linked/gw.test.key");
  bench_.write("gateway.xml", text);
  Program program(bench_.path("gateway.xml"));
  log_in(program);
  EXPECT_THAT(get("/certificates").body, Not(HasSubstr("linked/gw.test.pem")));
  EXPECT_EQ(act("delete", "kind=own&name=gw.test&sure=yes").status, 422);
  EXPECT_TRUE(std::filesystem::exists(bench_.path("certificates/own/gw.test.key")));
}

TEST_F(CertificatesPage, DeleteAsksAndTakesTheKeyAlong) {
  Program program(with_page());
  log_in(program);
  act("self-signed", "names=new.test&days=30");
  const Reply question = act("delete", "kind=own&name=new.test");
  EXPECT_EQ(question.status, 200);
  EXPECT_THAT(question.body, HasSubstr("for good?"));
  EXPECT_TRUE(std::filesystem::exists(bench_.path("certificates/own/new.test.key")));
  EXPECT_EQ(act("delete", "kind=own&name=new.test&sure=yes").status, 303);
  EXPECT_FALSE(std::filesystem::exists(bench_.path("certificates/own/new.test.key")));
  EXPECT_EQ(act("delete", "kind=own&name=new.test&sure=yes").status, 422);
  EXPECT_EQ(act("delete", "kind=own&name=..%2F..%2Fgw&sure=yes").status, 422);
  EXPECT_TRUE(std::filesystem::exists(bench_.path("gw.pem")));
}

TEST_F(CertificatesPage, BadFilesGetTheirErrorAndChangeNothing) {
  Program program(with_page());
  log_in(program);
  const PemPair pair = bench_.mint().issue("other.test", "serverAuth");
  EXPECT_THAT(upload("import", "nonsense").body, HasSubstr("neither PEM nor PKCS #12"));
  EXPECT_THAT(upload("import", pair.certificate).body, HasSubstr("no private key in it"));
  EXPECT_EQ(upload("import", pair.certificate).status, 422);
  EXPECT_THAT(act("self-signed", "names=a%2Fb&days=30").body, HasSubstr("found &quot;a/b&quot;"));
  EXPECT_THAT(act("self-signed", "names=a.test&days=0").body, HasSubstr("allowed: 1 to 3650"));
  EXPECT_EQ(answer(uploading("import", pair.certificate + pair.key, "wrong", "")).status, 403);
  EXPECT_FALSE(std::filesystem::exists(bench_.path("certificates")));
  // An expired one can be kept, but not be used.
  const PemPair old = bench_.mint().issue("old.test", "serverAuth", -30, -1);
  EXPECT_EQ(upload("import", old.certificate + old.key).status, 303);
  const std::string before = file();
  const Reply refused = act("use-receiving", "kind=own&name=old.test");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("the certificate has expired"));
  EXPECT_EQ(file(), before);
  EXPECT_EQ(shown(program.port()), "gw.test");
  EXPECT_EQ(act("nonsense", "").status, 404);
}

TEST_F(CertificatesPage, MailGoesOnWhileAFileIsOpened) {
  Program program(with_page());
  log_in(program);
  const std::string octets = costly(bench_.mint().issue("other.test", "serverAuth"));
  const Wire importing = uploading("import", octets, csrf_, "secret");
  EXPECT_EQ(mail_in_clear_text(program.port()).substr(0, 3), "250");
  program.wait_for({"session-start"});
  EXPECT_EQ(program.lines({"certificate-action"}), 0U);
  program.wait_for({"certificate-action", "\"action\":\"imported\",\"name\":\"other.test\""});
}

TEST_F(CertificatesPage, AChosenAuthorityDecidesAboutNextHops) {
  const Mint others("Another CA");
  const PemPair pair = others.issue("mx.b.test", "serverAuth");
  bench_.write_pair("other", pair);
  const NextHop hop(bench_, NextHop::Kind::tls, "other");
  Program program(with_page("client-level=\"verify\"", route(hop)));
  log_in(program);
  send(program.port(), "x@b.test");
  program.wait_for({"\"event\":\"deferred\"", "4.7.5"});
  EXPECT_EQ(upload("import-ca", others.certificate()).status, 303);
  EXPECT_EQ(act("trust-next-hops", "kind=ca&name=another-ca").status, 303);
  send(program.port(), "y@b.test");
  program.wait_for({"\"event\":\"relayed\"", "y@b.test", "\"certificate\":\"verified\""});
  EXPECT_EQ(act("use-receiving", "kind=ca&name=another-ca").status, 422);
  // One that is no CA may be meant: that is said, and not refused.
  EXPECT_THAT(get("/certificates").body, Not(HasSubstr("not a CA’s")));
  EXPECT_EQ(upload("import-ca", pair.certificate).status, 303);
  EXPECT_THAT(get("/certificates").body, HasSubstr("not a CA’s"));
  EXPECT_EQ(upload("import-ca", others.certificate()).status, 303);
  EXPECT_THAT(act("delete", "kind=ca&name=another-ca-2").body,
              HasSubstr("Delete the trusted CA another-ca-2 for good?"));
}

TEST_F(CertificatesPage, ARequestIsHandedOut) {
  Program program(with_page());
  log_in(program);
  EXPECT_EQ(act("request", "names=gw.example.test").status, 303);
  const Reply request = get("/certificates/request?name=gw.example.test");
  EXPECT_THAT(request.head, HasSubstr("Content-Type: application/pkcs10"));
  EXPECT_THAT(request.body, HasSubstr("-----BEGIN CERTIFICATE REQUEST-----"));
  EXPECT_THAT(request.body, Not(HasSubstr("KEY")));
  EXPECT_EQ(get("/certificates/request?name=..%2F..%2Fgw").status, 404);
  EXPECT_EQ(act("use-receiving", "kind=request&name=gw.example.test").status, 422);
}

TEST_F(CertificatesPage, WhatIsShownToNextHopsCanBeTakenBack) {
  Program program(with_page());
  log_in(program);
  act("self-signed", "names=me.test&days=30");
  EXPECT_EQ(act("use-sending", "kind=own&name=me.test").status, 303);
  EXPECT_THAT(file(), HasSubstr("sending-key=\"certificates/own/me.test.key\""));
  EXPECT_THAT(get("/certificates").body, HasSubstr("<strong>sending</strong>"));
  EXPECT_EQ(act("send-none", "").status, 303);
  EXPECT_THAT(get("/certificates").body, Not(HasSubstr("<strong>sending</strong>")));
}

}  // namespace
}  // namespace gateway::test
