// ctx:keyed, ctx:window and ctx:throttle as a script sees them: what they return, what stands in
// the state, when they call, and what they refuse.

#include <algorithm>

#include "core/json.h"
#include "tests/trigger-runtime/vm/test_trigger.h"
#include "trigger-runtime/vm/helpers/alert.h"
#include "trigger-runtime/vm/helpers/keyed.h"
#include "trigger-runtime/vm/helpers/throttle.h"
#include "trigger-runtime/vm/helpers/window.h"

namespace hastur::testing {
namespace {

const std::string head = "local ctx = hastur.trigger{}\nlocal state = ctx.state\n";

// A gauge of second `sent`, received at `at`.
std::string message(double at, double sent, double value) {
  return fmt::format(
      R"({{"type":"gauge","name":"load","value":{},"timestamp":{},"received_at":{}}})", value,
      to_us(at_second(sent)), to_us(at_second(at)));
}

std::string logs(TestTrigger& trigger, Stream& stream) {
  const TriggerProgress progress = trigger.feed(stream);
  if (progress.stopped) return "stopped: " + progress.stopped->error.error.text;
  for (const CallError& error : progress.errors) ADD_FAILURE() << error.error.text;
  return logs_of(progress);
}

TEST(Helpers, AreARevisionOfEveryRun) {
  EXPECT_EQ(runtime_revision,
            fmt::format("luajit-6 keyed-{} window-{} throttle-{} alert-{}", Keyed::revision,
                        Window::revision, Throttle::revision, Alert::revision));
}

TEST(Keyed, KeepsAValueForEachKeyAndWhenItWasTouched) {
  TestTrigger trigger(head + R"lua(
local hosts = ctx:keyed("hosts", { forget = "1d", new = { n = 0 } })
ctx:gauges({}, function(msg)
  if msg.value == 1 then hosts:touch(msg.name) end
  if msg.value == 2 then local h = hosts:at(msg.name) h.n = h.n + 1 end
  if msg.value == 3 then print(hosts:swap(msg.name, "up"), hosts:peek(msg.name), hosts:peek("no")) end
  if msg.value == 4 then hosts:drop(msg.name) end
  if msg.value == 5 then
    for k, v in hosts:each() do print(k, type(v)) hosts:drop("c") end
    print(hosts:count())
  end
end)
)lua");
  Stream stream;
  stream.gauge(1, 1, "a").gauge(2, 2, "c").gauge(3, 2, "c").gauge(4, 3, "b").gauge(5, 3, "b");
  EXPECT_EQ(logs(trigger, stream), "nil\tup\tnil\nup\tup\tnil\n");
  EXPECT_EQ(short_state(trigger).dump(),
            R"({"@keyed.hosts":{"a":{"t":1.0},"b":{"t":5.0,"v":"up"},"c":{"t":3.0,"v":{"n":2}}}})");
  stream.gauge(6, 5);
  EXPECT_EQ(logs(trigger, stream), "a\tnil\nb\tstring\n2\n");
  stream.gauge(7, 4, "a").gauge(8, 4, "b");
  trigger.feed(stream);
  EXPECT_EQ(trigger.state(), "{}");
}

const std::string watch = R"lua(
local hosts = ctx:keyed("hosts", { forget = "1m" })
ctx:gauges({}, function(msg) hosts:swap(msg.name, msg.value) end)
hosts:silent("10s", function(k, v, info)
  print(k, v, (info.since - 1704067200e6) / 1e6, info.silent_for / 1e6, (hastur.now() - 1704067200e6) / 1e6)
end)
)lua";

TEST(Keyed, TellsOfSilenceOnceUntilTheKeyIsTouchedAgain) {
  TestTrigger trigger(head + watch);
  Stream stream;
  stream.gauge(0.5, 1, "b").gauge(0.5, 2, "a").gauge(1.5, 3, "c");
  for (int s = 2; s <= 10; ++s) stream.tick(s);
  EXPECT_EQ(logs(trigger, stream), "");
  stream.tick(11);
  EXPECT_EQ(logs(trigger, stream), "a\t2\t0.5\t10.5\t11\nb\t1\t0.5\t10.5\t11\n");
  stream.gauge(11.2, 4, "a").tick(12).tick(20);
  EXPECT_EQ(logs(trigger, stream), "c\t3\t1.5\t10.5\t12\n");
  stream.tick(22);
  EXPECT_EQ(logs(trigger, stream), "a\t4\t11.2\t10.8\t22\n");
  EXPECT_EQ(short_state(trigger).dump(),
            R"({"@keyed.hosts":{"a":{"q":true,"t":11.2,"v":4},"b":{"q":true,"t":0.5,"v":1},)"
            R"("c":{"q":true,"t":1.5,"v":3}}})");
  // After a minute they are forgotten.
  stream.tick(60).tick(61);
  trigger.feed(stream);
  EXPECT_EQ(short_state(trigger).dump(), R"({"@keyed.hosts":{"a":{"q":true,"t":11.2,"v":4},)"
                                         R"("c":{"q":true,"t":1.5,"v":3}}})");
}

TEST(Keyed, TakesNoDeafnessOfOursForSilenceOfTheirs) {
  TestTrigger trigger(head + watch);
  Stream stream;
  stream.gauge(0, 1, "a").tick(5).tick(65, std::chrono::seconds{60}).tick(69);
  EXPECT_EQ(logs(trigger, stream), "");
  stream.tick(70);
  EXPECT_EQ(logs(trigger, stream), "a\t1\t60\t10\t70\n");
}

TEST(Keyed, LetsTheLongestUntouchedGoWhenThereAreTooMany) {
  TestTrigger trigger(head + R"lua(
local hosts = ctx:keyed("hosts", { max = 2 })
ctx:gauges({}, function(msg) hosts:touch(msg.name) end)
)lua");
  Stream stream;
  stream.gauge(1, 1, "b").gauge(1, 1, "a").gauge(2, 1, "c").gauge(3, 1, "b").gauge(4, 1, "d");
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_EQ(progress.helpers_dropped, 2u);
  EXPECT_EQ(short_state(trigger).dump(), R"({"@keyed.hosts":{"b":{"t":3.0},"d":{"t":4.0}}})");
}

TEST(Keyed, ThatIsFullLosesNothingToAKeyThatIsRefused) {
  TestTrigger trigger(head + R"lua(
local k = ctx:keyed("k", { max = 2 })
ctx:gauges({}, function(msg)
  k:touch("a") k:touch("b")
  print(pcall(k.touch, k, "\255"))
  for key in k:each() do print(key) end
end)
)lua");
  Stream stream;
  stream.gauge(1, 1);
  EXPECT_EQ(logs_of(trigger.feed(stream)), "false\ta key of k is not UTF-8\na\nb\n");
}

TEST(SpanWindow, LeavesOutAndCountsWhatACounterTakesBack) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("w", { span = "1m" })
ctx:gauges({}, function(msg) w:add("k", true, msg.value) print(w:count("k")) end)
)lua");
  Stream stream;
  stream.gauge(1, 5).gauge(2, -3).gauge(3, 0).gauge(4, 2);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_EQ(logs_of(progress), "5\n5\n5\n7\n");
  EXPECT_EQ(progress.helpers_dropped, 1u);
}

