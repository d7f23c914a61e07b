#include "core/lock_file.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace hastur {
namespace {

TEST(LockFile, IsHeldByOneUntilItIsDropped) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "hastur_lock_file_test";
  std::filesystem::create_directories(folder);
  const std::string path = folder / "x.lock";
  {
    const auto held = LockFile::take(path, "x.db");
    ASSERT_TRUE(held) << held.error().message;
    const auto second = LockFile::take(path, "x.db");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
    EXPECT_NE(second.error().message.find("x.db: process " + std::to_string(::getpid())),
              std::string::npos);
  }
  EXPECT_TRUE(LockFile::take(path, "x.db"));
  std::filesystem::remove_all(folder);
}

TEST(LockFile, AFolderThatIsNotThereIsAnError) {
  const auto taken = LockFile::take("/nonexistent/x.lock", "x.db");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::failed);
}

}  // namespace
}  // namespace hastur
