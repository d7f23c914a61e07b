// The promise of a trigger: however its inputs are cut, restored or repeated, the same bytes come
// out.

#include <rapidcheck.h>

#include <set>

#include "core/json.h"
#include "tests/trigger-runtime/host/driver.h"
#include "tests/trigger-runtime/vm/random_script.h"
#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {
namespace {

// Scripts that use what could differ from VM to VM.
const std::vector<std::string> scripts{
    R"lua(
local ctx = hastur.trigger{ state = { hosts = {}, n = 0 } }
ctx:gauges({}, function(msg)
  local host = ctx.state.hosts[msg.name] or { count = 0, sum = 0, last = {} }
  ctx.state.hosts[msg.name] = host
  host.count = host.count + 1
  host.sum = host.sum + msg.value
  host.last[#host.last + 1] = msg.value
  if #host.last > 3 then table.remove(host.last, 1) end
  ctx.state.n = ctx.state.n + 1
  if msg.value == 3 then error("three") end
end)
ctx:every("minute", function(tick)
  for name, host in pairs(ctx.state.hosts) do
    hastur.gauge("mean." .. name, host.sum / host.count, { missed = tick.missed })
    if host.count > 2 then ctx.state.hosts[name] = nil end
  end
end)
)lua",
    R"lua(
local ctx = hastur.trigger{}
local state = ctx.state
ctx:messages({}, function(msg)
  state.draw = math.random(1000)
  state[msg.name .. math.random(5)] = msg.value
  for k, v in pairs(state) do
    if type(v) == "number" and v > 7 then
      pager_duty(k, ("%s is %g"):format(k, v), { state = k, at = hastur.utc(hastur.now()) })
    end
  end
end)
ctx:gauges({ value = { above = 5 } }, function(msg) print(msg.name, msg.value, tostring(state)) end)
ctx:every("5s", function(tick) hastur.log("tick", tick.time, next(state)) end)
)lua",
    R"lua(
local ctx = hastur.trigger{ state = { list = {}, floods = 0 } }
ctx:gauges({}, function(msg)
  local list = ctx.state.list
  list[#list + 1] = { v = msg.value, name = msg.name, at = msg.timestamp }
  table.sort(list, function(a, b) return a.v < b.v end)
  if #list > 20 then ctx.state.list = {} end
  if msg.value == 9 then for i = 1, 1200 do hastur.counter("flood", i) end ctx.state.floods = ctx.state.floods + 1 end
  if msg.value == 8 then ctx.state.bad = print end
  if msg.value == 7 then ctx.state.bad = nil end
end)
)lua",
    R"lua(
local ctx = hastur.trigger{ state = { told = 0 } }
local hosts = ctx:keyed("hosts", { forget = "40s", max = 3, new = { seen = 0 } })
local lately = ctx:window("lately", { span = "30s" })
local values = ctx:window("values", { last = 4 })
local mails = ctx:throttle("mails", { n = 2, per = "20s" })
local high = ctx:alert("high", { raise = { above = 6 }, clear = { below = 3 }, raise_after = "2s", again = "10s",
  stale = "20s", flap = { changes = 3, span = "15s" }, burst = 2 })
local low = ctx:alert("low", { raise = { below = 2 } })
ctx:gauges({}, function(msg)
  lately:add(msg.name, msg.value, msg.value)
  values:add(msg.name, msg.value)
  if msg.value < 8 then
    local host = hosts:at(msg.name)
    host.seen = host.seen + 1
  end
  if msg.value == 2 then hosts:drop("host1") end
  if msg.value == 3 then error("three") end
  if msg.value == 9 then hosts:swap("host2", values:full("host2")) end
  if msg.value == 6 then ctx.state.bad = print end
  high:set(msg.name, msg.value, "high " .. msg.value)
  low:set(msg.name, msg.value, "low", { value = msg.value })
  if mails:allow(msg.name) then print(msg.name, lately:mean(msg.name), values:mean(msg.name)) end
end)
hosts:silent("3s", function(k, v, info)
  ctx.state.told = ctx.state.told + 1
  ctx.state.bad = nil
  slack(k .. " is silent", { key = k, details = { v = v, info = info, all = ctx.state } })
  if k == "host3" then error("host3") end
  if k == "host0" then hosts:touch("host2") end
end)
ctx:every("5s", function(tick)
  for k, w in lately:each("20s") do hastur.gauge(k, w.count, { mean = w.mean, max = w.max, sd = w.stddev }) end
  for k, v in hosts:each() do print(k, lately:percentile(k, 90), lately:predict(k, "1m"), high:is_open(k)) end
  low:clear("host1")
end)
)lua",
};

