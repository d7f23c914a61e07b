// Callbacks, effects, errors, guards, skips and judgements of a feed.

#include "core/json.h"
#include "tests/trigger-runtime/vm/test_trigger.h"
#include "trigger-runtime/protocol/stand_still.h"

namespace hastur::testing {
namespace {

constexpr const char* load_spike = R"lua(
-- The load of transcoding hosts: page on a spike, publish how many there were.
local ctx = hastur.trigger{ state = { total = 0 } }

ctx:gauges({ name = "ots.transcoding.load", labels = { send_to = "load_tester" } }, function(msg)
  if msg.value > 10.0 then
    pager_duty("Monitoring-load-spiking-" .. msg.uuid,
      ("The load has spiked to %s on host %s"):format(msg.value, msg.host),
      { message = msg:to_table(), load = msg.value, uuid = msg.uuid })
    ctx.state.total = ctx.state.total + 1
  end
end)

ctx:every("minute", function(tick)
  hastur.gauge("ots.transcoding.load.spikes", ctx.state.total)
end)
)lua";

std::string load_message(double value) {
  return fmt::format(R"({{"type":"gauge","name":"ots.transcoding.load","value":{},)"
                     R"("labels":{{"send_to":"load_tester"}},"hostname":"h1"}})",
                     value);
}

TEST(Feed, RunsTheExampleOfTheDesign) {
  TestTrigger trigger(load_spike);
  ASSERT_TRUE(trigger.is_loaded());
  EXPECT_EQ(trigger.vm().loaded().subscriptions.size(), 1u);
  EXPECT_EQ(trigger.vm().loaded().periodic, 1u);
  Stream stream;
  stream.tick(0).message(0.5, load_message(3)).message(1.0, load_message(371.1)).tick(60);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_FALSE(progress.stopped);
  EXPECT_TRUE(progress.errors.empty());
  EXPECT_EQ(progress.callbacks, 3u);
  EXPECT_EQ(progress.reached, Sequence{4});
  ASSERT_EQ(progress.effects.size(), 2u);

  const Effect& page = progress.effects[0];
  EXPECT_EQ(page.kind, EffectKind::notification);
  EXPECT_EQ(page.sequence, Sequence{3});
  EXPECT_EQ(page.ordinal, 0u);
  EXPECT_EQ(page.time, at_second(1));
  const Json json = parse_json(page.payload).value();
  EXPECT_EQ(json["kind"], "pager_duty");
  EXPECT_EQ(json["key"], fmt::format("Monitoring-load-spiking-{}", host_uuid));
  EXPECT_EQ(json["text"], "The load has spiked to 371.1 on host h1");
  EXPECT_EQ(json["to"], nullptr);
  EXPECT_EQ(json["options"], Json::object());
  EXPECT_EQ(json["details"]["load"], 371.1);
  EXPECT_EQ(json["details"]["message"]["name"], "ots.transcoding.load");
  EXPECT_EQ(canonical_json(json), page.payload);

  const Effect& message = progress.effects[1];
  EXPECT_EQ(message.kind, EffectKind::message);
  EXPECT_EQ(message.sequence, Sequence{4});
  EXPECT_EQ(message.depth, 1);
  const Json derived = parse_json(message.payload).value();
  EXPECT_EQ(derived["name"], "ots.transcoding.load.spikes");
  EXPECT_EQ(derived["value"], 1);
  EXPECT_EQ(derived["labels"], (Json{{"trigger", "billing/load"}}));
  EXPECT_EQ(derived["uuid"], "389304ab-69e4-5f6a-a445-1f785a6d71e5");
  EXPECT_EQ(derived["timestamp"], to_us(at_second(60)));

  ASSERT_TRUE(progress.judged);
  EXPECT_EQ(progress.judged->sequence, Sequence{4});
  EXPECT_EQ(progress.judged->time, at_second(60));
  EXPECT_EQ(progress.judged->state, R"({"total":1})");
  EXPECT_EQ(progress.effects_hash, 0u);
  EXPECT_FALSE(progress.touched);
}

constexpr const char* two_callbacks = R"lua(
local ctx = hastur.trigger{ state = { a = 0, b = 0 } }
ctx:gauges({}, function(msg) ctx.state.a = ctx.state.a + 1 print("a" .. msg.value) end)
ctx:gauges({}, function(msg)
  ctx.state.b = ctx.state.b + 1
  print("b" .. msg.value)
  if msg.value == 13 then error("thirteen") end
end)
)lua";

