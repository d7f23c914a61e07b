#include "state/history/history_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "state/history/history_file.h"
#include "state/history/history_folder.h"
#include "state/history/stored_batch.h"
#include "state/history/tail_end.h"

namespace hastur {
namespace {

// Batches that are read in one transaction: a long one would let the syndicator's WAL grow.
constexpr std::uint32_t rows_at_once = 64;

class Checking {
 public:
  Checking(std::string directory, const std::function<void(Sequence)>& look)
      : directory_(std::move(directory)), look_(look) {}

  Result<HistoryCheck> run() {
    auto files = history_files(directory_);
    if (!files) return fail(files.error());
    if (files->empty())
      return fail(ErrorCode::not_found, fmt::format("there is no History in {}", directory_));
    // The newest knows of all ranges that are lost.
    for (std::size_t i = 0; i < files->size(); ++i)
      HASTUR_TRY(check_file((*files)[i], i + 1 == files->size()));
    explain_gaps();
    return std::move(check_);
  }

 private:
  struct Gap {
    Sequence first, last;
    std::string path;
  };

  void find(std::string sentence) {
    if (found_in_file_ < findings_max)
      check_.findings.push_back(fmt::format("{}: {}", path_, std::move(sentence)));
    if (found_in_file_++ == findings_max)
      check_.findings.push_back(fmt::format("{}: and more", path_));
  }

  Result<void> check_file(Sequence first, bool is_tail) {
    path_ = fmt::format("{}/{:020}.db", directory_, first.value);
    found_in_file_ = 0;
    auto done = look_into(first, is_tail);
    if (done) return {};
    // Another program's file says nothing about what is damaged.
    if (done.error().code == ErrorCode::invalid) return done;
    // Retention may have taken it meanwhile.
    std::error_code ignored;
    if (!std::filesystem::exists(path_, ignored)) return {};
    find(done.error().message);
    // What it held is not known: the next file begins anew.
    expected_.reset();
    return {};
  }

  Result<void> look_into(Sequence first, bool is_tail) {
    auto opened = HistoryFile::open({.path = path_, .access = DatabaseOptions::Access::read_only});
    if (!opened) return fail(opened.error());
    HistoryFile& file = *opened;
    const auto begun = file.is_begun();
    if (!begun) return fail(begun.error());
    // A new file whose first transaction is not there yet counts for nothing.
    if (!*begun) return {};
    ++check_.files;
    HASTUR_TRY(check_pages(file, is_tail));
    const auto state = file.tail_state();
    if (!state) return fail(state.error());
    if (check_.files > 1 && state->stream != check_.stream)
      find(fmt::format("it is of stream {}", state->stream.to_string()));
    check_.stream = state->stream;
    if (is_tail && state->sealed) find("a newer file was begun after it, and is not there");
    auto lost = file.lost();
    if (!lost) return fail(lost.error());
    lost_ = std::move(*lost);
    if (is_tail) HASTUR_TRY(check_end(file, first));
    return check_rows(file, first);
  }

  // What the syndicator would find at its start.
  Result<void> check_end(HistoryFile& file, Sequence first) {
    const auto end = find_tail_end(file, first);
    if (!end) return fail(end.error());
    if (end->strays.empty()) return {};
    find(
        fmt::format("{} of its rows are not what was written and may have been the last; the "
                    "syndicator removes them at its start and goes on behind their numbers",
                    end->strays.size()));
    return {};
  }

  // The pages of the tail's batches are looked at with the batches: one long read would keep the
  // syndicator from beginning another file.
  Result<void> check_pages(HistoryFile& file, bool is_tail) {
    if (!is_tail) return check_pragma(file, "PRAGMA integrity_check(20)");
    HASTUR_TRY(check_pragma(file, "PRAGMA integrity_check(meta)"));
    HASTUR_TRY(check_pragma(file, "PRAGMA integrity_check(names)"));
    HASTUR_TRY(check_pragma(file, "PRAGMA integrity_check(lost)"));
    HASTUR_TRY(check_pragma(file, "PRAGMA integrity_check(counter)"));
    HASTUR_TRY(check_pragma(file, "PRAGMA integrity_check(host)"));
    HASTUR_TRY(check_pragma(file, "PRAGMA integrity_check(mark)"));
    return check_pragma(file, "PRAGMA integrity_check(lease)");
  }
  Result<void> check_pragma(HistoryFile& file, std::string_view pragma) {
    Query query = file.database().query(pragma);
    while (true) {
      const auto row = query.step();
      if (!row) return fail(row.error());
      if (!*row) return {};
      if (query.text(0) != "ok") find(std::string(query.text(0)));
    }
  }

  Result<void> check_rows(HistoryFile& file, Sequence first) {
    if (expected_ && *expected_ < first) {
      note_gap(*expected_, Sequence{first.value - 1});
      expected_ = first;
      stream_time_.reset();
    }
    Sequence next = first;
    impossible_.clear();
    while (true) {
      const auto more = check_some_rows(file, next);
      if (!more) return fail(more.error());
      if (!*more) return {};
      if (look_) look_(Sequence{next.value - 1});
    }
  }

