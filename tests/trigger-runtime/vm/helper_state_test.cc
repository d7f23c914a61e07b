// What helpers keep under ctx.state: as scripts see it, as it goes back, and as another version
// takes it over.

#include <algorithm>

#include "core/json.h"
#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {
namespace {

const std::string head = "local ctx = hastur.trigger{}\nlocal state = ctx.state\n";

TEST(HelperState, IsReadButNotWrittenByScripts) {
  const auto with = [](const std::string& body) {
    TestTrigger trigger(head + R"lua(
local hosts = ctx:keyed("hosts", { forget = "1d", new = { list = { 1, 2 } } })
ctx:gauges({}, function(msg)
  hosts:at("u1") hosts:touch("u2")
  local all = state["@keyed.hosts"]
)lua" + body + "\nend)");
    Stream stream;
    stream.gauge(1, 1);
    const TriggerProgress progress = trigger.feed(stream);
    if (progress.stopped) return "error: " + progress.stopped->error.error.text;
    const Judged judged = trigger.vm().judge(progress.reached, at_second(1));
    return logs_of(progress) + (judged.error ? judged.error->error.text : "");
  };
  EXPECT_EQ(
      with("print(type(all), all.u1.v.list[2], #all.u1.v.list, all.u3, all.u2.t == hastur.now())"),
      "table\t2\t2\tnil\ttrue\n");
  EXPECT_EQ(with("for k, v in pairs(all) do print(k, v.v and #v.v.list) end"), "u1\t2\nu2\tnil\n");
  EXPECT_EQ(with("for k in pairs(state) do print(k) end print((next(all)))"), "@keyed.hosts\nu1\n");
  EXPECT_EQ(with("slack('x', { details = { all = all.u2 } })"), "");
  EXPECT_EQ(with("all.u1 = nil"),
            "error: ctx.state[\"@keyed.hosts\"] cannot be written: it is what ctx:keyed(\"hosts\") "
            "keeps; use its functions");
  EXPECT_EQ(with("all.u1.v.list[1] = 3"),
            "error: what a helper keeps cannot be written: use its functions");
  EXPECT_EQ(with("ctx['@keyed.hosts'] = 1").substr(0, 33), "error: ctx.state[\"@keyed.hosts\"] ");
  EXPECT_EQ(with("state['@keyed.hosts'] = {}"),
            "state[\"@keyed.hosts\"] cannot be written: keys that begin with '@' are those of "
            "helpers, which only they write");
  EXPECT_EQ(with("state['@keyed.hosts'] = nil").substr(0, 39),
            "state lacks a key that begins with '@',");
  EXPECT_EQ(with("state['@other'] = 1").substr(0, 33), "state[\"@other\"] cannot be written");
  EXPECT_EQ(with("state.x = all").substr(0, 30), "state.x is what a helper keeps");
  EXPECT_EQ(with("state.x = { all.u1 }").substr(0, 16), "state.x[1] is a ");
  EXPECT_EQ(with("hosts:swap('u1', print)"), "state[\"@keyed.hosts\"].u1.v is a function");
  EXPECT_EQ(with("state.x = hosts:peek('u1')").substr(0, 40),
            "state[\"@keyed.hosts\"].u1.v is a table th");
  EXPECT_EQ(with("hosts.x = 1").substr(0, 33), "error: a helper cannot be written");
}

TEST(HelperState, OfAViewIsRefused) {
  TestTrigger trigger(head + R"lua(
local w = ctx:window("w", { span = "1m" })
ctx:gauges({}, function(msg)
  w:add("a", 1)
  for k, view in w:each() do state.last = view end
end)
)lua");
  Stream stream;
  stream.gauge(1, 1);
  const TriggerProgress progress = trigger.feed(stream);
  const Judged judged = trigger.vm().judge(progress.reached, at_second(1));
  ASSERT_TRUE(judged.error);
  EXPECT_EQ(judged.error->error.text,
            "state.last is what each() of a window yields: keep those of its fields that you need");
}

// What is void by now is not in it, whether it was judged in between or not.
TEST(HelperState, DoesNotDependOnWhenItWasJudgedBefore) {
  const std::string script = head + R"lua(
local rates = ctx:window("rates", { span = "10s" })
local mails = ctx:throttle("mails", { n = 1, per = "10s" })
ctx:gauges({}, function(msg)
  rates:add(msg.name, msg.value)
  mails:allow(msg.name)
end)
)lua";
  const auto state_at_the_end = [&](bool is_judged_before) {
    TestTrigger trigger(script);
    Stream stream;
    stream.gauge(1, 1);
    const TriggerProgress first = trigger.feed(stream);
    if (is_judged_before) (void)trigger.vm().judge(first.reached, at_second(1));
    stream.tick(60);
    const TriggerProgress progress = trigger.feed(stream);
    return trigger.vm().judge(progress.reached, at_second(60)).memory.state;
  };
  EXPECT_EQ(state_at_the_end(false), state_at_the_end(true));
  EXPECT_EQ(state_at_the_end(true), "{}");
}

