// trigger-test as the hook of a real bare repository, under the real git.

#include "trigger-test/pre_receive_command.h"

#include <stdlib.h>

#include "core/clock.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

TEST(ChangedScripts, AreThoseOfWhichAnythingHasChanged) {
  using Files = std::map<std::string, std::string>;
  using Paths = std::vector<std::string>;
  const Files before = {{"a.lua", "require 'lib.x'"},
                        {"b.lua", ""},
                        {"c.lua", ""},
                        {"c.test.lua", "'c.jsonl'"},
                        {"c.jsonl", "{}"},
                        {"lib/x.lua", ""},
                        {"lib/long.lua", ""},
                        {"d.lua", "require [[lib.long]]"},
                        {"d.test.json", ""}};
  EXPECT_EQ(changed_scripts(before, before), Paths{});
  EXPECT_EQ(changed_scripts({}, before), (Paths{"a.lua", "b.lua", "c.lua", "d.lua"}));
  const auto with = [&](const std::string& path, const std::string& text) {
    Files after = before;
    after[path] = text;
    return changed_scripts(before, after);
  };
  EXPECT_EQ(with("b.lua", "2"), Paths{"b.lua"});
  EXPECT_EQ(with("lib/x.lua", "2"), Paths{"a.lua"});
  EXPECT_EQ(with("lib/long.lua", "2"), Paths{"d.lua"});
  EXPECT_EQ(with("lib/y.lua", "2"), Paths{});
  EXPECT_EQ(with("c.jsonl", "[]"), Paths{"c.lua"});
  EXPECT_EQ(with("d.test.json", "[]"), Paths{"d.lua"});
  EXPECT_EQ(with("b.test.lua", "[]"), Paths{"b.lua"});
  EXPECT_EQ(with("e/f.lua", ""), Paths{"e/f.lua"});
}

TEST(ChangedScripts, AreAlsoThoseWhoseTestsRestOnWhatHasChanged) {
  using Files = std::map<std::string, std::string>;
  using Paths = std::vector<std::string>;
  const Files before = {
      {"a.lua", ""},
      {"a.test.lua", "local x = require 'lib.only_tests'"},
      {"lib/only_tests.lua", "require 'lib.below' return { recording = 'a.json' }"},
      {"lib/below.lua", ""},
      {"a.json", "[]"},
      {"b.lua", ""},
      {"b.test.lua", "return { messages = { { recording = 'b' .. '.jsonl' } } }"},
      {"b.jsonl", "{}"},
      {"c.lua", ""},
      {"c.test.json", R"({"messages":[{"recording":"data/c.jsonl"}]})"},
      {"data/c.jsonl", "{}"},
      {"d.lua", ""}};
  const auto with = [&](const std::string& path) {
    Files after = before;
    after[path] += " ";
    return changed_scripts(before, after);
  };
  EXPECT_EQ(with("lib/only_tests.lua"), Paths{"a.lua"});
  EXPECT_EQ(with("lib/below.lua"), Paths{"a.lua"});
  // Of a name that is made up nobody knows which it is.
  EXPECT_EQ(with("a.json"), (Paths{"a.lua", "b.lua"}));
  EXPECT_EQ(with("b.jsonl"), Paths{"b.lua"});
  EXPECT_EQ(with("data/c.jsonl"), (Paths{"b.lua", "c.lua"}));
  Files without = before;
  without.erase("data/c.jsonl");
  EXPECT_EQ(changed_scripts(before, without), (Paths{"b.lua", "c.lua"}));
}

