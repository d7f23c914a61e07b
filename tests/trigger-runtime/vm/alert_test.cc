// ctx:alert as a script sees it, and the nights that it is there for: a site that goes silent, an
// outage of our own, a sender whose clock is wrong.

#include "core/json.h"
#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {
namespace {

const std::string head = "local ctx = hastur.trigger{}\n";

// Each notification as "page key: text" or "resolve key: text".
std::vector<std::string> pages_of(const TriggerProgress& progress) {
  EXPECT_FALSE(progress.stopped) << progress.stopped->error.error.text;
  std::vector<std::string> pages;
  for (const Effect& effect : progress.effects) {
    if (effect.kind != EffectKind::notification) continue;
    const Json page = parse_json(effect.payload).value();
    const bool resolves = page["options"].value("action", "trigger") == "resolve";
    pages.push_back(fmt::format("{} {}: {}", resolves ? "resolve" : "page",
                                page["key"].get<std::string>(), page["text"].get<std::string>()));
  }
  return pages;
}

const std::string rate = R"lua(
local alert = ctx:alert("rate", { raise = { above = 0.10 }, clear = { below = 0.05 }, stale = "5m" })
ctx:gauges({}, function(msg) alert:set(msg.name, msg.value, ("%s: %.0f %%"):format(msg.name, msg.value * 100)) end)
)lua";

TEST(Alert, PagesAndResolvesAtTheNextTick) {
  TestTrigger trigger(head + rate);
  Stream stream;
  stream.tick(0).gauge(0.5, 0.14, "api").tick(1).gauge(1.5, 0.07, "api").tick(2);
  EXPECT_EQ(pages_of(trigger.feed(stream)),
            std::vector<std::string>{"page billing/load/rate/api: api: 14 %"});
  EXPECT_EQ(trigger.state(),
            fmt::format(R"({{"@alert.rate":{{"api":{{"open":{},"sent":{},"t":{},)"
                        R"("text":"api: 7 %","v":0.07}}}}}})",
                        to_us(at_second(0.5)), to_us(at_second(1)), to_us(at_second(1.5))));
  stream.gauge(60.5, 0.01, "api").tick(61);
  EXPECT_EQ(pages_of(trigger.feed(stream)),
            std::vector<std::string>{
                "resolve billing/load/rate/api: resolved at 0.01 after 1m: api: 1 %"});
  EXPECT_EQ(trigger.state(), "{}");
}

TEST(Alert, DecidesAfterAllCallbacksOfTheTick) {
  TestTrigger trigger(head + R"lua(
local alert = ctx:alert("up", {})
ctx:gauges({}, function(msg) alert:raise(msg.name, "down") print(alert:is_open(msg.name)) end)
ctx:every("2s", function() alert:clear("a") slack("first") end)
)lua");
  Stream stream;
  stream.tick(1).gauge(1.5, 1, "b").gauge(1.6, 1, "a").tick(2);
  const TriggerProgress progress = trigger.feed(stream);
  EXPECT_EQ(logs_of(progress), "true\ntrue\n");
  // What opened and closed within a tick is no page; ordinals run on.
  ASSERT_EQ(progress.effects.size(), 4u);
  EXPECT_EQ(progress.effects[2].ordinal, 0u);
  EXPECT_EQ(progress.effects[3].ordinal, 1u);
  EXPECT_NE(progress.effects[3].payload.find("billing/load/up/b"), std::string::npos);
}