TEST(Feed, RunsTheCallbacksOfAnInputInTheOrderOfTheirMakingWithOrdinalsRunningOn) {
  TestTrigger trigger(two_callbacks);
  Stream stream;
  stream.gauge(0.1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_EQ(progress.effects.size(), 2u);
  EXPECT_EQ(progress.effects[0].payload, R"({"text":"a1"})");
  EXPECT_EQ(progress.effects[1].payload, R"({"text":"b1"})");
  EXPECT_EQ(progress.effects[1].ordinal, 1u);
  EXPECT_NE(progress.effects_hash, 0u);
  EXPECT_EQ(progress.effects_hash,
            fold_effect(fold_effect(0, progress.effects[0]), progress.effects[1]));
  EXPECT_TRUE(progress.touched);
}

TEST(Feed, AnUnguardedErrorStopsWithTheEffectsOfCompleteInputsOnly) {
  TestTrigger trigger(two_callbacks);
  Stream stream;
  stream.gauge(0.1, 1).gauge(0.2, 13).gauge(0.3, 2);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_TRUE(progress.stopped);
  EXPECT_EQ(progress.stopped->error.kind, CallError::Kind::raised);
  EXPECT_EQ(progress.stopped->error.sequence, Sequence{2});
  EXPECT_EQ(progress.stopped->error.callback, 1u);
  EXPECT_EQ(progress.stopped->error.error, (ScriptError{"thirteen", "billing/load.lua", 7}));
  EXPECT_EQ(progress.reached, Sequence{1});
  EXPECT_EQ(logs_of(progress), "a1\nb1\n");
}

TEST(Feed, AGuardedErrorLeavesNoTraceAndOtherCallbacksStand) {
  TestTrigger trigger(two_callbacks);
  trigger.vm().restore({Sequence{0}, at_second(0), R"({"a":0,"b":0})", ""}, 10);
  Stream stream;
  stream.gauge(0.1, 1).gauge(0.2, 13).gauge(0.3, 2);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_FALSE(progress.stopped);
  ASSERT_EQ(progress.errors.size(), 1u);
  EXPECT_EQ(progress.errors[0].callback, 1u);
  EXPECT_EQ(logs_of(progress), "a1\nb1\na13\na2\nb2\n");
  EXPECT_EQ(progress.effects[3].ordinal, 0u);
  EXPECT_EQ(trigger.state(), R"({"a":3,"b":2})");
}

TEST(Feed, ASkipAndAGuardedErrorGiveTheSameStateEffectsAndMemory) {
  Stream stream;
  stream.tick(0).gauge(0.1, 1).gauge(0.2, 13).gauge(0.3, 2).tick(1).tick(2);
  const Batch batch = stream.take();
  const Memory start{Sequence{0}, at_second(0), R"({"a":0,"b":0})", ""};
  TestTrigger guarded(two_callbacks);
  guarded.vm().restore(start, 100);
  const TriggerProgress first = guarded.feed(batch);
  TestTrigger skipping(two_callbacks);
  skipping.vm().restore(start, 0);
  const TriggerProgress second =
      skipping.feed(batch, 0, UINT32_MAX, {{Sequence{3}, 1, first.errors.at(0).error}});
  EXPECT_EQ(first.effects, second.effects);
  EXPECT_EQ(first.judged, second.judged);
  EXPECT_EQ(first.effects_hash, second.effects_hash);
  EXPECT_EQ(guarded.state(), skipping.state());
}

TEST(Feed, ASkippedCallCountsForTheScheduleOfJudgementsAsTheFailedOneDid) {
  const std::string script = R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({}, function(msg)
  ctx.state.n = ctx.state.n + 1
  if msg.value == 13 then error("thirteen") end
end)
)lua";
  // The first judgement is a failed call's alone; it decides when the second is due.
  Stream stream;
  stream.tick(0).gauge(0.5, 13).tick(1).gauge(1.2, 1).tick(1).gauge(1.5, 2).tick(2);
  const Batch batch = stream.take();
  const auto judgements = [&](std::uint32_t guarded, const std::vector<Skip>& skips) {
    TestTrigger trigger(script);
    trigger.vm().restore({Sequence{0}, at_second(0), R"({"n":0})", ""}, guarded);
    std::vector<std::pair<Memory, bool>> seen;
    for (std::uint32_t row = 0; row < batch.header.count; ++row) {
      const TriggerProgress progress = trigger.feed(batch, row, row + 1, skips);
      EXPECT_FALSE(progress.stopped);
      seen.emplace_back(progress.judged.value_or(Memory{}), progress.touched);
    }
    return seen;
  };
  const auto failed = judgements(10, {});
  const auto skipped = judgements(0, {{Sequence{2}, 0, {"thirteen", "billing/load.lua", 5}}});
  EXPECT_EQ(failed, skipped);
  EXPECT_TRUE(skipped[1].second);
  EXPECT_EQ(skipped[2].first.sequence, Sequence{3});
  EXPECT_EQ(skipped[4].first.sequence, Sequence{0}) << "less than a second since the last";
  EXPECT_EQ(skipped[6].first.state, R"({"n":2})");
}