struct Row {
  bool tick;
  double at;
  double value;
  int name;
  Micros deaf{0};
  // How much older than its arrival a message is.
  double age = 0;
};

std::vector<Row> arbitrary_rows() {
  std::vector<Row> rows;
  double at = 0;
  const int count = *rc::gen::inRange(1, 120);
  for (int i = 0; i < count; ++i) {
    const int kind = *rc::gen::inRange(0, 10);
    if (kind < 3) {
      at = std::floor(at) + *rc::gen::elementOf(std::vector<int>{1, 1, 1, 2, 30, 61});
      const double before = rows.empty() ? at : rows.back().at;
      const bool deaf = *rc::gen::inRange(0, 4) == 0;
      rows.push_back({true, at, 0, 0,
                      deaf ? Micros{static_cast<std::int64_t>((at - before) * 1e6)} : Micros{0}});
    } else {
      at += *rc::gen::elementOf(std::vector<double>{0, 0.001, 0.001});
      rows.push_back({false, at, static_cast<double>(*rc::gen::inRange(0, 10)),
                      *rc::gen::inRange(0, 4), Micros{0},
                      *rc::gen::elementOf(std::vector<double>{0, 0, 0, 0.5, 7, 100, -1e6})});
    }
  }
  return rows;
}

// Everything that a trigger gave, in one text.
struct Outcome {
  std::vector<std::string> effects;
  std::vector<std::string> memories;
  // Each once: what runs again fails again.
  std::set<std::string> errors;
  std::uint64_t hash = 0;
  std::string state;

  void add(const TriggerProgress& progress) {
    for (const Effect& effect : progress.effects) {
      effects.push_back(fmt::format("{}/{} {} {}", effect.sequence.value, effect.ordinal,
                                    static_cast<int>(effect.kind), effect.payload));
    }
    if (progress.judged) {
      memories.push_back(fmt::format("{} {} {} {}", progress.judged->sequence.value,
                                     to_us(progress.judged->time), progress.judged->state,
                                     progress.judged->runtime));
    }
    for (const CallError& error : progress.errors) add(error);
    if (progress.stopped) add(progress.stopped->error);
    hash = progress.effects_hash;
  }
  void add(const CallError& error) {
    errors.insert(fmt::format("{} {} {}:{}: {}", error.sequence.value, error.callback,
                              error.error.script, error.error.line, error.error.text));
  }
};

// So that loops without end end soon.
TriggerOptions short_budget() {
  TriggerOptions options;
  options.limits.instructions_max = 20'000;
  return options;
}

// A trigger in this process.
class InVm {
 public:
  explicit InVm(const std::string& script) : trigger_(script, short_budget()) {}
  TriggerProgress feed(const Batch& batch, std::uint32_t from, std::uint32_t end,
                       const std::vector<Skip>& skips) {
    return trigger_.feed(batch, from, end, skips);
  }
  void restore(const Memory& memory, std::uint32_t guarded) {
    trigger_.vm().restore(memory, guarded);
  }
  std::string final_state(const Batch& batch) {
    return trigger_.vm().judge(Sequence{batch.header.count}, at_second(1e6)).memory.state;
  }

 protected:
  ScriptVm& vm() { return trigger_.vm(); }

 private:
  TestTrigger trigger_;
};

// The same, with each of its lines told: as `trigger-test trace` runs it.
class InObservedVm : public InVm {
 public:
  explicit InObservedVm(const std::string& script) : InVm(script) {
    vm().observe(ObserveCommand::What::lines);
  }
};