TEST(Alert, PagesInTheOrderOfDueNameAndKey) {
  TestTrigger trigger(head + R"lua(
local z, a = ctx:alert("z", {}), ctx:alert("a", { to = "ops", severity = "warning" })
ctx:gauges({}, function(msg)
  local alert = msg.value == 1 and z or a
  alert:raise(msg.name, "text", { value = msg.value })
end)
)lua");
  Stream stream;
  stream.tick(0).gauge(0.5, 2, "k2").gauge(0.5, 1, "k1").gauge(0.5, 2, "k1").gauge(0.4, 1, "k9");
  stream.tick(1);
  const TriggerProgress progress = trigger.feed(stream);
  // Stream time does not go back: all are due at once.
  EXPECT_EQ(
      pages_of(progress),
      (std::vector<std::string>{"page billing/load/a/k1: text", "page billing/load/a/k2: text",
                                "page billing/load/z/k1: text", "page billing/load/z/k9: text"}));
  EXPECT_EQ(progress.effects[0].payload,
            R"({"details":{"value":2},"key":"billing/load/a/k1","kind":"pager_duty",)"
            R"("options":{"severity":"warning"},"text":"text","to":"ops"})");
}

TEST(Alert, GoesBackWithACallThatFails) {
  TestTrigger trigger(head + R"lua(
local alert = ctx:alert("up", {})
ctx:gauges({}, function(msg) alert:raise(msg.name, "down") if msg.value == 2 then error("no") end end)
)lua");
  Stream stream;
  stream.tick(0);
  const Memory memory = *trigger.feed(stream).judged;
  trigger.vm().restore(memory, 100);
  stream.gauge(0.5, 1, "a").gauge(0.6, 2, "b").tick(1);
  EXPECT_EQ(pages_of(trigger.feed(stream)),
            std::vector<std::string>{"page billing/load/up/a: down"});
}

// What fails its judgement is as if it had not been, and so is what alerts would have said of it.
TEST(Alert, SaysNothingOfAStateThatDoesNotStand) {
  TriggerOptions options;
  options.limits.state_bytes_max = 4'096;
  const std::string script = head + R"lua(
local hosts = ctx:keyed("hosts", { forget = "1d" })
local gone  = ctx:alert("gone", { again = "1h", burst = 20 })
ctx:gauges({}, function(msg) hosts:touch(msg.name) gone:clear(msg.name, "back") end)
hosts:silent("10s", function(name) gone:raise(name, "no heartbeat from " .. name) end)
)lua";
  TestTrigger trigger(script, options);
  TestTrigger other(script, options);
  Stream stream;
  // 100 hosts have room, 100 silent ones have not.
  for (int host = 0; host < 100; ++host) stream.gauge(0.5, 1, fmt::format("h{:02}", host));
  std::vector<std::string> pages;
  std::size_t errors = 0, undone = 0;
  const auto feed = [&] {
    const Batch batch = stream.take();
    const TriggerProgress progress = trigger.feed(batch);
    for (std::string& page : pages_of(progress)) pages.push_back(std::move(page));
    errors += progress.errors.size();
    undone += progress.callbacks_undone;
    // One that goes on from each judged state does the same.
    const TriggerProgress again = other.feed(batch);
    EXPECT_EQ(again.effects, progress.effects);
    EXPECT_EQ(again.effects_hash, progress.effects_hash);
    EXPECT_EQ(again.judged, progress.judged);
    if (again.judged) other.vm().restore(*again.judged, 0);
  };
  for (int s = 1; s <= 40; ++s) {
    stream.tick(s);
    feed();
  }
  EXPECT_EQ(pages, std::vector<std::string>{});
  EXPECT_EQ(errors, 30u);
  // The calls for the silent hosts.
  EXPECT_EQ(undone, 30u * 100u);
  // All but one come back: now there is room, and the page.
  for (int host = 1; host < 100; ++host) stream.gauge(40.5, 1, fmt::format("h{:02}", host));
  stream.tick(41);
  feed();
  EXPECT_EQ(pages, std::vector<std::string>{"page billing/load/gone/h00: no heartbeat from h00"});
  EXPECT_EQ(errors, 30u);
}