TEST(HelperState, GoesBackWithTheStateWhenAJudgementFails) {
  TestTrigger trigger(head + R"lua(
local hosts = ctx:keyed("hosts", { forget = "1d" })
ctx:gauges({}, function(msg)
  hosts:touch(msg.name)
  if msg.name == "bad" then state.bad = print end
end)
)lua");
  Stream stream;
  stream.gauge(1, 1, "a").tick(2).gauge(3, 1, "bad").gauge(3, 1, "b").tick(4);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_EQ(progress.errors.size(), 1u);
  EXPECT_EQ(short_state(trigger).dump(), R"({"@keyed.hosts":{"a":{"t":1.0}}})");
}

// The state that `before` leaves after some gauges, as the memory of a trigger.
Memory memory_of(const std::string& before) {
  TestTrigger trigger(head + before);
  Stream stream;
  for (int s = 0; s < 100; ++s) stream.gauge(s + 0.5, s, s % 2 == 0 ? "a" : "b");
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_FALSE(progress.stopped);
  return trigger.vm().judge(progress.reached, at_second(99.5)).memory;
}

const std::string add = "\nctx:gauges({}, function(msg) w:add(msg.name, msg.value) end)";
const std::string touch = "\nctx:gauges({}, function(msg) w:touch(msg.name) end)";

TEST(HelperState, OfAnotherKindUnderTheSameNameIsRefused) {
  const auto refusal = [](const std::string& before, const std::string& after) {
    TriggerOptions options;
    options.memory = memory_of(before);
    const ScriptError error = load_error(head + after, options);
    return error.text.empty() ? "" : fmt::format("{}: {}", error.line, error.text);
  };
  const std::string window = "local w = ctx:window('w', { span = '1m' })" + add;
  const std::string last = "local w = ctx:window('w', { last = 3 })" + add;
  const std::string keyed = "local w = ctx:keyed('w', { max = 3 })" + touch;
  EXPECT_EQ(refusal(window, window), "");
  EXPECT_EQ(refusal(window, keyed),
            "3: of the stored state, 'w' was kept by a ctx:window and is a ctx:keyed now: give it "
            "another name, or convert ctx.state[\"@window.w\"] in ctx:migrate");
  EXPECT_NE(refusal(window, last), "");
  EXPECT_NE(refusal(last, window), "");
  EXPECT_NE(refusal(keyed, last), "");
  // What a helper kept that is no more goes.
  TriggerOptions options;
  options.memory = memory_of(window);
  TestTrigger without(head + "ctx:gauges({}, function() state.x = 1 end)", options);
  Stream stream;
  stream.gauge(100, 1);
  without.feed(stream);
  EXPECT_EQ(without.state(), R"({"x":1})");
}

