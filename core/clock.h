#pragma once

// Real time enters the process here and nowhere else, so that everything above can be run on a
// clock moved by hand. tests/tidy greps for other readers.

#include <mutex>

#include <optional>

#include "core/time.h"

namespace hastur {

class Clock {
 public:
  virtual ~Clock() = default;

  // UTC. Runs on CLOCK_BOOTTIME from the object's making, so that it goes on through a suspend and
  // does not jump when the system clock is set; it is slewed towards real time by at most 1/100 of
  // the time that passes. A forward step of real time over an hour is believed once it has stood
  // for 60 s; never goes back.
  virtual Time now() = 0;

  // Time since an unspecified start; for time limits and measurements.
  virtual Micros monotonic() = 0;
};

class SystemClock final : public Clock {
 public:
  SystemClock();
  Time now() override;
  Micros monotonic() override;

 private:
  Micros boot_last_;
  Time last_;
  // The latest time given out: a slew backwards holds the clock until it has passed this again.
  Time newest_{};
  // How far the clock may still be slewed, in hundredths of a microsecond of time passed.
  std::int64_t slew_credit_ = 0;
  // When real time was first seen over an hour ahead, and stayed so; zero if it is not.
  Micros ahead_since_{0};
};

// Another clock, for several threads. It outlives this.
class SharedClock final : public Clock {
 public:
  explicit SharedClock(Clock& clock) : clock_(clock) {}
  Time now() override {
    const std::lock_guard lock(mutex_);
    return clock_.now();
  }
  Micros monotonic() override {
    const std::lock_guard lock(mutex_);
    return clock_.monotonic();
  }

 private:
  std::mutex mutex_;
  Clock& clock_;
};

// For tests and trigger-test: stands until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  Time now() override { return now_; }
  Micros monotonic() override { return now_.time_since_epoch(); }
  void advance(Micros by) { now_ += by; }

 private:
  Time now_;
};

// CPU time that this process has used, and that the calling thread has.
Micros cpu_time();
Micros thread_cpu_time();
// The same of another process; nothing if there is none.
std::optional<Micros> cpu_time_of(int process);

}  // namespace hastur
