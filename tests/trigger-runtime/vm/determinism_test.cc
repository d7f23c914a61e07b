// The promise of a trigger: however its inputs are cut, restored or repeated, the same bytes come
// out.

#include <rapidcheck.h>

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
};

struct Row {
  bool tick;
  double at;
  double value;
  int name;
};

std::vector<Row> arbitrary_rows() {
  std::vector<Row> rows;
  double at = 0;
  const int count = *rc::gen::inRange(1, 120);
  for (int i = 0; i < count; ++i) {
    const int kind = *rc::gen::inRange(0, 10);
    if (kind < 3) {
      at = std::floor(at) + *rc::gen::elementOf(std::vector<int>{1, 1, 1, 2, 30, 61});
      rows.push_back({true, at, 0, 0});
    } else {
      at += 0.001;
      rows.push_back(
          {false, at, static_cast<double>(*rc::gen::inRange(0, 10)), *rc::gen::inRange(0, 4)});
    }
  }
  return rows;
}

// Everything that a trigger gave, in one text.
struct Outcome {
  std::vector<std::string> effects;
  std::vector<std::string> memories;
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
    hash = progress.effects_hash;
  }
};

// Drives a trigger over the batch as a supervisor would: answers a stop by a restore and a skip.
// `cut(row)` says where feeds end, `restored(row)` where the trigger is unloaded and loaded anew
// from its last memory. After each of these, `guarded` callbacks are guarded.
template <class Cut, class Restored>
Outcome run(const std::string& script, const Batch& batch, std::uint32_t guarded, Cut cut,
            Restored restored) {
  auto trigger = std::make_unique<TestTrigger>(script);
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
      skips.push_back({progress.stopped->error.sequence, progress.stopped->error.callback});
      std::ranges::sort(skips);
      again = true;
    } else {
      row = end;
      again = row < batch.header.count && restored(row);
    }
    if (!again) continue;
    trigger = std::make_unique<TestTrigger>(script);
    if (judged) trigger->vm().restore(memory, guarded);
    row = static_cast<std::uint32_t>(memory.sequence.value);
  }
  outcome.state = trigger->vm().judge(Sequence{batch.header.count}, at_second(1e6)).memory.state;
  return outcome;
}

TEST(Determinism, RestoresCutsAndErrorsChangeNoByte) {
  for (const std::string& script : scripts) {
    EXPECT_TRUE(rc::check([&] {
      Stream stream;
      for (const Row& row : arbitrary_rows()) {
        if (row.tick) {
          stream.tick(row.at);
        } else {
          stream.gauge(row.at, row.value, fmt::format("host{}", row.name));
        }
      }
      const Batch batch = stream.take();
      const auto draw_guarded = [] { return *rc::gen::element(0u, 1000u); };
      const Outcome straight = run(
          script, batch, draw_guarded(), [](auto) { return false; }, [](auto) { return false; });
      const auto cuts = *rc::gen::container<std::vector<bool>>(batch.header.count + 1,
                                                               rc::gen::arbitrary<bool>());
      const auto restores = *rc::gen::container<std::vector<bool>>(
          batch.header.count + 1,
          rc::gen::map(rc::gen::inRange(0, 10), [](int n) { return n == 0; }));
      const Outcome other = run(
          script, batch, draw_guarded(), [&](std::uint32_t row) { return cuts[row]; },
          [&, used = std::vector<bool>(batch.header.count + 1)](std::uint32_t row) mutable {
            if (used[row]) return false;
            used[row] = true;
            return static_cast<bool>(restores[row]);
          });
      RC_ASSERT(straight.effects == other.effects);
      RC_ASSERT(straight.memories.empty() == other.memories.empty());
      if (!straight.memories.empty()) RC_ASSERT(straight.memories.back() == other.memories.back());
      RC_ASSERT(straight.hash == other.hash);
      RC_ASSERT(straight.state == other.state);
    }));
  }
}

}  // namespace
}  // namespace hastur::testing
