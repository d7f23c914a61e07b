#pragma once

// Whether the order of messages of the same instant decides what a trigger notifies.

#include <optional>
#include <string>

#include "trigger-test/nicknames.h"
#include "trigger-test/stand.h"
#include "trigger-test/test_file.h"

namespace hastur {

// `test`, whose messages are in order of time, with those of one instant the other way round;
// messages of one sender keep their order.
TestCase reordered(TestCase test);

struct OrderDifference {
  // A notification that only the one order has, as its receiver sees it; "nothing" if there is
  // none.
  std::string one;
  std::string other;
};

// The notifications of two runs, whenever they came; nothing if they are the same.
std::optional<OrderDifference> order_difference(const Outcome& first, const Outcome& second,
                                                const Nicknames& names);

}  // namespace hastur