// A big state is judged more seldom than each second: what is said between judgements cannot be
// taken back, so after a failure alerts wait for them.
TEST(Alert, WaitsForJudgementsOnceOneHasFailed) {
  TriggerOptions options;
  options.limits.state_bytes_max = 10u << 20;
  TestTrigger trigger(head + R"lua(
local up = ctx:alert("up", {})
ctx:gauges({}, function(msg)
  if msg.value == 0 then ctx.state.pad = ("x"):rep(9 * 2^20) end
  if msg.value == 1 then ctx.state.more = ("y"):rep(2 * 2^20) up:raise(msg.name, "down") end
  if msg.value == 2 then up:raise(msg.name, "down") end
end)
)lua",
                      options);
  Stream stream;
  stream.gauge(0.5, 0).tick(1);
  std::map<std::string, std::vector<int>> pages;
  std::vector<int> failed;
  const auto feed = [&](int second) {
    const TriggerProgress progress = trigger.feed(stream);
    for (const std::string& page : pages_of(progress)) pages[page].push_back(second);
    if (!progress.errors.empty()) failed.push_back(second);
  };
  feed(1);
  for (int s = 2; s <= 60; ++s) {
    stream.gauge(s - 0.5, 1, "a").tick(s);
    feed(s);
  }
  EXPECT_EQ(failed.front(), 4);
  EXPECT_EQ(failed.size(), 19u);
  // Before the first failure nobody knew; after it this page could not stand.
  EXPECT_EQ(pages["page billing/load/up/a: down"], std::vector<int>{2});
  // A state that passes says what it has to say, at the judgement.
  stream.tick(61).gauge(61.5, 2, "b");
  for (int s = 62; s <= 70; ++s) {
    stream.tick(s);
    feed(s);
  }
  EXPECT_EQ(pages["page billing/load/up/b: down"], std::vector<int>{64});
}

