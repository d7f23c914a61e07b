#pragma once

// What History knows besides messages, as it stands now: marks, host names, counters, leases, and
// the list of lost ranges. Small; every implementation holds it in memory.

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "state/history/history.h"

namespace hastur {

class Facts {
 public:
  void take(const AppendFacts& facts);
  void take(std::span<const LeaseRecord> leases);

  std::optional<DerivedMark> mark(const TriggerName& trigger) const;
  std::optional<std::string> hostname(const std::string& uuid) const;
  std::vector<DerivedMark> marks() const;
  std::vector<HostName> hosts() const;
  std::vector<LeaseRecord> leases() const;
  const std::map<std::string, std::uint64_t>& counters() const { return counters_; }

 private:
  std::unordered_map<TriggerName, DerivedMark> marks_;
  std::unordered_map<std::string, std::string> hosts_;
  std::map<std::string, std::uint64_t> counters_;
  std::map<TriggerName, LeaseRecord> leases_;
};

// Lost ranges in order, none touching another of the same cause.
class LostRanges {
 public:
  // Adds what of the range is not yet in the list; true if that was anything.
  bool add(const LostRange& range);
  // Cuts away everything before `first`.
  void forget_before(Sequence first);
  // Whether any number of [first, last] is lost.
  bool touches(Sequence first, Sequence last) const;
  // Those that touch [first, last].
  std::vector<LostRange> touching(Sequence first, Sequence last) const;
  const std::vector<LostRange>& all() const { return ranges_; }

 private:
  std::vector<LostRange> ranges_;
};

// What min(timestamp, received_at) and received_at are after the last row of a batch that has one.
struct BatchTimes {
  Time stream_time;
  Time received_at;
};
BatchTimes times_after(const BatchView& batch);

// The sequence in `batch` at which stream time is first `time` or later, if it comes to that.
std::optional<Sequence> first_at(const BatchView& batch, Time time);

// `invalid` if no stream comes to such a number.
Result<void> check_seen(Sequence seen);

// Ends the process unless the batch continues a stream that stands at `last`.
void check_continues(const Batch& batch, const StreamId& stream, Sequence last);

}  // namespace hastur
