#include "state/history/facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {

bool DerivedMark::covers(Run other_run, Sequence other_sequence,
                         std::uint32_t other_ordinal) const {
  return std::tie(other_run, other_sequence, other_ordinal) <= std::tie(run, sequence, ordinal);
}

void Facts::take(const AppendFacts& facts) {
  for (const HostName& host : facts.hosts) hosts_[host.uuid] = host.hostname;
  for (const DerivedMark& mark : facts.marks) marks_[mark.trigger] = mark;
  for (const auto& [name, total] : facts.counters) counters_[name] = total;
}

void Facts::take(std::span<const LeaseRecord> leases) {
  for (const LeaseRecord& lease : leases) leases_[lease.trigger] = lease;
}

std::optional<DerivedMark> Facts::mark(const TriggerName& trigger) const {
  const auto found = marks_.find(trigger);
  if (found == marks_.end()) return {};
  return found->second;
}

std::optional<std::string> Facts::hostname(const std::string& uuid) const {
  const auto found = hosts_.find(uuid);
  if (found == hosts_.end()) return {};
  return found->second;
}

std::vector<DerivedMark> Facts::marks() const {
  std::vector<DerivedMark> marks;
  for (const auto& [trigger, mark] : marks_) marks.push_back(mark);
  return marks;
}

std::vector<HostName> Facts::hosts() const {
  std::vector<HostName> hosts;
  for (const auto& [uuid, hostname] : hosts_) hosts.push_back({uuid, hostname});
  std::ranges::sort(hosts, {}, &HostName::uuid);
  return hosts;
}

std::vector<LeaseRecord> Facts::leases() const {
  std::vector<LeaseRecord> leases;
  for (const auto& [trigger, lease] : leases_) leases.push_back(lease);
  return leases;
}

bool LostRanges::add(const LostRange& range) {
  // What is known keeps its cause; only the rest is added.
  std::vector<LostRange> fresh;
  Sequence from = range.first;
  for (const LostRange& known : touching(range.first, range.last)) {
    if (from < known.first) fresh.push_back({from, {known.first.value - 1}, range.why});
    from = std::max(from, known.last.next());
  }
  if (from <= range.last) fresh.push_back({from, range.last, range.why});
  if (fresh.empty()) return false;
  ranges_.insert(ranges_.end(), fresh.begin(), fresh.end());
  std::ranges::sort(ranges_, {}, &LostRange::first);
  std::vector<LostRange> merged;
  for (const LostRange& next : ranges_) {
    if (!merged.empty() && merged.back().why == next.why &&
        merged.back().last.next() == next.first) {
      merged.back().last = next.last;
    } else {
      merged.push_back(next);
    }
  }
  ranges_ = std::move(merged);
  return true;
}

void LostRanges::forget_before(Sequence first) {
  std::erase_if(ranges_, [&](const LostRange& range) { return range.last < first; });
  if (!ranges_.empty() && ranges_.front().first < first) ranges_.front().first = first;
}

bool LostRanges::touches(Sequence first, Sequence last) const {
  const auto next = std::ranges::lower_bound(ranges_, first, {}, &LostRange::last);
  return next != ranges_.end() && next->first <= last;
}

std::vector<LostRange> LostRanges::touching(Sequence first, Sequence last) const {
  std::vector<LostRange> found;
  for (const LostRange& range : ranges_) {
    if (range.first <= last && first <= range.last) found.push_back(range);
  }
  return found;
}

BatchTimes times_after(const BatchView& batch) {
  HASTUR_CHECK(batch.count() > 0, "an empty batch has no last row");
  std::int64_t stream_time = to_us(batch.header().stream_time_before);
  const auto timestamps = batch.timestamps(), received_ats = batch.received_ats();
  for (std::size_t row = 0; row < timestamps.size(); ++row) {
    stream_time = std::max(stream_time, std::min(timestamps[row], received_ats[row]));
  }
  return {time_from_us(stream_time), time_from_us(received_ats.back())};
}

std::optional<Sequence> first_at(const BatchView& batch, Time time) {
  if (to_us(batch.header().stream_time_before) >= to_us(time)) return batch.header().first;
  const auto timestamps = batch.timestamps(), received_ats = batch.received_ats();
  for (std::uint32_t row = 0; row < batch.count(); ++row) {
    if (std::min(timestamps[row], received_ats[row]) >= to_us(time)) return batch.sequence(row);
  }
  return {};
}

Result<void> check_seen(Sequence seen) {
  if (seen < sequence_max) return {};
  return fail(
      ErrorCode::invalid,
      fmt::format("no stream comes to message {}, which somebody claims to have seen", seen.value));
}

void check_continues(const Batch& batch, const StreamId& stream, Sequence last) {
  HASTUR_CHECK(batch.header.stream == stream, "a batch of another stream was appended");
  HASTUR_CHECK(batch.header.first == last.next(), "an appended batch does not continue the stream");
}

}  // namespace hastur
