// A replay into scratch of all that a syndicator's History holds, through a trigger that matches
// few of the messages (one metric of one host in 50), while the live system runs. Beside it the
// floor: the same batches read and decompressed, and nothing done with them.
//
// The time of one iteration is the wall time of the whole: for the replay also that of its process
// and its worker's start.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>

#include "core/check.h"
#include "core/clock.h"
#include "state/history/sqlite_history.h"
#include "tests/integration/platform.h"
#include "tests/state/history/host_metrics.h"

namespace hastur {
namespace {

constexpr int hosts = 50;

constexpr const char* matches_few = R"(local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "uptime.hours", hostname = "host7.example.com" }, function(msg)
  ctx.state.n = ctx.state.n + msg.value
end)
)";

std::unique_ptr<History> open_at(const std::string& folder) {
  auto history = open_history({.directory = folder});
  HASTUR_CHECK(history, "the bench's History opens");
  return std::move(*history);
}

// So many messages or a few more, joined as a syndicator joins them in its spare time.
std::uint64_t fill(const std::string& folder, std::int64_t messages) {
  const auto history = open_at(folder);
  // Recent: what is old is trimmed.
  SystemClock clock;
  testing::HostMetrics metrics(1, hosts, clock.now() - std::chrono::hours{1});
  while (history->last().value < static_cast<std::uint64_t>(messages)) {
    BatchBuilder builder;
    metrics.add_second(builder);
    const Batch batch = builder.finish(history->stream(), history->last().next(),
                                       history->stream_time().value_or(Time{}));
    HASTUR_CHECK(history->append(batch, {.hosts = {}, .marks = {}, .counters = {}}),
                 "the bench's append succeeds");
  }
  const Time later = *history->received_at() + std::chrono::hours{1};
  while (history->maintain(later).value_or(false)) {
  }
  return history->last().value;
}

void floor_read_and_decompress(benchmark::State& state) {
  Platform platform;
  const std::uint64_t count = fill(platform.history_folder(), state.range(0));
  const auto history = open_at(platform.history_folder());
  for (auto _ : state) {
    for (Sequence from{1};;) {
      auto read = history->read(from, {});
      HASTUR_CHECK(read, "the bench's read succeeds");
      if (read->empty()) break;
      from = read->back().header.last().next();
      benchmark::DoNotOptimize(read->data());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(floor_read_and_decompress)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void replay(benchmark::State& state) {
  Platform platform;
  const std::uint64_t count = fill(platform.history_folder(), state.range(0));
  platform.save_script("few", matches_few);
  if (!platform.start_syndicator() || !platform.start_supervisor() || !platform.wait_for_triggers())
    return state.SkipWithError("the daemons do not start");
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    const auto said = platform.run_supervisor("replay --trigger few --from 1");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    if (said.exit_code != 0) {
      state.SkipWithError(said.error.c_str());
      break;
    }
    state.SetIterationTime(took.count());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(replay)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