  // Those from `next` on, which moves behind them; false if there are none.
  Result<bool> check_some_rows(HistoryFile& file, Sequence& next) {
    Transaction transaction(file.database());
    HASTUR_TRY(transaction.begin_reading());
    const auto heads = file.heads(next, rows_at_once);
    if (!heads) return fail(heads.error());
    const Sequence began = next;
    for (const RowHead& head : *heads) {
      // Each is told once, where it stands.
      if (!head.is_possible()) {
        if (impossible_.insert(head.header.first.value).second) {
          find(fmt::format("a row says that it holds {} messages from {} on, which cannot be",
                           head.header.count, static_cast<std::int64_t>(head.header.first.value)));
        }
        continue;
      }
      if (head.header.last() < next) continue;
      check_row(file, head);
      next = head.header.last().next();
    }
    // Behind rows that cannot be there may come others.
    if (next == began && heads->size() == rows_at_once && heads->back().header.first < sequence_max)
      next = std::max(next, heads->back().header.first);
    return next > began;
  }

  void check_row(HistoryFile& file, const RowHead& head) {
    const BatchHeader& header = head.header;
    if (check_.oldest.value == 0) check_.oldest = header.first;
    if (expected_ && header.first > *expected_)
      note_gap(*expected_, Sequence{header.first.value - 1});
    // Rows are joined meanwhile: one may begin before where the last one read ended.
    const bool overlaps = expected_ && header.first < *expected_;
    const bool continues = !overlaps && stream_time_ && expected_ == header.first;
    expected_ = header.last().next();
    check_.last = std::max(check_.last, header.last());
    ++check_.batches;
    check_.messages += header.count;
    const auto name = [&] {
      return fmt::format("the batch of {} to {}", header.first.value, header.last().value);
    };
    auto batch = file.batch(head, packer_);
    if (!batch) {
      find(batch.error().message);
      stream_time_.reset();
      return;
    }
    const auto view = BatchView::open(batch->header, batch->body);
    if (!view) return find(fmt::format("{}: {}", name(), view.error().message));
    const BatchTimes after = times_after(*view);
    if (after.stream_time != head.stream_time_after || after.received_at != head.received_at)
      find(fmt::format("{} says other times than its messages", name()));
    if (continues && header.stream_time_before != *stream_time_)
      find(fmt::format("{} does not begin at the stream time that the one before ends with",
                       name()));
    stream_time_ = head.stream_time_after;
    const auto names = file.names(header.first);
    if (!names) return find(names.error().message);
    if (*names && **names != name_hashes(*view))
      find(fmt::format("{} is indexed under other names than it holds", name()));
  }

  void note_gap(Sequence first, Sequence last) { gaps_.push_back({first, last, path_}); }

  // What is missing must be known as lost by the newest file.
  void explain_gaps() {
    for (const Gap& gap : gaps_) {
      Sequence at = gap.first;
      const auto ranges = lost_.touching(gap.first, gap.last);
      path_ = gap.path;
      found_in_file_ = 0;
      for (const LostRange& range : ranges) {
        if (range.first > at) unexplained(at, Sequence{range.first.value - 1});
        const Sequence end = std::min(range.last, gap.last);
        check_.lost += end.value - std::max(at, range.first).value + 1;
        at = end.next();
      }
      if (at <= gap.last) unexplained(at, gap.last);
    }
  }
  void unexplained(Sequence first, Sequence last) {
    find(fmt::format("the messages {} to {} are missing, and are not known as lost", first.value,
                     last.value));
  }

  std::string directory_;
  const std::function<void(Sequence)>& look_;
  HistoryCheck check_;
  std::string path_;
  std::size_t found_in_file_ = 0;
  BatchPacker packer_;
  // What the next row should begin with, if that is known.
  std::optional<Sequence> expected_;
  std::optional<Time> stream_time_;
  LostRanges lost_;
  // Keys of rows of this file that cannot be, and have been told.
  std::set<std::uint64_t> impossible_;
  std::vector<Gap> gaps_;
};

}  // namespace

Result<std::optional<HistoryEnd>> history_end(const std::string& directory) {
  auto files = history_files(directory);
  if (!files) return fail(files.error());
  for (auto first = files->rbegin(); first != files->rend(); ++first) {
    auto file = HistoryFile::open({.path = fmt::format("{}/{:020}.db", directory, first->value),
                                   .access = DatabaseOptions::Access::read_only});
    if (!file) return fail(file.error());
    const auto begun = file->is_begun();
    if (!begun) return fail(begun.error());
    if (!*begun) continue;
    Transaction transaction(file->database());
    HASTUR_TRY(transaction.begin_reading());
    const auto state = file->tail_state();
    if (!state) return fail(state.error());
    const auto lost = file->lost();
    if (!lost) return fail(lost.error());
    const auto tail_end = find_tail_end(*file, *first);
    if (!tail_end) return fail(tail_end.error());
    const auto& row = tail_end->last;
    HistoryEnd end{state->stream, row ? row->header.last() : Sequence{first->value - 1}};
    for (const LostRange& range : lost->all()) end.last = std::max(end.last, range.last);
    return std::optional{end};
  }
  return std::optional<HistoryEnd>{};
}

Result<HistoryCheck> check_history(const std::string& directory,
                                   const std::function<void(Sequence)>& look) {
  return Checking(directory, look).run();
}

}  // namespace hastur