TEST(SpanWindow, KeepsWhatTheScriptNamesHoweverItIsWritten) {
  for (const char* call : {"w:max('k')", "w : max ('k')", "w:\n  max('k')", "w.max(w, 'k')",
                           "w['max'](w, 'k')", "w .max(w, 'k')"}) {
    TestTrigger trigger(head + "local w = ctx:window('w', { span = '1m' })\n" +
                        "ctx:gauges({}, function(msg) w:add('k', 3) print(" + call + ") end)");
    Stream stream;
    stream.gauge(1, 1);
    EXPECT_EQ(logs(trigger, stream), "3\n") << call;
  }
}

// What is fetched ahead for the messages behind one in hand changes nothing: with enough keys for
// it, in batches of every length, whatever field of a message the keys are.
TEST(Keyed, OfManyKeysIsTheSameInBatchesOfAnyLength) {
  TriggerOptions options;
  options.limits.instructions_max = 100'000'000;
  const auto state_after = [&](std::size_t most) {
    TestTrigger trigger(head + R"lua(
local by_uuid, by_host = ctx:keyed("u", { max = 17000 }), ctx:keyed("h", { max = 17000 })
local other = ctx:window("o", { last = 2 })
ctx:events({}, function()
  for i = 1, 17000 do by_uuid:touch(i) by_host:touch(i) end
end)
ctx:gauges({}, function(msg)
  by_uuid:touch(msg.uuid) by_host:touch(msg.host) by_uuid:touch("x" .. msg.value)
  other:add(msg.name, msg.value)
end)
)lua",
                        options);
    Stream stream;
    stream.tick(0).message(0.5, R"({"type":"event","name":"fill"})");
    std::size_t rows = 2;
    for (int i = 0; i < 40; ++i) {
      stream.message(1 + i * 0.01,
                     fmt::format(R"({{"type":"gauge","name":"n{}","value":{},)"
                                 R"("uuid":"8e58af00-708c-012f-e468-0000000000{:02}"}})",
                                 i % 3, i, i % 10));
      if (++rows < most) continue;
      trigger.feed(stream);
      rows = 0;
    }
    stream.tick(2);
    trigger.feed(stream);
    return trigger.state();
  };
  const std::string expected = state_after(1);
  EXPECT_NE(expected.find("8e58af00-708c-012f-e468-000000000007"), std::string::npos);
  for (const std::size_t most : {2u, 3u, 5u, 7u, 100u}) EXPECT_EQ(state_after(most), expected);
}

