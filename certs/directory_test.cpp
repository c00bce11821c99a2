#include "directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace postern::certs {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr const char* kDeclarations = R"(<authority>
  <ca name="root" about="the root"/>
  <certificate name="good" issuer="root" for="server" names="a.test" about="a good | one"/>
  <trust name="root" anchors="root" about="believe in it"/>
  <crl name="root" issuer="root" revokes="good" about="what is revoked"/>
</authority>)";

class Directory : public ::testing::Test {
 protected:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "directory-XXXXXX").string();
    top_ = ::mkdtemp(pattern.data());
    Problems problems;
    authority_ = Authority::parse(kDeclarations, "t.xml", problems);
  }
  ~Directory() override { fs::remove_all(top_); }

  void write() const { authority_->write(directory()); }
  std::string directory() const { return top_ / "sub" / "pki"; }
  fs::path file(const char* name) const { return fs::path(directory()) / name; }

  /// refusal is what write throws; "" if it does not.
  std::string refusal() const {
    try {
      write();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  static std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  static unsigned mode_of(const fs::path& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return 0;
    return facts.st_mode & 07777U;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory())) {
      found.push_back(entry.path().filename());
    }
    return found;
  }

  fs::path top_;
  std::optional<Authority> authority_;
};

TEST_F(Directory, HoldsChainsKeysTrustsAndAnIndex) {
  write();
  EXPECT_THAT(names(), UnorderedElementsAre("INDEX.md", "good.pem", "good.key", "root.ca.pem",
                                            "root.crl.pem"));
  const std::string index = text_of(file("INDEX.md"));
  EXPECT_THAT(index, HasSubstr("| good | a good   one | 1 |"));
  EXPECT_THAT(index, HasSubstr("| root.ca.pem | believe in it |"));
  EXPECT_THAT(text_of(file("good.pem")), HasSubstr(authority_->identity("good")->chain_pem()));
  EXPECT_THAT(text_of(file("root.ca.pem")), HasSubstr(authority_->trust("root")->pem()));
  EXPECT_THAT(text_of(file("root.crl.pem")), HasSubstr(authority_->crl("root")->pem()));
}

TEST_F(Directory, ShowsItsKeysToTheOwnerOnlyWhateverTheUmask) {
  const mode_t before = ::umask(0);
  write();
  ::umask(before);
  EXPECT_EQ(mode_of(directory()), 0700U);
  EXPECT_EQ(mode_of(file("good.key")), 0600U);
  EXPECT_EQ(mode_of(file("good.pem")), 0644U);
}

TEST_F(Directory, IsPrivateWithASlashAtItsEndToo) {
  authority_->write(directory() + "/");
  EXPECT_EQ(mode_of(directory()), 0700U);
}

TEST_F(Directory, WritesFilesThatOpenSslReads) {
  write();
  FILE* chain = std::fopen(file("good.pem").c_str(), "r");
  FILE* secret = std::fopen(file("good.key").c_str(), "r");
  ASSERT_TRUE(chain != nullptr && secret != nullptr);
  const X509Ptr leaf(PEM_read_X509(chain, nullptr, nullptr, nullptr), X509_free);
  const KeyPtr key(PEM_read_PrivateKey(secret, nullptr, nullptr, nullptr), EVP_PKEY_free);
  std::fclose(chain);
  std::fclose(secret);
  ASSERT_TRUE(leaf != nullptr && key != nullptr);
  EXPECT_EQ(X509_check_private_key(leaf.get(), key.get()), 1);
}

TEST_F(Directory, ReplacesWhatItWroteBefore) {
  write();
  fs::permissions(file("good.key"), fs::perms::all);
  const std::string old = text_of(file("good.key"));
  Problems problems;
  authority_ = Authority::parse(kDeclarations, "t.xml", problems);
  write();
  EXPECT_NE(text_of(file("good.key")), old);
  EXPECT_EQ(mode_of(file("good.key")), 0600U);
  EXPECT_THAT(names(), UnorderedElementsAre("INDEX.md", "good.pem", "good.key", "root.ca.pem",
                                            "root.crl.pem"));
}

