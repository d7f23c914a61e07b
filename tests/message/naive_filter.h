#pragma once

// What filters mean, written as plainly as can be on JSON: the engine and the router must agree
// with it. And generated filters whose values are drawn from the sets that generated messages use.

#include <ostream>
#include <string>

#include "tests/message/generators.h"

namespace hastur::testing {

bool naive_wildcard(const std::string& pattern, const std::string& text);

bool naive_matches(const Json& filter, const MessageParts& message);

rc::Gen<Json> gen_filter(int depth = 1);

// rapidcheck prints a counterexample with this.
void showValue(const MessageParts& parts, std::ostream& out);

}  // namespace hastur::testing
