#include "trigger-test/shrink.h"
#include "core/json.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hastur {
namespace {

TestCase numbered(int count) {
  TestCase test;
  for (int i = 0; i < count; ++i) {
    MessageSpec spec;
    spec.fields = {
        {"type", "gauge"}, {"name", "g"}, {"value", i}, {"labels", {{"a", 1}, {"b", 2}}}};
    spec.at = std::chrono::seconds{10 + i};
    test.messages.push_back(std::move(spec));
  }
  test.ends = std::chrono::minutes{5};
  return test;
}

bool holds(const TestCase& test, int value) {
  return std::ranges::any_of(
      test.messages, [&](const MessageSpec& spec) { return spec.fields["value"] == value; });
}

TEST(Shrink, FindsTheTwoMessagesThatAreNeeded) {
  const auto shrunk = shrink(numbered(100), 200, [](const TestCase& test) -> Result<bool> {
    return holds(test, 17) && holds(test, 80);
  });
  ASSERT_TRUE(shrunk);
  ASSERT_EQ(shrunk->messages.size(), 2u);
  EXPECT_EQ(shrunk->messages[0].fields["value"], 17);
  EXPECT_EQ(shrunk->messages[1].fields["value"], 80);
  // It begins at the start, and what is between the two stays between them.
  EXPECT_EQ(shrunk->messages[0].at, Micros{0});
  EXPECT_EQ(shrunk->messages[1].at, Micros{std::chrono::seconds{63}});
  EXPECT_FALSE(shrunk->messages[0].fields.contains("labels"));
}

TEST(Shrink, NeedsOneTryIfTheLastMessageIsEnough) {
  int tries = 0;
  const auto shrunk = shrink(numbered(50), 1, [&](const TestCase& test) -> Result<bool> {
    ++tries;
    return holds(test, 49);
  });
  ASSERT_TRUE(shrunk);
  EXPECT_EQ(shrunk->messages.size(), 1u);
  EXPECT_EQ(tries, 1);
}

TEST(Shrink, KeepsTheLabelsThatAreNeeded) {
  const auto shrunk = shrink(numbered(3), 50, [](const TestCase& test) -> Result<bool> {
    return holds(test, 2) && test.messages.back().fields.value("labels", Json()).contains("b");
  });
  ASSERT_TRUE(shrunk);
  ASSERT_EQ(shrunk->messages.size(), 1u);
  EXPECT_EQ(shrunk->messages[0].fields["labels"], Json({{"b", 2}}));
}

TEST(Shrink, TriesNoMoreThanItMay) {
  int tries = 0;
  const auto shrunk = shrink(numbered(1000), 7, [&](const TestCase&) -> Result<bool> {
    ++tries;
    return false;
  });
  ASSERT_TRUE(shrunk);
  EXPECT_EQ(shrunk->messages.size(), 1000u);
  EXPECT_EQ(tries, 7);
}

TEST(Shrink, StopsAtAFaultOfTheMachine) {
  const auto shrunk = shrink(numbered(10), 50, [](const TestCase&) -> Result<bool> {
    return fail(ErrorCode::unavailable, "no worker");
  });
  ASSERT_FALSE(shrunk);
  EXPECT_EQ(shrunk.error().message, "no worker");
}

}  // namespace
}  // namespace hastur
