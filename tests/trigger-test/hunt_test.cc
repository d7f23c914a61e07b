// The hunt as people meet it: through trigger-test and its report. What it catches is in the zoo.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <regex>

#include "core/clock.h"
#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

class Hunt : public testing::TriggerTestCommand {
 protected:
  bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
  std::string without_times() const {
    return std::regex_replace(output_, std::regex(R"([0-9.]+ m?s\b)"), "T");
  }
  std::string file(const std::string& path) const {
    std::ifstream in(folder_ / path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

const char* needs_a_label = R"(local ctx = hastur.trigger{}
ctx:gauges({ name = "disk.used", value = { above = 90 } }, function(msg)
  pager_duty("disk/" .. msg.labels.mount, "full")
end)
)";

TEST_F(Hunt, SaysLineRemedySeedAndTheFewestMessages) {
  write("disk.lua", needs_a_label);
  run("disk.lua");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("attempt to concatenate field 'mount'")) << output_;
  EXPECT_TRUE(says("at disk.lua:3")) << output_;
  EXPECT_TRUE(says("labels = { mount = true }")) << output_;
  EXPECT_TRUE(says("-- Found by trigger-test --seed 1")) << output_;
  const std::regex message(
      R"(\{ type = "gauge", name = "disk.used", uuid = "u\d", value = [\d.]+ \},)");
  EXPECT_EQ(std::distance(std::sregex_iterator(output_.begin(), output_.end(), message),
                          std::sregex_iterator()),
            1)
      << output_;
}

TEST_F(Hunt, WhatItWritesIsATestThatFailsUntilTheTriggerIsMended) {
  write("billing/disk.lua", needs_a_label);
  run("billing/disk.lua --write-failing found");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("found/billing/disk.test.lua")) << output_;
  write("billing/disk.test.lua", file("found/billing/disk.test.lua"));
  run("billing --no-hunt");
  EXPECT_EQ(exit_code_, 1) << output_;
  EXPECT_TRUE(says("attempt to concatenate field 'mount'")) << output_;
  std::string mended = needs_a_label;
  mended.replace(mended.find("above = 90 }"), 12, "above = 90 }, labels = { mount = true }");
  write("billing/disk.lua", mended);
  run("billing");
  EXPECT_EQ(exit_code_, 0) << output_;
}

TEST_F(Hunt, AStateWithoutEndIsShownByATestThatFailsUntilItIsMended) {
  const std::string begin = R"(local ctx = hastur.trigger{ state = { values = {}, sum = 0 } }
ctx:gauges({ name = "load" }, function(msg)
)";
  write("sums.lua", begin + "  table.insert(ctx.state.values, msg.value)\nend)\n");
  run("sums.lua --write-failing .");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("state.values grows without end")) << output_;
  EXPECT_TRUE(says("at sums.lua:3")) << output_;
  run("sums.lua --no-hunt");
  EXPECT_EQ(exit_code_, 1) << output_;
  const std::regex sentence("the state at the end has [0-9]+ bytes, expected at most [0-9]+");
  EXPECT_TRUE(std::regex_search(output_, sentence)) << output_;
  EXPECT_TRUE(says("asked for at sums.test.lua") || says("at sums.test.lua")) << output_;
  write("sums.lua", begin + "  ctx.state.sum = ctx.state.sum + msg.value\nend)\n");
  run("sums.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
}

TEST_F(Hunt, WhatCannotBeWrittenIsShownWithTheReason) {
  write("disk.lua", needs_a_label);
  write("a_file", "");
  run("disk.lua --write-failing a_file");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("cannot make the folder a_file: ")) << output_;
  EXPECT_TRUE(says("{ type = \"gauge\", name = \"disk.used\"")) << output_;
  std::filesystem::create_directories(folder_ / "full");
  std::filesystem::create_symlink("/dev/full", folder_ / "full/disk.test.lua.new");
  run("disk.lua --write-failing full");
  EXPECT_TRUE(says("cannot write full/disk.test.lua: No space left on device")) << output_;
  EXPECT_TRUE(says("{ type = \"gauge\", name = \"disk.used\"")) << output_;
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "full"));
}