TEST(Keyed, CallsForSilenceAreCallsOfTheirOwn) {
  TestTrigger trigger(head + R"lua(
local hosts = ctx:keyed("hosts", { forget = "1m" })
ctx:gauges({}, function(msg) hosts:touch(msg.name) end)
hosts:silent("10s", function(k)
  print(k)
  if k == "b" then error("no b") end
end)
)lua");
  Stream stream;
  stream.gauge(0, 1, "a").gauge(0, 1, "b").gauge(0, 1, "c").tick(1);
  const Memory memory = *trigger.feed(stream).judged;
  stream.tick(10);
  const Batch batch = stream.take();
  const TriggerProgress stopped = trigger.feed(batch);
  ASSERT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.stopped->error.error.text, "no b");
  EXPECT_EQ(stopped.stopped->error.error.line, 8u);
  // Behind the numbers of the two callbacks: the second key.
  EXPECT_EQ(stopped.stopped->error.callback, 3u);
  // Again, without that call.
  trigger.vm().restore(memory, 0);
  const TriggerProgress skipped = trigger.feed(
      batch, 0, UINT32_MAX, {{stopped.stopped->error.sequence, stopped.stopped->error.callback}});
  EXPECT_FALSE(skipped.stopped);
  EXPECT_EQ(logs_of(skipped), "a\nc\n");
  // The same when the state is serialised before each call.
  trigger.vm().restore(memory, 100);
  const TriggerProgress guarded = trigger.feed(batch);
  EXPECT_FALSE(guarded.stopped);
  EXPECT_EQ(guarded.errors.size(), 1u);
  EXPECT_EQ(logs_of(guarded), "a\nc\n");
  EXPECT_EQ(trigger.state().find("\"q\":true,\"t\":"), trigger.state().find("\"q\""));
}