// What the platform says of failed calls, one a line: its depth, count, place and text.
std::string reports_of(const TriggerProgress& progress) {
  std::string out;
  for (const Effect& effect : progress.effects) {
    if (effect.kind != EffectKind::report) continue;
    const Json report = parse_json(effect.payload).value();
    EXPECT_EQ(report["type"], "error");
    EXPECT_EQ(report["class"], "trigger");
    EXPECT_EQ(report["labels"], Json({{"trigger", "billing/load"}}));
    EXPECT_EQ(report["uuid"], trigger_uuid("billing/load"));
    EXPECT_EQ(report["timestamp"], to_us(effect.time));
    out +=
        fmt::format("#{}.{} depth {}: {} x {}:{} {}\n", effect.sequence.value, effect.ordinal,
                    effect.depth, report["count"].get<int>(), report["script"].get<std::string>(),
                    report["line"].get<int>(), report["error"].get<std::string>());
  }
  return out;
}

const std::string failing_at_two_lines = R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({}, function(msg)
  if msg.value == 13 then error("thirteen") end
  if msg.value == 14 then error("fourteen of " .. msg.name) end
  if msg.value == 15 then ctx.state.bad = print end
  hastur.log("ok")
end)
)lua";

TEST(Feed, FailedCallsAreReportedOncePerLineAndMinute) {
  TestTrigger trigger(failing_at_two_lines);
  trigger.vm().restore({Sequence{0}, at_second(0), "{}", ""}, 1'000);
  Stream stream;
  stream.tick(0).gauge(0.1, 14).gauge(0.2, 13).gauge(0.3, 14, "other").tick(59).gauge(59.5, 13);
  stream.tick(60).gauge(60.1, 13).gauge(61.1, 1).tick(119);
  const TriggerProgress first = trigger.feed(stream);
  EXPECT_EQ(first.errors.size(), 5u);
  EXPECT_EQ(reports_of(first),
            "#7.0 depth 1: 2 x billing/load.lua:4 thirteen\n"
            "#7.1 depth 1: 2 x billing/load.lua:5 fourteen of load\n");
  EXPECT_TRUE(first.wants_ticks);
  EXPECT_FALSE(first.touched) << "the judgement at 119 holds the count";

  stream.tick(121).gauge(121.5, 15).tick(123).tick(124);
  const TriggerProgress second = trigger.feed(stream);
  EXPECT_EQ(reports_of(second), "#11.0 depth 1: 1 x billing/load.lua:4 thirteen\n");
  ASSERT_TRUE(second.judged);
  EXPECT_EQ(second.judged->sequence, Sequence{13});

  stream.tick(180).tick(240);
  const TriggerProgress third = trigger.feed(stream);
  EXPECT_EQ(reports_of(third), "#15.0 depth 1: 1 x billing/load.lua:0 state.bad is a function\n");
  EXPECT_FALSE(third.wants_ticks);
}

TEST(Feed, ReportsAreTheSameAfterARestoreAndASkip) {
  Stream stream;
  stream.tick(0).gauge(0.1, 13).tick(2).gauge(2.1, 13).gauge(2.2, 14).tick(4).gauge(70.1, 1);
  const Batch batch = stream.take();
  const Memory start{Sequence{0}, at_second(0), "{}", ""};
  TestTrigger guarded(failing_at_two_lines);
  guarded.vm().restore(start, 1'000);
  const TriggerProgress whole = guarded.feed(batch);
  EXPECT_EQ(reports_of(whole),
            "#7.0 depth 1: 2 x billing/load.lua:4 thirteen\n"
            "#7.1 depth 1: 1 x billing/load.lua:5 fourteen of load\n");
  EXPECT_EQ(logs_of(whole), "ok\n");
  EXPECT_EQ(whole.effects.back().ordinal, 2u);

  std::vector<Skip> skips;
  for (const CallError& error : whole.errors)
    skips.push_back({error.sequence, error.callback, error.error});
  TestTrigger first(failing_at_two_lines);
  first.vm().restore(start, 0);
  const TriggerProgress to_judgement = first.feed(batch, 0, 3, skips);
  ASSERT_TRUE(to_judgement.judged);
  TestTrigger second(failing_at_two_lines);
  second.vm().restore(*to_judgement.judged, 0);
  EXPECT_EQ(reports_of(second.feed(batch, 3, UINT32_MAX, skips)), reports_of(whole));
}

TEST(Feed, AReportIsDerivedFromWhatTheFailedCallsTook) {
  for (const int depth : {3, 8}) {
    TestTrigger trigger(failing_at_two_lines);
    trigger.vm().restore({Sequence{0}, at_second(0), "{}", ""}, 1'000);
    Stream stream;
    stream.origin =
        Origin{"other", hastur::Run{1}, Sequence{1}, 0, static_cast<std::uint8_t>(depth)};
    stream.tick(0).gauge(0.1, 13);
    stream.origin.reset();
    stream.gauge(0.2, 13).tick(60);
    EXPECT_EQ(reports_of(trigger.feed(stream)),
              depth < 8 ? "#4.0 depth 4: 2 x billing/load.lua:4 thirteen\n" : "");
  }
}

TEST(Feed, AStoppedTriggerGoesOnFromItsRestoredMemoryWithASkip) {
  Stream stream;
  stream.tick(0).gauge(0.1, 1).tick(1).gauge(1.1, 13).gauge(1.2, 2).tick(2);
  const Batch batch = stream.take();
  TestTrigger trigger(two_callbacks);
  const TriggerProgress first = trigger.feed(batch);
  ASSERT_TRUE(first.stopped);
  ASSERT_TRUE(first.judged);
  EXPECT_EQ(first.judged->sequence, Sequence{3});
  trigger.vm().restore(*first.judged, 1000);
  const TriggerProgress second = trigger.feed(batch, 3, UINT32_MAX, {{Sequence{4}, 1}});
  EXPECT_FALSE(second.stopped);
  EXPECT_EQ(logs_of(second), "a13\na2\nb2\n");
  EXPECT_EQ(second.judged->state, R"({"a":3,"b":2})");
}

// Silences are called before what is periodic, though their numbers are behind it.
TEST(Feed, ASkipOfAPeriodicCallHoldsAtATickThatHasASilence) {
  constexpr const char* script = R"lua(
local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1d" })
ctx:gauges({}, function(msg) hosts:touch(msg.name) end)
ctx:every("10s", function() print("periodic") error("no") end)
hosts:silent("5s", function(host) print(host) end)
)lua";
  Stream stream;
  stream.tick(0).gauge(4.5, 1).gauge(4.6, 1, "other").tick(10);
  const Batch batch = stream.take();
  TestTrigger trigger(script);
  const TriggerProgress first = trigger.feed(batch);
  ASSERT_TRUE(first.stopped);
  const CallError& error = first.stopped->error;
  trigger.vm().restore(*first.judged, 0);
  const TriggerProgress second =
      trigger.feed(batch, 1, UINT32_MAX, {{error.sequence, error.callback, error.error}});
  EXPECT_FALSE(second.stopped);
  EXPECT_EQ(logs_of(second), "load\nother\n");
  // Of two skips at one input each is found, whichever comes first.
  TestTrigger both(script);
  const TriggerProgress third = both.feed(
      batch, 0, UINT32_MAX,
      {{error.sequence, error.callback, error.error}, {error.sequence, error.callback + 2, {}}});
  EXPECT_FALSE(third.stopped);
  EXPECT_EQ(logs_of(third), "other\n");
}

// Its parent cannot know of the stop before it sends what follows.
TEST(Feed, AStoppedTriggerLeavesWhatFollowsAloneUntilItIsRestored) {
  Stream stream;
  stream.tick(0).gauge(0.1, 13).gauge(0.2, 1).tick(1).gauge(1.1, 2);
  const Batch batch = stream.take();
  TestTrigger trigger(two_callbacks);
  ASSERT_TRUE(trigger.feed(batch, 0, 3).stopped);
  const TriggerProgress next = trigger.feed(batch, 3, UINT32_MAX);
  EXPECT_EQ(next.reached, Sequence{3});
  EXPECT_TRUE(next.effects.empty());
  EXPECT_TRUE(next.errors.empty());
  EXPECT_FALSE(next.judged);
  EXPECT_FALSE(next.stopped);
  EXPECT_EQ(next.callbacks, 0u);
}

TEST(Feed, TakesOnlyTheRowsItIsGiven) {
  TestTrigger trigger(two_callbacks);
  Stream stream;
  stream.gauge(0.1, 1).gauge(0.2, 2).gauge(0.3, 3).gauge(0.4, 4);
  const Batch batch = stream.take();
  EXPECT_EQ(logs_of(trigger.feed(batch, 1, 3)), "a2\nb2\na3\nb3\n");
  const TriggerProgress none = trigger.feed(batch, 3, 3);
  EXPECT_EQ(none.reached, Sequence{3});
  EXPECT_EQ(none.callbacks, 0u);
}

TEST(Feed, TellsTheObserverBeforeEachCallback) {
  struct Recorder final : CallObserver {
    void begins(TriggerHandle trigger, Sequence sequence, std::uint32_t callback) override {
      seen += fmt::format("{}/{}/{} ", trigger.value, sequence.value, callback);
    }
    bool must_yield(std::uint64_t, std::size_t) override { return false; }
    std::string seen;
  } recorder;
  TestTrigger trigger(two_callbacks);
  Stream stream;
  stream.gauge(0.1, 1).gauge(0.2, 2);
  trigger.feed(stream.take(), 0, UINT32_MAX, {}, &recorder);
  EXPECT_EQ(recorder.seen, "7/1/0 7/1/1 7/2/0 7/2/1 ");
}

TEST(Feed, YieldsBetweenTwoInputsWhenItsTimeIsUpAndGoesOnWhereItStood) {
  // Each call does enough for the clock to be looked at.
  constexpr const char* busy = R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({}, function(msg)
  for i = 1, 20000 do end
  ctx.state.n = ctx.state.n + 1
  print(msg.value)
end)
)lua";
  struct Impatient final : CallObserver {
    void begins(TriggerHandle, Sequence, std::uint32_t) override { ++calls; }
    bool must_yield(std::uint64_t, std::size_t) override { return calls == 2; }
    int calls = 0;
  } observer;
  TestTrigger trigger(busy);
  Stream stream;
  stream.gauge(0.1, 1).gauge(0.2, 2).gauge(0.3, 3).gauge(0.4, 4);
  const Batch batch = stream.take();
  const TriggerProgress part = trigger.feed(batch, 0, 3, {}, &observer);
  EXPECT_TRUE(part.yielded);
  EXPECT_EQ(part.reached, Sequence{2});
  EXPECT_EQ(logs_of(part), "1\n2\n");
  const TriggerProgress rest = trigger.feed(batch, 2, 4, {}, &observer);
  EXPECT_FALSE(rest.yielded);
  EXPECT_EQ(rest.reached, Sequence{4});
  EXPECT_EQ(logs_of(rest), "3\n4\n");
  EXPECT_EQ(trigger.state(), R"({"n":4})");
}

constexpr const char* counting = R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({}, function(msg) ctx.state.n = ctx.state.n + 1 end)
)lua";

