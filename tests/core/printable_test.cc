#include "core/printable.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(Printable, LetsNothingCommandTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            "?2J");
  EXPECT_EQ(printable("übel …"), "übel …");
  EXPECT_EQ(printable_lines("a\x1b\nb\r\n"), "a?\nb?\n");
  EXPECT_EQ(printable_lines("a\n\nb"), "a\n\nb\n");
  EXPECT_EQ(printable_lines(""), "");
}

}  // namespace
}  // namespace hastur