class PreReceive : public testing::TriggerTestCommand {
 protected:
  PreReceive() {
    // What a user has configured is no part of the test.
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    for (const char* who : {"AUTHOR", "COMMITTER"}) {
      setenv(fmt::format("GIT_{}_NAME", who).c_str(), "Ada", 1);
      setenv(fmt::format("GIT_{}_EMAIL", who).c_str(), "ada@example.com", 1);
    }
    git(".", "init -q --bare -b main r.git");
    hook("--no-hunt");
    git(".", "init -q -b main w");
    git("w", "remote add origin ../r.git");
  }
  void hook(const std::string& flags) {
    write("r.git/hooks/pre-receive", fmt::format("#!/bin/sh\nexec {} --pre-receive {}\n",
                                                 testing::beside_us("trigger-test"), flags));
    fs::permissions(folder_ / "r.git/hooks/pre-receive", fs::perms::owner_all);
  }
  // What it says stands in said_.
  int git(const std::string& folder, const std::string& words) {
    const std::string command = fmt::format("cd {}/{} && git {} >{}/said 2>&1", folder_.string(),
                                            folder, words, folder_.string());
    const int status = std::system(command.c_str());
    std::ifstream in(folder_ / "said");
    said_.assign(std::istreambuf_iterator<char>(in), {});
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void save(const std::string& path, const std::string& text) { write("w/" + path, text); }
  void commit(const std::string& message = "a change") {
    ASSERT_EQ(git("w", "add -A"), 0) << said_;
    ASSERT_EQ(git("w", fmt::format("commit -q -m '{}'", message)), 0) << said_;
  }
  bool pushes(const std::string& what = "origin main") { return git("w", "push " + what) == 0; }
  bool says(const std::string& text) const { return said_.find(text) != std::string::npos; }
  std::string tip() {
    git("r.git", "rev-parse main");
    return said_;
  }

  std::string said_;
};

constexpr const char* good = "local ctx = hastur.trigger{ state = { n = 0 } }\n";
constexpr const char* bad = "local ctx = hastur.trigger{}\ncount = 1\n";

TEST_F(PreReceive, LetsAGoodPushPassAndRefusesABadOneWithTheReport) {
  save("a.lua", good);
  commit();
  EXPECT_TRUE(pushes()) << said_;
  EXPECT_TRUE(says("1 trigger, 0 tests: all good")) << said_;
  const std::string before = tip();
  save("a.lua", bad);
  save("b.lua", good);
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(says("./a.lua:2")) << said_;
  EXPECT_TRUE(says("ok    b ")) << said_;
  EXPECT_TRUE(says("pre-receive hook declined")) << said_;
  EXPECT_EQ(tip(), before);
  // And with what is left of it put right.
  save("a.lua", good);
  commit();
  EXPECT_TRUE(pushes()) << said_;
  EXPECT_TRUE(says("1 trigger changed")) << said_;
}

// What nothing counts and nothing bounds but the guard of CPU time.
TEST_F(PreReceive, RefusesATriggerThatKillsItsWorkerAndTestsTheOthers) {
  save("a_killer.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({}, function(msg)
  local a, b = ("x"):rep(8e6), ("x"):rep(8e6)
  for i = 1, 4e6 do if a .. "1" < b .. "2" then end end
end)
)");
  save("a_killer.test.lua", "return { messages = { { type = 'gauge', name = 'g', value = 1 } } }");
  save("b.lua", good);
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(says("FAIL  a_killer")) << said_;
  EXPECT_TRUE(says("the worker")) << said_;
  EXPECT_TRUE(says("ok    b ")) << said_;
  EXPECT_TRUE(says("pre-receive hook declined")) << said_;
  EXPECT_NE(git("r.git", "rev-parse --verify -q main"), 0) << "the push was taken: " << said_;
}

TEST_F(PreReceive, TestsWhatAPushChanges) {
  save("a.lua", std::string("local x = require 'lib.x'\n") + good);
  save("b.lua", good);
  save("c.lua", bad);
  save("lib/x.lua", "return {}");
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_EQ(git("w", "rm -q c.lua"), 0);
  commit("without it");
  EXPECT_TRUE(pushes()) << said_;
  save("lib/x.lua", "return { 1 }");
  commit();
  EXPECT_TRUE(pushes()) << said_;
  EXPECT_TRUE(says("main") && says("1 trigger changed, or with a changed library")) << said_;
  EXPECT_TRUE(says("ok    a ")) << said_;
  save("lib/x.lua", "return nil + 1");
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(says("lib/x.lua:1")) << said_;
  EXPECT_EQ(git("w", "reset -q --hard HEAD~1"), 0);
  // A rename is another trigger; a delete is none.
  EXPECT_EQ(git("w", "mv b.lua deep.lua"), 0);
  EXPECT_EQ(git("w", "rm -q a.lua"), 0);
  commit();
  EXPECT_TRUE(pushes()) << said_;
  EXPECT_TRUE(says("ok    deep ")) << said_;
  EXPECT_FALSE(says("ok    a ")) << said_;
  save("README.md", "hello");
  commit();
  EXPECT_TRUE(pushes());
  EXPECT_TRUE(says("no trigger changes")) << said_;
}

