// Runs the real trigger-test, which runs the real trigger-worker; and the comparison by itself.

#include "trigger-test/diff.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/json.h"
#include "tests/trigger-test/command_test.h"

namespace hastur {
namespace {

// ---- the comparison ----

constexpr std::int64_t start_us = 1'704'067'200'000'000;

Seen page(std::uint64_t input, const char* key, const char* text) {
  Effect effect;
  effect.sequence = {input};
  effect.time = time_from_us(start_us + static_cast<std::int64_t>(input) * us_per_second);
  effect.kind = EffectKind::notification;
  effect.payload = canonical_json({{"kind", "pager_duty"},
                                   {"key", key},
                                   {"text", text},
                                   {"to", nullptr},
                                   {"details", Json::object()},
                                   {"options", Json::object()}});
  return {{input}, effect.time, effect, std::nullopt};
}

EffectDiff compared(const std::vector<Seen>& old_ones, const std::vector<Seen>& new_ones) {
  EffectDiff diff;
  diff.add(old_ones, new_ones, [](Sequence input) { return input.value; });
  diff.finish();
  return diff;
}

TEST(EffectDiffOf, LikeEffectsIsNoneWhateverTheirOrderAtAnInput) {
  const EffectDiff diff = compared({page(1, "a", "x"), page(1, "b", "x"), page(2, "a", "x")},
                                   {page(1, "b", "x"), page(1, "a", "x"), page(2, "a", "x")});
  EXPECT_FALSE(diff.differ());
  EXPECT_EQ(diff.counts(EffectGroup::notification).same, 3u);
  EXPECT_TRUE(diff.changes().empty());
}

TEST(EffectDiffOf, TellsWhatAppearsVanishesAndChanges) {
  const EffectDiff diff = compared({page(1, "a", "x"), page(2, "b", "x")},
                                   {page(1, "a", "y"), page(3, "c", "x"), page(3, "c", "x")});
  ASSERT_EQ(diff.changes().size(), 4u);
  EXPECT_EQ(diff.changes()[0].what, EffectChange::What::changes);
  EXPECT_EQ(diff.changes()[0].old_one["text"], "x");
  EXPECT_EQ(diff.changes()[0].new_one["text"], "y");
  EXPECT_EQ(diff.changes()[1].what, EffectChange::What::vanishes);
  EXPECT_EQ(diff.changes()[1].identity, "pager_duty b");
  EXPECT_EQ(diff.changes()[2].what, EffectChange::What::appears);
  EXPECT_EQ(diff.changes()[3].what, EffectChange::What::appears);
  EXPECT_EQ(diff.counts(EffectGroup::notification).appear, 2u);
}

TEST(EffectDiffOf, APageAtAnotherTimeWithinTheHourHasMoved) {
  const EffectDiff diff = compared({page(10, "a", "x"), page(5'000, "a", "x")},
                                   {page(15, "a", "x"), page(9'000, "a", "x")});
  ASSERT_EQ(diff.changes().size(), 3u);
  EXPECT_EQ(diff.changes()[0].what, EffectChange::What::moves);
  EXPECT_EQ(diff.changes()[0].later, std::chrono::seconds{5});
  EXPECT_EQ(diff.changes()[1].what, EffectChange::What::vanishes);
  EXPECT_EQ(diff.changes()[2].what, EffectChange::What::appears);
  const EffectDiff::Counts& counts = diff.counts(EffectGroup::notification);
  EXPECT_EQ(counts.move, 1u);
  EXPECT_EQ(counts.appear, 1u);
  EXPECT_EQ(counts.vanish, 1u);
}

// ---- the command ----

std::string gauge(int second, double value) {
  return fmt::format(
      R"({{"type":"gauge","name":"load","value":{},"timestamp":{},"uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2"}})"
      "\n",
      value, start_us + second * us_per_second);
}

std::string script(double limit, const char* text, double factor) {
  return fmt::format(R"(local ctx = hastur.trigger{{ state = {{}} }}
ctx:gauges({{ name = "load" }}, function(msg)
  if msg.value > {} then pager_duty("spike", "{}" .. math.random(1000)) end
  if msg.value == 13 then error("unlucky") end
  hastur.gauge("twice", msg.value * {})
end)
)",
                     limit, text, factor);
}

class TriggerTestDiff : public testing::TriggerTestCommand {
 protected:
  bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
};

TEST_F(TriggerTestDiff, OfTheSameScriptUnderAnotherNameIsNone) {
  write("old.lua", script(10, "load", 2));
  write("billing/new.lua", script(10, "load", 2));
  write("in.jsonl", gauge(1, 5) + gauge(2, 11) + gauge(3, 13));
  run("diff old.lua billing/new.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_TRUE(says("notifications  1 as before\n")) << output_;
  EXPECT_TRUE(says("errors         1 as before\n")) << output_;
  EXPECT_TRUE(says("no difference on 3 messages")) << output_;
}

TEST_F(TriggerTestDiff, TellsNotificationsStatisticsAndErrors) {
  write("old.lua", script(10, "load", 2));
  write("new.lua", script(12, "load", 3));
  write("in.jsonl", gauge(1, 5) + gauge(2, 11) + gauge(3, 0) + gauge(4, 20));
  run("diff old.lua new.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 0) << error_;
  EXPECT_TRUE(says("- 2024-01-01T00:00:02Z  pager_duty spike: load")) << output_;
  EXPECT_TRUE(says("~ gauge twice: 3 change, first at 2024-01-01T00:00:01Z: value 10 → 15"))
      << output_;
  EXPECT_TRUE(says("notifications  1 as before, 1 vanishes\n")) << output_;
  EXPECT_TRUE(says("statistics     1 as before, 3 change\n")) << output_;
  write("in.jsonl", gauge(1, 13));
  write("calm.lua", "local ctx = hastur.trigger{}\nctx:gauges({}, function() end)\n");
  run("diff calm.lua new.lua --input in.jsonl");
  EXPECT_TRUE(says("+ 2024-01-01T00:00:01Z  ERROR at new.lua:4: unlucky")) << output_;
  EXPECT_TRUE(says("errors         0 as before, 1 appears\n")) << output_;
}

TEST_F(TriggerTestDiff, WritesOneObjectALine) {
  write("old.lua", script(10, "load", 2));
  write("new.lua", script(12, "load", 2));
  write("in.jsonl", gauge(1, 5) + gauge(2, 11));
  run("diff old.lua new.lua --input - --format json < in.jsonl");
  std::istringstream in(output_);
  std::string first;
  std::string last;
  std::getline(in, first);
  std::getline(in, last);
  const Result<Json> change = parse_json(first);
  ASSERT_TRUE(change) << output_;
  EXPECT_EQ((*change)["difference"], "vanishes");
  EXPECT_EQ((*change)["effect"], "notification");
  EXPECT_EQ((*change)["seq"], 2);
  EXPECT_EQ((*change)["old"]["key"], "spike");
  const Result<Json> totals = parse_json(last);
  ASSERT_TRUE(totals) << output_;
  EXPECT_EQ((*totals)["messages"], 2);
  EXPECT_EQ((*totals)["notifications"]["vanish"], 1);
  EXPECT_EQ((*totals)["statistics"]["same"], 2);
}

TEST_F(TriggerTestDiff, EndsWithTheExitCodesOfTheTool) {
  write("good.lua", script(10, "load", 2));
  write("bad.lua", "local x =\n");
  write("in.jsonl", gauge(1, 5));
  run("diff good.lua bad.lua --input in.jsonl");
  EXPECT_EQ(exit_code_, 1);
  EXPECT_NE(error_.find("bad.lua:2 does not load"), std::string::npos) << error_;
  for (const char* arguments :
       {"diff", "diff good.lua", "diff good.lua good.lua", "diff good.lua no.lua --input in.jsonl",
        "diff good.lua good.lua --input no.jsonl",
        "diff good.lua good.lua --input in.jsonl --format xml"}) {
    run(arguments);
    EXPECT_EQ(exit_code_, 2) << arguments;
  }
}

}  // namespace
}  // namespace hastur