TEST_F(Hunt, AnAuthorsTestFileIsNotOverwritten) {
  write("disk.lua", needs_a_label);
  write("disk.test.lua", "return { messages = {} }");
  run("disk.lua --write-failing .");
  EXPECT_TRUE(says("disk.test.lua is not from here and was not overwritten")) << output_;
  EXPECT_EQ(file("disk.test.lua"), "return { messages = {} }");
}

TEST_F(Hunt, TheSameSeedFindsTheSame) {
  write("loads.lua", R"(local ctx = hastur.trigger{ state = { loads = {} } }
ctx:gauges({}, function(msg)
  if msg.value > 50 then ctx.state.loads[math.floor(msg.value)] = msg.host end
end)
)");
  run("loads.lua --seed 4711");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_TRUE(says("--seed 4711")) << output_;
  const std::string first = without_times();
  run("loads.lua --seed 4711");
  EXPECT_EQ(without_times(), first);
  run("loads.lua --seed 4712");
  EXPECT_NE(without_times(), first);
}

TEST_F(Hunt, IsLeftOutOnRequest) {
  write("disk.lua", needs_a_label);
  run("disk.lua --no-hunt");
  EXPECT_EQ(exit_code_, 0) << output_;
}

TEST_F(Hunt, DependenceOnOrderIsANoteAndNoFailure) {
  write("last.lua", R"(local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load" }, function(msg) ctx.state.last = msg.host end)
ctx:every("10s", function()
  if ctx.state.last then pager_duty("load", "last: " .. ctx.state.last) end
  ctx.state.last = nil
end)
)");
  run("last.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
  EXPECT_TRUE(says("note: the order of messages that come at the same instant")) << output_;
  EXPECT_TRUE(says("at last.lua:4")) << output_;
  run("last.lua --format json");
  const Result<Json> report = parse_json(output_);
  ASSERT_TRUE(report) << output_;
  const Json hunt = (*report)["triggers"][0]["checks"].back();
  EXPECT_EQ(hunt["kind"], "hunt");
  EXPECT_EQ(hunt["good"], true);
  EXPECT_EQ(hunt["notes"][0]["caused_at"]["line"], 4);
}

// What an alert pages at a tick has no line that caused it then.
TEST_F(Hunt, DependenceOnOrderIsNotedAtTheLineThatSpokeToTheAlert) {
  run(HASTUR_TRIGGERS "/deploy_errors.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
  if (says("note: the order of messages")) {
    EXPECT_TRUE(says("triggers/deploy_errors.lua:28\n")) << output_;
  }
}

TEST_F(Hunt, MessagesOfTestsAreFedToo) {
  // No message that could be made has this field.
  write("upload.lua", R"(local ctx = hastur.trigger{ state = { sum = 0 } }
ctx:events({ name = "upload" }, function(msg)
  if msg.duration then ctx.state.list = { [msg.duration] = true } end
end)
)");
  run("upload.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
  write("upload.test.lua", R"(return { messages = {
    { type = "event", name = "upload", subject = "s", duration = 1, times = 3 },
    { type = "event", name = "upload", subject = "s", duration = 7, at = "5s" },
    { type = "event", name = "upload", subject = "s", duration = 1, at = "5s" } } })");
  run("upload.lua");
  EXPECT_EQ(exit_code_, 1) << output_;
  EXPECT_TRUE(says("state.list is a list with holes")) << output_;
  EXPECT_TRUE(says("at upload.lua:3")) << output_;
}

TEST_F(Hunt, AnErrorThatATestExpectsIsNoFinding) {
  write("strict.lua", R"(local ctx = hastur.trigger{}
ctx:marks({}, function(msg) if msg.value == hastur.null then error("nothing to do") end end)
)");
  run("strict.lua");
  EXPECT_EQ(exit_code_, 1) << output_;
  write("strict.test.lua", R"(return {
    messages = { { type = "mark", name = "m", value = hastur.null } },
    expect = { { error = "nothing*" } } })");
  run("strict.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
}

