#include "control/instance_directory.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

namespace postern {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class InstanceDirectoryTest : public testing::Test {
 protected:
  InstanceDirectoryTest() {
    parent_ = testing::TempDir() + "control-test-XXXXXX";
    EXPECT_NE(::mkdtemp(parent_.data()), nullptr) << parent_;
    ::setenv("TMPDIR", parent_.c_str(), 1);
  }
  ~InstanceDirectoryTest() override {
    ::unsetenv("TMPDIR");
    fs::remove_all(parent_);
  }

  std::string parent_;
};

TEST_F(InstanceDirectoryTest, is_private_and_goes_with_its_owner) {
  std::string path;
  {
    const InstanceDirectory directory(false);
    path = directory.path();
    EXPECT_EQ(fs::path(path).parent_path(), parent_);
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    directory.write("etc/a.conf", "hello", 0600);
    EXPECT_EQ(text_of(path + "/etc/a.conf"), "hello");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(InstanceDirectoryTest, files_have_their_mode_and_look_settled) {
  const InstanceDirectory directory(false);
  directory.write("key", "secret", 0600);
  struct stat status {};
  ASSERT_EQ(::stat((directory.path() + "/key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_LE(status.st_mtime, ::time(nullptr) - 3000);
}

TEST_F(InstanceDirectoryTest, a_name_that_leads_out_is_refused) {
  const InstanceDirectory directory(false);
  EXPECT_THROW(directory.write("../x", "", 0600), std::system_error);
  EXPECT_THROW(directory.write("/x", "", 0600), std::system_error);
  EXPECT_THROW(directory.write("a/../../x", "", 0600), std::system_error);
}

TEST_F(InstanceDirectoryTest, one_in_use_is_never_taken_for_abandoned) {
  const InstanceDirectory directory(false);
  EXPECT_EQ(remove_abandoned(parent_), 0u);
  EXPECT_TRUE(fs::exists(directory.path()));
}

TEST_F(InstanceDirectoryTest, an_abandoned_one_is_removed_a_kept_one_is_not) {
  std::string kept;
  {
    const InstanceDirectory directory(true);
    kept = directory.path();
    directory.write("a", "a", 0600);
    // What a killed run leaves: everything, and the lock free.
    fs::copy(kept, parent_ + "/postern-aaaaaa", fs::copy_options::recursive);
  }
  EXPECT_TRUE(fs::exists(kept + "/a"));
  EXPECT_EQ(remove_abandoned(parent_), 1u);
  EXPECT_FALSE(fs::exists(parent_ + "/postern-aaaaaa"));
  EXPECT_TRUE(fs::exists(kept + "/a"));
}

// A run may be killed at any moment while it makes its directory.
TEST_F(InstanceDirectoryTest, one_that_was_never_finished_is_removed) {
  fs::create_directories(parent_ + "/postern-aaaaaa");
  fs::create_directories(parent_ + "/postern-bbbbbb");
  std::ofstream(parent_ + "/postern-bbbbbb/.lock.new");
  fs::create_directories(parent_ + "/postern-cccccc");
  std::ofstream(parent_ + "/postern-cccccc/.lock.new") << "postern gateway instance\n";
  EXPECT_EQ(remove_abandoned(parent_), 3u);
  EXPECT_TRUE(fs::is_empty(parent_));
}

// However often others look for abandoned ones meanwhile, everybody gets one of his own.
TEST_F(InstanceDirectoryTest, is_made_while_others_remove_abandoned_ones) {
  std::atomic<bool> over{false};
  std::thread remover([&] {
    while (!over) remove_abandoned(parent_);
  });
  for (int number = 0; number < 300; ++number) {
    const InstanceDirectory directory(false);
    directory.write("file", "text", 0600);
    EXPECT_TRUE(fs::exists(directory.path() + "/file"));
  }
  over = true;
  remover.join();
}

TEST_F(InstanceDirectoryTest, what_is_not_provably_ours_is_left_alone) {
  fs::create_directories(parent_ + "/postern-bbbbbb");
  std::ofstream(parent_ + "/postern-bbbbbb/notes") << "mine\n";
  fs::create_directories(parent_ + "/postern-cccccc");
  std::ofstream(parent_ + "/postern-cccccc/.lock") << "something else\n";
  fs::create_directories(parent_ + "/postern-longer-name");
  fs::create_directory_symlink(parent_ + "/postern-bbbbbb", parent_ + "/postern-dddddd");
  EXPECT_EQ(remove_abandoned(parent_), 0u);
  EXPECT_TRUE(fs::exists(parent_ + "/postern-cccccc/.lock"));
}

}  // namespace
}  // namespace postern
