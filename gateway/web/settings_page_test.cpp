// The settings page from outside: HTTP to the program, and what SMTP and the journal say of it.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <deque>

#include "page_fixture.hpp"

namespace gateway::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(SettingsPage, ApplyHoldsAtOnceAndAfterARestart) {
  const std::string path = with_page("", "<!-- kept -->");
  // A group other than the gateway's own, where the tests may give one.
  const gid_t group = geteuid() == 0 ? 12345 : getegid();
  ASSERT_EQ(chown(path.c_str(), geteuid(), group), 0);
  chmod(path.c_str(), 0640);
  const std::string before = file();
  {
    Program program(path);
    log_in(program);
    Wire early = Wire::connect(program.port());
    early.reply();
    early.ask("EHLO client.test");
    EXPECT_EQ(mail_in_clear_text(program.port()).substr(0, 3), "250");
    const Reply reply = apply("require", "none", "verify");
    EXPECT_EQ(reply.status, 303) << reply.body;
    EXPECT_EQ(between(reply.head, "Location: ", "\r\n"), "/encryption?applied=yes");
    EXPECT_EQ(mail_in_clear_text(program.port()).substr(0, 3), "530");
    // SET-5: a session under way ends under the settings it began with.
    EXPECT_EQ(early.ask("MAIL FROM:<a@a.test>").substr(0, 3), "250");
    program.wait_for(
        {"\"event\":\"settings-applied\",\"generation\":2,\"by\":\"web\",\"who\":"
         "\"127.0.0.1\",\"server-level\":\"require\",\"client-certificate\":\"none\","
         "\"client-level\":\"verify\"}"});
    EXPECT_THAT(get("/encryption").body, HasSubstr("value=\"verify\""));
    EXPECT_EQ(program.terminate(), 0);
  }
  std::string expected = before;
  expected.replace(expected.find(" >"), 2,
                   " server-level=\"require\" client-certificate=\"none\" "
                   "client-level=\"verify\" >");
  EXPECT_EQ(file().size(), expected.size());
  EXPECT_THAT(file(), HasSubstr("<!-- kept -->"));
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  EXPECT_EQ(status.st_gid, group);
  Program again(path);
  EXPECT_EQ(mail_in_clear_text(again.port()).substr(0, 3), "530");
}

TEST_F(SettingsPage, WhatIsRefusedIsSaidExactlyAndChangesNothing) {
  const std::string path = with_page();
  const std::string before = file();
  Program program(path);
  log_in(program);
  const Reply reply = apply("none", "require", "none");
  EXPECT_EQ(reply.status, 422);
  EXPECT_THAT(reply.body, HasSubstr("gateway.xml:3:"));
  EXPECT_THAT(reply.body, HasSubstr("(SET-2)"));
  EXPECT_EQ(file(), before);
  program.wait_for({"\"event\":\"settings-refused\",\"generation\":1,\"error\":", "SET-2",
                    "\"by\":\"web\",\"who\":\"127.0.0.1\""});
  EXPECT_EQ(mail_in_clear_text(program.port()).substr(0, 3), "250");
  // A key that has been spoilt since: the settings could not be loaded.
  bench_.write("gw.key", "nonsense");
  EXPECT_EQ(apply("require", "none", "none").status, 422);
  EXPECT_EQ(file(), before);
  EXPECT_EQ(program.lines({"settings-applied"}), 0U);
}

TEST_F(SettingsPage, AFileThatIsNotInForceIsNotOverwritten) {
  const std::string path = with_page();
  Program program(path);
  log_in(program);
  const std::string changed = file() + "<!-- by hand -->\n";
  bench_.write("gateway.xml", changed);
  const Reply reply = apply("require", "none", "none");
  EXPECT_EQ(reply.status, 422);
  EXPECT_THAT(reply.body, HasSubstr("this file was changed after it was last read"));
  EXPECT_EQ(file(), changed);
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-applied\",\"generation\":2,\"server-level\":"});
  EXPECT_EQ(apply("require", "none", "none").status, 303);
  EXPECT_THAT(file(), HasSubstr("<!-- by hand -->"));
}