// A trigger in a process of its own: the real trigger-worker, through the host.
class InWorker {
 public:
  explicit InWorker(const std::string& script)
      : inputs_(std::move(*SharedInputs::make(16u << 20))), driver_(spawn(*inputs_)) {
    driver_.worker().send(load_command(script, short_budget()));
    const auto loaded = next<Loaded>();
    std::vector<Subscription> subscriptions;
    for (const SubscriptionSpec& spec : loaded.subscriptions) {
      subscriptions.push_back({0, spec.callback, spec.types,
                               Filter::parse(parse_json(spec.filter).value()).value(), spec.own,
                               "billing/load"});
    }
    router_.build(std::move(subscriptions));
  }
  TriggerProgress feed(const Batch& batch, std::uint32_t from, std::uint32_t end,
                       const std::vector<Skip>& skips) {
    auto input = std::make_shared<InputBatch>();
    input->batch = batch;
    const BatchView view = BatchView::trusted(input->batch.header, input->batch.body);
    stream_times(view, input->stream_times);
    Routed routed;
    router_.route(view, 0, routed);
    TriggerFeed feed{{7}, from, end, {}, skips};
    for (const Match& match : routed.matches(0)) {
      if (match.row >= from && match.row < end) feed.matches.push_back(match);
    }
    driver_.worker().send(FeedCommand{std::move(input), {std::move(feed)}});
    return next<FeedReply>().triggers.at(0);
  }
  void restore(const Memory& memory, std::uint32_t guarded) {
    driver_.worker().send(RestoreCommand{{7}, memory, guarded});
    next<Restored>();
  }
  std::string final_state(const Batch&) {
    driver_.worker().send(JudgeCommand{{7}});
    return next<Judged>().memory.state;
  }

 private:
  static Driver spawn(SharedInputs& inputs) {
    Worker::Options options;
    options.callback_cpu_max = std::chrono::seconds{60};
    return Driver(std::move(*Worker::spawn(inputs, options)));
  }
  template <class Reply>
  Reply next() {
    driver_.run_until(++replies_);
    HASTUR_CHECK(!driver_.death(), "the worker died");
    return std::get<Reply>(driver_.replies().back());
  }

  std::unique_ptr<SharedInputs> inputs_;
  Driver driver_;
  Router router_;
  std::size_t replies_ = 0;
};

// Drives a trigger over the batch as a supervisor would: answers a stop by a restore and a skip.
// `cut(row)` says where feeds end, `restored(row)` where the trigger is unloaded and loaded anew
// from its last memory. After each of these, `guarded` callbacks are guarded.
template <class Trigger = InVm, class Cut, class Restored>
Outcome run(const std::string& script, const Batch& batch, std::uint32_t guarded, Cut cut,
            Restored restored) {
  auto trigger = std::make_unique<Trigger>(script);
  Outcome outcome;
  Memory memory{Sequence{0}, Time{}, "", ""};
  bool judged = false;
  std::vector<Skip> skips;
  std::uint32_t row = 0;
  // Effects up to here were seen; what comes out again while recovering must be dropped, as a
  // supervisor does.
  std::uint64_t seen = 0;
  while (row < batch.header.count) {
    std::uint32_t end = row + 1;
    while (end < batch.header.count && !cut(end)) ++end;
    TriggerProgress progress = trigger->feed(batch, row, end, skips);
    TriggerProgress fresh = progress;
    std::erase_if(fresh.effects,
                  [&](const Effect& effect) { return effect.sequence.value <= seen; });
    if (fresh.judged && fresh.judged->sequence.value <= seen) fresh.judged.reset();
    outcome.add(fresh);
    seen = std::max(seen, progress.reached.value);
    if (progress.judged) {
      memory = *progress.judged;
      judged = true;
    }
    bool again = false;
    if (progress.stopped) {
      const CallError& error = progress.stopped->error;
      skips.push_back({error.sequence, error.callback, error.error});
      std::ranges::sort(skips);
      again = true;
    } else {
      row = end;
      again = row < batch.header.count && restored(row);
    }
    if (!again) continue;
    trigger = std::make_unique<Trigger>(script);
    if (judged) trigger->restore(memory, guarded);
    row = static_cast<std::uint32_t>(memory.sequence.value);
  }
  outcome.state = trigger->final_state(batch);
  return outcome;
}

