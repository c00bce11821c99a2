// The program as its administrator meets it: settings that cannot be applied, who may read its
// files, and who is let in.
#include <openssl/pem.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <deque>
#include <filesystem>

#include "process_fixture.hpp"

namespace gateway::test {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 0777U;
}

TEST_F(ProcessTest, SettingsThatCannotBeReadAreRefusedAndTheOldOnesStay) {
  const std::string file = configure("", "");
  Program program(file);
  fs::remove(file);
  fs::create_directory(file);
  program.signal(SIGHUP);
  program.wait_for({"\"event\":\"settings-refused\",\"generation\":1", "cannot read this file"});
  EXPECT_EQ(Wire::connect(program.port()).reply().substr(0, 3), "220");
  EXPECT_EQ(program.terminate(), 0);
}

// locked is a key behind a password.
std::string locked(const std::string& key) {
  BIO* in = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
  EVP_PKEY* pkey = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new(BIO_s_mem());
  std::string password = "password";
  PEM_write_bio_PKCS8PrivateKey(out, pkey, EVP_aes_128_cbc(), password.data(),
                                static_cast<int>(password.size()), nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(in);
  BIO_free(out);
  EVP_PKEY_free(pkey);
  return pem;
}

TEST_F(ProcessTest, AKeyBehindAPasswordIsRefusedAndNobodyIsAskedForIt) {
  PemPair pair = bench_.mint().issue("gw.test", "serverAuth");
  pair.key = locked(pair.key);
  bench_.write_pair("gw", pair);
  const std::string file = configure("", "");
  // script(1) gives it a terminal to ask on.
  const std::string command =
      "script -qec '" GATEWAY_PROGRAM " --check " + file + "' /dev/null </dev/null 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string said;
  char piece[256];
  while (std::fgets(piece, sizeof piece, pipe)) said += piece;
  const int status = pclose(pipe);
  EXPECT_EQ(WEXITSTATUS(status), 2) << said;
  EXPECT_NE(said.find("it is behind a password"), std::string::npos) << said;
  EXPECT_NE(said.find("gw.key: cannot use this key"), std::string::npos) << said;
  EXPECT_EQ(said.find("phrase"), std::string::npos) << said;
}

TEST_F(ProcessTest, MailAndJournalAreNotForEverybodyToRead) {
  const mode_t before = umask(022);
  {
    Program program(configure("", R"(<route domain="b.test" folder="out"/>
                                     <journal file="journal"/>)"));
    EXPECT_EQ(send(program.port(), "x@b.test").substr(0, 3), "250");
    EXPECT_EQ(program.terminate(), 0);
  }
  umask(before);
  EXPECT_EQ(mode_of(bench_.path("queue")), 0700U);
  EXPECT_EQ(mode_of(bench_.path("queue/queue.db")), 0600U);
  EXPECT_EQ(mode_of(bench_.path("journal")), 0640U);
  std::size_t messages = 0;
  for (const auto& entry : fs::directory_iterator(bench_.path("out"))) {
    EXPECT_EQ(mode_of(entry.path()), 0600U);
    ++messages;
  }
  EXPECT_EQ(messages, 1U);
}

TEST_F(ProcessTest, OneAddressCannotShutOutTheOthers) {
  Program program(configure("", R"(<limits connections="4" connections-per-address="2"/>)"));
  std::vector<Wire> greedy;
  for (int i = 0; i < 20; ++i) greedy.push_back(Wire::connect(program.port(), "127.0.0.2"));
  std::size_t served = 0;
  for (auto& wire : greedy) {
    const std::string reply = wire.reply();
    if (reply.substr(0, 3) == "220") ++served;
    if (reply.substr(0, 3) != "220") {
      EXPECT_EQ(reply, "421 4.7.0 Too many connections from your address");
    }
  }
  EXPECT_EQ(served, 2U);
  // Those turned away have not closed their side, and count all the same for nothing.
  EXPECT_EQ(Wire::connect(program.port(), "127.0.0.3").reply().substr(0, 3), "220");
}

// Each client that goes makes room for one that waits, and the next cannot be accepted again.
TEST_F(ProcessTest, WhatCannotBeAcceptedIsSaidOnce) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "UBSan looks at an object through a pipe; without a descriptor it finds none good";
#endif
  Program program(configure("", ""), {"/bin/sh", "-c", "ulimit -n 40; exec \"$0\" \"$1\""});
  constexpr std::size_t kMany = 60;
  constexpr std::size_t kGone = 10;
  std::deque<Wire> clients;
  for (std::size_t i = 0; i < kMany; ++i) clients.push_back(Wire::connect(program.port()));
  program.wait_for({"\"event\":\"warning\"", "cannot accept: Too many open files"});
  const std::size_t served = program.lines({"\"event\":\"session-start\""});
  EXPECT_LT(served, kMany - kGone);
  for (std::size_t i = 1; i <= kGone; ++i) {
    clients.pop_front();
    program.wait_for_count({"\"event\":\"session-start\""}, served + i);
  }
  EXPECT_EQ(program.terminate(), 0);
  EXPECT_EQ(program.lines({"cannot accept"}), 1U);
}

TEST_F(ProcessTest, TheWarningsAboutClientCertificatesAreDistinct) {
  {
    Program program(configure("server-level=\"require\" client-certificate=\"require\"", ""));
    program.wait_for({"\"event\":\"warning\",\"requirement\":\"SET-4\"", "public MX"});
    EXPECT_EQ(program.lines({"SET-3"}), 0U);
    EXPECT_EQ(program.lines({"works properly only"}), 0U);
  }
  Program program(configure("server-level=\"attempt\" client-certificate=\"require\"", ""));
  program.wait_for({"\"event\":\"warning\",\"requirement\":\"SET-3\"", "works properly only"});
  EXPECT_EQ(program.lines({"SET-4"}), 0U);
}

}  // namespace
}  // namespace gateway::test
