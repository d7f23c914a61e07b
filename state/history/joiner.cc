#include "state/history/joiner.h"

#include <algorithm>

namespace hastur {
namespace {

// The newest messages are what readers of the live stream ask for again; they stay as they came.
constexpr Micros young = std::chrono::seconds{5};
// A group that does not fill up is written after this long, so that a slow stream is joined too.
constexpr Micros patience = std::chrono::minutes{10};
// A joined batch: large enough for its dictionaries to weigh nothing, small enough to be packed and
// read in a few milliseconds, and a fit unit for the index of names.
constexpr std::uint32_t joined_rows_max = 16'384;
constexpr std::size_t joined_bytes_max = 2u << 20;
// Of one transaction: how many rows it reads, or removes.
constexpr std::uint32_t rows_read_max = 64;
constexpr std::uint64_t rows_removed_max = 1024;
// Messages collected in a step.
constexpr std::uint32_t step_messages_max = 8'192;

}  // namespace

void Joiner::reset() {
  if (builder_.count() > 0) builder_ = BatchBuilder();
  whole_.reset();
  head_.reset();
  rows_ = 0;
  ready_ = false;
}

bool Joiner::has_waited(Time now) const { return head_ && oldest_ <= now - patience; }

void Joiner::add(const Batch& batch) {
  const BatchView view = BatchView::trusted(batch.header, batch.body);
  for (std::uint32_t row = 0; row < view.count(); ++row) {
    builder_.add(view.message(row, scratch_));
  }
}

Result<bool> Joiner::step(FileSet& files, const LostRanges& lost, BatchPacker& packer, Time now) {
  auto& entries = files.entries();
  const auto unjoined = std::ranges::find_if(entries, [](const FileEntry& entry) {
    return !entry.damaged && entry.last >= entry.first && entry.joined_to < entry.last;
  });
  if (unjoined == entries.end()) {
    reset();
    return false;
  }
  const auto index = static_cast<std::size_t>(unjoined - entries.begin());
  if (file_ != unjoined->first) {
    reset();
    file_ = unjoined->first;
    read_to_ = unjoined->joined_to.value_or(Sequence{unjoined->first.value - 1});
  }
  // Packing and writing are a step of their own.
  Result<bool> worked = true;
  if (!ready_) {
    worked = collect(files, index, lost, packer, now);
  } else if (const auto written = write(files, index, packer); !written) {
    worked = fail(written.error());
  }
  if (!worked) {
    // It begins again from what is on the disk. A damaged file stays as it is.
    file_.reset();
    if (worked.error().code == ErrorCode::corrupt && index + 1 < entries.size()) {
      unjoined->joined_to = unjoined->last;
    }
  }
  return worked;
}

Result<bool> Joiner::collect(FileSet& files, std::size_t index, const LostRanges& lost,
                             BatchPacker& packer, Time now) {
  FileEntry& entry = files.entries()[index];
  const bool is_tail = index + 1 == files.entries().size();
  const auto opened = files.file(index);
  if (!opened) return fail(opened.error());
  HistoryFile& file = **opened;
  Transaction reading(file.database());
  HASTUR_TRY(reading.begin_reading());
  const auto heads = file.heads(read_to_.next(), rows_read_max);
  if (!heads) return fail(heads.error());
  bool worked = false;
  std::uint32_t messages = 0;
  bool at_end = heads->size() < rows_read_max;
  for (const RowHead& head : *heads) {
    // Found because of what a damaged row says of its end.
    if (!head.is_possible() || head.header.first <= read_to_) continue;
    if (is_tail && head.received_at > now - young) {
      at_end = true;
      break;
    }
    if (messages >= step_messages_max) return true;
    const BatchHeader& header = head.header;
    const bool fits = !head_ || (head_->header.last().next() == header.first &&
                                 head_->header.count + header.count <= joined_rows_max &&
                                 builder_.bytes() < joined_bytes_max && rows_ < rows_removed_max);
    if (!fits) {
      ready_ = true;
      return true;
    }
    auto batch = file.batch(head, packer);
    if (!batch && batch.error().code != ErrorCode::corrupt) return fail(batch.error());
    worked = true;
    if (!batch || lost.touches(header.first, header.last())) {
      // What a damaged row says of its end is believed only as far as no other row contradicts it.
      Sequence last = std::clamp(header.last(), header.first, std::max(header.first, entry.last));
      if (&head != &heads->back())
        last = std::min(last, Sequence{(&head + 1)->header.first.value - 1});
      read_to_ = std::max(read_to_, last);
      continue;
    }
    messages += header.count;
    read_to_ = header.last();
    if (!head_) {
      head_ = head;
      oldest_ = head.received_at;
      rows_ = 1;
      whole_ = std::move(*batch);
      if (header.count >= joined_rows_max / 2) {
        ready_ = true;
        return true;
      }
      continue;
    }
    if (whole_) add(*std::exchange(whole_, {}));
    add(*batch);
    head_->header.count += header.count;
    head_->stream_time_after = head.stream_time_after;
    head_->received_at = head.received_at;
    ++rows_;
  }
  ready_ = at_end && head_ && (!is_tail || has_waited(now));
  if (at_end && !is_tail && !head_) {
    // Nothing is left in this file; the next one may have something.
    entry.joined_to = entry.last;
    return true;
  }
  return worked || ready_;
}

Result<void> Joiner::write(FileSet& files, std::size_t index, BatchPacker& packer) {
  FileEntry& entry = files.entries()[index];
  const auto opened = files.file(index);
  if (!opened) return fail(opened.error());
  HistoryFile& file = **opened;
  const BatchHeader& header = head_->header;
  if (!whole_) {
    whole_ = builder_.finish(header.stream, header.first, header.stream_time_before);
    head_->header.checksum = whole_->header.checksum;
  }
  const std::string names = name_hashes(BatchView::trusted(whole_->header, whole_->body));
  const std::string_view stored = packer.pack(*head_, whole_->body, BatchPacker::Density::dense);
  Transaction transaction(file.database());
  HASTUR_TRY(transaction.begin());
  HASTUR_TRY(file.join_rows(*head_, stored, names));
  HASTUR_TRY(transaction.commit());
  entry.joined_to = header.last();
  entry.rows -= rows_ - 1;
  if (const auto bytes = file.database().bytes()) entry.bytes = *bytes;
  reset();
  return {};
}

}  // namespace hastur
