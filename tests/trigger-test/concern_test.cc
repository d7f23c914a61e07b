#include "trigger-test/concern.h"

#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

using Names = std::vector<std::string>;

class Concerned : public testing::TriggerTestCommand {
 protected:
  Concerned() {
    write("lib/far.lua", "return 1");
    write("lib/near.lua", "return require('lib.far')");
    write("a/uses.lua", "local near = require \"lib.near\"");
    write("a/plain.lua", "hastur.trigger{}");
    write("b/tested.lua", "hastur.trigger{}");
    write("b/tested.test.lua",
          "require 'lib.cases' return { messages = { { recording = 'day/x.jsonl' } } }");
    write("b/plain.lua", "hastur.trigger{}");
    write("b/plain.test.json", R"({"messages": [{"recording": "y.jsonl"}]})");
  }

  // As they stand below the folder.
  Names of(const Names& changed) {
    std::set<std::string> paths;
    for (const std::string& path : changed) paths.insert(folder_ / path);
    Names all;
    for (const char* path : {"a/plain.lua", "a/uses.lua", "b/plain.lua", "b/tested.lua"})
      all.push_back(folder_ / path);
    Names found = concerned(all, paths);
    for (std::string& path : found) path = std::filesystem::path(path).lexically_relative(folder_);
    return found;
  }
};

TEST_F(Concerned, AreThoseWhoseScriptOrTestFileHasChanged) {
  EXPECT_EQ(of({"a/plain.lua"}), Names{"a/plain.lua"});
  EXPECT_EQ(of({"b/tested.test.lua"}), Names{"b/tested.lua"});
  EXPECT_EQ(of({"b/plain.test.json"}), Names{"b/plain.lua"});
  // Which is not there, or not there any more.
  EXPECT_EQ(of({"a/plain.test.lua"}), Names{"a/plain.lua"});
  EXPECT_EQ(of({"a/none.lua", "readme.md"}), Names{});
}

TEST_F(Concerned, AreThoseThatRequireALibraryOnWhateverWay) {
  EXPECT_EQ(of({"lib/near.lua"}), Names{"a/uses.lua"});
  EXPECT_EQ(of({"lib/far.lua"}), Names{"a/uses.lua"});
  // It is missing still: its coming mends the test file.
  EXPECT_EQ(of({"lib/cases.lua"}), Names{"b/tested.lua"});
  EXPECT_EQ(of({"lib/other.lua"}), Names{});
}

TEST_F(Concerned, AreThoseWhoseTestFilesMentionARecording) {
  EXPECT_EQ(of({"b/day/x.jsonl"}), Names{"b/tested.lua"});
  EXPECT_EQ(of({"b/y.jsonl"}), Names{"b/plain.lua"});
}

TEST_F(Concerned, AreAllThoseBelowAFolderThatHasChanged) {
  EXPECT_EQ(of({"a"}), (Names{"a/plain.lua", "a/uses.lua"}));
  EXPECT_EQ(of({"lib"}), (Names{"a/uses.lua", "b/tested.lua"}));
  EXPECT_EQ(of({"b/day"}), Names{"b/tested.lua"});
}

}  // namespace
}  // namespace hastur