// The page says so of networks: what they do not set is inherited.
TEST_F(SettingsPage, NetworksFollowInWhatTheyDoNotSet) {
  Program program(
      with_page("", "", "<clients network=\"127.0.0.0/8\" client-certificate=\"request\"/>"));
  log_in(program);
  EXPECT_THAT(get("/encryption").body,
              HasSubstr("with settings of their own: 1. What they do not set themselves follows"));
  EXPECT_EQ(apply("require", "none", "attempt").status, 303);
  EXPECT_EQ(mail_in_clear_text(program.port()).substr(0, 3), "530");
}

// An older form would undo, unseen, what another has applied since.
TEST_F(SettingsPage, AFormThatIsOlderThanTheSettingsChangesNothing) {
  Program program(with_page());
  log_in(program);
  const std::string older = levels("attempt", "none", "require");
  EXPECT_EQ(apply("require", "none", "attempt").status, 303);
  for (const char* path : {"/encryption", "/encryption/preview"}) {
    const Reply reply = post(path, older);
    EXPECT_EQ(reply.status, 409) << path;
    EXPECT_THAT(reply.body, HasSubstr("were changed by 127.0.0.1 after this page was shown"));
    EXPECT_THAT(reply.body, HasSubstr("These are the settings in force."));
    EXPECT_THAT(reply.body, HasSubstr("name=\"generation\" value=\"2\""));
  }
  EXPECT_EQ(mail_in_clear_text(program.port()).substr(0, 3), "530");
  EXPECT_EQ(apply("require", "none", "require").status, 303);
  program.signal(SIGHUP);
  program.wait_for({"settings-applied", "\"generation\":4"});
  const Reply reply = post("/encryption", older);
  EXPECT_THAT(reply.body, HasSubstr("The settings were changed after this page was shown"));
  EXPECT_EQ(post("/encryption", "csrf=" + csrf_ + "&server-level=none&client-level=none").status,
            400);
}

// Without script the list that is greyed out stays so, and is not sent, whatever is chosen beside
// it.
TEST_F(SettingsPage, NoTlsCanBeLeftWithoutAScript) {
  Program program(with_page("server-level=\"none\""));
  log_in(program);
  const std::string form =
      "csrf=" + csrf_ + "&generation=1&server-level=attempt&client-level=attempt";
  const Reply shown = post("/encryption/preview", form);
  EXPECT_EQ(shown.status, 200);
  EXPECT_THAT(shown.body, Not(HasSubstr(" disabled")));
  EXPECT_EQ(post("/encryption", form).status, 303);
  EXPECT_THAT(file(), HasSubstr("server-level=\"attempt\" client-certificate=\"none\""));
}

TEST_F(SettingsPage, NobodyGetsInWithoutThePassword) {
  Program program(with_page());
  port_ = program.web_port();
  EXPECT_EQ(get("/encryption").status, 303);
  EXPECT_EQ(post("/encryption", "csrf=&server-level=none&client-level=none").status, 303);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(post("/login", "password=wrong").status, 403);
  }
  const Reply reply = post("/login", "password=correct+horse");
  EXPECT_EQ(reply.status, 429);
  EXPECT_THAT(reply.head, HasSubstr("Retry-After: 60"));
  EXPECT_EQ(post("/login", "password=wrong").status, 429);
  program.wait_for({"\"event\":\"web-login\",\"client\":\"127.0.0.1\",\"result\":\"too-many\""});
  EXPECT_EQ(program.lines({"\"result\":\"wrong-password\""}), 5U);
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"\"result\":\"too-many\""}), 1U);
}