TEST_F(Directory, RemovesWhatItWroteOfWhatIsNotDeclaredAnyMore) {
  write();
  fs::copy(file("good.key"), file("kept.key"));
  std::ofstream(file("good.pem")) << "somebody else's by now\n";
  Problems problems;
  authority_ = Authority::parse(R"(<authority>
    <ca name="root" about="the root"/>
    <certificate name="better" issuer="root" for="server" names="a.test" about="another"/>
    <trust name="root" anchors="root" about="believe in it"/>
  </authority>)",
                                "t.xml", problems);
  ASSERT_TRUE(authority_) << problems.text();
  write();
  EXPECT_THAT(names(), UnorderedElementsAre("INDEX.md", "better.pem", "better.key", "root.ca.pem",
                                            "kept.key", "good.pem"));
}

TEST_F(Directory, LeavesAloneWhatItDidNotWrite) {
  fs::create_directories(directory());
  std::ofstream(file("good.key")) << "somebody's key\n";
  EXPECT_EQ(refusal(), file("good.key").string() +
                           ": is there and was not written by postern certs; it is left alone");
  EXPECT_EQ(text_of(file("good.key")), "somebody's key\n");
  EXPECT_THAT(names(), UnorderedElementsAre("good.key")) << "something was written all the same";
}

TEST_F(Directory, FollowsNoLink) {
  fs::create_directories(directory());
  const fs::path target = top_ / "target";
  std::ofstream(target) << "# Written by postern certs, as it seems\n";
  fs::create_symlink(target, file("good.pem"));
  EXPECT_THAT(refusal(), HasSubstr("good.pem: is there and is no regular file"));
  EXPECT_THAT(text_of(target), StartsWith("# Written by postern certs, as it seems"));
  EXPECT_TRUE(fs::is_symlink(file("good.pem")));
}

TEST_F(Directory, SaysWhyItCannotBeMade) {
  std::ofstream(top_ / "sub") << "a file in the way";
  EXPECT_EQ(refusal(), directory() + ": Not a directory");
}

TEST_F(Directory, IsReadBackAsItWasWritten) {
  write();
  Problems problems;
  std::optional<Authority> other = Authority::parse(kDeclarations, "t.xml", problems);
  other->read(directory());
  EXPECT_EQ(other->identity("good")->chain_pem(), authority_->identity("good")->chain_pem());
  EXPECT_EQ(other->identity("good")->key_pem(), authority_->identity("good")->key_pem());
  EXPECT_EQ(other->trust("root")->pem(), authority_->trust("root")->pem());
  EXPECT_EQ(other->crl("root")->pem(), authority_->crl("root")->pem());
}

TEST_F(Directory, IsNotReadWhereItIsNotWhole) {
  const auto reading = [this]() -> std::string {
    Problems problems;
    std::optional<Authority> other = Authority::parse(kDeclarations, "t.xml", problems);
    try {
      other->read(directory());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(reading(), HasSubstr("good.pem: No such file or directory; postern certs "));
  write();
  EXPECT_EQ(reading(), "");
  const std::string certificate = text_of(file("good.pem"));
  std::ofstream(file("good.pem")) << text_of(file("root.ca.pem"));
  EXPECT_THAT(reading(), HasSubstr("good.key: it is not the key of the certificate beside it"));
  std::ofstream(file("good.pem")) << "nothing";
  EXPECT_THAT(reading(), HasSubstr("good.pem: it holds no certificate"));
  std::ofstream(file("good.pem")) << certificate;
  std::ofstream(file("root.crl.pem")) << certificate;
  EXPECT_THAT(reading(), HasSubstr("root.crl.pem: it holds no revocation list"));
}

}  // namespace
}  // namespace postern::certs