TEST(Alert, RefusesWhatItCannotTake) {
  const auto at_load = [](const std::string& options) {
    const ScriptError found = load_error(head + "ctx:alert('a', " + options + ")");
    EXPECT_EQ(found.line, 2u) << options;
    return found.text;
  };
  EXPECT_EQ(at_load("{ rise = 1 }").substr(0, 31), "ctx:alert does not know 'rise':");
  EXPECT_EQ(at_load("{ raise = { over = 1 } }").substr(0, 18), "ctx:alert: raise: ");
  EXPECT_EQ(at_load("{ clear = { below = 1 } }"),
            "ctx:alert: clear goes with raise: which values raise it?");
  EXPECT_EQ(at_load("{ again = 'soon' }").substr(0, 31), "ctx:alert: again must be a span");
  EXPECT_EQ(at_load("{ flap = { changes = 1, span = '1m' } }").substr(0, 20),
            "ctx:alert: flap: cha");
  EXPECT_EQ(at_load("{ flap = { change = 1 } }").substr(0, 27), "ctx:alert: flap does not kn");
  EXPECT_EQ(at_load("{ severity = 'bad' }").substr(0, 31), "ctx:alert: severity must be one");
  EXPECT_EQ(at_load("{ burst = 0 }"), "ctx:alert: burst must be a whole number, 1 to 10000");
  EXPECT_EQ(at_load("{ to = 5 }"), "ctx:alert: to must be a string, got a number");

  EXPECT_EQ(at_load("{ raise = { above = 5 }, clear = { above = 1 } }").substr(0, 54),
            "ctx:alert: raise and clear overlap: 6 would do both. C");
  EXPECT_EQ(at_load("{ raise = { above = 5 }, clear = { below = 7 } }").substr(0, 43),
            "ctx:alert: raise and clear overlap: 6 would");
  EXPECT_EQ(at_load("{ raise = 'down', clear = { 'up', 'down' } }").substr(0, 43),
            "ctx:alert: raise and clear overlap: \"down\" ");
  EXPECT_EQ(at_load("{ raise = { above = 10, below = 5 } }"),
            R"(ctx:alert: raise: there is no value that is {"above":10,"below":5})");
  EXPECT_EQ(at_load("{ raise = { at_least = 5, below = 5 } }").substr(0, 32),
            "ctx:alert: raise: there is no va");
  EXPECT_EQ(at_load("{ raise = false }"), "ctx:alert: raise: there is no value that is false");
  EXPECT_EQ(at_load("{ raise = { above = 1 }, clear = true }").substr(0, 35),
            "ctx:alert: raise and clear overlap:");
  EXPECT_EQ(at_load("{ raise = {} }").substr(0, 35), "ctx:alert: raise: an empty table as");
  for (const char* fine : {"{ raise = { above = 1e308 } }", "{ raise = { below = -1e300 } }",
                           "{ raise = { at_least = 5, at_most = 5 } }",
                           "{ raise = { above = 10 }, clear = { below = 10 } }",
                           "{ raise = { at_least = 10 }, clear = { at_most = 10 } }",
                           "{ raise = { above = 10 }, clear = { below = 5 } }",
                           "{ raise = 'down', clear = { 'up', 'idle' } }",
                           "{ raise = { below = 1 }, clear = { above = 2, below = 9 } }"}) {
    EXPECT_EQ(load_error(head + "ctx:alert('a', " + fine + ")").text, "") << fine;
  }

  const auto in_call = [](const std::string& call) {
    TestTrigger trigger(head +
                        "local a, v = ctx:alert('a', {}), ctx:alert('v', { raise = 'down' })\n" +
                        "ctx:gauges({}, function(msg) " + call + " end)");
    Stream stream;
    stream.gauge(1, 1);
    const TriggerProgress progress = trigger.feed(stream);
    return progress.stopped ? progress.stopped->error.error.text : "";
  };
  EXPECT_EQ(in_call("a:set('k', 5, 'text')").substr(0, 30), "a:set: which values raise it? ");
  EXPECT_EQ(in_call("v:set('k', 'down', 'text', {})"), "");
  EXPECT_EQ(in_call("a:set('k', nil, 'text')"),
            "a:set: the value must be a number, a string or a boolean, got nil");
  EXPECT_EQ(in_call("v:set('k', 0/0, 'text')"),
            "v:set: the value must be a number, got one that is not finite");
  EXPECT_EQ(in_call("a:raise('k')"), "a:raise: the text must be a string, got nil");
  EXPECT_EQ(in_call("a:raise('k', ('x'):rep(5000))"),
            "a:raise: the text must have 1 to 4096 bytes, this one has 5000");
  EXPECT_EQ(in_call("a:raise('k', 'x', { 1 })"),
            "a:raise: details must be a table with names, not a list");
  EXPECT_EQ(in_call("a:raise('', 'x')"),
            "a:raise: the key is empty: by it people know what the page is about");
  EXPECT_EQ(in_call("a:raise('\\255', 'x')"), "a key of a is not UTF-8");
  EXPECT_EQ(in_call("a:clear('\\255')"), "");
  EXPECT_EQ(in_call("a.raise('k', 'x')").substr(0, 26), "call it as name:raise(…)");
}

// Each page with the channel that it names.
std::vector<std::string> pages_with_channels(const TriggerProgress& progress) {
  std::vector<std::string> pages = pages_of(progress);
  std::size_t at = 0;
  for (const Effect& effect : progress.effects) {
    if (effect.kind != EffectKind::notification) continue;
    const Json to = parse_json(effect.payload).value()["to"];
    pages[at++] += " → " + (to.is_string() ? to.get<std::string>() : "nobody named");
  }
  return pages;
}

// What a version had paged when the next one began.
class AlertSuccession : public ::testing::Test {
 protected:
  std::string rule(const std::string& options, const std::string& name = "up") {
    return fmt::format("{}local a = ctx:alert('{}', {})\n", head, name, options) +
           "ctx:gauges({}, function(msg) a:set(msg.name, msg.value > 0, msg.name .. ' is down') "
           "end)\n";
  }
  // As the version's trigger leaves it after second 1.
  Memory left_by(const std::string& script) {
    TestTrigger trigger(script);
    Stream stream;
    stream.tick(0).gauge(0.5, 1, "a").gauge(0.6, 1, "b").tick(1);
    return *trigger.feed(stream).judged;
  }
  // What the next version says at the two ticks that follow, and whether it asks for them.
  std::vector<std::string> said(TestTrigger& next, const std::string& between = "") {
    Stream stream;
    if (!between.empty()) stream.message(1.5, between);
    stream.tick(2).tick(3);
    const Batch batch = stream.take();
    return pages_with_channels(next.feed(batch));
  }
  TriggerOptions with(Memory memory) {
    TriggerOptions options;
    options.memory = std::move(memory);
    return options;
  }
};

