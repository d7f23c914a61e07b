#include "core/folder_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/clock.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;
using Depth = FolderWatch::Depth;

class FolderWatchTest : public ::testing::Test {
 protected:
  FolderWatchTest() {
    char name[] = "/tmp/hastur-folder-watch-XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    top_ = fs::path(name) / "top";
    fs::create_directories(top_ / "inner");
    auto watch = FolderWatch::make(loop_, [this](const std::set<std::string>& paths) {
      ++calls_;
      seen_.insert(paths.begin(), paths.end());
    });
    EXPECT_TRUE(watch);
    watch_ = std::move(*watch);
  }
  ~FolderWatchTest() override { fs::remove_all(top_.parent_path()); }

  void write(const std::string& path, const std::string& text = "x") {
    std::ofstream(top_ / path) << text;
  }
  bool saw(const std::string& path) const { return seen_.contains((top_ / path).string()); }
  // Until the path, or a folder above it, has been told; or a limit that no test comes near.
  bool comes(const std::string& path) {
    SystemClock clock;
    const Micros end = clock.monotonic() + std::chrono::seconds{60};
    while (clock.monotonic() < end) {
      for (fs::path at = top_ / path; at != at.root_path(); at = at.parent_path()) {
        if (seen_.contains(at.string())) return true;
      }
      loop_.run_some(end - clock.monotonic());
    }
    return false;
  }

  Loop loop_;
  fs::path top_;
  std::set<std::string> seen_;
  int calls_ = 0;
  std::unique_ptr<FolderWatch> watch_;
};

TEST_F(FolderWatchTest, NamesTheFilesOfABurstAtOnce) {
  watch_->watch({{top_, Depth::tree}});
  write("a.lua");
  write("inner/b.lua");
  ASSERT_TRUE(comes("inner/b.lua"));
  EXPECT_TRUE(saw("a.lua"));
  EXPECT_EQ(calls_, 1);
}

TEST_F(FolderWatchTest, FollowsFoldersThatComeAndGo) {
  watch_->watch({{top_, Depth::tree}});
  fs::create_directories(top_ / "new" / "deep");
  ASSERT_TRUE(comes("new/deep"));
  seen_.clear();
  write("new/deep/c.lua");
  ASSERT_TRUE(comes("new/deep/c.lua"));
  seen_.clear();
  fs::remove_all(top_ / "new");
  ASSERT_TRUE(comes("new"));
  seen_.clear();
  write("a.lua");
  EXPECT_TRUE(comes("a.lua"));
}

TEST_F(FolderWatchTest, FollowsAFolderUnderItsNewName) {
  watch_->watch({{top_, Depth::tree}});
  fs::rename(top_ / "inner", top_ / "moved");
  ASSERT_TRUE(comes("moved"));
  EXPECT_TRUE(saw("inner"));
  seen_.clear();
  write("moved/d.lua");
  ASSERT_TRUE(comes("moved/d.lua"));
  EXPECT_FALSE(saw("inner/d.lua"));
}

TEST_F(FolderWatchTest, AWatchedFolderMayVanishAndComeBack) {
  watch_->watch({{top_, Depth::tree}});
  fs::remove_all(top_);
  ASSERT_TRUE(comes(""));
  seen_.clear();
  fs::create_directories(top_);
  ASSERT_TRUE(comes(""));
  seen_.clear();
  write("a.lua");
  EXPECT_TRUE(comes("a.lua"));
}

// As `[triggers] directory = "triggers"` names it.
class FolderWatchOfABareName : public FolderWatchTest {
 protected:
  FolderWatchOfABareName() : before_(fs::current_path()) { fs::current_path(top_.parent_path()); }
  ~FolderWatchOfABareName() override { fs::current_path(before_); }

  bool saves_a_file_that_comes() {
    seen_.clear();
    write("late.lua");
    return is_told("top/late.lua");
  }
  // Until the path has been told; or a limit that no test comes near.
  bool is_told(const std::string& path) {
    SystemClock clock;
    const Micros end = clock.monotonic() + std::chrono::seconds{5};
    while (!seen_.contains(path) && clock.monotonic() < end)
      loop_.run_some(end - clock.monotonic());
    return seen_.contains(path);
  }

 private:
  fs::path before_;
};

TEST_F(FolderWatchOfABareName, ItMayBeMissingAtTheStart) {
  fs::remove_all(top_);
  watch_->watch({{"top", Depth::tree}});
  fs::create_directories(top_);
  ASSERT_TRUE(is_told("top"));
  EXPECT_TRUE(saves_a_file_that_comes());
}

TEST_F(FolderWatchOfABareName, ItMayBeRemovedAndMadeAnew) {
  watch_->watch({{"top", Depth::tree}});
  fs::remove_all(top_);
  ASSERT_TRUE(is_told("top"));
  seen_.clear();
  fs::create_directories(top_);
  ASSERT_TRUE(is_told("top"));
  EXPECT_TRUE(saves_a_file_that_comes());
}

TEST_F(FolderWatchOfABareName, ItMayBeMovedAwayAndBack) {
  watch_->watch({{"top", Depth::tree}});
  fs::rename("top", "away");
  ASSERT_TRUE(is_told("top"));
  seen_.clear();
  fs::rename("away", "top");
  ASSERT_TRUE(is_told("top"));
  EXPECT_TRUE(saves_a_file_that_comes());
}

TEST_F(FolderWatchOfABareName, ItMayBeALinkThatIsSwitched) {
  fs::rename("top", "v1");
  fs::create_directories("v2");
  fs::create_directory_symlink("v1", "top");
  watch_->watch({{"top", Depth::tree}});
  // As `ln -sfn v2 top` does it.
  fs::create_directory_symlink("v2", "next");
  fs::rename("next", "top");
  ASSERT_TRUE(is_told("top"));
  EXPECT_TRUE(saves_a_file_that_comes());
}

TEST_F(FolderWatchTest, LeavesOutHiddenFoldersAndNeighbours) {
  fs::create_directories(top_ / ".git");
  watch_->watch({{top_, Depth::tree}});
  write(".git/index");
  write("../neighbour");
  write("a.lua");
  ASSERT_TRUE(comes("a.lua"));
  EXPECT_EQ(seen_, std::set<std::string>{(top_ / "a.lua").string()});
}

TEST_F(FolderWatchTest, OfAFolderAloneItLeavesOutWhatIsBelow) {
  watch_->watch({{top_, Depth::files}});
  write("inner/b.lua");
  write("a.lua");
  ASSERT_TRUE(comes("a.lua"));
  EXPECT_EQ(seen_, std::set<std::string>{(top_ / "a.lua").string()});
}

TEST_F(FolderWatchTest, WhatIsWatchedMayChange) {
  watch_->watch({{top_, Depth::files}});
  watch_->watch({{top_ / "inner", Depth::files}});
  write("a.lua");
  write("inner/b.lua");
  ASSERT_TRUE(comes("inner/b.lua"));
  EXPECT_FALSE(saw("a.lua"));
}

TEST_F(FolderWatchTest, AFileThatIsWrittenAllTheTimeKeepsNothingFromBeingTold) {
  watch_->watch({{top_, Depth::tree}});
  SystemClock clock;
  const Micros end = clock.monotonic() + std::chrono::seconds{60};
  // Each turn of the loop, so that there is never a quiet moment.
  while (calls_ == 0 && clock.monotonic() < end) {
    write("log");
    loop_.run_some(std::chrono::milliseconds{1});
  }
  EXPECT_EQ(calls_, 1);
}

}  // namespace
}  // namespace hastur