TEST_F(SettingsPage, LoginsThatWaitDoNotHoldUpTheEnd) {
  // A hash of half a second, and nobody's.
  const std::string hash = "scrypt$32768$8$16$" + std::string(32, 'a') + "$" + std::string(64, 'b');
  Program program(configure("", "<web port=\"0\" password=\"" + hash + "\"/>"));
  port_ = program.web_port();
  std::deque<Wire> waiting;
  for (int i = 0; i < 30; ++i) {
    const std::string type = "Content-Type: application/x-www-form-urlencoded\r\n";
    waiting.push_back(
        ask("POST /login", host() + type, "password=wrong", "127.0.0.2" + std::to_string(i / 5)));
  }
  EXPECT_EQ(request("GET /login", host()).status, 200);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST_F(SettingsPage, AFormOfSomebodyElseIsRefused) {
  Program program(with_page());
  log_in(program);
  const std::string form = "&server-level=require&client-certificate=none&client-level=none";
  EXPECT_EQ(post("/encryption", "csrf=" + std::string(64, 'a') + form).status, 403);
  EXPECT_EQ(post("/encryption", form.substr(1)).status, 403);
  const std::string type = "Content-Type: application/x-www-form-urlencoded\r\n";
  EXPECT_EQ(request("POST /encryption", visiting() + type + "Origin: http://evil.example\r\n",
                    "csrf=" + csrf_ + form)
                .status,
            403);
  EXPECT_EQ(request("GET /encryption", "Host: evil.example:" + std::to_string(port_) +
                                           "\r\nCookie: " + cookie_ + "\r\n")
                .status,
            421);
  EXPECT_EQ(request("POST /encryption", visiting() + "Content-Type: text/plain\r\n",
                    "csrf=" + csrf_ + form)
                .status,
            400);
  EXPECT_EQ(apply("nonsense", "none", "none").status, 400);
  EXPECT_EQ(program.lines({"settings-applied"}), 0U);
  EXPECT_EQ(post("/logout", "csrf=" + csrf_).status, 303);
  EXPECT_EQ(get("/encryption").status, 303);
}

TEST_F(SettingsPage, EveryAnswerHasItsHeadersAndEveryRequestItsLimits) {
  Program program(with_page());
  log_in(program);
  for (const char* path : {"/encryption", "/page.css", "/page.js", "/nowhere", "/"}) {
    const Reply reply = get(path);
    for (const char* header :
         {"Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'",
          "frame-ancestors 'none'", "X-Content-Type-Options: nosniff",
          "Referrer-Policy: ", "Cache-Control: no-store"}) {
      EXPECT_THAT(reply.head, HasSubstr(header)) << path;
    }
    EXPECT_THAT(reply.body, Not(HasSubstr("style=")));
    EXPECT_THAT(reply.body, Not(HasSubstr("<script>")));
  }
  EXPECT_EQ(get("/nowhere").status, 404);
  EXPECT_EQ(request("DELETE /encryption", visiting()).status, 405);
  EXPECT_EQ(
      request("GET /encryption", visiting() + "X: " + std::string(20000, 'x') + "\r\n").status,
      431);
  EXPECT_EQ(post("/encryption", std::string(300000, 'x')).status, 413);
  EXPECT_EQ(request("nonsense", visiting()).status, 400);
}

TEST_F(SettingsPage, OneClientDoesNotShutTheOthersOut) {
  Program program(with_page());
  port_ = program.web_port();
  std::deque<Wire> idle;
  for (int i = 0; i < 40; ++i) idle.push_back(Wire::connect(port_, "127.0.0.2"));
  EXPECT_EQ(idle.back().line(), "EOF");
  EXPECT_EQ(request("GET /login", host()).status, 200);
}

TEST_F(SettingsPage, TheReplyToHeadHasNoBody) {
  Program program(with_page());
  port_ = program.web_port();
  Wire wire = Wire::connect(port_);
  wire.say("HEAD /login HTTP/1.1\r\n" + host() + "\r\nGET /login HTTP/1.1\r\n" + host() +
           "Connection: close\r\n\r\n");
  const Reply reply = answer(std::move(wire));
  EXPECT_EQ(reply.status, 405);
  EXPECT_THAT(reply.body, StartsWith("HTTP/1.1 200 "));
}

TEST_F(SettingsPage, SpeaksJapaneseWhereTheBrowserDoesOrIsAskedTo) {
  Program program(with_page());
  log_in(program);
  EXPECT_THAT(request("GET /encryption", visiting() + "Accept-Language: ja,en;q=0.5\r\n").body,
              HasSubstr("<html lang=\"ja\">"));
  const Reply reply = get("/encryption?lang=ja");
  EXPECT_EQ(reply.status, 303);
  EXPECT_THAT(reply.head, HasSubstr("Set-Cookie: language=ja; Path=/; HttpOnly; SameSite=Strict"));
  cookie_ += "; language=ja";
  EXPECT_THAT(get("/encryption").body, HasSubstr("サーバー TLS セキュリティレベル"));
}

// What the page itself says no with is in its language; the journal is English.
TEST_F(SettingsPage, RefusesInJapaneseToo) {
  Program program(with_page());
  log_in(program);
  cookie_ += "; language=ja";
  const auto refused = [&](const std::string& action, const std::string& more) {
    return between(post("/certificates/" + action, "csrf=" + csrf_ + more).body, "<pre>", "</pre>");
  };
  EXPECT_THAT(refused("self-signed", "&names=a.test&days=0"),
              HasSubstr("有効日数「0」は使用できません"));
  EXPECT_THAT(refused("delete", "&kind=own&name=x&sure=yes"),
              HasSubstr("該当する証明書がありません"));
  EXPECT_THAT(refused("import", "&file=nonsense"), HasSubstr("PEM 形式でも PKCS #12 形式でもなく"));
  bench_.write("ca.pem", "nonsense");
  EXPECT_THAT(get("/certificates").body, HasSubstr("証明書が含まれていません"));
  const std::string large = post("/certificates/import", std::string(300000, 'x')).body;
  EXPECT_THAT(large, HasSubstr("<html lang=\"ja\">"));
  EXPECT_THAT(large, HasSubstr("最大 256 KB"));
  bench_.write("gateway.xml", file() + "<!-- by hand -->\n");
  EXPECT_THAT(apply("require", "none", "none").body,
              HasSubstr("最後に読み込まれた後に変更されている"));
  program.wait_for({"settings-refused", "this file was changed after it was last read"});
}

TEST_F(SettingsPage, ShowsWhatWouldHappenWithoutAScript) {
  Program program(with_page("server-level=\"attempt\""));
  log_in(program);
  const std::string form = levels("attempt", "require", "attempt");
  const std::string page = post("/encryption/preview", form).body;
  EXPECT_THAT(page, HasSubstr("<html"));
  EXPECT_THAT(page, HasSubstr("treated as “Request”"));
  const std::string part = post("/encryption/consequences", form).body;
  EXPECT_THAT(part, Not(HasSubstr("<html")));
  EXPECT_THAT(part, HasSubstr("treated as “Request”"));
  EXPECT_EQ(program.lines({"settings-applied"}), 0U);
}

TEST_F(SettingsPage, WhereItIsServedIsChecked) {
  for (const char* without : {"<web/>", "<web address=\"0.0.0.0\"/>"}) {
    const Result result = run_to_end({configure("", without)});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("gateway.xml:5:"));
    EXPECT_THAT(result.err,
                HasSubstr("which it needs; allowed: what postern-gateway --hash-password"));
  }
  const std::string plain =
      run_to_end({"--check", configure("", "<web password=\"secret12\"/>")}).err;
  EXPECT_THAT(plain, HasSubstr("--hash-password"));
  EXPECT_THAT(plain, Not(HasSubstr("secret12")));
  const std::string file = configure("", "");
  EXPECT_EQ(run_to_end({file, "--web", "0.0.0.0:0"}).code, 2);
  EXPECT_THAT(run_to_end({file, "--web", "0.0.0.0:0"}).err, HasSubstr("no password"));
  EXPECT_THAT(run_to_end({file, "--web", "nonsense"}).err, HasSubstr("allowed: ADDRESS:PORT"));
  // A page that others can reach is one with a password.
  const std::string good =
      configure("", "<web address=\"0.0.0.0\" password=\"" + hash_password(kPassword) + "\"/>");
  EXPECT_EQ(run_to_end({"--check", good}).code, 0);
}

}  // namespace
}  // namespace gateway::test