TEST(SpanWindow, CountsWhatCameInLately) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("w", { span = "1m" })
ctx:gauges({}, function(msg) w:add(msg.name, msg.value) end)
ctx:every("second", function(tick)
  print(w:count("a"), w:sum("a"), w:mean("a"), w:rate("a"), w:min("a"), w:max("a"), w:stddev("a"),
    w:count("a", "10s"), w:mean("a", "10s"))
  for k, v in w:each("10s") do print(k, v.count, v.sum, v.mean, v.min, v.max, v.stddev, v.rate) end
end)
)lua");
  Stream stream;
  stream.tick(0).gauge(0.5, 2, "a").gauge(0.6, 4, "a").gauge(0.7, 1, "b").tick(1);
  EXPECT_EQ(logs(trigger, stream),
            "2\t6\t3\t0.1\t2\t4\t1\t2\t3\na\t2\t6\t3\t2\t4\t1\t0.6\nb\t1\t1\t1\t1\t1\t0\t0.1\n");
  EXPECT_EQ(short_state(trigger).dump(),
            R"({"@window.w":{"a":{"h":1704067200,"hi":[4],"lo":[2],"n":[2],"q":[2],"s":[6]},)"
            R"("b":{"h":1704067200,"hi":[1],"lo":[1],"n":[1],"q":[0],"s":[1]}}})");
  stream.gauge(20, 6, "a").tick(21);
  EXPECT_EQ(logs(trigger, stream),
            "3\t12\t4\t0.2\t2\t6\t1.6329931618555\t1\t6\n"
            "a\t1\t6\t6\t6\t6\t0\t0.6\n");
  stream.tick(62);
  EXPECT_EQ(logs(trigger, stream), "1\t6\t6\t0.1\t6\t6\t0\t0\tnil\n");
  stream.tick(90);
  EXPECT_EQ(logs(trigger, stream), "0\t0\tnil\t0\tnil\tnil\tnil\t0\tnil\n");
}

TEST(SpanWindow, PutsValuesWhereTheirTimeIs) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("w", { span = "1m", slot = "10s" })
ctx:gauges({}, function(msg) w:add("k", msg.value > 5, 2) print(w:count("k"), w:mean("k")) end)
)lua");
  Stream stream;
  stream.message(100, message(100, 100, 9))
      .message(100, message(100, 75, 1))
      .message(100, message(100, 40, 9))
      .message(100, message(100, 39.9, 9));
  // A clock two years ahead counts as now.
  stream.message(101, message(101, 7e7, 9));
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_EQ(logs_of(progress), "2\t1\n4\t0.5\n6\t0.66666666666667\n6\t0.66666666666667\n8\t0.75\n");
  EXPECT_EQ(progress.helpers_dropped, 1u);
  EXPECT_EQ(trigger.state(),
            R"({"@window.w":{"k":{"h":170406730,"n":[2,0,0,2,0,0,4],"s":[2,0,0,0,0,0,4]}}})");
}

TEST(SpanWindow, CoversASpanFromTheBeginningOfItsFirstSlot) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("w", { span = "1h" }) -- slots of a minute
local function show()
  print(w:count("k", "1m"), w:rate("k", "1m"), w:count("k", "90s"), w:count("k", "1h"), w:rate("k"))
end
ctx:gauges({}, function(msg) w:add("k", msg.value) if msg.value == 2 then show() end end)
ctx:every("minute", show)
)lua");
  Stream stream;
  stream.tick(0);
  for (int s = 0; s < 120; s += 10) {
    if (s > 0) stream.tick(s);
    stream.gauge(s + 0.25, 1, "k");
  }
  stream.tick(120);
  // At a border of slots it is the span to the microsecond, of what is no multiple of slots the
  // slots that it touches.
  EXPECT_EQ(logs(trigger, stream),
            "6\t0.1\t6\t6\t0.0016666666666667\n"
            "6\t0.1\t12\t12\t0.0033333333333333\n");
  // Between borders it is up to a slot more, and the rate that of all of it: 90 s.
  stream.gauge(150, 2, "k");
  EXPECT_EQ(logs(trigger, stream).substr(0, 20), "7\t0.088888888888889\t");
  // What came in the first minute of the hour is there when it is over.
  stream.tick(3599);
  trigger.feed(stream);
  stream.tick(3600);
  EXPECT_EQ(logs(trigger, stream), "0\t0\t0\t13\t0.0038888888888889\n");
  stream.tick(3660);
  EXPECT_EQ(logs(trigger, stream), "0\t0\t0\t7\t0.0022222222222222\n");
}

