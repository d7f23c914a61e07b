#include "trigger-runtime/protocol/required_modules.h"

#include <gtest/gtest.h>

#include <map>

namespace hastur {
namespace {

TEST(RequiredModules, AreFoundByLiteralNameOnly) {
  const std::vector<std::string> wanted = {"lib.a", "lib.b.c"};
  EXPECT_EQ(
      required_modules(
          "require 'lib.a' x = require(\"lib.b.c\") prequire 'lib.z' require(name) require 'os'"),
      wanted);
}

TEST(RequiredModules, AreFoundInEachFormOfText) {
  const std::vector<std::string> wanted = {"lib.a", "lib.b", "lib.c"};
  EXPECT_EQ(required_modules("require [[lib.a]] require([==[\nlib.b]==]) require[=[lib.c]=] "
                             "require[=x[lib.d]] require [[lib.e require[name]"),
            wanted);
}

TEST(RequiredModules, LibrariesAreThoseThatLibrariesRequire) {
  const std::map<std::string, std::string> files = {
      {"lib/a.lua", "require 'lib.b' require [[lib.gone]]"},
      {"lib/b.lua", "require 'lib.a'"},
      {"lib/other.lua", ""}};
  const auto libraries = required_libraries("require 'lib.a'", [&](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  });
  ASSERT_EQ(libraries.size(), 2u);
  EXPECT_EQ(libraries[0].path, "lib/a.lua");
  EXPECT_EQ(libraries[1].path, "lib/b.lua");
}

TEST(RequiredModules, LieBelowTheRootOfTheScripts) {
  EXPECT_EQ(module_path("lib.a"), "lib/a.lua");
  EXPECT_EQ(module_path("lib.b.c"), "lib/b/c.lua");
}

}  // namespace
}  // namespace hastur
