#include "supervisor/dispatch/failure_watch.h"

#include <algorithm>

namespace hastur {

void FailureWatch::add(Time at, std::uint64_t calls, std::uint64_t failed) {
  std::int64_t second = to_us(at) / us_per_second;
  if (!seconds_.empty()) second = std::max(second, seconds_.back().second);
  if (seconds_.empty() || seconds_.back().second != second) seconds_.push_back({second, 0, 0});
  seconds_.back().calls += calls;
  seconds_.back().failed += failed;
  calls_ += calls;
  failed_ += failed;
  const std::int64_t oldest = second - span / std::chrono::seconds{1};
  while (seconds_.front().second <= oldest) {
    calls_ -= seconds_.front().calls;
    failed_ -= seconds_.front().failed;
    seconds_.pop_front();
  }
}

void FailureWatch::clear() {
  seconds_.clear();
  calls_ = 0;
  failed_ = 0;
}

}  // namespace hastur