TEST_F(PreReceive, APushThatIsBrokenOffLeavesNothing) {
  save("a.lua", "hastur.trigger{}");
  save("a.test.lua", "while true do end");
  commit();
  write("tmp/here", "");
  // Ended as soon as there is something to leave behind.
  write("r.git/hooks/pre-receive",
        fmt::format("#!/bin/sh\nexec 3<&0\nTMPDIR={0}/tmp {1} --pre-receive --no-hunt <&3 &\n"
                    "while [ \"$(ls {0}/tmp)\" = here ]; do :; done\nkill -TERM $!\nwait $!\n",
                    folder_.string(), testing::beside_us("trigger-test")));
  fs::permissions(folder_ / "r.git/hooks/pre-receive", fs::perms::owner_all);
  EXPECT_FALSE(pushes());
  std::vector<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "tmp"))
    left.push_back(entry.path().filename());
  EXPECT_EQ(left, std::vector<std::string>{"here"});
}

TEST_F(PreReceive, RefusesATestWithoutItsTrigger) {
  save("load.lua", good);
  save("laod.test.lua", "return { messages = {} }");
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(says("laod.test.lua tests a trigger that is not there: laod.lua")) << said_;
}

// Every test reads any recording, of which there is much.
TEST(ChangedScripts, AreFoundWithoutComparingAllWithEach) {
  std::map<std::string, std::string> before;
  for (int i = 0; i < 400; ++i) {
    before[fmt::format("t{}.lua", i)] = "hastur.trigger{}";
    before[fmt::format("t{}.test.lua", i)] =
        "local n = 'x' return { messages = { { recording = n } } }";
  }
  for (int i = 0; i < 100; ++i) before[fmt::format("data/{}.jsonl", i)] = std::string(200'000, 'x');
  auto after = before;
  after["t7.lua"] += "\n";
  SystemClock clock;
  const Micros begin = clock.monotonic();
  EXPECT_EQ(changed_scripts(before, after), std::vector<std::string>{"t7.lua"});
  EXPECT_LT(clock.monotonic() - begin, std::chrono::seconds{1}) << "each with each takes several";
  after["data/5.jsonl"] += "x";
  EXPECT_EQ(changed_scripts(before, after).size(), 400u);
}

TEST_F(PreReceive, RunsTheTestsWhoseLibraryOrRecordingIsAllThatChanges) {
  save("a.lua", std::string(good) +
                    "ctx:gauges({ name = 'load' }, function(msg)\n"
                    "  if msg.value > 9 then pager_duty('high', 'x') end\nend)\n");
  save("lib/only_tests.lua", "return { high = 10 }");
  save("a.test.lua",
       "local values = require 'lib.only_tests'\n"
       "return {\n"
       "  { messages = { { type = 'gauge', name = 'load', value = values.high } },\n"
       "    expect = { { page = 'high' } } },\n"
       "  { messages = { { recording = 'data/a.json' } }, expect = { { page = 'high' } } },\n"
       "}\n");
  const auto recording = [](int value) {
    return fmt::format(R"([{{"payload":"{{\"type\":\"gauge\",\"name\":\"load\",\"value\":{}}}",)"
                       R"("timestamp":1704067200000000,"type":"gauge",)"
                       R"("from":"8e58af00-708c-012f-e468-64ce8f3a9dc2","to":""}}])",
                       value);
  };
  save("data/a.json", recording(11));
  commit();
  EXPECT_TRUE(pushes()) << said_;
  EXPECT_TRUE(says("1 trigger, 2 tests: all good")) << said_;
  save("data/a.json", recording(1));
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(says("FAIL  a ")) << said_;
  EXPECT_EQ(git("w", "reset -q --hard HEAD~1"), 0);
  save("lib/only_tests.lua", "return { high = 1 }");
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(says("a.test.lua:4")) << said_;
}

TEST_F(PreReceive, TakesMergesForcedPushesBranchesTagsAndDeletes) {
  save("a.lua", good);
  commit();
  EXPECT_TRUE(pushes()) << said_;
  EXPECT_EQ(git("w", "checkout -q -b side"), 0);
  save("b.lua", good);
  commit();
  EXPECT_EQ(git("w", "checkout -q main"), 0);
  save("c.lua", good);
  commit();
  EXPECT_EQ(git("w", "merge -q --no-edit side"), 0) << said_;
  EXPECT_TRUE(pushes("origin main side")) << said_;
  EXPECT_TRUE(says("main") && says("2 triggers changed")) << said_;
  EXPECT_TRUE(says("side") && says("1 trigger changed")) << said_;
  EXPECT_EQ(git("w", "reset -q --hard HEAD~1"), 0);
  save("a.lua", bad);
  commit();
  EXPECT_FALSE(pushes("-f origin main"));
  EXPECT_EQ(git("w", "reset -q --hard HEAD~1"), 0);
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(pushes("-f origin main")) << said_;
  EXPECT_EQ(git("w", "tag v1"), 0);
  EXPECT_TRUE(pushes("origin v1")) << said_;
  EXPECT_TRUE(pushes("origin :side")) << said_;
}

TEST_F(PreReceive, OfAnUnhappyTreeSaysEachFile) {
  save("with space.lua", good);
  save("state.lua", good);
  save("latin.lua", "-- \xe4\n");
  save("good.lua", good);
  fs::create_symlink("/etc/passwd", folder_ / "w/out.lua");
  commit();
  EXPECT_FALSE(pushes());
  for (const char* text : {"with space.lua: ", "state.lua: ", "latin.lua: it is not UTF-8 text",
                           "out.lua: a link is not followed"})
    EXPECT_TRUE(says(text)) << text << " in " << said_;
  EXPECT_FALSE(says("root:")) << said_;
}

TEST_F(PreReceive, RefusesWhatCannotBeLoadedOrGoesRoundInCircles) {
  save("a.lua", std::string("require 'lib.x'\n") + good);
  save("lib/x.lua", "return require 'lib.y'");
  save("lib/y.lua", "return require 'lib.x'");
  save("b.lua", std::string("require 'lib.nothing'\n") + good);
  save("endless.lua", std::string(good) + "while true do end\n");
  save("deep.lua", std::string("local function f() return f() + 1 end\n") + good + "f()\n");
  commit();
  EXPECT_FALSE(pushes());
  for (const char* name : {"FAIL  a ", "FAIL  b ", "FAIL  endless ", "FAIL  deep "})
    EXPECT_TRUE(says(name)) << name << " in " << said_;
}

// Each call takes milliseconds, and there are a million.
constexpr const char* slow =
    "local ctx = hastur.trigger{ state = { n = 0 } }\n"
    "ctx:gauges({}, function() for i = 1, 100000 do ctx.state.n = i end end)\n";
constexpr const char* endless =
    "return { { name = 'all of it', messages = { { type = 'gauge', name = 'x', value = 1, every = "
    "'1s', "
    "times = 1000000 } }, expect = { } } }\n";

TEST_F(PreReceive, ATestThatNeverEndsIsNamedAndRefused) {
  hook("--no-hunt --time-max 2s");
  save("a.lua", good);
  save("b.lua", slow);
  save("b.test.lua", endless);
  commit();
  EXPECT_FALSE(pushes());
  EXPECT_TRUE(
      says("FAIL  ./b.lua: the test 'all of it' at ./b.test.lua:1 did not end: the time "
           "for all is "))
      << said_;
  EXPECT_TRUE(says("1 of 2 triggers were checked in ")) << said_;
  // What the comparison took of it is not told by the microsecond.
  EXPECT_FALSE(says("us\n") || says("us;")) << said_;
  EXPECT_TRUE(says(" is refused")) << said_;
  // Without the time nothing is known of it; what can be known, is taken.
  EXPECT_EQ(git("w", "rm -q b.test.lua"), 0);
  commit("without it");
  hook("--no-hunt");
  EXPECT_TRUE(pushes()) << said_;
}

TEST_F(PreReceive, WithLittleTimeTheHuntIsWhatIsLeftOut) {
  hook("--time-max 2s --jobs 1");
  for (int i = 0; i < 300; ++i)
    save(fmt::format("n{}.lua", i), std::string(good) +
                                        "ctx:gauges({}, function(msg) ctx.state.n = "
                                        "ctx.state.n + msg.value end)\n");
  commit();
  pushes();
  EXPECT_TRUE(says("the hunt came to ") || says("were checked in ")) << said_;
}

TEST_F(PreReceive, TakesAThousandFilesInOnePush) {
  for (int i = 0; i < 1'000; ++i) save(fmt::format("t{}/n{}.lua", i % 10, i), good);
  commit();
  EXPECT_TRUE(pushes()) << said_;
  EXPECT_TRUE(says("1000 triggers, 0 tests: all good")) << said_.substr(0, 2'000);
}

}  // namespace
}  // namespace hastur
