#include "supervisor/deploy/script_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace hastur {
namespace {

namespace fs = std::filesystem;

struct ScriptDirectory : testing::Test {
  void SetUp() override {
    root =
        fs::path(testing::TempDir()) /
        (std::string("scripts_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root);
    fs::create_directories(root);
  }
  void TearDown() override { fs::remove_all(root); }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  VersionId version_of(const std::string& name) {
    const auto set = read_script_directory(root);
    for (const DesiredScript& script : set.value().scripts) {
      if (script.name == name) return script.version.id;
    }
    return "";
  }
  fs::path root;
};

TEST_F(ScriptDirectory, NamesTriggersByTheirPathAndLeavesOutLibrariesAndTests) {
  write("a.lua", "");
  write("billing/load.lua", "");
  write("billing/load.test.lua", "");
  write("billing/load.test.more.lua", "");
  write(".hastur/meta.lua", "");
  write("lib/pages.lua", "");
  write("notes.txt", "");
  write(".git/hooks/x.lua", "");
  const auto set = read_script_directory(root);
  ASSERT_EQ(set->scripts.size(), 2u);
  EXPECT_EQ(set->scripts[0].name, "a");
  EXPECT_EQ(set->scripts[1].name, "billing/load");
  EXPECT_TRUE(set->problems.empty());
}

TEST_F(ScriptDirectory, TellsOfAFolderThatItMayNotRead) {
  write("a.lua", "");
  write("closed/b.lua", "");
  fs::permissions(root / "closed", fs::perms::none);
  const uid_t us = geteuid();
  if (us == 0) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const auto set = read_script_directory(root);
  if (us == 0) {
    ASSERT_EQ(seteuid(us), 0);
  }
  fs::permissions(root / "closed", fs::perms::owner_all);
  EXPECT_EQ(set->scripts.size(), 1u);
  ASSERT_EQ(set->problems.size(), 1u);
  EXPECT_EQ(set->problems[0], "closed: a folder that cannot be read: Permission denied");
}

TEST_F(ScriptDirectory, AVersionChangesWithTheLibrariesThatItRequiresAndNoOthers) {
  write("a.lua", "local p = require \"lib.pages\"");
  write("lib/pages.lua", "local q = require('lib.deep.q') return {}");
  write("lib/deep/q.lua", "return 1");
  write("lib/other.lua", "return 1");
  const VersionId before = version_of("a");
  write("lib/other.lua", "return 2");
  EXPECT_EQ(version_of("a"), before);
  write("lib/deep/q.lua", "return 2");
  EXPECT_NE(version_of("a"), before);
}

TEST_F(ScriptDirectory, LeavesOutWhatNoTriggerMayBeAndSaysSo) {
  write("state.lua", "");
  write("with space.lua", "");
  fs::create_symlink("/etc/hostname", root / "out.lua");
  std::ofstream(root / "big.lua") << std::string(script_bytes_max + 1, ' ');
  const auto set = read_script_directory(root);
  EXPECT_TRUE(set->scripts.empty());
  EXPECT_EQ(set->problems.size(), 4u);
}

TEST_F(ScriptDirectory, SaysOfEachEntryThatCannotBeAScriptWhy) {
  write("lib/real/a.lua", "");
  fs::create_directory_symlink(root / "lib/real", root / "linked");
  fs::create_symlink("loop.lua", root / "loop.lua");
  ASSERT_EQ(mkfifo((root / "pipe.lua").c_str(), 0600), 0);
  write("two\nlines.lua", "");
  write("fine.lua", "");
  fs::create_directory(root / "folder.lua");
  const auto set = read_script_directory(root);
  ASSERT_EQ(set->scripts.size(), 1u);
  std::vector<std::string> problems = set->problems;
  std::ranges::sort(problems);
  ASSERT_EQ(problems.size(), 4u);
  EXPECT_EQ(problems[0], "linked: a link to a folder is not followed; copy what it points at");
  EXPECT_EQ(problems[1], "loop.lua: cannot be followed: Too many levels of symbolic links");
  EXPECT_EQ(problems[2], "pipe.lua: no file that can be read, but a pipe, a socket or a device");
  EXPECT_TRUE(problems[3].starts_with("two?lines.lua: ")) << problems[3];
  EXPECT_EQ(problems[3].find('\n'), std::string::npos);
}

TEST_F(ScriptDirectory, ThatIsNotThereIsAnErrorThatNamesIt) {
  const auto set = read_script_directory(root / "nowhere");
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().message.find("nowhere"), std::string::npos);
}

TEST_F(ScriptDirectory, ThatMayNotBeReadIsAnErrorAndNotEmpty) {
  write("a.lua", "");
  fs::permissions(root, fs::perms::none);
  // The superuser may read all.
  const bool is_root = geteuid() == 0;
  ASSERT_EQ(seteuid(is_root ? 65534 : geteuid()), 0);
  const auto set = read_script_directory(root);
  ASSERT_EQ(seteuid(getuid()), 0);
  fs::permissions(root, fs::perms::owner_all);
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().message.find("cannot be read: Permission denied"), std::string::npos)
      << set.error().message;
}

}  // namespace
}  // namespace hastur