// CPU seconds that ended children took.
double cpu_of_children() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// The aims are a third of these: 100 ms from start to verdict without the hunt, 0.5 CPU-seconds a
// hunt. An instrumented build takes what it takes.
TEST_F(Hunt, TakesNoLongerThanItMay) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "times of an instrumented build say nothing";
#endif
  const std::string triggers = HASTUR_TRIGGERS;
  SystemClock clock;
  Micros fastest = Micros::max();
  for (int i = 0; i < 10; ++i) {
    const Micros begin = clock.monotonic();
    run("--no-hunt " + triggers + "/cpu_busy.lua");
    fastest = std::min(fastest, clock.monotonic() - begin);
    ASSERT_EQ(exit_code_, 0) << output_;
  }
  EXPECT_LT(fastest, std::chrono::milliseconds{300});

  const double before = cpu_of_children();
  run("--format json " + triggers);
  const Result<Json> report = parse_json(output_);
  ASSERT_TRUE(report) << output_;
  const double count = static_cast<double>((*report)["triggers"].size());
  EXPECT_LT(cpu_of_children() - before, count * 1.5);

  // What the hook does not see is counted, too; a report on a large state takes time of its own.
  const auto cpu_of = [&](const std::string& script) {
    const double then = cpu_of_children();
    run(HASTUR_ZOO "/" + script);
    return cpu_of_children() - then;
  };
  EXPECT_LT(cpu_of("right/chain_of_tables.lua"), 1.5);
  EXPECT_EQ(exit_code_, 0) << output_;
  for (const char* wrong : {"slow_loop", "map_of_all_times"}) {
    EXPECT_LT(cpu_of(fmt::format("wrong/{}.lua", wrong)), 1.5) << wrong;
    EXPECT_EQ(exit_code_, 1) << output_;
  }
}

// Of the hunt's few messages most open nothing, and those that do add more than the mean.
TEST_F(Hunt, ShowsGrowthByOneMessageIfOneIsEnough) {
  run("--format json " HASTUR_ZOO "/wrong/alert_of_each_time.lua");
  const std::string begin = R"({ type = \"gauge\")";
  const std::size_t first = output_.find(begin);
  ASSERT_NE(first, std::string::npos) << output_;
  EXPECT_EQ(output_.find(begin, first + 1), std::string::npos) << output_;
}

// Two days of ticks do not show it.
TEST_F(Hunt, ShowsGrowthByTheDayByDaysThatWereLost) {
  write("days.lua", R"(local ctx = hastur.trigger{ state = { days = {} } }
ctx:every("day", function(tick)
  table.insert(ctx.state.days, hastur.utc(tick.time, "%F"))
end)
)");
  run("days.lua --write-failing .");
  EXPECT_TRUE(says("state.days grows without end")) << output_;
  const std::string offered = file("days.test.lua");
  EXPECT_NE(offered.find("lost = "), std::string::npos) << output_;
  run("days.lua --no-hunt");
  EXPECT_EQ(exit_code_, 1) << output_;
}

TEST_F(Hunt, ShowsGrowthByValuesByATestWithSomeOfThem) {
  write("by_value.lua", R"(local ctx = hastur.trigger{ state = { h = {} } }
ctx:gauges({ name = "latency" }, function(msg) ctx.state.h[tostring(msg.value)] = true end)
)");
  run("by_value.lua --write-failing .");
  EXPECT_TRUE(says("state.h grows without end")) << output_;
  const std::string offered = file("by_value.test.lua");
  EXPECT_NE(offered.find("values = {"), std::string::npos) << output_;
  run("by_value.lua --no-hunt");
  EXPECT_EQ(exit_code_, 1) << output_;
}

TEST_F(Hunt, SaysWhatItHadNoTimeFor) {
  write("slow.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({}, function(msg)
  local sum = 0
  for i = 1, 600000 do sum = sum + i % 7 end
  print(sum)
end)
)");
  write(
      "slow.test.lua",
      R"(return { name = "the slow one", messages = { { type = "gauge", name = "a", value = 1 } } })");
  run("slow.lua");
  EXPECT_EQ(exit_code_, 0) << output_;
  EXPECT_TRUE(
      says("note: its calls take so long that the hunt left out whether its state grows without "
           "end: do less in one call"))
      << output_;
  // Its tests have a budget of their own.
  EXPECT_FALSE(says("the messages of the test")) << output_;
}