TEST(Judgement, ComesAtTheFirstTickAndThenASecondAfterTheLastIfACallbackRan) {
  TestTrigger trigger(counting);
  Stream stream;
  const auto judged_at = [&]() -> std::optional<std::int64_t> {
    const TriggerProgress progress = trigger.feed(stream);
    if (!progress.judged) return std::nullopt;
    return (progress.judged->time - at_second(0)).count() / us_per_second;
  };
  EXPECT_EQ(judged_at(), std::nullopt);
  stream.tick(1);
  EXPECT_EQ(judged_at(), 1);
  stream.tick(2);
  EXPECT_EQ(judged_at(), std::nullopt) << "no callback ran";
  stream.gauge(2.5, 1);
  EXPECT_EQ(judged_at(), std::nullopt) << "no tick";
  stream.tick(3);
  EXPECT_EQ(judged_at(), 3);
  stream.gauge(3.5, 1).tick(3);
  EXPECT_EQ(judged_at(), std::nullopt) << "less than a second since the last";
  stream.tick(4);
  EXPECT_EQ(judged_at(), 4);
}

TEST(Judgement, OfALargeStateComesSeldom) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{ state_bytes_max = "16MiB" }
ctx:gauges({}, function(msg)
  ctx.state.text = ctx.state.text or ("x"):rep(9 * 1024 * 1024)
  ctx.state.n = msg.value
end)
)lua");
  Stream stream;
  stream.tick(0).gauge(0.5, 1).tick(1).gauge(1.5, 2).tick(2).gauge(2.5, 3).tick(3);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_TRUE(progress.judged);
  EXPECT_EQ(progress.judged->time, at_second(1)) << "9 MiB: every 3 s";
  stream.tick(4);
  EXPECT_TRUE(trigger.feed(stream).judged);
}

