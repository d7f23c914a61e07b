// History: appends batches of host metrics (60 messages a second from each of 50 hosts), joins
// them, and reads them back. Floors in the same run: a SQLite commit of 100 rows of 2 KiB, and zstd
// unpacking what the read unpacks.

#include <benchmark/benchmark.h>

#include <filesystem>

#include "core/check.h"
#include "state/history/compressor.h"
#include "state/history/sqlite_history.h"
#include "state/history/stored_batch.h"
#include "state/sqlite/database.h"
#include "tests/state/history/host_metrics.h"

namespace hastur {
namespace {

constexpr int hosts = 50;
constexpr int batches_made = 256;

std::filesystem::path fresh_folder() {
  const auto folder = std::filesystem::temp_directory_path() / "hastur_history_bench";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

// Bodies of one second of all hosts each: 3,001 messages.
const std::vector<Batch>& bodies() {
  static const std::vector<Batch> made = [] {
    std::vector<Batch> batches;
    testing::HostMetrics metrics(1, hosts);
    for (int i = 0; i < batches_made; ++i) {
      BatchBuilder builder;
      metrics.add_second(builder);
      batches.push_back(builder.finish({}, {1}, Time{}));
    }
    return batches;
  }();
  return made;
}

std::unique_ptr<History> open_at(const std::filesystem::path& folder, Durability durability) {
  auto history = open_history({.directory = folder, .durability = durability});
  HASTUR_CHECK(history, "the bench's history opens");
  return std::move(*history);
}

void append_one(History& history, std::size_t i, std::uint64_t total) {
  Batch batch = bodies()[i % batches_made];
  batch.header.stream = history.stream();
  batch.header.first = history.last().next();
  batch.header.stream_time_before = history.stream_time().value_or(Time{});
  const std::vector<std::pair<std::string, std::uint64_t>> counters = {{"received", total}};
  HASTUR_CHECK(history.append(batch, {.hosts = {}, .marks = {}, .counters = counters}),
               "the bench's append succeeds");
}

void append_batches(benchmark::State& state, Durability durability) {
  const auto folder = fresh_folder();
  auto history = open_at(folder, durability);
  (void)bodies();
  std::size_t i = 0;
  for (auto _ : state) {
    append_one(*history, i, i);
    ++i;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(history->last().value));
  state.counters["bytes_a_message"] =
      static_cast<double>(history->size().bytes) / static_cast<double>(history->last().value);
  history.reset();
  std::filesystem::remove_all(folder);
}
BENCHMARK_CAPTURE(append_batches, standard, Durability::standard);
BENCHMARK_CAPTURE(append_batches, synced, Durability::synced);

void floor_commit_100_rows_of_2_kib(benchmark::State& state, bool synced) {
  const auto folder = fresh_folder();
  auto database = Database::open({.path = folder / "x.db", .synced = synced});
  HASTUR_CHECK(database && database->run("CREATE TABLE t(k INTEGER PRIMARY KEY, b BLOB)"),
               "the floor's database opens");
  const std::string row(2048, 'x');
  for (auto _ : state) {
    Transaction transaction(*database);
    bool sound = transaction.begin().has_value();
    for (int i = 0; i < 100; ++i) {
      sound = sound && database->run("INSERT INTO t(b) VALUES (?1)", Blob{row});
    }
    HASTUR_CHECK(sound && transaction.commit(), "the floor commits");
  }
  state.SetBytesProcessed(state.iterations() * 100 * 2048);
  std::filesystem::remove_all(folder);
}
BENCHMARK_CAPTURE(floor_commit_100_rows_of_2_kib, standard, false);
BENCHMARK_CAPTURE(floor_commit_100_rows_of_2_kib, synced, true);

// A history of all bodies, joined or as appended; one for all benches that read.
struct Filled {
  std::filesystem::path folder = fresh_folder();
  std::unique_ptr<History> history = open_at(folder, Durability::standard);
  explicit Filled(bool joined) {
    for (std::size_t i = 0; i < batches_made; ++i) append_one(*history, i, i);
    const Time later = *history->received_at() + std::chrono::hours{1};
    while (joined && history->maintain(later).value_or(false)) {
    }
  }
  ~Filled() {
    history.reset();
    std::filesystem::remove_all(folder);
  }
};

void read_batches(benchmark::State& state, bool joined) {
  Filled filled(joined);
  History& history = *filled.history;
  std::int64_t messages = 0;
  Sequence from{1};
  for (auto _ : state) {
    auto read = history.read(from, {});
    HASTUR_CHECK(read, "the bench's read succeeds");
    if (read->empty()) {
      from = {1};
      continue;
    }
    for (const Batch& batch : *read) messages += batch.header.count;
    from = read->back().header.last().next();
    benchmark::DoNotOptimize(read->data());
  }
  state.SetItemsProcessed(messages);
  state.counters["bytes_a_message"] =
      static_cast<double>(history.size().bytes) / static_cast<double>(history.last().value);
}
BENCHMARK_CAPTURE(read_batches, as_appended, false);
BENCHMARK_CAPTURE(read_batches, joined, true);

// One batch of 16,384 messages, as joining makes it.
const Batch& large() {
  static const Batch batch = [] {
    testing::HostMetrics metrics(1, hosts);
    BatchBuilder builder;
    while (builder.count() + hosts * 60 + 1 <= 16'384) metrics.add_second(builder);
    return builder.finish({}, {1}, Time{});
  }();
  return batch;
}

void floor_unpack_with_zstd_alone(benchmark::State& state) {
  Compressor compressor;
  std::string frame;
  compressor.compress(large().body, static_cast<int>(state.range(0)), frame);
  std::string out(large().body.size(), '\0');
  for (auto _ : state) HASTUR_CHECK(compressor.decompress(frame, out), "the frame unpacks");
  state.SetItemsProcessed(state.iterations() * large().header.count);
  state.counters["bytes_a_message"] =
      static_cast<double>(frame.size()) / static_cast<double>(large().header.count);
}
BENCHMARK(floor_unpack_with_zstd_alone)->Arg(-1)->Arg(1)->Arg(3);

void floor_pack_with_zstd_alone(benchmark::State& state) {
  Compressor compressor;
  std::string frame;
  for (auto _ : state) {
    frame.clear();
    compressor.compress(large().body, static_cast<int>(state.range(0)), frame);
  }
  state.SetItemsProcessed(state.iterations() * large().header.count);
  state.counters["bytes_a_message"] =
      static_cast<double>(frame.size()) / static_cast<double>(large().header.count);
}
BENCHMARK(floor_pack_with_zstd_alone)->Arg(-5)->Arg(-1)->Arg(1)->Arg(3);

void pack(benchmark::State& state, BatchPacker::Density density) {
  BatchPacker packer;
  const RowHead head{large().header, Time{}, Time{}};
  std::size_t bytes = 0;
  for (auto _ : state) bytes = packer.pack(head, large().body, density).size();
  state.SetItemsProcessed(state.iterations() * large().header.count);
  state.counters["bytes_a_message"] =
      static_cast<double>(bytes) / static_cast<double>(large().header.count);
}
BENCHMARK_CAPTURE(pack, fast, BatchPacker::Density::fast);
BENCHMARK_CAPTURE(pack, dense, BatchPacker::Density::dense);

void unpack(benchmark::State& state, BatchPacker::Density density) {
  BatchPacker packer;
  const RowHead head{large().header, Time{}, Time{}};
  const std::string stored(packer.pack(head, large().body, density));
  for (auto _ : state) {
    auto batch = packer.unpack(head, stored);
    HASTUR_CHECK(batch, "what was packed unpacks");
    benchmark::DoNotOptimize(batch->body.data());
  }
  state.SetItemsProcessed(state.iterations() * large().header.count);
}
BENCHMARK_CAPTURE(unpack, fast, BatchPacker::Density::fast);
BENCHMARK_CAPTURE(unpack, dense, BatchPacker::Density::dense);

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
