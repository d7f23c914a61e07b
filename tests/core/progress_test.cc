#include "core/progress.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(Progress, WithoutATotalCounts) {
  EXPECT_EQ(progress_text(1'200'000, std::nullopt, "messages", std::chrono::seconds{2}),
            "1.2 M messages, 600.0 k/s");
  EXPECT_EQ(progress_text(0, std::nullopt, "messages", std::chrono::seconds{2}), "0 messages");
  EXPECT_EQ(progress_text(5, 10, "inputs", Micros{0}),
            "[##########----------]  50 %, 5 of 10 inputs");
}

}  // namespace
}  // namespace hastur
