#include "trigger-runtime/sources/ref_update.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(RefUpdate, IsReadFromALineOfGit) {
  const std::string nothing(40, '0'), some(40, 'a');
  const auto update = parse_ref_update(some + " " + nothing + " refs/heads/main");
  ASSERT_TRUE(update);
  EXPECT_EQ(update->before, some);
  EXPECT_EQ(update->branch(), "main");
  EXPECT_TRUE(update->is_delete());
  EXPECT_FALSE(update->is_new());
  const auto tag = parse_ref_update(nothing + " " + some + " refs/tags/a b");
  EXPECT_TRUE(tag->is_new());
  EXPECT_EQ(tag->branch(), "");
  for (const char* line : {"", "a", "a b", "a b "}) EXPECT_FALSE(parse_ref_update(line)) << line;
}

}  // namespace
}  // namespace hastur
