#include "control/mounts.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "control/command.hpp"
#include "control/installed.hpp"
#include "control/time_scale.hpp"

namespace postern {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// OwnMachine has a folder with files that are to stand elsewhere.
class OwnMachine : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounts need root";
  }
  OwnMachine() {
    std::string pattern = fs::temp_directory_path() / "mounts-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    fs::create_directories(folder_ + "/etc");
    fs::create_directories(folder_ + "/var");
    std::ofstream(folder_ + "/etc/only-here") << "laid over\n";
  }
  ~OwnMachine() override { fs::remove_all(folder_); }

  CommandResult run(const std::string& script, const std::vector<Mount>& mounts,
                    bool own_pid_namespace = false) {
    Template text = in(folder_);
    Program program;
    program.arguments = {"sh", "-c", script};
    program.mounts = expand_mounts(text, mounts, folder_);
    program.own_pid_namespace = own_pid_namespace;
    return run_command_blocking(program, scaled(std::chrono::seconds(10)));
  }

  // in gives what stands for the folders; nothing else is asked of it.
  static Template in(const std::string& folder) {
    static const std::vector<SettingText> kNoTexts;
    static const Assignment kNoSettings;
    static const std::vector<Route> kNoRoutes;
    TemplateValues values;
    values.directory = values.packages = folder;
    values.setting_texts = &kNoTexts;
    values.settings = &kNoSettings;
    values.routes = &kNoRoutes;
    return Template(std::move(values));
  }

  static Mount mount(Mount::Kind kind, const std::string& on, const std::string& from) {
    Mount made;
    made.kind = kind;
    made.on = on;
    made.from = from;
    return made;
  }
  static Mount overlay(const std::string& on, const std::string& from) {
    return mount(Mount::Kind::kOverlay, on, from);
  }
  static Mount bind(const std::string& on, const std::string& from) {
    return mount(Mount::Kind::kBind, on, from);
  }

  std::string folder_;
};

TEST_F(OwnMachine, HasFilesLaidOverTheMachinesOwn) {
  const CommandResult result =
      run("cat /etc/only-here; test -e /etc/passwd && echo and the others; echo x >/etc/new",
          {overlay("/etc", "${packages}/etc")});
  EXPECT_THAT(result.lines, testing::Contains("laid over"));
  EXPECT_THAT(result.lines, testing::Contains("and the others"));
  EXPECT_THAT(result.lines.back(), HasSubstr("Read-only"));
  EXPECT_FALSE(fs::exists("/etc/only-here"));
}

TEST_F(OwnMachine, WritesIntoItsOwnFolderInAnothersPlace) {
  const CommandResult result =
      run("echo kept >/var/here", {bind("/var", "${dir}/var")}, /*own_pid_namespace=*/true);
  EXPECT_TRUE(result.exit.clean) << result.exit.text;
  EXPECT_TRUE(fs::exists(folder_ + "/var/here"));
  EXPECT_FALSE(fs::exists("/var/here"));
}

TEST_F(OwnMachine, TakesPathsWithTheSignsOfOptions) {
  folder_ = fs::path(folder_) / "a:b,c\\d";
  fs::create_directories(folder_ + "/etc");
  std::ofstream(folder_ + "/etc/only-here") << "odd\n";
  EXPECT_THAT(run("cat /etc/only-here", {overlay("/etc", "${dir}/etc")}).lines, ElementsAre("odd"));
  folder_ = fs::path(folder_).parent_path();
}

TEST_F(OwnMachine, SaysWhatCannotBeMounted) {
  const CommandResult result = run("echo never", {bind("/no/such/place", "${dir}/var")});
  EXPECT_EQ(result.exit.text, "exited 126");
  EXPECT_THAT(result.lines, ElementsAre("postern: cannot mount " + folder_ +
                                        "/var on /no/such/place: No such file or directory"));
}

TEST_F(OwnMachine, IsTheMachineItselfWherePackagesAreNotUnpacked) {
  Template text = in("");
  EXPECT_TRUE(expand_mounts(text, {overlay("/usr", "${packages}/usr")}, "").empty());
}

// Its program may stand where the machine has none, and its version comes from there.
TEST_F(OwnMachine, HoldsTheProgramAndTellsItsVersion) {
  fs::create_directories(folder_ + "/fake/usr/bin");
  const std::string program = folder_ + "/fake/usr/bin/fake-mta";
  std::ofstream(program) << "#!/bin/sh\necho warning: first\necho fake-mta 1.2\n";
  fs::permissions(program, fs::perms::owner_all);
  ASSERT_EQ(::setenv("POSTERN_MTAS", folder_.c_str(), 1), 0);
  GatewayFile file;
  file.name = "fake";
  file.requires_programs = {"/usr/bin/fake-mta"};
  file.version.arguments = {"/usr/bin/fake-mta"};
  file.mounts = {overlay("/usr", "${packages}/usr"), bind("/var", "${dir}/var")};
  EXPECT_EQ(cannot_start(file, "/nowhere"), "");
  EXPECT_EQ(gateway_version(file, "/nowhere"), "fake-mta 1.2");
  file.name = "other";
  file.packages.emplace_back();
  EXPECT_EQ(cannot_start(file, "/nowhere"),
            "/usr/bin/fake-mta not found; in a checkout of Postern scripts/mtas other unpacks it; "
            "with POSTERN_MTAS=CHECKOUT/build/mtas it is found");
  fs::create_directories(folder_ + "/checkout/scripts");
  std::ofstream(folder_ + "/checkout/scripts/mtas") << "";
  EXPECT_EQ(cannot_start(file, folder_ + "/checkout/build/bin"),
            "/usr/bin/fake-mta not found; scripts/mtas other unpacks it");
  ::unsetenv("POSTERN_MTAS");
}

}  // namespace
}  // namespace postern