TEST(Judgement, ThatFailsPutsTheLastJudgedStateBackAndNamesThePath) {
  TestTrigger trigger(R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
local kept = ctx.state
ctx:gauges({}, function(msg)
  kept.n = kept.n + 1
  if msg.value == 2 then kept.servers = { web1 = { callback = print } } end
end)
)lua");
  Stream stream;
  stream.gauge(0.5, 1).tick(1).gauge(1.5, 2).tick(2);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_EQ(progress.errors.size(), 1u);
  EXPECT_EQ(progress.errors[0].kind, CallError::Kind::judgement);
  EXPECT_EQ(progress.errors[0].error.text, "state.servers.web1.callback is a function");
  ASSERT_TRUE(progress.judged);
  EXPECT_EQ(progress.judged->sequence, Sequence{4});
  EXPECT_EQ(progress.judged->state, R"({"n":1})");
  stream.gauge(2.5, 1);
  trigger.feed(stream);
  EXPECT_EQ(trigger.state(), R"({"n":2})") << "the table in the local is the restored one";
}

TEST(Judgement, ByCommandTakesTheStateAtOnce) {
  TestTrigger trigger(counting);
  Stream stream;
  stream.gauge(0.5, 1);
  trigger.feed(stream);
  const Judged judged = trigger.vm().judge(Sequence{1}, at_second(0.5));
  EXPECT_EQ(judged.memory.state, R"({"n":1})");
  EXPECT_EQ(judged.memory.sequence, Sequence{1});
  EXPECT_FALSE(judged.error);
}

