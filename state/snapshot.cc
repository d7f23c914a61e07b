#include "state/snapshot.h"

#include <algorithm>
#include <limits>

namespace hastur {
namespace {

constexpr Micros minute = std::chrono::minutes{1};
constexpr Micros hour = std::chrono::hours{1};
constexpr Micros day = std::chrono::hours{24};
constexpr Micros month = day * 31;

std::int64_t slot(Time time, Micros span, Micros shift = Micros{0}) {
  const std::int64_t us = to_us(time) + shift.count();
  // Downwards, before 1970 too.
  const std::int64_t at = us / span.count();
  return us % span.count() < 0 ? at - 1 : at;
}

// Whether the snapshot before it stands for it.
bool is_double(const SnapshotRecord& before, const SnapshotRecord& at, Micros age) {
  // A rollback goes back to the end of a run, however long ago that was.
  if (at.why == "end") return false;
  const Micros span = age < hour ? minute : age < day ? hour : day;
  // Those of a run's start and end stay beside those of the minute.
  if (span == minute && (at.why != "cadence" || before.why != "cadence")) return false;
  return slot(before.time, span) == slot(at.time, span);
}

// How much going back would lose without it: the gap that it would leave, for its age.
double worth(Time before, Time after, Micros age) {
  return static_cast<double>((after - before).count()) /
         static_cast<double>(std::max(age, minute).count());
}

}  // namespace

bool is_snapshot_due(Time newest, Time now, std::uint64_t trigger) {
  // 7,919 ms and 60 s have no common factor: the seconds are spread evenly.
  const Micros shift = std::chrono::milliseconds{trigger % 60'000 * 7'919 % 60'000};
  return slot(now, minute, shift) > slot(newest, minute, shift);
}

std::vector<std::size_t> thin(std::span<const SnapshotRecord> kept, std::uint64_t bytes_max) {
  std::vector<std::size_t> gone;
  if (kept.empty()) return gone;
  const Time now = kept.back().time;
  std::vector<std::size_t> stay;
  std::uint64_t bytes = 0;
  for (std::size_t at = 0; at < kept.size(); ++at) {
    const Micros age = now - kept[at].time;
    const bool newest = at + 1 == kept.size();
    if (!newest &&
        (age >= month || (!stay.empty() && is_double(kept[stay.back()], kept[at], age)))) {
      gone.push_back(at);
      continue;
    }
    stay.push_back(at);
    bytes += kept[at].bytes;
  }
  while (bytes > bytes_max && stay.size() > 1) {
    std::size_t least = 0;
    double least_worth = std::numeric_limits<double>::max();
    for (std::size_t at = 0; at + 1 < stay.size(); ++at) {
      const SnapshotRecord& record = kept[stay[at]];
      // The oldest has nothing before it: it is worth the whole way back to it.
      const Time before = at == 0 ? record.time - (now - record.time) : kept[stay[at - 1]].time;
      const double here = worth(before, kept[stay[at + 1]].time, now - record.time);
      if (here < least_worth) least = at, least_worth = here;
    }
    bytes -= kept[stay[least]].bytes;
    gone.push_back(stay[least]);
    stay.erase(stay.begin() + static_cast<std::ptrdiff_t>(least));
  }
  std::ranges::sort(gone);
  return gone;
}

}  // namespace hastur
