#pragma once

// One file of a History folder: its rows of batches, and in the newest file the facts that go with
// them.
//
// The newest file (the "tail") is the only one appended to. What History knows besides messages is
// in the tail alone: a new file takes it over in its first transaction, together with its first
// batch. Until that transaction is committed the new file counts as not there (`is_begun`) and the
// old one is the tail.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "state/history/facts.h"
#include "state/history/stored_batch.h"
#include "state/sqlite/database.h"

namespace hastur {

inline constexpr std::int64_t history_schema_version = 1;

// What the tail says about the stream besides rows.
struct TailState {
  StreamId stream;
  std::string boot_id;
  // The last writer closed it, and everything was on the disk then.
  bool clean = false;
  // The last writer synced each append.
  bool synced = false;
  // A newer file was begun after it. Then it is the newest only because that file is gone.
  bool sealed = false;
};

class HistoryFile {
 public:
  // Makes the file if it is not there; is_begun() tells whether it holds anything yet.
  static Result<HistoryFile> open(const DatabaseOptions& options);

  // Fails with `invalid` when its schema is newer than ours, with `corrupt` when its tables are not
  // those that `begin` makes.
  Result<bool> is_begun();
  // Makes tables and writes what the tail knows, in the caller's transaction.
  Result<void> begin(const TailState& state, const Facts& facts, const LostRanges& lost);

  Result<TailState> tail_state();
  Result<void> save_tail_state(const TailState& state);
  Result<Facts> facts();
  Result<LostRanges> lost();

  // In the caller's transaction.
  Result<void> append_row(const RowHead& head, std::string_view stored);
  Result<void> save_facts(const AppendFacts& facts);
  Result<void> save_leases(std::span<const LeaseRecord> leases);
  Result<void> save_lost(const LostRanges& lost);

  // The row that holds `from`, or the next one after it, and those that follow it; at most
  // `rows_max`. In a damaged file they may be any rows, impossible ones too, in any order.
  Result<std::vector<RowHead>> heads(Sequence from, std::uint32_t rows_max);
  Result<std::optional<RowHead>> first_head();
  Result<std::optional<RowHead>> last_head();
  // The first row after which stream time is `time` or later.
  Result<std::optional<RowHead>> head_at(Time time);
  Result<std::uint64_t> row_count();
  // The last row that begins before `first`.
  Result<std::optional<RowHead>> head_before(Sequence first);
  // Every row in the order in which they stand in the file, until `take` fails. A row without
  // numbers is `corrupt`.
  Result<void> each_head(const std::function<Result<void>(const RowHead&)>& take);
  // See BatchPacker; false if its bytes cannot be read.
  Result<bool> is_sealed(const RowHead& head);
  Result<void> remove_rows(std::span<const std::int64_t> keys);
  const std::string& path() const { return database_.path(); }
  // `corrupt` when the stored bytes are damaged.
  Result<Batch> batch(const RowHead& head, BatchPacker& packer);

  // Up to where rows have been joined (or left) for good; nothing before the first step.
  Result<std::optional<Sequence>> joined_to();
  // Replaces the rows in [head.header.first, head.header.last()] by one, with the hashes of the
  // names in it, in the caller's transaction.
  Result<void> join_rows(const RowHead& head, std::string_view stored, std::string_view names);
  Result<void> save_joined_to(Sequence sequence);
  // Hashes of the names in a joined row; nothing if it has none (then every name may be in it).
  Result<std::optional<std::string>> names(Sequence first);

  Database& database() { return database_; }

 private:
  explicit HistoryFile(Database database) : database_(std::move(database)) {}
  Result<void> save_meta(std::string_view key, std::int64_t value);
  Result<void> check_tables();
  Result<std::optional<RowHead>> one_head(Query query);
  RowHead read_head(const Query& query) const;

  Database database_;
  StreamId stream_;
};

// Hashes of distinct names, sorted, as they are stored: 4 bytes each, little-endian.
std::string name_hashes(const BatchView& batch);
// Whether one of `names` may be among them; never false for a name that is.
bool may_hold(std::string_view hashes, std::span<const std::string> names);

}  // namespace hastur