TEST_F(AlertSuccession, ResolvesWhereItPagedAndPagesAnewWhereItGoesNow) {
  const Memory memory = left_by(rule("{ to = 'ops' }"));
  EXPECT_NE(memory.state.find(R"("to":"ops")"), std::string::npos) << memory.state;
  TestTrigger next(rule("{ to = 'db' }"), with(memory));
  EXPECT_EQ(said(next),
            (std::vector<std::string>{
                "resolve billing/load/up/a: resolved here: it pages db from now on → ops",
                "page billing/load/up/a: a is down → db",
                "resolve billing/load/up/b: resolved here: it pages db from now on → ops",
                "page billing/load/up/b: b is down → db"}));
  TestTrigger same(rule("{ to = 'ops', again = '1h' }"), with(memory));
  EXPECT_EQ(said(same), std::vector<std::string>());
  // What is over by then is resolved there, and told of nowhere else.
  TestTrigger over(rule("{}"), with(memory));
  EXPECT_EQ(said(over, R"({"type":"gauge","name":"a","value":0})"),
            (std::vector<std::string>{
                "resolve billing/load/up/a: resolved after 1s: a is down → ops",
                "resolve billing/load/up/b: resolved here: it pages the channel of pages without "
                "`to` from now on → ops",
                "page billing/load/up/b: b is down → nobody named"}));
}

TEST_F(AlertSuccession, FlapsByItsOwnSpanOnly) {
  TestTrigger before(rule("{ flap = { changes = 6, span = '10m' } }"));
  Stream stream;
  stream.tick(0).gauge(1, 1, "a").tick(2).gauge(16, 0, "a").tick(17).gauge(31, 1, "a").tick(32);
  const Memory memory = *before.feed(stream).judged;
  EXPECT_NE(memory.state.find(R"("f":[)"), std::string::npos);
  TestTrigger next(rule("{ flap = { changes = 3, span = '10s' } }"), with(memory));
  stream.tick(33).tick(34);
  EXPECT_EQ(pages_of(next.feed(stream)), std::vector<std::string>());
  TestTrigger wide(rule("{ flap = { changes = 3, span = '1h' } }"), with(memory));
  stream.tick(35).tick(36);
  EXPECT_EQ(pages_of(wide.feed(stream)).size(), 1u);
}

TEST_F(AlertSuccession, OfABurstGoesOnWhereItGoesNow) {
  const Memory memory = left_by(rule("{ burst = 1, to = 'ops' }"));
  TestTrigger next(rule("{ burst = 1 }"), with(memory));
  EXPECT_EQ(said(next),
            (std::vector<std::string>{
                "resolve billing/load/up: resolved here: it pages the channel of pages without "
                "`to` from now on → ops",
                "page billing/load/up: 2 up still open after 1s: a, b → nobody named"}));
}

