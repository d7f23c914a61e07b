#include "trigger-runtime/vm/periodic.h"

#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {
namespace {

Time time_of(const char* text) { return parse_time(text).value(); }

Period period_of(std::string_view text, std::optional<std::string_view> at = std::nullopt) {
  return parse_period(text, at).value();
}

TEST(Period, TakesWordsSpansAndATimeOfDay) {
  EXPECT_EQ(period_of("minute").length, std::chrono::minutes{1});
  EXPECT_EQ(period_of("5m").length, std::chrono::minutes{5});
  EXPECT_EQ(period_of("week").from, time_of("1970-01-05T00:00:00Z"));
  EXPECT_EQ(period_of("1w"), period_of("week"));
  EXPECT_EQ(period_of("day", "07:30").from, time_of("1970-01-01T07:30:00Z"));
}

TEST(Period, RefusesWhatIsNoPeriodNamingTheForms) {
  for (const char* text : {"", "minutes", "500ms", "1500ms", "-5m", "0s", "5"}) {
    const auto period = parse_period(text, std::nullopt);
    ASSERT_FALSE(period) << text;
    EXPECT_NE(period.error().message.find("\"minute\""), std::string::npos);
  }
  EXPECT_FALSE(parse_period("hour", "07:30"));
  for (const char* at : {"7:30", "24:00", "07:60", "07.30", "07:3x"})
    EXPECT_FALSE(parse_period("day", at)) << at;
}

TEST(Firing, FallsOnMultiplesInTheHalfOpenSpan) {
  const Period minute = period_of("minute");
  const Time at = time_of("2024-01-01T00:01:00Z");
  EXPECT_EQ(firing(minute, at - Micros{1}, at), (Firing{at, 0}));
  EXPECT_EQ(firing(minute, at, at + std::chrono::seconds{59}), std::nullopt);
  EXPECT_EQ(firing(minute, at, at + std::chrono::seconds{60}),
            (Firing{at + std::chrono::minutes{1}, 0}));
  EXPECT_EQ(firing(minute, at, at + std::chrono::seconds{200}),
            (Firing{at + std::chrono::minutes{3}, 2}));
}

TEST(Firing, OfAWeekFallsOnMondayAndOfADayAtItsTime) {
  EXPECT_EQ(
      firing(period_of("week"), time_of("2024-01-03T00:00:00Z"), time_of("2024-01-09T12:00:00Z")),
      (Firing{time_of("2024-01-08T00:00:00Z"), 0}));
  EXPECT_EQ(firing(period_of("day", "07:30"), time_of("2024-01-03T07:29:59Z"),
                   time_of("2024-01-03T07:30:00Z")),
            (Firing{time_of("2024-01-03T07:30:00Z"), 0}));
}

TEST(Firing, WorksBefore1970) {
  EXPECT_EQ(
      firing(period_of("hour"), time_of("1969-12-31T22:30:00Z"), time_of("1969-12-31T23:30:00Z")),
      (Firing{time_of("1969-12-31T23:00:00Z"), 0}));
}

constexpr const char* minutely = R"lua(
local ctx = hastur.trigger{}
ctx:every("minute", function(tick)
  print(hastur.utc(tick.time, "%T"), tick.missed, tick.deaf, hastur.utc(hastur.now(), "%T"))
end)
)lua";

TEST(Every, FiresNothingAtTheFirstTickEver) {
  TestTrigger trigger(minutely);
  Stream stream;
  stream.tick(60).tick(119).tick(120);
  EXPECT_EQ(logs_of(trigger.feed(stream)), "00:02:00\t0\t0\t00:02:00\n");
}

TEST(Every, FiresOnceHoweverManyMultiplesPassed) {
  TestTrigger trigger(minutely);
  Stream stream;
  stream.tick(60).tick(250, std::chrono::seconds{100});
  EXPECT_EQ(logs_of(trigger.feed(stream)), "00:04:00\t2\t100000000\t00:04:10\n");
}

TEST(Every, RemembersTheLastTickInItsMemory) {
  TestTrigger first(minutely);
  Stream stream;
  stream.tick(59);
  const TriggerProgress progress = first.feed(stream);
  ASSERT_TRUE(progress.judged) << "the first tick is remembered although no callback ran";
  TestTrigger second(minutely);
  second.vm().restore(*progress.judged, 0);
  stream.tick(60);
  EXPECT_EQ(logs_of(second.feed(stream)), "00:01:00\t0\t0\t00:01:00\n");
}

TEST(Every, RunsInTheOrderOfMakingBeforeTheJudgementAndMayBeSkipped) {
  const char* script = R"lua(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:every("second", function() ctx.state.n = ctx.state.n + 1 print("first") end)
ctx:gauges({}, function() end)
ctx:every("second", function() ctx.state.n = ctx.state.n * 10 print("second") end)
)lua";
  TestTrigger trigger(script);
  Stream stream;
  stream.tick(0).tick(1);
  const Batch batch = stream.take();
  const TriggerProgress progress = trigger.feed(batch);
  EXPECT_EQ(logs_of(progress), "first\nsecond\n");
  EXPECT_EQ(progress.judged->state, R"({"n":10})");
  TestTrigger skipping(script);
  EXPECT_EQ(skipping.feed(batch, 0, 2, {{Sequence{2}, 2}}).judged->state, R"({"n":1})");
}

TEST(Every, TakesOnlyAPeriodAnOptionAndAFunction) {
  const std::string head = "local ctx = hastur.trigger{}\n";
  EXPECT_EQ(load_error(head + "ctx:every('minutes', function() end)").line, 2u);
  EXPECT_NE(load_error(head + "ctx:every('day', {on='x'}, function() end)").text, "");
  EXPECT_NE(load_error(head + "ctx:every('day')").text, "");
  EXPECT_EQ(load_error(head + "ctx:every('day', {at='07:30'}, function() end)").text, "");
}

}  // namespace
}  // namespace hastur::testing
