// Commits of 1, 100 and 10,000 checkpoints of 2 KiB, and of the effects of 100 triggers (a mark and
// a derived message each, acknowledged before the next commit), into a state file; beside the
// floor, which is a commit of as many rows of 2 KiB into a plain SQLite table. A step of pruning,
// of 0 and of 250 notifications of 2 KiB, in a store of 100 triggers with 20,000 decisions in their
// journals. Files lie in TMPDIR.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "core/check.h"
#include "state/checkpoint_store.h"
#include "state/sqlite/database.h"

namespace hastur {
namespace {

constexpr std::size_t state_bytes = 2'048;

// A folder that goes with the benchmark.
struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / "hastur_store_bench") {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const char* name) const { return path / name; }
  std::filesystem::path path;
};

std::string state_text(std::uint64_t sequence) {
  std::string text = fmt::format("{{\"n\":{},\"x\":\"", sequence);
  text.resize(state_bytes - 2, 'x');
  return text + "\"}";
}

TriggerName name_of(std::uint64_t trigger) { return fmt::format("group/trigger_{}", trigger); }

std::unique_ptr<CheckpointStore> store_with(const Folder& folder, std::uint64_t triggers,
                                            bool synced) {
  auto store = open_store({.path = folder.file("state.db"), .synced = synced, .vfs = {}});
  HASTUR_CHECK(store.has_value(), "the benchmark can make a file");
  CommitBatch batch;
  for (std::uint64_t trigger = 0; trigger < triggers; ++trigger) {
    RunStart start;
    start.version =
        VersionRecord{name_of(trigger), name_of(trigger), {{"x.lua", "-- " + name_of(trigger)}}};
    start.run.trigger = start.checkpoint.trigger = name_of(trigger);
    start.run.run = start.checkpoint.run = {1};
    start.run.version = name_of(trigger);
    start.checkpoint.state = state_text(0);
    batch.starts.push_back(std::move(start));
  }
  HASTUR_CHECK((*store)->commit(batch).has_value(), "the benchmark can commit");
  return *std::move(store);
}

void floor_commit(benchmark::State& state, bool synced) {
  const Folder folder;
  auto database = Database::open({.path = folder.file("floor.db"), .synced = synced, .vfs = {}});
  HASTUR_CHECK(database && database->run("CREATE TABLE item(key INTEGER PRIMARY KEY, text TEXT)"),
               "the benchmark can make a file");
  const auto rows = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    const std::string text = state_text(++sequence);
    Transaction transaction(*database);
    bool good = transaction.begin().has_value();
    for (std::uint64_t row = 0; row < rows; ++row) {
      good = good && database->run("REPLACE INTO item VALUES (?1, ?2)", row, text);
    }
    HASTUR_CHECK(good && transaction.commit(), "the benchmark can commit");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void checkpoint_commit(benchmark::State& state, bool synced) {
  const Folder folder;
  const auto rows = static_cast<std::uint64_t>(state.range(0));
  const auto store = store_with(folder, rows, synced);
  CommitBatch batch;
  for (std::uint64_t row = 0; row < rows; ++row) {
    Checkpoint checkpoint;
    checkpoint.trigger = name_of(row);
    checkpoint.run = {1};
    batch.checkpoints.push_back(std::move(checkpoint));
  }
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    const std::string text = state_text(++sequence);
    for (Checkpoint& checkpoint : batch.checkpoints) {
      checkpoint.state = text;
      checkpoint.state_sequence = checkpoint.effects_sequence = {sequence};
    }
    batch.position = Sequence{sequence};
    HASTUR_CHECK(store->commit(batch).has_value(), "the benchmark can commit");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void effects_commit(benchmark::State& state, bool synced) {
  const Folder folder;
  const auto rows = static_cast<std::uint64_t>(state.range(0));
  const auto store = store_with(folder, rows, synced);
  const std::string payload(150, 'x');
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    ++sequence;
    CommitBatch batch;
    for (std::uint64_t row = 0; row < rows; ++row) {
      batch.marks.push_back({name_of(row), {1}, {sequence}, 1});
      batch.messages.push_back({name_of(row), {1}, {sequence}, 0, 1, payload});
    }
    HASTUR_CHECK(store->commit(batch).has_value(), "the benchmark can commit");
    for (std::uint64_t row = 0; row < rows; ++row) {
      HASTUR_CHECK(store->acknowledge(name_of(row), {1}, {sequence}, 0).has_value(),
                   "the outbox empties");
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void prune_step(benchmark::State& state, bool synced) {
  constexpr std::uint64_t triggers = 100, decisions = 20'000;
  const Folder folder;
  const auto store = store_with(folder, triggers, synced);
  CommitBatch journals;
  for (std::uint64_t i = 0; i < decisions; ++i) {
    journals.journal.push_back(
        {name_of(i % triggers), {1}, {1 + i}, "skip", R"({"callback":1})", {}});
  }
  HASTUR_CHECK(store->commit(journals).has_value(), "the benchmark can commit");
  const auto rows = static_cast<std::uint64_t>(state.range(0));
  Retention retention{.oldest = {decisions * 2}, .notifications_before = {}};
  std::uint64_t sequence = decisions * 2;
  for (auto _ : state) {
    state.PauseTiming();
    CommitBatch batch;
    for (std::uint64_t row = 0; row < rows; ++row) {
      ++sequence;
      batch.notifications.push_back({.trigger = name_of(row % triggers),
                                     .run = {1},
                                     .sequence = {sequence},
                                     .time = time_from_us(static_cast<std::int64_t>(sequence)),
                                     .payload = state_text(sequence),
                                     .reason = {}});
    }
    HASTUR_CHECK(rows == 0 || store->commit(batch).has_value(), "the benchmark can commit");
    retention.notifications_before = time_from_us(static_cast<std::int64_t>(sequence) + 1);
    retention.rows_max = 250;
    state.ResumeTiming();
    const auto pruned = store->prune(retention);
    HASTUR_CHECK(pruned && pruned->rows == rows, "the benchmark prunes what it committed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(floor_commit, standard, false)
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(checkpoint_commit, standard, false)
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(effects_commit, standard, false)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(floor_commit, synced, true)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(checkpoint_commit, synced, true)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(prune_step, standard, false)
    ->Arg(0)
    ->Arg(250)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
