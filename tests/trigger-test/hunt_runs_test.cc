#include "trigger-test/hunt_runs.h"

#include <gtest/gtest.h>

#include "trigger-test/hunt_places.h"

namespace hastur {
namespace {

Seen notification(std::uint64_t input, const std::string& payload) {
  Effect effect;
  effect.sequence = {input};
  effect.kind = EffectKind::notification;
  effect.payload = payload;
  return {{input}, {}, effect, std::nullopt};
}

Outcome outcome(std::vector<Seen> seen, const std::string& state) {
  Outcome outcome;
  outcome.seen = std::move(seen);
  outcome.state = state;
  return outcome;
}

TEST(HuntRuns, AgreeOnTheSameEffectsAndState) {
  const Outcome one = outcome({notification(3, "{}")}, R"({"a":1})");
  EXPECT_FALSE(disagreement(one, one));
}

TEST(HuntRuns, DisagreeAtTheFirstEffectThatDiffers) {
  const Outcome one = outcome({notification(3, "1"), notification(3, "2")}, "{}");
  const auto changed =
      disagreement(one, outcome({notification(3, "1"), notification(3, "9")}, "{}"));
  ASSERT_TRUE(changed);
  EXPECT_FALSE(changed->of_state);
  EXPECT_EQ(changed->input, Sequence{3});
  EXPECT_EQ(changed->ordinal, 1u);
  EXPECT_EQ(changed->one, "the notification 2");
  EXPECT_EQ(changed->other, "the notification 9");
  const auto missing = disagreement(one, outcome({notification(3, "1")}, "{}"));
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->other, "");
  EXPECT_TRUE(disagreement(one, outcome({notification(3, "1"), notification(4, "2")}, "{}")));
}

TEST(HuntRuns, JudgementsAreLeftAside) {
  CallError failed;
  failed.kind = CallError::Kind::judgement;
  const Outcome one = outcome({{{5}, {}, std::nullopt, failed}}, "{}");
  EXPECT_FALSE(disagreement(one, outcome({}, "{}")));
}

TEST(HuntRuns, StatesDisagreeAtAPath) {
  const auto changed =
      state_disagreement(R"({"a":1,"hosts":{"u1":{"n":3}}})", R"({"a":1,"hosts":{"u1":{"n":1}}})");
  ASSERT_TRUE(changed);
  EXPECT_TRUE(changed->of_state);
  EXPECT_EQ(changed->path, "hosts.u1.n");
  EXPECT_EQ(changed->one, "3");
  EXPECT_EQ(changed->other, "1");
  const auto missing = state_disagreement(R"({"a":1})", "{}");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->path, "a");
  EXPECT_EQ(missing->other, "");
  // The sign of zero is a part of the state.
  EXPECT_TRUE(state_disagreement(R"({"a":0})", R"({"a":-0.0})"));
}

TEST(HuntPlaces, TheLineThatWroteAPartOfTheStateIsFound) {
  TriggerFiles trigger;
  trigger.path = "t.lua";
  trigger.script = {"t.lua", R"(local host = ctx.state.hosts[name]
if host.count == 3 then
host.load = 5
local list = ctx.state.list
list[#list + 1] = 4
end)"};
  ObservedCall call;
  for (std::uint32_t line = 1; line <= 6; ++line) call.steps.push_back({"t.lua", line, {}, 0, {}});
  EXPECT_EQ(place_that_wrote(trigger, call, "state.hosts.u1.load").line, 3u);
  // By the name that it got on the way.
  EXPECT_EQ(place_that_wrote(trigger, call, "state.list[2]").line, 5u);
  EXPECT_EQ(place_that_wrote(trigger, call, "state.hosts.u1").line, 3u);
  // A comparison writes nothing, but names it.
  EXPECT_EQ(place_that_wrote(trigger, call, "hosts.u1.count").line, 2u);
  EXPECT_EQ(place_that_wrote(trigger, {}, "hosts").line, 0u);
}

}  // namespace
}  // namespace hastur