TEST(SpanWindow, PredictsFromHalfTheSpanOn) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("disk", { span = "10m" })
ctx:gauges({}, function(msg) w:add("k", msg.value) print(w:predict("k", "1h")) end)
)lua");
  Stream stream;
  for (int minute = 0; minute <= 6; ++minute) {
    stream.gauge(60 * minute + 5, 50 + minute);
  }
  EXPECT_EQ(logs(trigger, stream), "nil\nnil\nnil\nnil\nnil\n115\n116\n");
}

TEST(SpanWindow, KnowsPercentilesToThreePercent) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("w", { span = "1m" })
ctx:gauges({}, function(msg)
  for i = 1, 1000 do w:add("k", i) end
  for _, p in ipairs{ 0, 50, 90, 99, 100 } do state["p" .. p] = w:percentile("k", p) end
end)
)lua");
  Stream stream;
  stream.gauge(1, 1);
  trigger.feed(stream);
  const Json state = parse_json(trigger.state()).value();
  for (const auto& [name, exact] :
       {std::pair("p0", 1.0), std::pair("p50", 500.0), std::pair("p90", 900.0),
        std::pair("p99", 990.0), std::pair("p100", 1000.0)}) {
    EXPECT_NEAR(state[name].get<double>(), exact, exact / 31) << name;
  }
}

// Ranks that are whole numbers, though 99.9 / 100 and the like are not.
TEST(SpanWindow, PercentilesHaveTheRankThatTheyName) {
  TestTrigger trigger(head + R"lua(
local w, l = ctx:window("w", { span = "1m" }), ctx:window("l", { last = 1000 })
local few = ctx:window("few", { last = 100 })
ctx:gauges({}, function(msg)
  for i = 1, 1000 do w:add("k", i < 1000 and 1 or 5000) l:add("k", i < 1000 and 1 or 5000) end
  for i = 1, 100 do few:add("k", i) end
  state.w, state.l = w:percentile("k", 99.9), l:percentile("k", 99.9)
  state.wrong = 0
  for p = 1, 100 do if few:percentile("k", p) ~= p then state.wrong = state.wrong + 1 end end
end)
)lua");
  Stream stream;
  stream.gauge(1, 1);
  trigger.feed(stream);
  const Json state = parse_json(trigger.state()).value();
  EXPECT_NEAR(state["w"].get<double>(), 1, 0.04);
  EXPECT_EQ(state["l"], 1);
  EXPECT_EQ(state["wrong"], 0);
}

TEST(LastWindow, KeepsTheLastValues) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("w", { last = 3 })
ctx:gauges({}, function(msg)
  w:add("k", msg.value)
  print(w:count("k"), w:mean("k"), w:min("k"), w:max("k"), w:percentile("k", 50), w:full("k"))
end)
)lua");
  Stream stream;
  stream.gauge(1, 4).gauge(2, 2).gauge(3, 9).gauge(4, 1);
  EXPECT_EQ(
      logs(trigger, stream),
      "1\t4\t4\t4\t4\tfalse\n2\t3\t2\t4\t2\tfalse\n3\t5\t2\t9\t4\ttrue\n3\t4\t1\t9\t2\ttrue\n");
  EXPECT_EQ(trigger.state(), R"({"@window.w":{"k":{"i":4,"v":[2,9,1]}}})");
}

