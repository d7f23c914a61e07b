#include "state/history/file_set.h"

#include <algorithm>

#include "core/log.h"
#include "state/history/tail_end.h"

namespace hastur {
namespace {

constexpr std::size_t open_files_max = 5;
// Of an older file, from its end, for one that is what was written.
constexpr int rows_looked_at_max = 64;

}  // namespace

void FileEntry::ends_with(const RowHead& head) {
  last = head.header.last();
  stream_time = head.stream_time_after;
  received_at = head.received_at;
}

Result<bool> FileSet::load() {
  auto firsts = folder_.list();
  if (!firsts) return fail(firsts.error());
  while (!firsts->empty()) {
    const Sequence first = firsts->back();
    auto file = HistoryFile::open(folder_.database(first));
    if (!file) return fail(file.error());
    const auto begun = file->is_begun();
    if (!begun) return fail(begun.error());
    if (*begun) {
      open_.push_back({first, std::make_unique<HistoryFile>(std::move(*file))});
      break;
    }
    // Its first transaction never came to an end: the file before it is the tail.
    log_warn(
        "the History file {} has no beginning and is removed: its first commit never came to "
        "an end, or the -wal file beside it is gone",
        folder_.path(first));
    discard(std::move(*file), first);
    firsts->pop_back();
    if (firsts->empty())
      log_warn(
          "nothing is left of the stream that was here: a new one begins, which no state file "
          "of before fits");
  }
  if (firsts->empty()) return false;

  for (std::size_t i = 0; i < firsts->size(); ++i) {
    FileEntry entry{.first = (*firsts)[i], .last = {(*firsts)[i].value - 1}};
    const bool is_tail = i + 1 == firsts->size();
    if (is_tail) {
      HASTUR_TRY(read_tail_entry(entry));
    } else {
      auto file = HistoryFile::open(folder_.database(entry.first));
      const Result<bool> begun = file ? file->is_begun() : Result<bool>(fail(file.error()));
      const Sequence last_max{(*firsts)[i + 1].value - 1};
      const Result<void> read =
          begun && *begun ? read_older_entry(entry, *file, last_max) : Result<void>{};
      if (!begun || !*begun || !read) {
        entry.damaged = true;
        entry.last = last_max;
        log_error("History goes on without {}: {}", folder_.path(entry.first),
                  !begun  ? begun.error().message
                  : !read ? read.error().message
                          : "it has no beginning");
      }
    }
    entries_.push_back(entry);
  }
  return true;
}

// Without its end.
Result<void> FileSet::read_entry(FileEntry& entry, HistoryFile& file) {
  const auto first = file.first_head();
  if (!first) return fail(first.error());
  if (*first) entry.stream_time_begin = (*first)->stream_time_after;
  const auto bytes = file.database().bytes();
  if (!bytes) return fail(bytes.error());
  entry.bytes = *bytes;
  const auto joined_to = file.joined_to();
  if (!joined_to) return fail(joined_to.error());
  entry.joined_to = *joined_to;
  return {};
}

Result<void> FileSet::read_tail_entry(FileEntry& entry) {
  HASTUR_TRY(read_entry(entry, tail()));
  auto end = find_tail_end(tail(), entry.first);
  if (!end) return fail(end.error());
  entry.rows = end->rows - end->strays.size();
  strays_ = std::move(end->strays);
  if (end->last) entry.ends_with(*end->last);
  return {};
}

Result<void> FileSet::read_older_entry(FileEntry& entry, HistoryFile& file, Sequence last_max) {
  HASTUR_TRY(read_entry(entry, file));
  const auto rows = file.row_count();
  if (!rows) return fail(rows.error());
  entry.rows = *rows;
  // Its rows may end before the next file begins: then something is missing between the two. If the
  // last row is not what was written, whoever reads the file finds out where it ends; its times are
  // those of the last one that is.
  auto last = file.last_head();
  for (int back = 0; last && *last && back < rows_looked_at_max; ++back) {
    const auto sealed = file.is_sealed(**last);
    if (!sealed) return fail(sealed.error());
    if (*sealed && (*last)->header.last() <= last_max) {
      entry.ends_with(**last);
      if (back > 0) entry.last = last_max;
      return {};
    }
    last = file.head_before((*last)->header.first);
  }
  if (!last) return fail(last.error());
  if (*last) entry.last = last_max;
  return {};
}

Result<HistoryFile> FileSet::make(Sequence first) {
  HASTUR_TRY(folder_.remove(first));
  auto file = HistoryFile::open(folder_.database(first));
  if (!file) (void)folder_.remove(first);
  return file;
}

void FileSet::discard(HistoryFile file, Sequence first) {
  { const HistoryFile closed = std::move(file); }
  const auto removed = folder_.remove(first);
  if (!removed) log_warn("{}", removed.error().message);
}

void FileSet::add_tail(HistoryFile file, const FileEntry& entry) {
  entries_.push_back(entry);
  open_.insert(open_.begin(), {entry.first, std::make_unique<HistoryFile>(std::move(file))});
  if (open_.size() > open_files_max) open_.pop_back();
}

std::size_t FileSet::index_of(Sequence sequence) const {
  const auto after = std::ranges::upper_bound(entries_, sequence, {}, &FileEntry::first);
  return after == entries_.begin() ? 0 : static_cast<std::size_t>(after - entries_.begin()) - 1;
}

Result<HistoryFile*> FileSet::file(std::size_t index) {
  const Sequence first = entries_[index].first;
  const auto found = std::ranges::find(open_, first, &Open::first);
  if (found == open_.begin()) return &tail();
  if (found != open_.end()) {
    std::rotate(open_.begin() + 1, found, found + 1);
    return open_[1].file.get();
  }
  DatabaseOptions options = folder_.database(first);
  options.access = DatabaseOptions::Access::existing;
  auto file = HistoryFile::open(options);
  if (!file) return fail(file.error());
  const auto begun = file->is_begun();
  if (!begun) return fail(begun.error());
  open_.insert(open_.begin() + 1, {first, std::make_unique<HistoryFile>(std::move(*file))});
  if (open_.size() > open_files_max) open_.pop_back();
  return open_[1].file.get();
}

Result<void> FileSet::remove_oldest() {
  HASTUR_CHECK(entries_.size() > 1, "the tail is never removed");
  const Sequence first = entries_.front().first;
  std::erase_if(open_, [&](const Open& open) { return open.first == first; });
  HASTUR_TRY(folder_.remove(first));
  entries_.erase(entries_.begin());
  return {};
}

}  // namespace hastur
