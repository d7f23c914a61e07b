// Commits are read and made; what is no plain file is said.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

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
  EXPECT_EQ(repository.resolve("no name..at:all").error().code, ErrorCode::not_found);
  EXPECT_EQ(repository.resolve("main^{tree}").error().code, ErrorCode::not_found);
  EXPECT_EQ(repository.resolve("").error().code, ErrorCode::not_found);
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
                                      "folder: a link is not followed; copy what it points at",
                                      "out.lua: a link is not followed; copy what it points at"}));
}

TEST_F(GitRepositoryTest, FoldersBeyondADepthAreNotGoneThrough) {
  make();
  git("clone r.git work");
  git("-C work checkout -b main");
  std::string deep = "work";
  for (int i = 0; i < 65; ++i) deep += "/d";
  fs::create_directories(folder_ / deep);
  std::ofstream(folder_ / deep / "a.lua") << "--";
  git("-C work add -A");
  git("-C work commit -m deep");
  git("-C work push origin main");
  auto repository = GitRepository::open(folder_ / "r.git");
  ASSERT_TRUE(repository) << repository.error().message;
  const CommitFiles read = repository->read(*repository->tip("main").value()).value();
  EXPECT_TRUE(read.files.empty());
  ASSERT_EQ(read.problems.size(), 1u);
  EXPECT_TRUE(read.problems[0].ends_with("folders are nested deeper than 64")) << read.problems[0];
}

// That is no fault of the commit: it may be tried again when the repository is whole.
TEST_F(GitRepositoryTest, ABlobThatIsDamagedFailsTheReading) {
  make();
  auto repository = GitRepository::open(folder_ / "r.git");
  ASSERT_TRUE(repository) << repository.error().message;
  const std::string tip =
      repository->commit("main", {{"lib/a.lua", "-- a text"}}, "m", "Ada", Time{}).value();
  const std::string asks = "git -C r.git rev-parse main:lib/a.lua > blob.txt";
  ASSERT_EQ(std::system(("cd '" + folder_.string() + "' && " + asks).c_str()), 0);
  std::string blob;
  std::ifstream(folder_ / "blob.txt") >> blob;
  ASSERT_EQ(blob.size(), 40u);
  const fs::path object = folder_ / "r.git/objects" / blob.substr(0, 2) / blob.substr(2);
  ASSERT_TRUE(fs::exists(object));
  fs::permissions(object, fs::perms::owner_all);
  for (const bool gone : {false, true}) {
    if (gone)
      fs::remove(object);
    else
      std::ofstream(object) << "no zlib";
    const auto read = GitRepository::open(folder_ / "r.git")->read(tip);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("lib/a.lua"), std::string::npos) << read.error().message;
  }
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
