// Batches of 4,096 rows of host metrics (100 hosts, 40 metrics, 2 labels): building one message by
// message, framing it, and decoding the frame with all checks; beside the floor of copying the same
// bytes once.

#include <benchmark/benchmark.h>
#include <zstd.h>

#include <cstring>

#include "bench/host_metrics.h"
#include "core/hash.h"

namespace hastur {
namespace {

constexpr std::uint32_t rows = 4096;

// Messages as a receive buffer would hold them: all their bytes apart, so that nothing is found by
// luck.
std::vector<Message> messages() {
  bench::HostMetrics source;
  std::vector<Message> made;
  for (std::uint32_t i = 0; i < rows; ++i) made.emplace_back(source.next());
  return made;
}

void per_message(benchmark::State& state, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * rows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
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
  per_message(state, batch.body.size());
}

void bench_encode(benchmark::State& state) {
  const std::vector<Message> all = messages();
  BatchBuilder builder;
  std::size_t bytes = 0;
  for (auto _ : state) {
    for (const Message& message : all) builder.add(message.view());
    const Batch batch = builder.finish({}, {1}, Time{});
    bytes = batch.body.size();
    benchmark::DoNotOptimize(batch);
  }
  per_message(state, bytes);
}

void bench_encode_frame(benchmark::State& state) {
  const Batch batch = bench::HostMetrics().batch(rows);
  for (auto _ : state) {
    const std::string frame = encode_frame(batch);
    benchmark::DoNotOptimize(frame);
  }
  per_message(state, batch.body.size());
}

void bench_decode_and_open(benchmark::State& state) {
  const std::string frame = encode_frame(bench::HostMetrics().batch(rows));
  for (auto _ : state) {
    const auto batch = decode_frame(frame);
    benchmark::DoNotOptimize(batch);
  }
  per_message(state, frame.size());
}

// Not a speed of ours: what a body weighs, and what History's compression makes of it.
void bench_compressed_size(benchmark::State& state) {
  const Batch batch = bench::HostMetrics().batch(rows);
  std::string out(ZSTD_compressBound(batch.body.size()), '\0');
  std::size_t size = 0;
  for (auto _ : state)
    size = ZSTD_compress(out.data(), out.size(), batch.body.data(), batch.body.size(), 3);
  per_message(state, batch.body.size());
  state.counters["bytes/message"] = static_cast<double>(batch.body.size()) / rows;
  state.counters["compressed/message"] = static_cast<double>(size) / rows;
}

BENCHMARK(bench_memcpy_floor);
BENCHMARK(bench_encode);
BENCHMARK(bench_encode_frame);
BENCHMARK(bench_decode_and_open);
BENCHMARK(bench_compressed_size);

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