TEST_F(AlertSuccession, ResolvesWhatNoAlertOfTheScriptHolds) {
  const Memory memory = left_by(rule("{ to = 'ops' }"));
  for (const std::string& script : {rule("{}", "down"), head + "ctx:every('1h', function() end)",
                                    head + "ctx:gauges({}, function() end)"}) {
    TestTrigger next(script, with(memory));
    ASSERT_TRUE(next.is_loaded());
    // Nothing asks for ticks but the alert that is gone.
    Stream before;
    before.gauge(1.2, 0);
    EXPECT_TRUE(next.feed(before).wants_ticks);
    // What is kept meanwhile is the same again.
    const std::string kept = next.state();
    EXPECT_NE(kept.find("@alert.up"), std::string::npos);
    next.vm().restore(Memory{Sequence{3}, at_second(1.2), kept, memory.runtime}, 0);
    Stream stream;
    stream.tick(2);
    const TriggerProgress progress = next.feed(stream);
    EXPECT_EQ(pages_with_channels(progress),
              (std::vector<std::string>{
                  "resolve billing/load/up/a: resolved: its script does not have this alert any "
                  "more → ops",
                  "resolve billing/load/up/b: resolved: its script does not have this alert any "
                  "more → ops"}));
    EXPECT_FALSE(progress.wants_ticks);
    EXPECT_EQ(next.state().find("@alert.up"), std::string::npos);
    stream.tick(3);
    EXPECT_EQ(pages_of(next.feed(stream)), std::vector<std::string>());
  }
}

// As docs tell to keep the keys of one that is renamed.
TEST_F(AlertSuccession, OfARenamedAlertPagesUnderItsNewName) {
  const std::string migrates = R"lua(
ctx:migrate(function(state)
  local down = {}
  for key, alert in pairs(state["@alert.up"]) do
    down[key] = alert
    if type(alert) == "table" then
      down[key] = {}
      for field, value in pairs(alert) do
        if field ~= "sent" then down[key][field] = value end
      end
    end
  end
  state["@alert.down"] = down
  return state
end)
)lua";
  const auto said_after = [&](const std::string& options) {
    Memory memory = left_by(rule(options));
    LoadCommand command = load_command(rule(options, "down") + migrates, with(memory));
    command.migrate_from = "old";
    auto loaded = ScriptVm::load(command);
    if (loaded.index() != 0) return std::vector{std::get<1>(loaded).error.text};
    memory.state = *std::get<0>(loaded)->loaded().migrated;
    TestTrigger next(rule(options, "down"), with(memory));
    return said(next);
  };
  EXPECT_EQ(
      said_after("{ to = 'ops' }"),
      (std::vector<std::string>{
          "page billing/load/down/a: a is down → ops", "page billing/load/down/b: b is down → ops",
          "resolve billing/load/up/a: resolved: its script does not have this alert any "
          "more → ops",
          "resolve billing/load/up/b: resolved: its script does not have this alert any "
          "more → ops"}));
  EXPECT_EQ(said_after("{ to = 'ops', burst = 1, again = '1h' }"),
            (std::vector<std::string>{
                "page billing/load/down: 2 down still open after 1s: a, b → ops",
                "resolve billing/load/up: resolved: its script does not have this alert any "
                "more → ops"}));
}

TEST_F(AlertSuccession, IsSeenByTheScriptUntilItIsResolved) {
  TestTrigger next(head + R"lua(
ctx:every("1s", function()
  local n = 0
  for key in pairs(ctx.state) do n = n + 1 end
  print(n, ctx.state["@alert.up"] and ctx.state["@alert.up"].a.text)
end)
)lua",
                   with(left_by(rule("{}"))));
  Stream stream;
  stream.tick(2).tick(3);
  EXPECT_EQ(logs_of(next.feed(stream)), "1\ta is down\n0\tnil\n");
}

// The rule of the helpers' issue: a page per silent host, one if the site goes.
const std::string heartbeat = R"lua(
local ctx   = hastur.trigger{ state_bytes_max = "128MiB" }
local hosts = ctx:keyed("hosts", { forget = "1d" })
local gone  = ctx:alert("no_heartbeat", { again = "1h", burst = 20, stale = "1d" })
ctx:gauges({}, function(msg) hosts:touch(msg.name) gone:clear(msg.name, "heartbeat is back") end)
hosts:silent("10s", function(name) gone:raise(name, "no heartbeat for 10 s from " .. name) end)
)lua";

