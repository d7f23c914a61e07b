#pragma once

// A test as the text of a test file.

#include <string>

#include "core/json.h"
#include "trigger-test/test_file.h"

namespace hastur {

// `{ name = …, messages = { … } }`, each line after the first behind `indent`. Recordings must have
// been resolved into messages; of what is expected, only the size of the state is written.
std::string lua_text(const TestCase& test, const std::string& indent = "");
// A JSON value as Lua: `{ type = "gauge", ["a b"] = hastur.null }`.
std::string lua_text(const Json& value);

}  // namespace hastur