constexpr const char* tells_deafness = R"lua(
local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1d" })
ctx:gauges({}, function(msg) hosts:touch(msg.name) end)
ctx:every("1s", function(tick) if tick.deaf > 0 then print(tick.deaf / 1e6) end end)
hosts:silent("10s", function(host) print(host, "is silent") end)
)lua";

// Paused, or put back to a snapshot: what came meanwhile it could not hear.
TEST(StandingStill, IsDeafnessOfOurs) {
  const auto after = [](bool restored, Micros deaf) {
    TestTrigger trigger(tells_deafness);
    Stream stream;
    stream.tick(0).gauge(8, 1).tick(8);
    trigger.feed(stream);
    const Memory memory = trigger.vm().judge(Sequence{3}, at_second(8), true).memory;
    TriggerOptions options;
    options.memory = memory;
    TestTrigger other(tells_deafness, options);
    TestTrigger& goes_on = restored ? other : trigger;
    // Heard again at 60.5 s; silent from 60.5 − what was passed of its ten seconds before.
    stream.tick(61, deaf).tick(62).tick(70).tick(71).tick(72);
    const TriggerProgress progress = goes_on.feed(stream);
    EXPECT_TRUE(progress.judged);
    EXPECT_EQ(progress.judged->runtime.find("still_since"), std::string::npos);
    return logs_of(progress);
  };
  for (const bool restored : {false, true}) {
    EXPECT_EQ(after(restored, Micros{0}), "53\nload\tis silent\n") << restored;
    EXPECT_EQ(after(restored, std::chrono::seconds{5}), "53\nload\tis silent\n");
    EXPECT_EQ(after(restored, std::chrono::seconds{60}), "60\nload\tis silent\n");
  }
}

