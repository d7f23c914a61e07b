// Runs the real trigger-test, which runs the real trigger-worker.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/trigger-test/command_test.h"
#include "trigger-test/templates.h"

namespace hastur {
namespace {

class TriggerTestNew : public testing::TriggerTestCommand {};

TEST_F(TriggerTestNew, WritesRulesThatPassAsTheyAreWithAllLinesRun) {
  for (const Template& each : templates()) {
    run(fmt::format("new billing/{0} --like {0}", each.name));
    EXPECT_EQ(exit_code_, 0) << error_;
    EXPECT_NE(output_.find(fmt::format("billing/{}.test.lua", each.name)), std::string::npos);
  }
  run("--coverage-min 100");
  EXPECT_EQ(exit_code_, 0) << output_;
  EXPECT_NE(output_.find("6 triggers, 12 tests: all good"), std::string::npos) << output_;
}

TEST_F(TriggerTestNew, OverwritesNothing) {
  write("load.test.lua", "return {}");
  run("new load");
  EXPECT_EQ(exit_code_, 2);
  EXPECT_NE(error_.find("load.test.lua exists already"), std::string::npos) << error_;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "load.lua")) << "both files or none";
  write("busy.lua", "-- mine");
  run("new busy.lua");
  EXPECT_EQ(exit_code_, 2);
  std::string text;
  std::getline(std::ifstream(folder_ / "busy.lua"), text);
  EXPECT_EQ(text, "-- mine");
  write("full.test.json", "{}");
  run("new full");
  EXPECT_EQ(exit_code_, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "full.lua"));
}

TEST_F(TriggerTestNew, OfAWriteThatFailsItSaysWhyAndLeavesNothing) {
  // No file may grow beyond nothing.
  const std::string command =
      fmt::format("cd {} && trap '' XFSZ && ulimit -f 0 && {} new load 2>&1", folder_.string(),
                  testing::beside_us("trigger-test"));
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char said[4096] = {};
  const std::size_t bytes = fread(said, 1, sizeof said - 1, pipe);
  EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 2);
  EXPECT_EQ(std::string(said, bytes), "trigger-test: cannot write load.lua: File too large\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "load.lua"));
}

TEST_F(TriggerTestNew, WhatToTryIsACommandThatAShellTakes) {
  write("a b/lib/x.lua", "");
  run("new 'a b/c'");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_NE(output_.find("Try it: trigger-test 'a b/c.lua'\n"), std::string::npos) << output_;
}

TEST_F(TriggerTestNew, RefusesWhatCannotBeATrigger) {
  for (const char* arguments : {"new", "new lib/shared", "new .hidden", "new a.test.lua",
                                "new 'a b'", "new a/state", "new good --like treshold"}) {
    run(arguments);
    EXPECT_EQ(exit_code_, 2) << arguments;
    EXPECT_FALSE(error_.empty()) << arguments;
  }
  EXPECT_NE(error_.find("did you mean threshold?"), std::string::npos) << error_;
}

}  // namespace
}  // namespace hastur