TEST(HelperState, IsTrimmedOrKeptWhenOptionsChange) {
  const auto after = [](const std::string& before, const std::string& changed,
                        const std::string& print) {
    TriggerOptions options;
    options.memory = memory_of(before);
    TestTrigger trigger(
        head + changed + "\nctx:every('second', function() print(" + print + ") end)", options);
    Stream stream;
    stream.tick(100).tick(101);
    return logs_of(trigger.feed(stream));
  };
  const std::string wide = "local w = ctx:window('w', { span = '2m' })" + add;
  const std::string narrow = "local w = ctx:window('w', { span = '20s' })" + add;
  EXPECT_EQ(after(wide, wide, "w:count('a')"), "50\n");
  EXPECT_EQ(after(wide, narrow, "w:count('a')"), "10\n");
  EXPECT_EQ(after(narrow, wide, "w:count('a')"), "10\n");
  const std::string last = "local w = ctx:window('w', { last = 5 })" + add;
  EXPECT_EQ(after(last, "local w = ctx:window('w', { last = 2 })" + add, "w:mean('b')"), "98\n");
  const std::string keyed = "local w = ctx:keyed('w', { max = 5 })" + touch;
  EXPECT_EQ(after(keyed, "local w = ctx:keyed('w', { max = 1 })" + touch, "(w:each()())"), "b\n");
}

TEST(HelperState, IsConvertedByMigrate) {
  TriggerOptions options;
  options.memory = memory_of("local w = ctx:keyed('w', { max = 5 })" + touch);
  const std::string migrate = R"lua(
local v = ctx:keyed("v", { max = 5 })
ctx:migrate(function(state, version)
  return { ["@keyed.v"] = state["@keyed.w"], n = 1 }
end)
ctx:gauges({}, function(msg) v:touch("c") end)
)lua";
  LoadCommand command = load_command(head + migrate, options);
  command.migrate_from = "old";
  auto loaded = ScriptVm::load(command);
  ASSERT_EQ(loaded.index(), 0u) << std::get<1>(loaded).error.text;
  EXPECT_EQ(std::get<0>(loaded)->judge(Sequence{100}, at_second(100)).memory.state,
            R"({"@keyed.v":{"a":{"t":1704067298500000},"b":{"t":1704067299500000}},"n":1})");
  command.script.text = head + R"lua(
local v = ctx:keyed("v", { max = 5 })
ctx:migrate(function(state) return { ["@keyed.v"] = { a = { t = "now" } } } end)
)lua";
  auto refused = ScriptVm::load(command);
  ASSERT_EQ(refused.index(), 1u);
  EXPECT_EQ(std::get<1>(refused).error.line, 5u);
  EXPECT_TRUE(std::get<1>(refused).error.text.starts_with(
      "of what ctx:migrate returned, state[\"@keyed.v\"][\"a\"] is not what this ctx:keyed keeps"))
      << std::get<1>(refused).error.text;
}

// Slots are as wide as they were under the old name.
TEST(HelperState, OfAWindowThatMigrateRenamesIsReadAsItWasKept) {
  const auto counted = [](const std::string& before, const std::string& after) {
    TriggerOptions options;
    options.memory = memory_of(before + add);
    LoadCommand command = load_command(head + after, options);
    command.migrate_from = "old";
    auto loaded = ScriptVm::load(command);
    if (loaded.index() == 1) return std::get<1>(loaded).error.text.substr(0, 64);
    const std::string state =
        std::get<0>(loaded)->judge(Sequence{100}, at_second(100)).memory.state;
    const Json kept = parse_json(state).value()["@window.new"];
    double count = 0;
    for (const Json& n : kept["a"]["n"]) count += n.get<double>();
    return fmt::format("{}", count);
  };
  const std::string old = "local w = ctx:window('w', { span = '2m', slot = '2s' })\n";
  const std::string renamed = R"lua(
local w = ctx:window("new", { span = "10m", slot = "10s" })
ctx:migrate(function(state) return { ["@window.new"] = state["@window.w"] } end)
)lua";
  EXPECT_EQ(counted(old, renamed), "50");
  EXPECT_EQ(counted(old + "local v = ctx:window('v', { span = '2m', slot = '3s' })\n", renamed),
            "of what ctx:migrate returned, of state[\"@window.new\"] nobody kno");
}