Batch arbitrary_batch() {
  Stream stream;
  for (const Row& row : arbitrary_rows()) {
    if (row.tick) {
      stream.tick(row.at, row.deaf);
    } else {
      stream.message(
          row.at,
          fmt::format(
              R"({{"type":"gauge","name":"host{}","value":{},"timestamp":{},"received_at":{}}})",
              row.name, row.value, to_us(at_second(row.at - row.age)), to_us(at_second(row.at))));
    }
  }
  return stream.take();
}

// Errors are answered with a stop, or seldom.
std::uint32_t draw_guarded() { return *rc::gen::element(0u, 1000u); }

template <class Trigger = InVm>
Outcome run_straight(const std::string& script, const Batch& batch) {
  return run<Trigger>(
      script, batch, draw_guarded(), [](auto) { return false; }, [](auto) { return false; });
}

// Cut and restored wherever chance has it.
template <class Trigger = InVm>
Outcome run_in_pieces(const std::string& script, const Batch& batch) {
  const std::size_t rows = batch.header.count + 1;
  const auto cuts = *rc::gen::container<std::vector<bool>>(rows, rc::gen::arbitrary<bool>());
  auto restores = *rc::gen::container<std::vector<bool>>(
      rows, rc::gen::map(rc::gen::inRange(0, 10), [](int n) { return n == 0; }));
  return run<Trigger>(
      script, batch, draw_guarded(), [&](std::uint32_t row) { return cuts[row]; },
      [&](std::uint32_t row) {
        const bool now = restores[row];
        restores[row] = false;
        return now;
      });
}

void expect_same(const Outcome& one, const Outcome& other) {
  RC_ASSERT(one.effects == other.effects);
  RC_ASSERT(one.memories.empty() == other.memories.empty());
  if (!one.memories.empty()) RC_ASSERT(one.memories.back() == other.memories.back());
  RC_ASSERT(one.errors == other.errors);
  RC_ASSERT(one.hash == other.hash);
  RC_ASSERT(one.state == other.state);
}

TEST(Determinism, RestoresCutsAndErrorsChangeNoByte) {
  for (const std::string& script : scripts) {
    EXPECT_TRUE(rc::check([&] {
      const Batch batch = arbitrary_batch();
      expect_same(run_straight(script, batch), run_in_pieces(script, batch));
    }));
  }
}

TEST(Determinism, HoldsForScriptsThatChanceWrote) {
  std::size_t cases = 0;
  std::size_t effects = 0;
  std::size_t errors = 0;
  EXPECT_TRUE(rc::check([&] {
    const std::string script = RandomScript().text();
    RC_LOG() << script;
    const Batch batch = arbitrary_batch();
    const Outcome straight = run_straight(script, batch);
    expect_same(straight, run_straight(script, batch));
    expect_same(straight, run_in_pieces(script, batch));
    expect_same(straight, run_straight<InObservedVm>(script, batch));
    ++cases;
    effects += straight.effects.size();
    errors += straight.errors.size();
  }));
  // Far below the averages, which vary much over a hundred cases; the first ones are the smallest.
  if (cases < 100) return;
  EXPECT_GT(effects, 2 * cases) << "the scripts do too little";
  EXPECT_GT(10 * errors, cases) << "the scripts fail too seldom";
}

TEST(Determinism, HoldsAcrossProcesses) {
  EXPECT_TRUE(rc::check([&] {
    const std::string script = RandomScript().text();
    RC_LOG() << script;
    const Batch batch = arbitrary_batch();
    const Outcome straight = run_straight<InWorker>(script, batch);
    expect_same(straight, run_straight<InWorker>(script, batch));
    expect_same(straight, run_in_pieces<InWorker>(script, batch));
    expect_same(straight, run_in_pieces(script, batch));
  }));
}

}  // namespace
}  // namespace hastur::testing
