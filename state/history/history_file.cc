#include "state/history/history_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/hash.h"

namespace hastur {
namespace {

// docs/formats/history.md says what each column means.
constexpr const char* schema = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE batch(
  first INTEGER PRIMARY KEY, count INTEGER NOT NULL, checksum INTEGER NOT NULL,
  stream_time_before INTEGER NOT NULL, stream_time_after INTEGER NOT NULL,
  received_at INTEGER NOT NULL, stored BLOB NOT NULL);
CREATE TABLE names(first INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE lost(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE counter(name TEXT PRIMARY KEY, total INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE host(uuid TEXT PRIMARY KEY, hostname TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mark(trigger TEXT PRIMARY KEY, run INTEGER NOT NULL, sequence INTEGER NOT NULL,
  ordinal INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE lease(trigger TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL)
  WITHOUT ROWID;
)";

// Every statement that reads heads has these columns, in this order.
#define HASTUR_HEAD_COLUMNS \
  "SELECT first, count, checksum, stream_time_before, stream_time_after, received_at FROM batch "

std::uint32_t name_hash(std::string_view name) { return static_cast<std::uint32_t>(hash64(name)); }

}  // namespace

Result<HistoryFile> HistoryFile::open(const DatabaseOptions& options) {
  auto database = Database::open(options);
  if (!database) return fail(database.error());
  return HistoryFile(std::move(*database));
}

Result<bool> HistoryFile::is_begun() {
  {
    Query tables =
        database_.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'");
    const auto row = tables.step();
    if (!row) return fail(row.error());
    if (!*row) return false;
  }
  Query query = database_.query("SELECT value FROM meta WHERE key = 'schema_version'");
  const auto row = query.step();
  if (!row) return fail(row.error());
  const std::int64_t version = *row ? query.integer(0) : 0;
  if (version > history_schema_version) {
    return fail(ErrorCode::invalid,
                fmt::format("History file {} has schema version {} and this program knows {}; "
                            "start the newer program that wrote it",
                            database_.path(), version, history_schema_version));
  }
  Query stream = database_.query("SELECT value FROM meta WHERE key = 'stream'");
  const auto found = stream.step();
  if (!found) return fail(found.error());
  const auto id = *found ? StreamId::from_string(stream.text(0)) : std::nullopt;
  if (version < 1 || !id) {
    return fail(ErrorCode::corrupt,
                fmt::format("{} is a SQLite file, but no History: its schema version or stream id "
                            "is missing; move it away",
                            database_.path()));
  }
  stream_ = *id;
  HASTUR_TRY(check_tables());
  return true;
}

Result<void> HistoryFile::check_tables() {
  // Damage may have reached the words that say what the columns are.
  const std::string_view statements = schema;
  constexpr std::string_view begin = "CREATE TABLE";
  for (std::size_t at = statements.find(begin); at != statements.npos;) {
    const std::string_view statement = statements.substr(at, statements.find(';', at) - at);
    Query query = database_.query("SELECT 1 FROM sqlite_schema WHERE sql = ?1", statement);
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) {
      return fail(
          ErrorCode::corrupt,
          fmt::format("{} is damaged: its tables are not those of a History", database_.path()));
    }
    at = statements.find(begin, at + 1);
  }
  return {};
}

Result<void> HistoryFile::begin(const TailState& state, const Facts& facts,
                                const LostRanges& lost) {
  HASTUR_TRY(database_.run_script(schema));
  HASTUR_TRY(save_meta("schema_version", history_schema_version));
  stream_ = state.stream;
  HASTUR_TRY(save_tail_state(state));
  const auto hosts = facts.hosts();
  const auto marks = facts.marks();
  const std::vector<std::pair<std::string, std::uint64_t>> counters(facts.counters().begin(),
                                                                    facts.counters().end());
  HASTUR_TRY(save_facts({.hosts = hosts, .marks = marks, .counters = counters}));
  HASTUR_TRY(save_leases(facts.leases()));
  return save_lost(lost);
}

// --- what only the tail knows
// -----------------------------------------------------------------------------

Result<void> HistoryFile::save_meta(std::string_view key, std::int64_t value) {
  return database_.run("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", key, value);
}

Result<TailState> HistoryFile::tail_state() {
  TailState state{.stream = stream_, .boot_id = {}};
  Query query = database_.query("SELECT key, value FROM meta");
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return state;
    const std::string_view key = query.text(0);
    if (key == "boot_id") state.boot_id = query.text(1);
    if (key == "clean") state.clean = query.integer(1) != 0;
    if (key == "synced") state.synced = query.integer(1) != 0;
    if (key == "sealed") state.sealed = query.integer(1) != 0;
  }
}

Result<void> HistoryFile::save_tail_state(const TailState& state) {
  const std::string stream = state.stream.to_string();
  HASTUR_TRY(
      database_.run("INSERT OR REPLACE INTO meta VALUES ('stream', ?1)", std::string_view{stream}));
  HASTUR_TRY(database_.run("INSERT OR REPLACE INTO meta VALUES ('boot_id', ?1)",
                           std::string_view{state.boot_id}));
  HASTUR_TRY(save_meta("clean", state.clean ? 1 : 0));
  HASTUR_TRY(save_meta("synced", state.synced ? 1 : 0));
  return save_meta("sealed", state.sealed ? 1 : 0);
}

Result<Facts> HistoryFile::facts() {
  Facts facts;
  std::vector<HostName> hosts;
  std::vector<DerivedMark> marks;
  std::vector<std::pair<std::string, std::uint64_t>> counters;
  std::vector<LeaseRecord> leases;
  // Runs a statement and hands each of its rows to `take`.
  const auto each = [&](std::string_view sql, auto take) -> Result<void> {
    Query query = database_.query(sql);
    while (true) {
      const auto row = query.step();
      if (!row) return fail(row.error());
      if (!*row) return {};
      take(query);
    }
  };
  HASTUR_TRY(each("SELECT uuid, hostname FROM host", [&](const Query& row) {
    hosts.push_back({std::string(row.text(0)), std::string(row.text(1))});
  }));
  HASTUR_TRY(each("SELECT trigger, run, sequence, ordinal FROM mark", [&](const Query& row) {
    marks.push_back({std::string(row.text(0)),
                     {row.unsigned_integer(1)},
                     {row.unsigned_integer(2)},
                     static_cast<std::uint32_t>(row.integer(3))});
  }));
  HASTUR_TRY(each("SELECT name, total FROM counter", [&](const Query& row) {
    counters.emplace_back(row.text(0), row.unsigned_integer(1));
  }));
  HASTUR_TRY(each("SELECT trigger, owner, epoch FROM lease", [&](const Query& row) {
    leases.push_back({std::string(row.text(0)),
                      OwnerId::from_string(row.text(1)).value_or(OwnerId{}),
                      {row.unsigned_integer(2)}});
  }));
  facts.take({.hosts = hosts, .marks = marks, .counters = counters});
  facts.take(leases);
  return facts;
}

Result<LostRanges> HistoryFile::lost() {
  LostRanges lost;
  Query query = database_.query("SELECT first, last, why FROM lost ORDER BY first");
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return lost;
    lost.add(
        {{query.unsigned_integer(0)}, {query.unsigned_integer(1)}, std::string(query.text(2))});
  }
}

Result<void> HistoryFile::save_facts(const AppendFacts& facts) {
  for (const HostName& host : facts.hosts) {
    HASTUR_TRY(database_.run("INSERT OR REPLACE INTO host VALUES (?1, ?2)",
                             std::string_view{host.uuid}, std::string_view{host.hostname}));
  }
  for (const DerivedMark& mark : facts.marks) {
    HASTUR_TRY(database_.run("INSERT OR REPLACE INTO mark VALUES (?1, ?2, ?3, ?4)",
                             std::string_view{mark.trigger}, mark.run.value, mark.sequence.value,
                             mark.ordinal));
  }
  for (const auto& [name, total] : facts.counters) {
    HASTUR_TRY(database_.run("INSERT OR REPLACE INTO counter VALUES (?1, ?2)",
                             std::string_view{name}, total));
  }
  return {};
}

Result<void> HistoryFile::save_leases(std::span<const LeaseRecord> leases) {
  for (const LeaseRecord& lease : leases) {
    const std::string owner = lease.owner.to_string();
    HASTUR_TRY(database_.run("INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3)",
                             std::string_view{lease.trigger}, std::string_view{owner},
                             lease.epoch.value));
  }
  return {};
}

Result<void> HistoryFile::save_lost(const LostRanges& lost) {
  HASTUR_TRY(database_.run("DELETE FROM lost"));
  for (const LostRange& range : lost.all()) {
    HASTUR_TRY(database_.run("INSERT INTO lost VALUES (?1, ?2, ?3)", range.first.value,
                             range.last.value, std::string_view{range.why}));
  }
  return {};
}

// --- rows
// -------------------------------------------------------------------------------------------------

Result<void> HistoryFile::append_row(const RowHead& head, std::string_view stored) {
  const BatchHeader& header = head.header;
  return database_.run("INSERT INTO batch VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", header.first.value,
                       header.count, header.checksum, to_us(header.stream_time_before),
                       to_us(head.stream_time_after), to_us(head.received_at), Blob{stored});
}

RowHead HistoryFile::read_head(const Query& query) const {
  RowHead head;
  head.header.stream = stream_;
  head.header.first = {query.unsigned_integer(0)};
  head.header.count = static_cast<std::uint32_t>(query.integer(1));
  head.header.checksum = query.unsigned_integer(2);
  head.header.stream_time_before = time_from_us(query.integer(3));
  head.stream_time_after = time_from_us(query.integer(4));
  head.received_at = time_from_us(query.integer(5));
  return head;
}

Result<std::optional<RowHead>> HistoryFile::one_head(Query query) {
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<RowHead>{};
  return std::optional{read_head(query)};
}

Result<std::vector<RowHead>> HistoryFile::heads(Sequence from, std::uint32_t rows_max) {
  // The row that holds it is the last one before it, unless a damaged number has come to stand
  // between the two.
  {
    Query before = database_.query(
        HASTUR_HEAD_COLUMNS "WHERE first <= ?1 ORDER BY first DESC LIMIT 4", from.value);
    Sequence begin = from;
    while (true) {
      const auto row = before.step();
      if (!row) return fail(row.error());
      if (!*row) break;
      const RowHead head = read_head(before);
      const BatchHeader& header = head.header;
      if (head.is_possible() && header.first < begin && header.last() >= from) begin = header.first;
    }
    from = begin;
  }
  std::vector<RowHead> heads;
  Query query = database_.query(HASTUR_HEAD_COLUMNS "WHERE first >= ?1 ORDER BY first LIMIT ?2",
                                from.value, rows_max);
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return heads;
    heads.push_back(read_head(query));
  }
}

Result<std::optional<RowHead>> HistoryFile::first_head() {
  return one_head(database_.query(HASTUR_HEAD_COLUMNS "ORDER BY first LIMIT 1"));
}

Result<std::optional<RowHead>> HistoryFile::last_head() {
  return one_head(database_.query(HASTUR_HEAD_COLUMNS "ORDER BY first DESC LIMIT 1"));
}

Result<std::optional<RowHead>> HistoryFile::head_before(Sequence first) {
  return one_head(database_.query(
      HASTUR_HEAD_COLUMNS "WHERE first < ?1 ORDER BY first DESC LIMIT 1", first.value));
}

Result<void> HistoryFile::each_head(const std::function<Result<void>(const RowHead&)>& take) {
  Query query = database_.query(HASTUR_HEAD_COLUMNS "ORDER BY first");
  while (true) {
    const auto row = query.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    for (int column = 1; column < 6; ++column) {
      if (!query.is_null(column)) continue;
      return fail(ErrorCode::corrupt,
                  fmt::format("{} is damaged: a row of its batches, at {}, has no numbers; restore "
                              "it from a copy, or move the folder away and begin a new stream",
                              path(), query.integer(0)));
    }
    HASTUR_TRY(take(read_head(query)));
  }
}

Result<bool> HistoryFile::is_sealed(const RowHead& head) {
  Query query =
      database_.query("SELECT stored FROM batch WHERE first = ?1", head.header.first.value);
  const auto row = query.step();
  if (!row && row.error().code != ErrorCode::corrupt) return fail(row.error());
  return row && *row && BatchPacker::is_sealed(head, query.blob(0));
}

Result<void> HistoryFile::remove_rows(std::span<const std::int64_t> keys) {
  for (const std::int64_t key : keys)
    HASTUR_TRY(database_.run("DELETE FROM batch WHERE first = ?1", key));
  return {};
}

Result<std::optional<RowHead>> HistoryFile::head_at(Time time) {
  // Stream time never falls along the rows: halving over sequences needs no index, which every
  // append would have to write.
  const auto last = last_head();
  if (!last) return fail(last.error());
  if (!*last || (*last)->stream_time_after < time) return std::optional<RowHead>{};
  const auto first = first_head();
  if (!first) return fail(first.error());
  std::uint64_t low = (*first)->header.first.value;  // the answer starts at `low` or later
  RowHead answer = **last;
  while (low < answer.header.first.value) {
    const std::uint64_t middle = low + (answer.header.first.value - 1 - low) / 2;
    const auto row = one_head(database_.query(
        HASTUR_HEAD_COLUMNS "WHERE first <= ?1 ORDER BY first DESC LIMIT 1", middle));
    if (!row) return fail(row.error());
    if (!*row || (*row)->header.first.value > middle || (*row)->header.first.value < low ||
        (*row)->stream_time_after < time) {
      // No row begins between the one that was found and `middle`; or damage says so, and the
      // search comes to its end all the same.
      low = middle + 1;
    } else {
      answer = **row;
    }
  }
  return std::optional{answer};
}

Result<std::uint64_t> HistoryFile::row_count() {
  Query query = database_.query("SELECT count(*) FROM batch");
  const auto row = query.step();
  if (!row) return fail(row.error());
  return query.unsigned_integer(0);
}

Result<Batch> HistoryFile::batch(const RowHead& head, BatchPacker& packer) {
  Query query =
      database_.query("SELECT stored FROM batch WHERE first = ?1", head.header.first.value);
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (!*row) {
    return fail(ErrorCode::corrupt,
                fmt::format("{} lists a batch at {} and does not find it; it is damaged",
                            database_.path(), head.header.first.value));
  }
  return packer.unpack(head, query.blob(0));
}

// --- joining
// ----------------------------------------------------------------------------------------------

Result<std::optional<Sequence>> HistoryFile::joined_to() {
  Query query = database_.query("SELECT value FROM meta WHERE key = 'joined_to'");
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<Sequence>{};
  return std::optional{Sequence{query.unsigned_integer(0)}};
}

Result<void> HistoryFile::join_rows(const RowHead& head, std::string_view stored,
                                    std::string_view names) {
  HASTUR_TRY(database_.run("DELETE FROM batch WHERE first BETWEEN ?1 AND ?2",
                           head.header.first.value, head.header.last().value));
  HASTUR_TRY(append_row(head, stored));
  HASTUR_TRY(database_.run("INSERT OR REPLACE INTO names VALUES (?1, ?2)", head.header.first.value,
                           Blob{names}));
  return save_joined_to(head.header.last());
}

Result<void> HistoryFile::save_joined_to(Sequence sequence) {
  return save_meta("joined_to", static_cast<std::int64_t>(sequence.value));
}

Result<std::optional<std::string>> HistoryFile::names(Sequence first) {
  Query query = database_.query("SELECT hashes FROM names WHERE first = ?1", first.value);
  const auto row = query.step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<std::string>{};
  return std::optional{std::string(query.blob(0))};
}

std::string name_hashes(const BatchView& batch) {
  std::vector<bool> seen(batch.string_count(), false);
  std::vector<std::uint32_t> hashes;
  for (const std::uint32_t name : batch.names()) {
    if (name == BatchView::none || seen[name]) continue;
    seen[name] = true;
    hashes.push_back(name_hash(batch.string(name)));
  }
  std::ranges::sort(hashes);
  std::string bytes(hashes.size() * 4, '\0');
  if (!hashes.empty()) std::memcpy(bytes.data(), hashes.data(), bytes.size());
  return bytes;
}

bool may_hold(std::string_view hashes, std::span<const std::string> names) {
  std::vector<std::uint32_t> sorted(hashes.size() / 4);
  if (!sorted.empty()) std::memcpy(sorted.data(), hashes.data(), sorted.size() * 4);
  return std::ranges::any_of(names, [&](const std::string& name) {
    return std::ranges::binary_search(sorted, name_hash(name));
  });
}

}  // namespace hastur
