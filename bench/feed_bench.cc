// Batches of 4,096 rows of host metrics to a real trigger-worker and back: the time from feed to
// answer for one trigger that wants nothing, one that wants every row (and does next to nothing
// with it), and 1,000 that want nothing; beside the floor of copying a batch once, and of a command
// that does nothing.

#include <benchmark/benchmark.h>

#include <cstring>

#include "bench/host_metrics.h"
#include "core/check.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"

namespace hastur {
namespace {

constexpr std::uint32_t rows = 4096;

const char* trivial = R"(
local ctx = hastur.trigger{ state = { total = 0 } }
ctx:messages({}, function(msg) if msg.value > 1e9 then ctx.state.total = ctx.state.total + 1 end end)
)";

class Bench {
 public:
  explicit Bench(std::uint32_t triggers) {
    for (std::uint32_t handle = 1; handle <= triggers; ++handle) {
      LoadCommand load;
      load.handle = {handle};
      load.name = "bench";
      load.run = {1};
      load.script = {"bench.lua", trivial};
      ask(std::move(load));
    }
  }

  WorkerReply ask(WorkerCommand command) {
    std::optional<WorkerReply> answer;
    worker_->send(std::move(command));
    while (!answer) {
      HASTUR_CHECK(worker_->wait(std::chrono::seconds{60}), "the worker does not answer");
      worker_->pump(
          [&](WorkerReply reply) { answer = std::move(reply); },
          [](const WorkerDied& died) { HASTUR_CHECK(died.why.empty(), "the worker died"); });
    }
    return std::move(*answer);
  }

 private:
  std::unique_ptr<SharedInputs> inputs_ = std::move(*SharedInputs::make());
  std::unique_ptr<Worker> worker_ = std::move(*Worker::spawn(*inputs_, {}));
};

void per_message(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * rows);
  state.counters["per_message"] =
      benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsIterationInvariantRate |
                                                        benchmark::Counter::kInvert);
}

void bench_memcpy_floor(benchmark::State& state) {
  const Batch batch = bench::HostMetrics().batch(rows);
  std::string copy(batch.body.size(), '\0');
  for (auto _ : state) {
    std::memcpy(copy.data(), batch.body.data(), batch.body.size());
    benchmark::DoNotOptimize(copy.data());
    benchmark::ClobberMemory();
  }
  per_message(state);
}

// Two wake-ups and no work.
void bench_judge_floor(benchmark::State& state) {
  Bench bench(1);
  for (auto _ : state) benchmark::DoNotOptimize(bench.ask(JudgeCommand{{1}}));
}

// range(0): triggers; range(1): whether each row matches.
void bench_feed(benchmark::State& state) {
  const auto triggers = static_cast<std::uint32_t>(state.range(0));
  Bench bench(triggers);
  Batch batch = bench::HostMetrics().batch(rows);
  std::vector<Match> matches;
  for (std::uint32_t row = 0; state.range(1) != 0 && row < rows; ++row) matches.push_back({row, 0});
  FeedCommand command;
  for (std::uint32_t handle = 1; handle <= triggers; ++handle) {
    command.triggers.push_back({{handle}, 0, rows, matches, {}});
  }
  for (auto _ : state) {
    // A new one each time, as in production: it is placed anew.
    state.PauseTiming();
    command.input = input_of(batch);
    batch.header.first = batch.header.first.plus(rows);
    state.ResumeTiming();
    benchmark::DoNotOptimize(bench.ask(command));
  }
  per_message(state);
}

BENCHMARK(bench_memcpy_floor);
BENCHMARK(bench_judge_floor)->UseRealTime();
BENCHMARK(bench_feed)->Args({1, 0})->Args({1, 1})->Args({1000, 0})->UseRealTime();

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
