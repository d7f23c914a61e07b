#pragma once

// The fewest messages that still show a fault (delta debugging: Zeller, Hildebrandt, 2002).

#include <functional>

#include "core/result.h"
#include "trigger-test/test_file.h"

namespace hastur {

// Whether a case still shows it; an error is one of the machine.
using StillFails = std::function<Result<bool>(const TestCase&)>;

// `test` shows it, and its messages are single ones. Tries at most `tries_max` smaller cases: with
// fewer messages, then beginning at the test's start, then with fewer labels and fields.
Result<TestCase> shrink(TestCase test, std::size_t tries_max, const StillFails& still_fails);

}  // namespace hastur
