// Constants: 1,000 reads of tables that were frozen after the load, beside the floor of the same
// reads from a table made in the call; and a judgement of a touched trigger whose callbacks reach a
// table of so many entries of about 16 bytes, beside the floor of one that reaches none.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/check.h"
#include "trigger-runtime/vm/script_vm.h"

namespace {

using namespace hastur;

constexpr const char* reads[] = {
    "for i = 1, 1000 do local x = t.warn end", "for i = 1, 1000 do local x = list[i] end",
    "for i = 1, 1000 do local x = #list end",  "for i, x in ipairs(list) do end",
    "for k, x in pairs(list) do end",          "for i = 1, 1000 do local x = type(t) end",
};
constexpr const char* read_names[] = {"field", "entry", "length", "ipairs", "pairs", "type"};
constexpr const char* tables =
    "local t = { warn = 1, crit = 2 } local list = {} for i = 1, 1000 do list[i] = i end\n";

std::unique_ptr<ScriptVm> load(const std::string& script) {
  LoadCommand command;
  command.name = "bench";
  command.script = {"bench.lua", script};
  auto loaded = ScriptVm::load(command);
  HASTUR_CHECK(loaded.index() == 0, "the script does not load");
  return std::move(std::get<0>(loaded));
}

Batch gauge() {
  BatchBuilder builder;
  MessageView message;
  message.type = MessageType::gauge;
  message.name = "load";
  message.uuid = "8e58af00-708c-012f-e468-64ce8f3a9d00";
  message.value = Value::of(1);
  message.timestamp = message.received_at = time_from_us(1'704'067'200'000'000);
  builder.add(message);
  return builder.finish(StreamId{}, Sequence{1}, Time{});
}

void feed(ScriptVm& vm, const Batch& batch) {
  const std::vector<std::int64_t> times{1'704'067'200'000'000};
  const Match match{0, 0};
  const TriggerProgress progress =
      vm.feed(BatchView::trusted(batch.header, batch.body), times, 0, 1, {&match, 1}, {}, nullptr);
  HASTUR_CHECK(!progress.stopped, "the callback failed");
}

// 20 rounds of the reads, so that making the tables in the call weighs little.
void read(benchmark::State& state) {
  const auto kind = static_cast<std::size_t>(state.range(0));
  const bool frozen = state.range(1) != 0;
  const std::string head = "local ctx = hastur.trigger{}\n";
  const std::string again = std::string("for round = 1, 20 do ") + reads[kind] + " end";
  const auto vm = load(frozen ? head + tables + "ctx:gauges({}, function() " + again + " end)"
                              : head + "ctx:gauges({}, function()\n" + tables + again + " end)");
  const Batch batch = gauge();
  for (auto _ : state) feed(*vm, batch);
  state.SetLabel(std::string(read_names[kind]) + (frozen ? "" : ", floor"));
  state.counters["per_read"] = benchmark::Counter(
      20'000, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void judge(benchmark::State& state) {
  const auto vm = load(
      "local ctx = hastur.trigger{}\nlocal t = {} for i = 1, " + std::to_string(state.range(0)) +
      " do t['host' .. i] = 'x' .. i end\nctx:gauges({}, function(msg) ctx.state.x = t.host1 end)");
  const Batch batch = gauge();
  for (auto _ : state) {
    feed(*vm, batch);
    benchmark::DoNotOptimize(vm->judge(Sequence{1}, Time{}));
  }
}

BENCHMARK(read)->ArgsProduct({{0, 1, 2, 3, 4, 5}, {0, 1}});
BENCHMARK(judge)->Arg(0)->Arg(100)->Arg(1000)->Arg(10'000);

}  // namespace

BENCHMARK_MAIN();
