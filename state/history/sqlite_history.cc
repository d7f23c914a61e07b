#include "state/history/sqlite_history.h"

#include <algorithm>

#include "core/log.h"
#include "core/random.h"
#include "state/history/facts.h"
#include "state/history/file_set.h"
#include "state/history/joiner.h"

namespace hastur {
namespace {

class SqliteHistory final : public History {
 public:
  SqliteHistory(const SqliteHistoryOptions& options, HistoryFolder folder)
      : options_(options), files_(std::move(folder)) {
    // With fewer files than this, retention by size would take most of what it may keep at once.
    options_.file_bytes = std::min(options_.file_bytes, options_.keep_bytes / 4);
  }
  ~SqliteHistory() override { close(); }

  // Called once, before anything else.
  Result<void> start();

  const StreamId& stream() const override { return stream_; }
  Sequence last() const override { return last_; }
  std::optional<Time> stream_time() const override { return stream_time_; }
  std::optional<Time> received_at() const override { return received_at_; }
  Sequence oldest() const override;

  Result<void> append(const Batch& batch, const AppendFacts& facts) override;
  Result<std::optional<LostRange>> skip_behind(Sequence seen) override;
  Result<std::vector<Batch>> read(Sequence from, const ReadLimits& limits) override;
  Result<Sequence> find(Time time) override;
  Result<std::vector<LostRange>> lost(Sequence first, Sequence last) const override;

  std::optional<DerivedMark> mark(const TriggerName& trigger) const override {
    return facts_.mark(trigger);
  }
  std::optional<std::string> hostname(const std::string& uuid) const override {
    return facts_.hostname(uuid);
  }
  std::vector<HostName> hosts() const override { return facts_.hosts(); }
  std::map<std::string, std::uint64_t> counters() const override { return facts_.counters(); }
  Result<void> save_leases(std::span<const LeaseRecord> leases) override;
  std::vector<LeaseRecord> leases() const override { return facts_.leases(); }

  Result<bool> maintain(Time now) override;
  Size size() const override;

 private:
  Result<void> make_first_file();
  Result<void> open_stream();
  void close();
  bool is_new_file_due(Time stream_time) const;
  Result<void> append_to_tail(const RowHead& head, std::string_view stored,
                              const AppendFacts& facts);
  Result<void> append_to_new_file(const RowHead& head, std::string_view stored,
                                  const AppendFacts& facts);
  // What of one file belongs to a read; false when the limits are reached.
  Result<bool> read_file(std::size_t index, Sequence from, const ReadLimits& limits,
                         std::vector<Batch>& found, std::vector<LostRange>& corrupt);
  // What `save` writes into the newest file is on the disk when this returns.
  template <class Save>
  Result<void> save_synced(const Save& save);
  void note_corrupt(const std::vector<LostRange>& ranges);
  TailState open_state() const {
    return {.stream = stream_,
            .boot_id = options_.boot_id,
            .clean = false,
            .synced = options_.durability == Durability::synced};
  }

