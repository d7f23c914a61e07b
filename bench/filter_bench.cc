// Routing batches of 4,096 rows of host metrics to 1, 100 and 10,000 triggers, each with one exact
// name of its own: names that no row has (an unmatched message), names of which a tenth of the rows
// has one, and all triggers wanting everything. The floor is reading the type and name columns
// once.

#include <benchmark/benchmark.h>

#include "bench/host_metrics.h"
#include "core/json.h"
#include "message/router.h"

namespace hastur {
namespace {

constexpr std::uint32_t rows = 4096;

Subscription wants(std::uint32_t trigger, const Json& filter) {
  Subscription made;
  made.trigger = trigger;
  made.filter = *Filter::parse(filter);
  made.trigger_name = fmt::format("team/trigger_{}", trigger);
  return made;
}

void route(benchmark::State& state, std::vector<Subscription> subscriptions) {
  // A few batches in turn, so that no verdict is still there from the same batch.
  bench::HostMetrics source;
  std::vector<Batch> batches;
  for (int i = 0; i < 4; ++i) batches.push_back(source.batch(rows));
  std::vector<BatchView> views;
  for (const Batch& batch : batches) views.push_back(*BatchView::open(batch.header, batch.body));
  Router router;
  router.build(std::move(subscriptions));
  Routed routed;
  std::size_t at = 0;
  std::size_t matches = 0;
  for (auto _ : state) {
    router.route(views[at++ % views.size()], 0, routed);
    for (const std::uint32_t trigger : routed.triggers()) matches += routed.matches(trigger).size();
  }
  state.SetItemsProcessed(state.iterations() * rows);
  state.counters["per_message"] =
      benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsIterationInvariantRate |
                                                        benchmark::Counter::kInvert);
  state.counters["matches/message"] = static_cast<double>(matches) /
                                      static_cast<double>(state.iterations()) /
                                      static_cast<double>(rows);
}

void bench_columns_floor(benchmark::State& state) {
  const Batch batch = bench::HostMetrics().batch(rows);
  const BatchView view = *BatchView::open(batch.header, batch.body);
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (std::uint32_t row = 0; row < rows; ++row) sum += view.types()[row] + view.names()[row];
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * rows);
  state.counters["per_message"] =
      benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsIterationInvariantRate |
                                                        benchmark::Counter::kInvert);
}

void bench_unmatched(benchmark::State& state) {
  std::vector<Subscription> all;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(state.range(0)); ++i) {
    all.push_back(wants(
        i, {{"name", fmt::format("app.queue.depth.{}", i)}, {"labels", {{"app", "billing"}}}}));
  }
  route(state, std::move(all));
}

// Four of the forty metrics are wanted, by one trigger each; the other triggers want nothing that
// comes.
void bench_tenth_matched(benchmark::State& state) {
  std::vector<Subscription> all;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(state.range(0)); ++i) {
    const std::string name =
        i < 4 ? fmt::format("{}.core.{}", i % 2 == 0 ? "system.cpu" : "system.net.eth0", i)
              : fmt::format("app.{}", i);
    all.push_back(wants(i, {{"name", name}, {"labels", {{"dc", "fra1"}}}}));
  }
  route(state, std::move(all));
}

void bench_all_matched(benchmark::State& state) {
  std::vector<Subscription> all;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(state.range(0)); ++i)
    all.push_back(wants(i, Json::object()));
  route(state, std::move(all));
}

BENCHMARK(bench_columns_floor);
BENCHMARK(bench_unmatched)->Arg(1)->Arg(100)->Arg(10'000);
BENCHMARK(bench_tenth_matched)->Arg(4)->Arg(100)->Arg(10'000);
BENCHMARK(bench_all_matched)->Arg(1)->Arg(100);

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