TEST(Throttle, LetsSoManyPassInASpanThatBeginsWithTheFirst) {
  TestTrigger trigger(head + R"lua(
local mails = ctx:throttle("mails", { n = 2, per = "10s" })
ctx:gauges({}, function(msg) print(mails:allow(msg.name)) end)
)lua");
  Stream stream;
  stream.gauge(1, 1, "a").gauge(5, 1, "a").gauge(9, 1, "a").gauge(9, 1, "b").gauge(11, 1, "a");
  EXPECT_EQ(logs(trigger, stream), "true\ntrue\nfalse\ntrue\ntrue\n");
  EXPECT_EQ(short_state(trigger).dump(),
            R"({"@throttle.mails":{"a":{"n":1,"t":11.0},"b":{"n":1,"t":9.0}}})");
  stream.gauge(20, 1, "c").tick(20);
  trigger.feed(stream);
  EXPECT_EQ(short_state(trigger).dump(),
            R"({"@throttle.mails":{"a":{"n":1,"t":11.0},"c":{"n":1,"t":20.0}}})");
}

TEST(HelperArguments, AreRefusedAtLoadWithTheLine) {
  const auto error = [](const std::string& line) {
    const ScriptError found = load_error("local ctx = hastur.trigger{}\n" + line);
    EXPECT_EQ(found.line, 2u) << line;
    return found.text;
  };
  EXPECT_EQ(error("ctx:keyed('a', {})").substr(0, 30), "ctx:keyed: say when keys go, o");
  EXPECT_EQ(error("ctx:keyed('a', { forgett = '1d' })"),
            "ctx:keyed does not know 'forgett': it takes forget, max, new; did you mean 'forget'?");
  EXPECT_EQ(error("ctx:keyed('a', { forget = 'soon' })").substr(0, 41),
            "ctx:keyed: forget must be a span of a sec");
  EXPECT_EQ(error("ctx:keyed('a', { max = 1.5 })").substr(0, 41),
            "ctx:keyed: max must be a whole number, 1 ");
  EXPECT_EQ(error("ctx:keyed('a', { max = 1, new = print })"), "ctx:keyed: new is a function");
  EXPECT_EQ(error("ctx:keyed('a b', { max = 1 })").substr(0, 24), "ctx:keyed: a name is 1 t");
  EXPECT_EQ(error("ctx:keyed('a')"),
            "ctx:keyed takes a name and a table of options: ctx:keyed(\"name\", { … })");
  EXPECT_EQ(error("ctx.keyed('a', { max = 1 })"), "call it as ctx:keyed(…), with a colon");
  EXPECT_EQ(error("ctx:keyed('a', { max = 1 }) ctx:window('a', { last = 1 })").substr(0, 60),
            "ctx:window: the name 'a' is that of the ctx:keyed in line 2:");
  EXPECT_EQ(error("ctx:window('a', {})").substr(0, 30), "ctx:window takes either span =");
  EXPECT_EQ(error("ctx:window('a', { span = '5m', last = 3 })").substr(0, 30),
            "ctx:window takes either span =");
  EXPECT_EQ(error("ctx:window('a', { span = '1d', slot = '1s' })"),
            "ctx:window: at most 1000 slots; slot = \"1m27s\" or more");
  EXPECT_EQ(error("ctx:throttle('a', { n = 1 })").substr(0, 30), "ctx:throttle takes how often a");
  EXPECT_EQ(error("local h = ctx:keyed('a', { max = 1 }) h:silent('500ms', print)"),
            "a:silent: the span must be a second or more");
  EXPECT_EQ(error("local h = ctx:keyed('a', { forget = '5s' }) h:silent('5s', print)"),
            "a:silent: keys are forgotten after 5s, before they would be silent for 5s");
  EXPECT_EQ(error("local h = ctx:keyed('a', { max = 1 }) h:touch('x')"),
            "a:touch is possible only in a callback, not while the script is loaded");
  EXPECT_EQ(error("local h = ctx:kyed('a', { max = 1 })"),
            "ctx has no function 'kyed'; did you mean 'keyed'?");
  EXPECT_EQ(error("hastur.trigger{ state = { ['@keyed.a'] = {} } }").substr(0, 20),
            "hastur.trigger was c");
  EXPECT_EQ(load_error("hastur.trigger{ state = { ['@keyed.a'] = {} } }").text.substr(0, 44),
            "hastur.trigger: state[\"@keyed.a\"] cannot be ");
}

