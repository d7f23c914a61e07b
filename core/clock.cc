#include "core/clock.h"

#include <ctime>

#include <algorithm>
#include <cstdlib>

namespace hastur {
namespace {

Micros read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::seconds{time.tv_sec} +
         std::chrono::duration_cast<Micros>(std::chrono::nanoseconds{time.tv_nsec});
}

constexpr Micros step_min = std::chrono::hours{1};
// Credit is kept for at most ten seconds, so that a long quiet time does not allow a visible jump.
constexpr std::int64_t slew_credit_max = 10 * us_per_second;
constexpr Micros step_believed_after = std::chrono::seconds{60};

}  // namespace

SystemClock::SystemClock()
    : boot_last_(read_clock(CLOCK_BOOTTIME)), last_(read_clock(CLOCK_REALTIME)) {}

Time SystemClock::now() {
  const Micros boot = read_clock(CLOCK_BOOTTIME);
  const Micros passed = boot - boot_last_;
  boot_last_ = boot;
  last_ += passed;

  const Micros off = Time{read_clock(CLOCK_REALTIME)} - last_;
  if (off > step_min) {
    if (ahead_since_ == Micros{0}) ahead_since_ = boot;
    if (boot - ahead_since_ >= step_believed_after) {
      last_ += off;
      ahead_since_ = Micros{0};
    }
    newest_ = std::max(newest_, last_);
    return newest_;
  }
  ahead_since_ = Micros{0};
  slew_credit_ = std::min(slew_credit_ + passed.count(), slew_credit_max);
  const Micros slew_max{slew_credit_ / 100};
  const Micros slew = std::clamp(off, -slew_max, slew_max);
  last_ += slew;
  slew_credit_ -= std::abs(slew.count()) * 100;
  if (last_ < newest_) return newest_;
  newest_ = last_;
  return last_;
}

Micros SystemClock::monotonic() { return read_clock(CLOCK_BOOTTIME); }

Micros cpu_time() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

Micros thread_cpu_time() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

std::optional<Micros> cpu_time_of(int process) {
  clockid_t clock = 0;
  if (clock_getcpuclockid(process, &clock) != 0) return std::nullopt;
  return read_clock(clock);
}

}  // namespace hastur
