#include "supervisor/cli/text.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(Cut, CountsCodePoints) {
  EXPECT_EQ(cut("über", 4), "über");
  EXPECT_EQ(cut("übers", 4), "übe…");
  EXPECT_EQ(cut("", 0), "");
  EXPECT_EQ(cut("abc", 0), "");
  EXPECT_EQ(cut("abc", 1), "…");
}

TEST(Table, LinesColumnsUp) {
  EXPECT_EQ(table({"A", "B"}, {{"ü", "1"}, {"long", ""}}), "A     B\nü     1\nlong\n");
}

TEST(ShortCount, HasAtMostFourCharacters) {
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(999.7), "1.0k");
  EXPECT_EQ(short_count(1234), "1.2k");
  EXPECT_EQ(short_count(12345), "12k");
  EXPECT_EQ(short_count(1e6), "1.0M");
  EXPECT_EQ(short_count(5e12), "5.0T");
}

}  // namespace
}  // namespace hastur