TEST(HelperArguments, ANumberIsAKeyWithAllItsDigits) {
  TestTrigger trigger(head + R"lua(
local orders = ctx:keyed("orders", { max = 100 })
ctx:gauges({}, function(msg)
  for _, key in ipairs{ 202601010000001, 202601010000002, 5, 0.1, -0, 0, 1e300 } do orders:at(key) end
  print(orders:peek(5) ~= nil, orders:peek("5") ~= nil, orders:count())
  for k in orders:each() do print(k, type(k)) end
end)
)lua");
  Stream stream;
  stream.gauge(1, 1);
  EXPECT_EQ(logs(trigger, stream),
            "true\ttrue\t6\n0\tstring\n0.1\tstring\n1e+300\tstring\n202601010000001\tstring\n"
            "202601010000002\tstring\n5\tstring\n");
}

TEST(HelperArguments, AreRefusedInCallbacks) {
  const auto error = [](const std::string& line) {
    TestTrigger trigger(
        "local ctx = hastur.trigger{}\n"
        R"lua(
local h, w, l = ctx:keyed("h", { max = 9 }), ctx:window("w", { span = "1m" }), ctx:window("l", { last = 3 })
local t = ctx:throttle("t", { n = 1, per = "1m" })
ctx:gauges({}, function(msg) )lua" +
        line + " end)");
    Stream stream;
    stream.gauge(1, 1);
    const TriggerProgress progress = trigger.feed(stream);
    return progress.stopped ? progress.stopped->error.error.text : "";
  };
  EXPECT_EQ(error("h:touch(nil)"), "h:touch: the key must be a string or a number, got nil");
  EXPECT_EQ(error("h:touch(0/0)"),
            "h:touch: the key must be a string or a number, got one that is not finite");
  EXPECT_EQ(error("h:touch(5)"), "");
  EXPECT_EQ(error("h:touch('\\255')"), "a key of h is not UTF-8");
  EXPECT_EQ(error("w:add('\\255', 1)"), "a key of w is not UTF-8");
  EXPECT_EQ(error("t:allow('\\255')"), "a key of t is not UTF-8");
  EXPECT_EQ(error("h.touch('a')"), "call it as name:touch(…), with a colon, on what made it");
  EXPECT_EQ(error("h.touch(w, 'a')"), "call it as name:touch(…), with a colon, on what made it");
  EXPECT_EQ(error("w:add('a', 'x')"), "w:add: the value must be a number, got a string");
  EXPECT_EQ(error("w:add('a', 0/0)"),
            "w:add: the value must be a number, got one that is not finite");
  EXPECT_EQ(error("w:add('a', 1, -1)"), "");
  EXPECT_EQ(error("w:add('a', 1e308) w:add('a', 1e308)"), "w:add: the sum would be infinite");
  EXPECT_EQ(error("l:add('a', -1e151)"), "l:add: the value must be within 1e+150 and -1e+150");
  EXPECT_EQ(error("for _, v in ipairs{ 1e150, 1e150, -1e150 } do l:add('a', v) end "
                  "assert(l:sum('a') == 1e150 and l:stddev('a') < math.huge)"),
            "");
  EXPECT_EQ(error("w:add('a', 1) for k, v in w:each() do print(v.maen) end"),
            "each: there is no field 'maen' here, only count, sum, mean, rate");
  EXPECT_EQ(
      error("w:add('a', 1) for k, v in w:each() do print(v[('m') .. 'ax']) end").substr(0, 71),
      "each: there is no field 'max' here, only count, sum, mean, rate; others");
  EXPECT_EQ(error("l:add('a', 1) for k, v in l:each() do v[1] = 2 print(v[1], v.mean, v[2]) end"),
            "each: there is no field a number here, only count, sum, mean, min, max, stddev");
  EXPECT_EQ(error("w:add('a', 1) for k, v in w:each() do slack('x', { details = { v = v } }) end"),
            "");
  EXPECT_EQ(error("l:add('a', 1, 2)"), "l:add: a window of the last values has no weights");
  EXPECT_EQ(error("l:rate('a')"), "l:rate: a window of the last values knows no times");
  EXPECT_EQ(error("w:full('a')"), "w:full: only a window of the last values can be full");
  EXPECT_EQ(error("w:count('a', 'soon')").substr(0, 20), "w:count: the span mu");
  for (const std::string call : {"w:count('a', '61s')", "w:mean('a', '61s')", "w:rate('a', '61s')",
                                 "w:percentile('a', 9, '61s')", "w:each('61s')"}) {
    EXPECT_EQ(error(call), "w:" + call.substr(2, call.find('(') - 2) +
                               ": the span 1m1s is longer than that of the window, 1m");
  }
  EXPECT_EQ(error("w:count('a', '1m')"), "");
  EXPECT_EQ(error("w[('s'):rep(1) .. 'tddev'](w, 'a')").substr(0, 27),
            "w:stddev: it is kept only i");
  EXPECT_EQ(error("h:silent('5s', print)"),
            "h:silent is possible only while the script is loaded, not in a callback");
  EXPECT_EQ(error("ctx:keyed('x', { max = 1 })"),
            "ctx:keyed is possible only while the script is loaded, not in a callback");
}

