#include "trigger-runtime/sources/script_tree.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hastur {
namespace {

std::vector<std::string> library_paths(const TreeScript& script) {
  std::vector<std::string> paths;
  for (const ScriptFile& file : script.libraries) paths.push_back(file.path);
  return paths;
}

TEST(ScriptTree, HoldsTriggersWithTheLibrariesThatTheyRequire) {
  const ScriptTree tree = read_script_tree({{"a.lua", "require 'lib.x'"},
                                            {"a.test.lua", "{}"},
                                            {"b/c.lua", ""},
                                            {"lib/x.lua", "require 'lib.deep.y'"},
                                            {"lib/deep/y.lua", ""},
                                            {"lib/z.lua", ""},
                                            {"notes.json", "{}"}});
  ASSERT_EQ(tree.scripts.size(), 2u);
  EXPECT_EQ(tree.scripts[0].name, "a");
  EXPECT_EQ(library_paths(tree.scripts[0]),
            (std::vector<std::string>{"lib/deep/y.lua", "lib/x.lua"}));
  EXPECT_EQ(tree.scripts[1].name, "b/c");
  EXPECT_TRUE(tree.scripts[1].libraries.empty());
  EXPECT_TRUE(tree.problems.empty());
}

TEST(ScriptTree, EndsWhereLibrariesRequireEachOther) {
  const ScriptTree tree = read_script_tree({{"a.lua", "require 'lib.x'"},
                                            {"lib/x.lua", "require 'lib.y'"},
                                            {"lib/y.lua", "require 'lib.x'"}});
  ASSERT_EQ(tree.scripts.size(), 1u);
  EXPECT_EQ(library_paths(tree.scripts[0]), (std::vector<std::string>{"lib/x.lua", "lib/y.lua"}));
}

TEST(ScriptTree, ATestWhoseTriggerIsNotThereIsAProblem) {
  const ScriptTree tree = read_script_tree({{"load.lua", ""},
                                            {"load.test.lua", ""},
                                            {"laod.test.json", ""},
                                            {"lib/x.test.lua", ""},
                                            {"load.test.more.lua", ""}});
  EXPECT_EQ(tree.scripts.size(), 1u);
  EXPECT_EQ(tree.problems,
            std::vector<std::string>{"laod.test.json tests a trigger that is not there: laod.lua"});
}

TEST(ScriptTree, LeavesOutOddNamesAndSaysSo) {
  const ScriptTree tree = read_script_tree({{"with space.lua", ""},
                                            {"\xc3\xbc.lua", ""},
                                            {"state.lua", ""},
                                            {"a/../b.lua", ""},
                                            {"hastur/x.lua", ""}});
  EXPECT_TRUE(tree.scripts.empty());
  ASSERT_EQ(tree.problems.size(), 5u);
  EXPECT_TRUE(std::ranges::any_of(tree.problems, [](const std::string& problem) {
    return problem.starts_with("with space.lua: ");
  }));
}

}  // namespace
}  // namespace hastur
