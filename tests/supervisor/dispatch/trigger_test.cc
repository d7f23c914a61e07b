#include "supervisor/dispatch/trigger.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

Effect effect(std::uint64_t sequence, const std::string& payload) {
  return {Sequence{sequence}, 0, time_from_us(1), EffectKind::message, 1, payload};
}

TriggerProgress progress(std::uint64_t reached, std::vector<Effect> effects) {
  TriggerProgress made;
  made.reached = Sequence{reached};
  made.effects = std::move(effects);
  made.callbacks = 1;
  made.touched = true;
  return made;
}

// Its state is that of sequence 10, effects are stored up to 20: "a" at 15.
Trigger crashed(const std::string& stored_payload) {
  Checkpoint checkpoint;
  checkpoint.trigger = "t";
  checkpoint.run = Run{1};
  checkpoint.state_sequence = Sequence{10};
  checkpoint.state = "{}";
  checkpoint.runtime = "{}";
  checkpoint.effects_sequence = Sequence{20};
  checkpoint.effects_hash = fold_effect(0, effect(15, stored_payload));
  Trigger trigger("t", make_version({"t.lua", ""}, {}), {}, checkpoint, {});
  trigger.phase = Trigger::Phase::running;
  return trigger;
}

TEST(Version, IsAHashOfAllPathsAndTexts) {
  const ScriptVersion version = make_version({"a.lua", "x"}, {{"lib/b.lua", "y"}});
  EXPECT_EQ(version.id, make_version({"a.lua", "x"}, {{"lib/b.lua", "y"}}).id);
  EXPECT_NE(version.id, make_version({"a.lua", "x"}, {{"lib/b.lua", "z"}}).id);
  EXPECT_NE(version.id, make_version({"a.lua", "x"}, {}).id);
  EXPECT_NE(version.id, make_version({"a.luax", ""}, {{"lib/b.lua", "y"}}).id);
  EXPECT_EQ(version.id.size(), 32u);
}

TEST(Trigger, EmitsOnlyWhatWasNotCommittedBeforeTheCrash) {
  Trigger trigger = crashed("a");
  trigger.dispatch_through(Sequence{30});
  trigger.fed(Time{});
  const auto accepted = trigger.accept(progress(30, {effect(15, "a"), effect(25, "b")}));
  ASSERT_EQ(accepted.effects.size(), 1u);
  EXPECT_EQ(accepted.effects[0].payload, "b");
  EXPECT_FALSE(accepted.diverged);
}

TEST(Trigger, SaysThatItDivergedWhenOtherEffectsComeOutAgain) {
  Trigger trigger = crashed("a");
  trigger.dispatch_through(Sequence{30});
  trigger.fed(Time{});
  EXPECT_TRUE(trigger.accept(progress(30, {effect(15, "A")})).diverged);
  EXPECT_EQ(trigger.counts.diverged, 1u);
}

TEST(Trigger, SaysThatItDivergedWhenAnEffectIsMissing) {
  Trigger trigger = crashed("a");
  trigger.dispatch_through(Sequence{30});
  trigger.fed(Time{});
  EXPECT_TRUE(trigger.accept(progress(30, {})).diverged);
}

TEST(Trigger, OffersNoCheckpointWhileItStillCompares) {
  Trigger trigger = crashed("a");
  trigger.dispatch_through(Sequence{18});
  trigger.fed(Time{});
  TriggerProgress part = progress(18, {effect(15, "a")});
  part.judged = Memory{Sequence{16}, time_from_us(1), "{\"n\":1}", "{}"};
  EXPECT_FALSE(trigger.accept(part).diverged);
  EXPECT_FALSE(trigger.fresh_checkpoint());
  EXPECT_EQ(trigger.safe_position(true), Sequence{10});
  trigger.dispatch_through(Sequence{22});
  trigger.fed(Time{});
  EXPECT_FALSE(trigger.accept(progress(22, {})).diverged);
  ASSERT_TRUE(trigger.fresh_checkpoint());
  EXPECT_EQ(trigger.fresh_checkpoint()->state_sequence, Sequence{16});
  EXPECT_EQ(trigger.fresh_checkpoint()->effects_sequence, Sequence{22});
}

TEST(Trigger, GoesBackToItsNewestJudgedMemory) {
  Trigger trigger = crashed("a");
  trigger.dispatch_through(Sequence{30});
  trigger.fed(Time{});
  TriggerProgress part = progress(30, {effect(15, "a"), effect(28, "b")});
  part.judged = Memory{Sequence{26}, time_from_us(1), "{\"n\":1}", "{}"};
  (void)trigger.accept(part);
  trigger.restart();
  EXPECT_EQ(trigger.cursor(), Sequence{26});
  EXPECT_EQ(trigger.memory()->state, "{\"n\":1}");
  // What comes out again is compared, not emitted; what is new is emitted.
  trigger.dispatch_through(Sequence{32});
  trigger.fed(Time{});
  const auto accepted = trigger.accept(progress(32, {effect(28, "b"), effect(31, "c")}));
  ASSERT_EQ(accepted.effects.size(), 1u);
  EXPECT_EQ(accepted.effects[0].payload, "c");
  EXPECT_FALSE(accepted.diverged);
}