TEST(HelperMemory, CountsAsTheTriggersOwn) {
  TriggerOptions options;
  options.guards.memory_bytes_min = 8u << 20;
  TestTrigger trigger(head + R"lua(
local hosts = ctx:keyed("hosts", { max = 1000000 })
ctx:gauges({}, function(msg) for i = 1, 1e5 do hosts:touch(msg.name .. i) end end)
)lua",
                      options);
  Stream stream;
  stream.gauge(1, 1, "host");
  const TriggerProgress progress = trigger.feed(stream);
  ASSERT_TRUE(progress.stopped);
  EXPECT_EQ(progress.stopped->error.kind, CallError::Kind::memory);
  const std::size_t full = trigger.vm().memory_bytes();
  trigger.vm().restore({Sequence{}, at_second(0), "{}", ""}, 0);
  // 60,000 keys or so had gone in: 64 bytes each, and their places.
  EXPECT_LT(trigger.vm().memory_bytes(), full - (4u << 20));
}

// What comes from a sender's label fails where it comes in, not where others are looked after.
TEST(Helpers, TakeTheSameKeys) {
  for (const char* call :
       {"ctx:keyed('h', { max = 9 }):touch(k)", "ctx:keyed('h', { max = 9 }):at(k)",
        "ctx:keyed('h', { max = 9 }):swap(k, 1)", "ctx:window('h', { span = '1m' }):add(k, 1)",
        "ctx:window('h', { last = 3 }):add(k, 1)",
        "ctx:throttle('h', { n = 1, per = '1m' }):allow(k)",
        "ctx:alert('h', { raise = true }):set(k, true, 'x')"}) {
    const std::string script(call);
    const std::size_t method = script.find("):") + 1;
    for (const auto& [key, fits] : {std::pair{"('x'):rep(1024)", true},
                                    std::pair{"('x'):rep(1025)", false}, std::pair{"''", false}}) {
      TestTrigger trigger("local ctx = hastur.trigger{}\nlocal h = " + script.substr(0, method) +
                          "\nctx:gauges({}, function(msg) local k = " + key + " h" +
                          script.substr(method) + " end)");
      ASSERT_TRUE(trigger.is_loaded()) << call;
      Stream stream;
      stream.gauge(0.1, 1);
      const TriggerProgress progress = trigger.feed(stream);
      // What a window cannot keep it leaves out.
      const bool is_window = script.find("ctx:window") != std::string::npos;
      EXPECT_EQ(!progress.stopped, fits || is_window) << call << " " << key;
      EXPECT_EQ(progress.helpers_dropped, !fits && is_window ? 1u : 0u) << call << " " << key;
    }
  }
}

}  // namespace
}  // namespace hastur::testing