// Also of what ended between two calls, in whatever pieces, across a restart.
TEST(Deafness, IsToldToEachCallbackAtItsNextCall) {
  constexpr const char* script = R"lua(
local ctx = hastur.trigger{}
ctx:every("1s", function(tick) if tick.deaf > 0 then print("second", tick.deaf / 1e6) end end)
ctx:every("minute", function(tick) print("minute", tick.deaf / 1e6) end)
)lua";
  TestTrigger trigger(script);
  Stream stream;
  stream.tick(0, std::chrono::seconds{9}).tick(45, std::chrono::seconds{30}).tick(46);
  const TriggerProgress first = trigger.feed(stream);
  EXPECT_EQ(logs_of(first), "second\t30\n");
  TriggerOptions options;
  options.memory = *first.judged;
  TestTrigger next(script, options);
  stream.tick(50, std::chrono::seconds{4}).tick(60).tick(120);
  EXPECT_EQ(logs_of(next.feed(stream)), "second\t4\nminute\t34\nminute\t0\n");
}

TEST(StandingStill, IsNoneWhereTheStreamGoesOn) {
  TestTrigger trigger(tells_deafness);
  Stream stream;
  stream.tick(0).gauge(0.5, 1).tick(1).gauge(1.5, 1, "other");
  trigger.feed(stream);
  const Memory memory = trigger.vm().judge(Sequence{4}, at_second(1.5), true).memory;
  EXPECT_NE(memory.runtime.find("still_since"), std::string::npos);
  stream.tick(2).tick(9);
  EXPECT_EQ(logs_of(trigger.feed(stream)), "");
  // That one did stand still says nothing of later gaps in the stream.
  stream.tick(11).tick(12);
  EXPECT_EQ(logs_of(trigger.feed(stream)), "load\tis silent\nother\tis silent\n");
}

TEST(StandingStill, CountsFromItsBeginningThroughJudgementsWithin) {
  TestTrigger trigger(tells_deafness);
  Stream stream;
  stream.tick(0).gauge(1, 1).tick(1);
  const Memory early = *trigger.feed(stream).judged;
  trigger.vm().judge(Sequence{3}, at_second(1), true);
  const Memory memory = trigger.vm().judge(Sequence{30}, at_second(25), true).memory;
  TriggerOptions options;
  options.memory = memory;
  TestTrigger next(tells_deafness, options);
  stream.tick(31);
  EXPECT_EQ(logs_of(next.feed(stream)), "30\n");
  // As one that begins with a snapshot.
  options.memory->runtime = stood_still(early.runtime, at_second(6));
  TestTrigger back(tells_deafness, options);
  stream.tick(41).tick(42);
  EXPECT_EQ(logs_of(back.feed(stream)), "35\n");
}

TEST(Judgement, OfBeforeTheFirstTickLeavesThatOneDue) {
  constexpr const char* each_ten = R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:every("10s", function() ctx.state.n = ctx.state.n + 1 end)
)lua";
  TestTrigger trigger(each_ten);
  const Judged before = trigger.vm().judge(Sequence{0}, at_second(0));
  EXPECT_EQ(before.memory.state, R"({"n":0})");
  Stream stream;
  stream.tick(5);
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_TRUE(progress.judged) << "nobody would know that it has seen a tick";

  // Whoever goes on from there fires at 10 s, as this one does.
  TriggerOptions options;
  options.memory = *progress.judged;
  TestTrigger restored(each_ten, options);
  stream.tick(11);
  restored.feed(stream);
  EXPECT_EQ(restored.state(), R"({"n":1})");
}

TEST(Load, TakesTheMemoryItIsGiven) {
  TriggerOptions options;
  options.memory = Memory{Sequence{9}, at_second(0), R"({"n":41})", ""};
  TestTrigger trigger(counting, options);
  Stream stream;
  stream.gauge(0.5, 1);
  trigger.feed(stream);
  EXPECT_EQ(trigger.state(), R"({"n":42})");
}

}  // namespace
}  // namespace hastur::testing
