// Commits are read and made; what is no plain file is said.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "trigger-runtime/sources/repository.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

class GitRepositoryTest : public ::testing::Test {
 protected:
  GitRepositoryTest() {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = fs::path(testing::TempDir()) / ("hastur_git_" + test);
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~GitRepositoryTest() override { fs::remove_all(folder_); }

  // What people do with git itself, in a clone.
  void git(const std::string& words) {
    const std::string command = "cd '" + folder_.string() +
                                "' && git -c user.name=Ada -c user.email=ada@example.com " + words +
                                " >git.log 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  GitRepository make() {
    auto made = GitRepository::init_bare(folder_ / "r.git", "main");
    EXPECT_TRUE(made) << made.error().message;
    return *std::move(made);
  }

  fs::path folder_;
  const Time time_ = time_from_us(1'704'067'200'000'000);
};

TEST_F(GitRepositoryTest, WhatIsCommittedIsReadBack) {
  GitRepository repository = make();
  EXPECT_FALSE(repository.tip("main").value());
  const auto first = repository.commit("main", {{"a.lua", "one"}, {"README.md", "hello"}},
                                       "begin\n\nmore", "Ada", time_);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = repository.commit(
      "main", {{"b/c.lua", "two"}, {"lib/d.lua", "three"}, {"b/c.test.json", "{}"}}, "go on", "Ada",
      time_);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(repository.tip("main").value(), *second);
  EXPECT_EQ(repository.resolve("main").value(), *second);
  EXPECT_EQ(repository.resolve(first->substr(0, 10)).value(), *first);
  EXPECT_EQ(repository.resolve("nothing").error().code, ErrorCode::not_found);
  const CommitFiles old = repository.read(*first).value();
  EXPECT_EQ(old.files, (std::map<std::string, std::string>{{"a.lua", "one"}}));
  EXPECT_EQ(old.author, "Ada");
  EXPECT_EQ(old.subject, "begin");
  EXPECT_EQ(old.time, time_);
  EXPECT_EQ(repository.read(*second)->files.size(), 3u);
  EXPECT_TRUE(repository.contains(*second, *first).value());
  EXPECT_FALSE(repository.contains(*first, *second).value());
  EXPECT_FALSE(repository.contains(*first, std::string(40, '1')).value());
}

TEST_F(GitRepositoryTest, PeopleCloneItAndPush) {
  GitRepository repository = make();
  ASSERT_TRUE(repository.commit("main", {{"a.lua", "one"}}, "begin", "Ada", time_));
  git("clone r.git work");
  git("-C work mv a.lua b.lua");
  git("-C work commit -m rename");
  git("-C work push origin main");
  const auto tip = repository.tip("main").value();
  ASSERT_TRUE(tip);
  EXPECT_EQ(repository.read(*tip)->files, (std::map<std::string, std::string>{{"b.lua", "one"}}));
  // And a clone can be read, too.
  EXPECT_EQ(GitRepository::open(folder_ / "work")->tip("main").value(), tip);
}

TEST_F(GitRepositoryTest, WhatIsNoPlainFileIsSaid) {
  make();
  git("clone r.git work");
  fs::create_symlink("/etc/passwd", folder_ / "work/out.lua");
  fs::create_symlink("/etc", folder_ / "work/folder");
  fs::create_directories(folder_ / "work/.hidden");
  git("-C work checkout -b main");
  const std::string big = "head -c 1048577 /dev/zero > work/big.lua; echo x > work/.hidden/h.lua";
  ASSERT_EQ(std::system(("cd '" + folder_.string() + "' && " + big).c_str()), 0);
  git("-C work add -A");
  git("-C work commit -m odd");
  git("-C work push origin main");
  auto repository = GitRepository::open(folder_ / "r.git");
  ASSERT_TRUE(repository) << repository.error().message;
  const CommitFiles read = repository->read(*repository->tip("main").value()).value();
  EXPECT_TRUE(read.files.empty());
  EXPECT_EQ(read.problems,
            (std::vector<std::string>{"big.lua: larger than 1048576 bytes",
                                      "out.lua: a link is not followed; copy the file"}));
}

TEST_F(GitRepositoryTest, WhatIsNoRepositoryIsSaid) {
  const auto nothing = GitRepository::open(folder_ / "nothing");
  ASSERT_FALSE(nothing);
  EXPECT_NE(nothing.error().message.find("nothing"), std::string::npos);
  make();
  const auto again = GitRepository::init_bare(folder_ / "r.git", "main");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  fs::remove_all(folder_ / "r.git/objects");
  EXPECT_FALSE(GitRepository::open(folder_ / "r.git"));
}

}  // namespace
}  // namespace hastur