// For each second of the streams that are made it costs something, and there are many of them.
TEST_F(Hunt, ATriggerThatWorksEachSecondHasItsGrowthLookedAtForEverySeed) {
  write("late.lua", R"(local ctx = hastur.trigger{ state = { l = {} } }
ctx:gauges({ name = "q", value = 0 }, function(msg) table.insert(ctx.state.l, hastur.now()) end)
ctx:every("second", function() slack("still") end)
)");
  write("calm.lua", R"(local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "q" }, function(msg) ctx.state.n = msg.value end)
ctx:every("second", function() slack("still " .. ctx.state.n) end)
)");
  for (const char* seed : {"1", "2", "3"}) {
    run(std::string("--seed ") + seed + " late.lua calm.lua");
    EXPECT_TRUE(says("state.l grows without end")) << output_;
    EXPECT_TRUE(says("at late.lua:2")) << output_;
    EXPECT_FALSE(says("the hunt left out")) << output_;
  }
}

TEST_F(Hunt, AnErrorThatATestExpectsDoesNotEndTheLookForGrowth) {
  write("meant.lua", R"(local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1d" })
ctx:gauges({ name = "q" }, function(msg)
  if msg.value > 50 then error("a queue larger than 50 cannot be", 0) end
  local host = hosts:at(msg.host)
  host[#host + 1] = msg.value
end)
)");
  write("meant.test.lua", R"(return { expect = { { error = "a queue larger than *" } },
  messages = { { type = "gauge", name = "q", value = 51 }, { type = "gauge", name = "q", value = 1 } } })");
  run("meant.lua");
  EXPECT_TRUE(says("grows without end")) << output_;
  EXPECT_TRUE(says("at meant.lua:6")) << output_;
}

// What comes in large pieces is at the size of a look before it has enough parts.
TEST_F(Hunt, AStateThatGrowsByLargePiecesIsFound) {
  for (const char* piece : {"300", "1500", "5000"}) {
    write("pieces.lua", fmt::format(R"(local ctx = hastur.trigger{{ state = {{ l = {{}} }} }}
ctx:gauges({{ name = "q" }}, function(msg) table.insert(ctx.state.l, ("x"):rep({})) end)
)",
                                    piece));
    run("pieces.lua");
    EXPECT_TRUE(says("state.l grows without end")) << piece << '\n' << output_;
    // Bounded, it is right.
    write("pieces.lua", fmt::format(R"(local ctx = hastur.trigger{{ state = {{ l = {{}} }} }}
ctx:gauges({{ name = "q" }}, function(msg)
  table.insert(ctx.state.l, ("x"):rep({}))
  if #ctx.state.l > 12 then table.remove(ctx.state.l, 1) end
end)
)",
                                    piece));
    run("pieces.lua");
    EXPECT_EQ(exit_code_, 0) << piece << '\n' << output_;
  }
}

// The same pieces, but only after a while: pauses are what lets it grow.
TEST_F(Hunt, AStateThatGrowsAfterPausesIsFoundWhateverItsPieces) {
  for (const char* piece : {"{ msg.uuid, at }", R"(("x"):rep(120))", R"(("x"):rep(3000))"}) {
    write("pauses.lua",
          fmt::format(R"(local ctx = hastur.trigger{{ state = {{ l = {{}}, seen = {{}} }} }}
ctx:gauges({{ name = "q" }}, function(msg)
  local at = ctx.state.seen[msg.uuid]
  if at and hastur.now() - at > hastur.us("30s") then
    table.insert(ctx.state.l, {})
  end
  ctx.state.seen[msg.uuid] = nil
  ctx.state.seen[msg.uuid] = hastur.now()
end)
)",
                      piece));
    run("pauses.lua");
    EXPECT_TRUE(says("state.l grows without end")) << piece << '\n' << output_;
    EXPECT_TRUE(says("at pauses.lua:5")) << piece << '\n' << output_;
  }
}

TEST_F(Hunt, SaysThatItsTestsSpanTooMuchTime) {
  write("calm.lua", R"(local ctx = hastur.trigger{}
ctx:gauges({}, function(msg) ctx.state.last = msg.value end)
ctx:every("second", function() end)
)");
  std::string tests = "return {";
  for (int i = 0; i < 6; ++i) {
    tests += R"({ name = "days )" + std::to_string(i) + R"(", messages = {
  { type = "gauge", name = "a", value = 1 }, { at = "2d", type = "gauge", name = "a", value = 2 } } },)";
  }
  write("calm.test.lua", tests + "}");
  run("calm.lua");
  EXPECT_TRUE(
      says("note: its tests span so much time, with a tick for each second, that the hunt "
           "left out "))
      << output_;
}

}  // namespace
}  // namespace hastur