// Also what came in just now.
TEST(HelperState, OfAWindowWithAnotherSlotLosesNothing) {
  for (const double at : {3601.0, 3607.0, 3611.0, 3629.0, 3631.0, 3659.0}) {
    TestTrigger before(head + "local w = ctx:window('w', { span = '1h' })\n" +
                       "ctx:gauges({}, function(msg) w:add('k', 1) end)");
    Stream stream;
    stream.tick(0).gauge(at, 1).gauge(at, 1).tick(at + 0.5);
    TriggerOptions options;
    options.memory = *before.feed(stream).judged;
    for (const char* window :
         {"{ span = '30m' }", "{ span = '1h', slot = '7m' }", "{ span = '2h' }"}) {
      TestTrigger after(head + "local w = ctx:window('w', " + window +
                            ")\nctx:gauges({}, function(msg) print(w:count('k')) end)",
                        options);
      Stream next;
      next.gauge(at + 1, 1);
      EXPECT_EQ(logs_of(after.feed(next)), "2\n") << at << window;
    }
  }
}

// What a helper is to begin with, put over what the memory holds of it; the rest stays.
TEST(HelperState, BeginsWarmAndWhatItHasNotHeardCountsAsDeaf) {
  TriggerOptions options;
  options.memory = memory_of("local w = ctx:keyed('w', { max = 5 })" + touch);
  const std::string both = R"lua(
local w = ctx:keyed("w", { max = 5 })
local v = ctx:keyed("v", { max = 5 })
v:silent("10s", function(key) pager_duty(key, "silent") end)
)lua";
  LoadCommand command = load_command(head + both, options);
  command.migrate_from = "old";
  const Time at = at_second(60), now = at_second(100);
  command.warm = WarmHelpers{
      at, now, fmt::format(R"({{"@keyed.v":{{"z":{{"t":{}}}}}}})", to_us(at_second(58)))};
  auto loaded = ScriptVm::load(command);
  ASSERT_EQ(loaded.index(), 0u) << std::get<1>(loaded).error.text;
  const auto state = std::get<0>(loaded)->judge(Sequence{100}, now).memory.state;
  EXPECT_NE(state.find(R"("@keyed.w":{"a":{"t":1704067298500000},"b":{"t":1704067299500000}})"),
            std::string::npos)
      << state;
  EXPECT_NE(state.find("\"z\":"), std::string::npos) << state;

  // One that this version has not, or that is no state of it, is not taken, and nothing else is
  // lost.
  for (const char* odd :
       {R"({"@keyed.nobody":{}})", R"({"@keyed.v":{"z":{"t":"soon"}}})", "no JSON"}) {
    command.warm->helpers = odd;
    auto cold = ScriptVm::load(command);
    ASSERT_EQ(cold.index(), 0u) << odd;
    const auto left = std::get<0>(cold)->judge(Sequence{100}, now).memory.state;
    EXPECT_EQ(left, R"({"@keyed.w":{"a":{"t":1704067298500000},"b":{"t":1704067299500000}}})")
        << odd;
  }
  // A first start has the state of its script besides.
  command.memory.reset();
  command.migrate_from.reset();
  command.warm->helpers = fmt::format(R"({{"@keyed.v":{{"z":{{"t":{}}}}}}})", to_us(at_second(58)));
  auto first = ScriptVm::load(command);
  ASSERT_EQ(first.index(), 0u);
  EXPECT_NE(std::get<0>(first)->judge(Sequence{1}, now).memory.state.find("\"z\":"),
            std::string::npos);
}

}  // namespace
}  // namespace hastur::testing
