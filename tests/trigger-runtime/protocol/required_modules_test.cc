#include "trigger-runtime/protocol/required_modules.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(RequiredModules, AreFoundByLiteralNameOnly) {
  const std::vector<std::string> wanted = {"lib.a", "lib.b.c"};
  EXPECT_EQ(
      required_modules(
          "require 'lib.a' x = require(\"lib.b.c\") prequire 'lib.z' require(name) require 'os'"),
      wanted);
}

TEST(RequiredModules, LieBelowTheRootOfTheScripts) {
  EXPECT_EQ(module_path("lib.a"), "lib/a.lua");
  EXPECT_EQ(module_path("lib.b.c"), "lib/b/c.lua");
}

}  // namespace
}  // namespace hastur
