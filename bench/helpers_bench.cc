// Helpers, through Lua: one message that calls a function of a helper, for one of so many keys that
// take turns in no order, beside the floor of the same message with a callback that reads the key
// and does nothing with it. Then a tick with nothing due, a judgement, and putting the state back,
// each with so many keys.

#include <benchmark/benchmark.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/check.h"
#include "trigger-runtime/vm/script_vm.h"

namespace {

using namespace hastur;

constexpr std::uint32_t rows = 4'096;
constexpr std::int64_t start_us = 1'704'067'200'000'000;

const std::string head = "local ctx = hastur.trigger{ state_bytes_max = '128MiB' }\n";
const std::string floor_script = head + "ctx:gauges({}, function(msg) local k = msg.uuid end)";
const std::string keyed_script = head + R"lua(
local hosts = ctx:keyed("hosts", { forget = "1d" })
ctx:gauges({}, function(msg) hosts:touch(msg.uuid) end)
hosts:silent("10m", function(k) print(k) end)
)lua";
const std::string window_script = head + R"lua(
local errors = ctx:window("errors", { span = "5m" })
ctx:gauges({}, function(msg) errors:add(msg.uuid, msg.value) end)
)lua";
// The rule of a missing heartbeat: all keys are quiet.
const std::string heartbeat_script = head + R"lua(
local hosts = ctx:keyed("hosts", { forget = "1d" })
local gone = ctx:alert("gone", { again = "1h", burst = 20, stale = "1d" })
ctx:gauges({}, function(msg) hosts:touch(msg.uuid) gone:clear(msg.uuid, "back") end)
hosts:silent("10m", function(k) gone:raise(k, "no heartbeat") end)
)lua";
const std::string set_script = head + R"lua(
local high = ctx:alert("high", { raise = { above = 10 } })
ctx:gauges({}, function(msg) high:set(msg.uuid, msg.value, "high") end)
)lua";
// All keys are open.
const std::string set_open_script = head + R"lua(
local high = ctx:alert("high", { raise = { above = 0 }, burst = 20, stale = "1d" })
ctx:gauges({}, function(msg) high:set(msg.uuid, msg.value, "high") end)
)lua";
const std::string throttle_script = head + R"lua(
local mails = ctx:throttle("mails", { n = 3, per = "1h" })
ctx:gauges({}, function(msg) mails:allow(msg.uuid) end)
)lua";

std::string uuid_of(std::uint64_t i) {
  // Spread over the bytes, as real ones are.
  const std::uint64_t mixed = i * 0x9E3779B97F4A7C15u;
  return fmt::format("{:08x}-708c-012f-e468-{:012x}", mixed >> 32, mixed & 0xFFFFFFFFFFFF);
}

class Bench {
 public:
  explicit Bench(const std::string& script) {
    LoadCommand command;
    command.name = "bench";
    command.script = {"bench.lua", script};
    auto loaded = ScriptVm::load(command);
    HASTUR_CHECK(loaded.index() == 0, "the script does not load");
    vm_ = std::move(std::get<0>(loaded));
    for (std::uint32_t row = 0; row < rows; ++row) matches_.push_back({row, 0});
  }

  ScriptVm& vm() { return *vm_; }

  // Messages from these hosts.
  Batch batch(std::uint64_t first, std::uint64_t step, std::uint64_t hosts) {
    BatchBuilder builder;
    for (std::uint32_t row = 0; row < rows; ++row) {
      MessageView message;
      message.type = MessageType::gauge;
      message.name = "load";
      const std::string uuid = uuid_of((first + row * step) % hosts);
      message.uuid = uuid;
      message.value = Value::of(1);
      message.timestamp = message.received_at = time_from_us(now_);
      builder.add(message);
    }
    return builder.finish(StreamId{}, Sequence{1}, Time{});
  }
  void feed(const Batch& batch) {
    const std::vector<std::int64_t> times(rows, now_);
    const TriggerProgress progress = vm_->feed(BatchView::trusted(batch.header, batch.body), times,
                                               0, rows, matches_, {}, nullptr);
    HASTUR_CHECK(!progress.stopped, "the callback failed");
  }
  void tick(std::int64_t seconds) {
    now_ = start_us + seconds * us_per_second;
    BatchBuilder builder;
    builder.add_tick(time_from_us(now_), time_from_us(now_), Micros{0});
    const Batch batch = builder.finish(StreamId{}, Sequence{1}, Time{});
    const std::vector<std::int64_t> times{now_};
    vm_->feed(BatchView::trusted(batch.header, batch.body), times, 0, 1, {}, {}, nullptr);
  }
  // Each host once.
  void fill(std::uint64_t hosts) {
    tick(0);
    for (std::uint64_t i = 0; i < hosts; i += rows) feed(batch(i, 1, hosts));
    // The judgement that follows, so that none is due for a while.
    tick(1);
  }

 private:
  std::unique_ptr<ScriptVm> vm_;
  std::vector<Match> matches_;
  std::int64_t now_ = start_us;
};

void message(benchmark::State& state, const std::string& script) {
  Bench bench(script);
  const auto hosts = static_cast<std::uint64_t>(state.range(0));
  bench.fill(hosts);
  // Far from one another, in an order that comes round after all of them.
  std::uint64_t at = 0;
  std::vector<Batch> batches;
  for (int i = 0; i < 64; ++i) {
    batches.push_back(bench.batch(at, 611'953, hosts));
    at += 611'953ull * rows;
  }
  std::size_t next = 0;
  for (auto _ : state) bench.feed(batches[next++ % batches.size()]);
  state.counters["per_message"] = benchmark::Counter(
      rows, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void touch(benchmark::State& state) { message(state, keyed_script); }
void floor_of_messages(benchmark::State& state) { message(state, floor_script); }
void add(benchmark::State& state) { message(state, window_script); }
void allow(benchmark::State& state) { message(state, throttle_script); }

void heartbeat(benchmark::State& state) { message(state, heartbeat_script); }
void set(benchmark::State& state) { message(state, set_script); }
void set_open(benchmark::State& state) { message(state, set_open_script); }

void tick_with_nothing_due(benchmark::State& state) {
  Bench bench(heartbeat_script);
  bench.fill(static_cast<std::uint64_t>(state.range(0)));
  // The same second again: as a tick it does all that one does.
  for (auto _ : state) bench.tick(2);
}

void judge(benchmark::State& state) {
  Bench bench(keyed_script);
  const auto hosts = static_cast<std::uint64_t>(state.range(0));
  bench.fill(hosts);
  const Batch batch = bench.batch(0, 1, hosts);
  std::size_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    bench.feed(batch);
    state.ResumeTiming();
    bytes =
        bench.vm().judge(Sequence{1}, time_from_us(start_us + us_per_second)).memory.state.size();
  }
  state.counters["state_bytes"] = static_cast<double>(bytes);
  state.counters["memory_bytes"] = static_cast<double>(bench.vm().memory_bytes());
}

void restore(benchmark::State& state) {
  Bench bench(keyed_script);
  bench.fill(static_cast<std::uint64_t>(state.range(0)));
  const Memory memory =
      bench.vm().judge(Sequence{1}, time_from_us(start_us + us_per_second)).memory;
  for (auto _ : state) bench.vm().restore(memory, 0);
}

BENCHMARK(floor_of_messages)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(touch)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(add)->Arg(1'000)->Arg(100'000);
BENCHMARK(allow)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(heartbeat)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(set)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(set_open)->Arg(1'000)->Arg(100'000);
BENCHMARK(tick_with_nothing_due)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(judge)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(restore)->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