class Site {
 public:
  // Hosts [from, to) are heard in second `at`, then the next tick comes.
  void second(int from, int to) {
    for (int host = from; host < to; ++host)
      stream_.gauge(now_ + 0.5, 1, fmt::format("h{:04}", host));
    stream_.tick(++now_);
    feed();
  }
  void deaf(int seconds) {
    now_ += seconds;
    stream_.tick(now_, std::chrono::seconds{seconds});
    feed();
  }
  std::vector<std::string> take() { return std::exchange(pages_, {}); }
  int now() const { return now_; }

 private:
  void feed() {
    for (std::string& page : pages_of(trigger_.feed(stream_))) pages_.push_back(std::move(page));
  }
  TestTrigger trigger_{heartbeat};
  Stream stream_;
  std::vector<std::string> pages_;
  int now_ = 0;
};

TEST(AlertScenario, ASiteThatGoesSilentIsOnePageAndRecoversQuietly) {
  Site site;
  site.second(0, 1500);
  for (int s = 0; s < 9; ++s) site.second(0, 300);
  EXPECT_EQ(site.take(), std::vector<std::string>{});
  // 1,200 of 1,500 have been silent for 10 s.
  site.second(0, 300);
  EXPECT_EQ(site.take(),
            std::vector<std::string>{
                "page billing/load/no_heartbeat: 1200 no_heartbeat at once: h0300, h0301, h0302, "
                "h0303, h0304, h0305, h0306, h0307, h0308, h0309, …. They are paged together until "
                "10 or fewer are open for a minute"});
  for (int s = 0; s < 30; ++s) site.second(0, 300);
  EXPECT_EQ(site.take(), std::vector<std::string>{});
  // All but three come back.
  for (int s = 0; s < 60; ++s) site.second(0, 1497);
  EXPECT_EQ(site.take(), std::vector<std::string>{});
  for (int s = 0; s < 2; ++s) site.second(0, 1497);
  EXPECT_EQ(site.take(),
            (std::vector<std::string>{
                "resolve billing/load/no_heartbeat: resolved after 1m31s: 3 no_heartbeat still "
                "open: h1497, h1498, h1499",
                "page billing/load/no_heartbeat/h1497: no heartbeat for 10 s from h1497",
                "page billing/load/no_heartbeat/h1498: no heartbeat for 10 s from h1498",
                "page billing/load/no_heartbeat/h1499: no heartbeat for 10 s from h1499"}));
  site.second(0, 1500);
  const std::vector<std::string> back = site.take();
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0],
            "resolve billing/load/no_heartbeat/h1497: resolved after 1m32s: heartbeat is back");
}

TEST(AlertScenario, AMinuteWithoutASyndicatorPagesNobody) {
  Site site;
  for (int s = 0; s < 5; ++s) site.second(0, 100);
  site.deaf(60);
  for (int s = 0; s < 9; ++s) site.second(1, 100);
  EXPECT_EQ(site.take(), std::vector<std::string>{});
  // The one that is not heard since is silent for 10 s of what we could hear.
  site.second(1, 100);
  EXPECT_EQ(site.take().size(), 1u);
}

TEST(AlertScenario, ASenderTwoYearsAheadAffectsNoOther) {
  const auto pages = [](bool with_wrong_clock) {
    TestTrigger trigger(heartbeat);
    Stream stream;
    for (int s = 0; s < 40; ++s) {
      stream.gauge(s + 0.2, 1, "good");
      if (s < 15) stream.gauge(s + 0.3, 1, "dies");
      if (with_wrong_clock) {
        stream.message(s + 0.4,
                       fmt::format(R"({{"type":"gauge","name":"wrong","value":1,)"
                                   R"("timestamp":{},"received_at":{}}})",
                                   to_us(at_second(s + 63'072'000)), to_us(at_second(s + 0.4))));
      }
      stream.tick(s + 1);
    }
    return pages_of(trigger.feed(stream));
  };
  EXPECT_EQ(pages(true), pages(false));
  EXPECT_EQ(pages(true),
            std::vector<std::string>{"page billing/load/no_heartbeat/dies: no heartbeat "
                                     "for 10 s from dies"});
}

}  // namespace
}  // namespace hastur::testing
