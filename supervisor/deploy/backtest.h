#pragma once

// What changed triggers would have done otherwise on recent History (DESIGN §12): `trigger-test
// diff` runs what runs now beside what is to run, on what `supervisor export` writes to its
// standard input.
//
// One trigger after the other, each for its share of the time that is left. What of the window it
// came to stands in its line.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "supervisor/deploy/bounded_run.h"
#include "trigger-runtime/sources/checkout.h"

namespace hastur {

class Backtest {
 public:
  struct Options {
    std::string trigger_test;
    // The program that writes History, with the flags that say whose; those that say which part are
    // put behind. Empty: there is no backtest.
    std::vector<std::string> exporter;
    // Where what runs now is written while it is compared.
    std::string folder;
    // How far back; zero: there is no backtest.
    Micros window = std::chrono::minutes{10};
    // More new notifications of a trigger than so many refuse the commit.
    std::optional<std::uint64_t> new_notifications_max = std::nullopt;
  };
  // A trigger that runs now and is to be another.
  struct Pair {
    // Of its script, in the commit.
    std::string path;
    // What runs: the script, under that same path, and its libraries.
    std::map<std::string, std::string> before;
  };
  struct Found {
    // A line a trigger.
    std::string report;
    // The limit has been passed.
    bool blocks = false;
  };

  // `commit` is a folder with the commit's files, which stays until the end. Calls `done` once, on
  // the loop, never from within; not at all if the backtest goes before. `loop` outlives it.
  static std::unique_ptr<Backtest> begin(Loop& loop, const Options& options, std::string commit,
                                         std::vector<Pair> pairs, Micros time_max,
                                         std::function<void(Found)> done);

  // Less than this is no time for a trigger.
  static constexpr Micros share_min = std::chrono::milliseconds{500};

 private:
  Backtest(Loop& loop, const Options& options, std::string commit, std::vector<Pair> pairs,
           Micros time_max, std::function<void(Found)> done)
      : loop_(loop),
        options_(options),
        commit_(std::move(commit)),
        pairs_(std::move(pairs)),
        until_(clock_.monotonic() + time_max),
        done_(std::move(done)) {}
  void next();
  Result<void> compare(const Pair& pair, Micros share);
  void compared(const BoundedRun::Ended& ended);
  void tell_of(const Pair& pair, const std::string& text);

  Loop& loop_;
  SystemClock clock_;
  Options options_;
  std::string commit_;
  std::vector<Pair> pairs_;
  // The one that is compared, or comes next.
  std::size_t at_ = 0;
  Micros until_;
  Found found_;
  std::function<void(Found)> done_;
  std::optional<Checkout> before_;
  std::unique_ptr<BoundedRun> exporter_, diff_;
  // Why the exporter could not write, if so.
  std::string no_history_;
  std::unique_ptr<Loop::Handle> later_;
};

}  // namespace hastur