  SqliteHistoryOptions options_;
  FileSet files_;
  Joiner joiner_;
  BatchPacker packer_;
  Facts facts_;
  LostRanges lost_;
  StreamId stream_;
  Sequence last_;
  std::optional<Time> stream_time_, received_at_;
  bool started_ = false;
};

// --- open and close
// ---------------------------------------------------------------------------------------

Result<void> SqliteHistory::start() {
  const auto found = files_.load();
  if (!found) return fail(found.error());
  if (!*found) HASTUR_TRY(make_first_file());
  HASTUR_TRY(open_stream());
  started_ = true;
  return {};
}

Result<void> SqliteHistory::make_first_file() {
  stream_ = {random_bytes16()};
  const Sequence first = options_.first;
  auto file = files_.make(first);
  if (!file) return fail(file.error());
  HASTUR_TRY(file->database().set_synced(true));
  {
    Transaction transaction(file->database());
    HASTUR_TRY(transaction.begin());
    HASTUR_TRY(file->begin(open_state(), facts_, lost_));
    HASTUR_TRY(transaction.commit());
  }
  files_.add_tail(std::move(*file), {.first = first, .last = {first.value - 1}});
  return {};
}

Result<void> SqliteHistory::open_stream() {
  HistoryFile& tail = files_.tail();
  const auto state = tail.tail_state();
  if (!state) return fail(state.error());
  auto facts = tail.facts();
  if (!facts) return fail(facts.error());
  auto lost = tail.lost();
  if (!lost) return fail(lost.error());
  stream_ = state->stream;
  facts_ = std::move(*facts);
  lost_ = std::move(*lost);

  Sequence next = files_.entries().front().first;
  for (const FileEntry& entry : files_.entries()) {
    // A file between two others is gone, or cannot be read.
    if (next < entry.first) lost_.add({next, {entry.first.value - 1}, "corrupt"});
    if (entry.damaged) lost_.add({entry.first, entry.last, "corrupt"});
    next = entry.last.next();
    if (!entry.damaged && entry.last >= entry.first) {
      stream_time_ = entry.stream_time;
      received_at_ = entry.received_at;
    }
  }
  last_ = files_.tail_entry().last;
  for (const LostRange& range : lost_.all()) last_ = std::max(last_, range.last);

  const std::vector<std::int64_t>& strays = files_.strays();
  if (!strays.empty()) {
    const LostRange hole{last_.next(), last_.plus(numbers_skipped), "corrupt"};
    log_error(
        "{} is damaged: {} of its rows are not what was written, and may have been the last. "
        "History goes on at {}: {}..{} may have been given out and are lost (corrupt)",
        tail.path(), strays.size(), hole.last.next().value, hole.first.value, hole.last.value);
    lost_.add(hole);
    last_ = hole.last;
  }
  const bool power_lost = state->boot_id != options_.boot_id && !state->clean && !state->synced;
  if (power_lost || state->sealed) {
    const LostRange hole{last_.next(), last_.plus(numbers_skipped),
                         power_lost ? "power" : "corrupt"};
    log_warn("History goes on at {}: {}..{} may have been given out and are lost ({})",
             hole.last.next().value, hole.first.value, hole.last.value,
             power_lost ? "the power failed" : "the newest file is gone");
    lost_.add(hole);
    last_ = hole.last;
  }

  // The mark of a clean close goes from the disk before a number is given out: else a power loss
  // after that would not be noticed.
  HASTUR_TRY(tail.database().set_synced(true));
  Transaction transaction(tail.database());
  HASTUR_TRY(transaction.begin());
  HASTUR_TRY(tail.save_tail_state(open_state()));
  HASTUR_TRY(tail.save_lost(lost_));
  HASTUR_TRY(tail.remove_rows(strays));
  HASTUR_TRY(transaction.commit());
  return tail.database().set_synced(options_.durability == Durability::synced);
}

void SqliteHistory::close() {
  if (!started_) return;
  Database& database = files_.tail().database();
  const auto mark_clean = [&]() -> Result<void> {
    // First everything else, then the mark.
    HASTUR_TRY(database.checkpoint());
    HASTUR_TRY(database.set_synced(true));
    TailState state = open_state();
    state.clean = true;
    Transaction transaction(database);
    HASTUR_TRY(transaction.begin());
    HASTUR_TRY(files_.tail().save_tail_state(state));
    return transaction.commit();
  };
  const auto marked = mark_clean();
  if (!marked) log_warn("History was not closed cleanly: {}", marked.error().message);
}

// --- append
// -----------------------------------------------------------------------------------------------

bool SqliteHistory::is_new_file_due(Time stream_time) const {
  const FileEntry& tail = files_.entries().back();
  if (tail.rows == 0) return false;
  return tail.bytes >= options_.file_bytes ||
         stream_time - tail.stream_time_begin >= options_.file_span;
}

Result<void> SqliteHistory::append(const Batch& batch, const AppendFacts& facts) {
  check_continues(batch, stream_, last_);
  if (batch.header.count == 0) {
    Transaction transaction(files_.tail().database());
    HASTUR_TRY(transaction.begin());
    HASTUR_TRY(files_.tail().save_facts(facts));
    HASTUR_TRY(transaction.commit());
    facts_.take(facts);
    return {};
  }
  const BatchTimes after = times_after(BatchView::trusted(batch.header, batch.body));
  const RowHead head{batch.header, after.stream_time, after.received_at};
  const std::string_view stored = packer_.pack(head, batch.body, BatchPacker::Density::fast);
  HASTUR_TRY(is_new_file_due(after.stream_time) ? append_to_new_file(head, stored, facts)
                                                : append_to_tail(head, stored, facts));
  facts_.take(facts);
  last_ = batch.header.last();
  stream_time_ = after.stream_time;
  received_at_ = after.received_at;

  FileEntry& entry = files_.tail_entry();
  if (entry.rows == 0) entry.stream_time_begin = after.stream_time;
  entry.last = last_;
  entry.stream_time = after.stream_time;
  entry.received_at = after.received_at;
  entry.bytes += stored.size() + 64;  // corrected by maintain()
  ++entry.rows;
  return {};
}

Result<void> SqliteHistory::append_to_tail(const RowHead& head, std::string_view stored,
                                           const AppendFacts& facts) {
  HistoryFile& tail = files_.tail();
  Transaction transaction(tail.database());
  HASTUR_TRY(transaction.begin());
  HASTUR_TRY(tail.append_row(head, stored));
  HASTUR_TRY(tail.save_facts(facts));
  return transaction.commit();
}

Result<void> SqliteHistory::append_to_new_file(const RowHead& head, std::string_view stored,
                                               const AppendFacts& facts) {
  // The old file is on the disk before a newer one can be: a power loss takes a suffix of the
  // stream.
  HASTUR_TRY(files_.tail().database().checkpoint());
  const Sequence first = head.header.first;
  auto file = files_.make(first);
  if (!file) return fail(file.error());
  lost_.forget_before(files_.entries().front().first);
  const auto begin = [&]() -> Result<void> {
    Transaction transaction(file->database());
    HASTUR_TRY(transaction.begin());
    HASTUR_TRY(file->begin(open_state(), facts_, lost_));
    HASTUR_TRY(file->append_row(head, stored));
    HASTUR_TRY(file->save_facts(facts));
    return transaction.commit();
  };
  const auto begun = begin();
  if (!begun) {
    files_.discard(std::move(*file), first);
    return begun;
  }
  // From here on the new file is the truth. That the old one knows it helps only if the new one is
  // removed by hand.
  TailState state = open_state();
  state.sealed = true;
  const auto sealed = files_.tail().save_tail_state(state);
  if (!sealed) log_warn("{}", sealed.error().message);
  files_.add_tail(std::move(*file), {.first = first, .last = {first.value - 1}});
  return {};
}

template <class Save>
Result<void> SqliteHistory::save_synced(const Save& save) {
  Database& database = files_.tail().database();
  HASTUR_TRY(database.set_synced(true));
  const auto in_one = [&]() -> Result<void> {
    Transaction transaction(database);
    HASTUR_TRY(transaction.begin());
    HASTUR_TRY(save(files_.tail()));
    return transaction.commit();
  };
  const auto saved = in_one();
  HASTUR_TRY(database.set_synced(options_.durability == Durability::synced));
  return saved;
}

Result<void> SqliteHistory::save_leases(std::span<const LeaseRecord> leases) {
  HASTUR_TRY(save_synced([&](HistoryFile& tail) { return tail.save_leases(leases); }));
  facts_.take(leases);
  return {};
}

Result<std::optional<LostRange>> SqliteHistory::skip_behind(Sequence seen) {
  if (seen <= last_) return std::optional<LostRange>{};
  HASTUR_TRY(check_seen(seen));
  const LostRange hole{last_.next(), seen.plus(numbers_skipped), "set_back"};
  LostRanges lost = lost_;
  lost.add(hole);
  HASTUR_TRY(save_synced([&](HistoryFile& tail) { return tail.save_lost(lost); }));
  lost_ = std::move(lost);
  last_ = hole.last;
  return std::optional{hole};
}

// --- read
// -------------------------------------------------------------------------------------------------

Sequence SqliteHistory::oldest() const {
  for (const FileEntry& entry : files_.entries()) {
    if (!entry.damaged && entry.last >= entry.first) return entry.first;
  }
  return last_.next();
}

Result<std::vector<Batch>> SqliteHistory::read(Sequence from, const ReadLimits& limits) {
  std::vector<Batch> found;
  std::vector<LostRange> corrupt;
  for (std::size_t index = files_.index_of(from); index < files_.entries().size(); ++index) {
    const FileEntry& entry = files_.entries()[index];
    if (entry.damaged || entry.last < from) continue;
    const auto more = read_file(index, std::max(from, entry.first), limits, found, corrupt);
    if (!more) return fail(more.error());
    if (!*more) break;
  }
  note_corrupt(corrupt);
  return found;
}

Result<bool> SqliteHistory::read_file(std::size_t index, Sequence from, const ReadLimits& limits,
                                      std::vector<Batch>& found, std::vector<LostRange>& corrupt) {
  constexpr std::uint32_t rows_max = 64;
  const Sequence file_last = files_.entries()[index].last;
  const std::uint32_t batches_max = std::min(limits.batches_max, rows_max);
  std::size_t bytes = 0;
  for (const Batch& batch : found) bytes += batch.body.size();
  // Damage may have reached the numbers of rows, so only what is unpacked tells where a lost range
  // begins and ends: what lies between two batches that can be read is lost, and nothing else.
  const Sequence asked = from;  // it may lie within a batch; `from` is the end of one after that
  Sequence seek = from;
  for (bool more = true; more && from <= file_last;) {
    const auto opened = files_.file(index);
    if (!opened) return fail(opened.error());
    HistoryFile& file = **opened;
    Transaction reading(file.database());
    HASTUR_TRY(reading.begin_reading());
    // One more than is read, to know where the last one must end.
    const auto heads = file.heads(seek, rows_max + 1);
    if (!heads && heads.error().code != ErrorCode::corrupt) return fail(heads.error());
    more = heads && heads->size() > rows_max;
    const Sequence before = from;
    for (std::size_t i = 0; heads && i < std::min<std::size_t>(heads->size(), rows_max); ++i) {
      if (found.size() >= batches_max || (!found.empty() && bytes >= limits.bytes_max)) {
        return false;
      }
      const RowHead& head = (*heads)[i];
      const BatchHeader& header = head.header;
      if (!head.is_possible() || header.last() < from || header.first > file_last) continue;
      if (header.first < from && from != asked) continue;
      const Sequence next = i + 1 < heads->size() ? (*heads)[i + 1].header.first : file_last.next();
      if (!limits.names.empty() && header.first <= from && header.last().next() == next) {
        const auto names = file.names(header.first);
        if (names && *names && !may_hold(**names, limits.names)) {
          from = next;
          continue;
        }
      }
      auto batch = file.batch(head, packer_);
      if (!batch && batch.error().code != ErrorCode::corrupt) return fail(batch.error());
      // What once counted as lost stays so, whatever can be read of it now.
      if (!batch || lost_.touches(header.first, header.last())) continue;
      if (header.first > from) corrupt.push_back({from, {header.first.value - 1}, "corrupt"});
      from = header.last().next();
      bytes += batch->body.size();
      found.push_back(std::move(*batch));
    }
    if (!more || from > before) {
      seek = from;
    } else {
      Sequence reached = seek;
      for (const RowHead& head : *heads) {
        if (head.is_possible()) reached = std::max(reached, head.header.first);
      }
      more = reached > seek;
      seek = reached;
    }
  }
  // No row is left, or none that can be read.
  if (from <= file_last) corrupt.push_back({from, file_last, "corrupt"});
  return true;
}

void SqliteHistory::note_corrupt(const std::vector<LostRange>& ranges) {
  bool changed = false;
  for (const LostRange& range : ranges) {
    if (!lost_.add(range)) continue;
    changed = true;
    log_error("History cannot read {}..{}: the stored bytes are damaged; they count as lost",
              range.first.value, range.last.value);
  }
  if (!changed) return;
  const auto save = [&]() -> Result<void> {
    Transaction transaction(files_.tail().database());
    HASTUR_TRY(transaction.begin());
    HASTUR_TRY(files_.tail().save_lost(lost_));
    return transaction.commit();
  };
  const auto saved = save();
  // It will be found again.
  if (!saved) log_warn("{}", saved.error().message);
}

Result<Sequence> SqliteHistory::find(Time time) {
  for (std::size_t index = 0; index < files_.entries().size(); ++index) {
    const FileEntry& entry = files_.entries()[index];
    if (entry.damaged || entry.last < entry.first || entry.stream_time < time) continue;
    const auto opened = files_.file(index);
    if (!opened) return fail(opened.error());
    const auto head = (*opened)->head_at(time);
    if (!head) return fail(head.error());
    if (!*head) continue;
    const auto batch = (*opened)->batch(**head, packer_);
    // In a damaged batch its first number is as near as one can come, if it is a number of this
    // file.
    if (!batch) return std::clamp((*head)->header.first, entry.first, entry.last);
    const auto sequence = first_at(BatchView::trusted(batch->header, batch->body), time);
    return sequence.value_or((*head)->header.first);
  }
  return last_.next();
}

Result<std::vector<LostRange>> SqliteHistory::lost(Sequence first, Sequence last) const {
  std::vector<LostRange> found;
  const Sequence kept_from = files_.entries().front().first;
  if (kept_from.value > 1 && first < kept_from && first <= last) {
    found.push_back({{1}, {kept_from.value - 1}, "trimmed"});
  }
  for (LostRange& range : lost_.touching(std::max(first, kept_from), last)) {
    range.first = std::max(range.first, kept_from);
    found.push_back(std::move(range));
  }
  return found;
}

// --- housekeeping
// -----------------------------------------------------------------------------------------

Result<bool> SqliteHistory::maintain(Time now) {
  const auto& entries = files_.entries();
  if (const auto bytes = files_.tail().database().bytes()) files_.tail_entry().bytes = *bytes;
  if (entries.size() > 1) {
    const FileEntry& oldest = entries.front();
    if (oldest.received_at < now - options_.keep_for || size().bytes > options_.keep_bytes) {
      HASTUR_TRY(files_.remove_oldest());
      return true;
    }
  }
  const auto step = joiner_.step(files_, lost_, packer_, now);
  return step;
}

History::Size SqliteHistory::size() const {
  Size size;
  for (const FileEntry& entry : files_.entries()) {
    size.bytes += entry.bytes;
    size.batches += entry.rows;
    ++size.files;
  }
  return size;
}

}  // namespace

Result<std::unique_ptr<History>> open_history(const SqliteHistoryOptions& options) {
  auto folder = HistoryFolder::open(options);
  if (!folder) return fail(folder.error());
  auto history = std::make_unique<SqliteHistory>(options, std::move(*folder));
  HASTUR_TRY(history->start());
  return std::unique_ptr<History>(std::move(history));
}

}  // namespace hastur
