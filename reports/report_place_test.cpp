#include "report_place.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "sample_results.hpp"
#include "whole_file.hpp"

namespace postern::reports {
namespace {

namespace fs = std::filesystem;

void write_whole(const std::string& path, const std::string& text) {
  WholeFile file(path);
  file.append(text);
  file.commit();
}

TEST(ReportPlace, ADeviceAndAFifoAreWrittenAndNotReplaced) {
  const TemporaryFile name;
  fs::remove(name.path());
  ASSERT_EQ(::mkfifo(name.path().c_str(), 0600), 0);
  // Both ends in one process: opened for both, a FIFO waits for nobody.
  const int reader = ::open(name.path().c_str(), O_RDWR | O_CLOEXEC);
  write_whole(name.path(), "whole");
  std::array<char, 16> got{};
  EXPECT_EQ(::read(reader, got.data(), got.size()), 5);
  ::close(reader);
  EXPECT_TRUE(fs::is_fifo(name.path()));
  const TemporaryFile link;
  fs::remove(link.path());
  fs::create_symlink("/dev/null", link.path());
  write_whole(link.path(), "gone");
  EXPECT_TRUE(fs::is_symlink(link.path()));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(ReportPlace, OfALinkTheTargetIsReplaced) {
  const TemporaryFile target;
  const TemporaryFile link;
  fs::remove(link.path());
  fs::create_symlink(fs::path(target.path()).filename(), link.path());
  write_whole(link.path(), "new");
  EXPECT_TRUE(fs::is_symlink(link.path()));
  EXPECT_EQ(target.text(), "new");
  // A link that leads nowhere yet gets its file.
  fs::remove(target.path());
  write_whole(link.path(), "newer");
  EXPECT_TRUE(fs::is_symlink(link.path()));
  EXPECT_EQ(target.text(), "newer");
}

TEST(ReportPlace, AnOwnDescriptorIsWrittenWhereItStands) {
  const TemporaryFile file;
  const int descriptor = ::open(file.path().c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::write(descriptor, "before ", 7), 7);
  write_whole("/dev/fd/" + std::to_string(descriptor), "report");
  ASSERT_EQ(::write(descriptor, " after", 6), 6);
  ::close(descriptor);
  EXPECT_EQ(file.text(), "before report after");
}

TEST(ReportPlace, LinksInACircleLeadNowhere) {
  const TemporaryFile link;
  fs::remove(link.path());
  fs::create_symlink(link.path(), link.path());
  EXPECT_EQ(target_of(link.path()), link.path());
  EXPECT_FALSE(is_passing(link.path()));
}

}  // namespace
}  // namespace postern::reports