// What it had emitted of them is not compared with anything: they are gone.
TEST(Trigger, ThatPassesLostInputsOverItsComparisonIsCompleteUpToWhereItStands) {
  Trigger trigger = crashed("a");
  trigger.pass(Sequence{90});
  EXPECT_EQ(trigger.cursor(), Sequence{90});
  EXPECT_EQ(trigger.emitted_through(), Sequence{90});
  trigger.judged_here(Memory{Sequence{90}, time_from_us(1), "{\"n\":1}", "{}"});
  const auto checkpoint = trigger.fresh_checkpoint();
  ASSERT_TRUE(checkpoint);
  EXPECT_GE(checkpoint->effects_sequence, checkpoint->state_sequence);
}

TEST(Trigger, StaysWhereItIsIfNoCallbackRanSinceItsMemory) {
  Trigger trigger = crashed("a");
  trigger.dispatch_through(Sequence{30});
  trigger.fed(Time{});
  TriggerProgress part = progress(30, {effect(15, "a")});
  part.judged = Memory{Sequence{30}, time_from_us(1), "{\"n\":1}", "{}"};
  part.touched = false;
  (void)trigger.accept(part);
  trigger.pass(Sequence{90});
  EXPECT_EQ(trigger.safe_position(true), Sequence{90});
  EXPECT_EQ(trigger.safe_position(false), Sequence{10}) << "its memory is not stored yet";
  trigger.restart();
  EXPECT_EQ(trigger.cursor(), Sequence{90});
}

// A state of input 10, with effects up to another.
Checkpoint stored_at_10(Sequence effects) {
  Checkpoint checkpoint;
  checkpoint.trigger = "t";
  checkpoint.state = "{}";
  checkpoint.state_sequence = Sequence{10};
  checkpoint.effects_sequence = effects;
  return checkpoint;
}

// What passed it by counts as emitted too: its stored effects_sequence is then ahead of its state
// though nothing was emitted.
TEST(Trigger, ThatNothingTouchedGoesOnFromThePosition) {
  Checkpoint checkpoint = stored_at_10(Sequence{12});
  for (const auto& [position, from] : {std::pair{5u, 10u}, {11u, 11u}, {12u, 12u}, {50u, 50u}}) {
    Trigger trigger("t", make_version({"t.lua", ""}, {}), {}, checkpoint, {});
    trigger.untouched_through(Sequence{position});
    EXPECT_EQ(trigger.cursor(), Sequence{from}) << position;
    trigger.restart();
    EXPECT_EQ(trigger.cursor(), Sequence{from}) << position << ", its worker died";
    EXPECT_EQ(trigger.memory()->sequence, Sequence{10});
  }
}

TEST(Trigger, ComparesWhatItEmittedAfterThePosition) {
  Checkpoint checkpoint = stored_at_10(Sequence{20});
  Effect effect;
  effect.sequence = Sequence{15};
  effect.payload = "{}";
  checkpoint.effects_hash = fold_effect(0, effect);
  for (const bool same : {true, false}) {
    Trigger trigger("t", make_version({"t.lua", ""}, {}), {}, checkpoint, {});
    trigger.phase = Trigger::Phase::running;
    trigger.untouched_through(Sequence{13});
    trigger.fed(Time{});
    trigger.dispatch_through(Sequence{30});
    TriggerProgress progress;
    progress.reached = Sequence{30};
    progress.callbacks = 1;
    progress.effects_cut = 2;
    progress.helpers_dropped = 3;
    if (!same) effect.payload = "[]";
    progress.effects = {effect};
    const auto accepted = trigger.accept(progress);
    EXPECT_TRUE(accepted.effects.empty()) << "it stands already";
    EXPECT_EQ(accepted.diverged, !same);
    EXPECT_EQ(trigger.counts.effects_cut, 2u);
    EXPECT_EQ(trigger.counts.helpers_dropped, 3u);
  }
}

TEST(Trigger, ThatNeverSawATickIsRunFromItsStart) {
  Checkpoint checkpoint;
  checkpoint.trigger = "t";
  checkpoint.state_sequence = checkpoint.effects_sequence = Sequence{10};
  Trigger trigger("t", make_version({"t.lua", ""}, {}), {}, checkpoint, {});
  trigger.untouched_through(Sequence{50});
  EXPECT_EQ(trigger.cursor(), Sequence{10});
  EXPECT_TRUE(trigger.needs_ticks());
}

}  // namespace
}  // namespace hastur
