#pragma once

// What changed triggers would have done otherwise on recent History (DESIGN §12): `trigger-test
// backtest` runs what runs now beside what is to run, on what `supervisor export` writes to its
// standard input. One export feeds all of them. What of the window it came to stands in each line.
//
// What it brought about in helpers that are new or changed is handed on: the trigger begins with
// it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/loop.h"
#include "core/result.h"
#include "message/ids.h"
#include "supervisor/deploy/bounded_run.h"
#include "supervisor/dispatch/deployment.h"
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
  // A trigger that is to be another than what runs.
  struct Pair {
    // Of its script, in the commit.
    std::string path;
    // What runs: the script, under that same path, and its libraries. Empty: nothing does.
    std::map<std::string, std::string> before;
  };
  struct Subject {
    // A folder with the commit's files, which stays until the end.
    std::string commit;
    std::vector<Pair> pairs;
    // The last input of the window; zero: none is known, and there is nothing to compare on.
    Sequence until;
  };
  struct Found {
    // A line a trigger, and the first of its notifications that are others.
    std::string report;
    // The limit has been passed.
    bool blocks = false;
    // By path of the script. None if the window was not compared to its end.
    std::map<std::string, WarmStart> warm = {};
  };

  // Calls `done` once, on the loop, never from within; not at all if the backtest goes before.
  // `loop` outlives it.
  static std::unique_ptr<Backtest> begin(Loop& loop, const Options& options, Subject subject,
                                         Micros time_max, std::function<void(Found)> done);

  // Less than this is no time.
  static constexpr Micros time_min = std::chrono::milliseconds{500};

 private:
  Backtest(Loop& loop, const Options& options, Subject subject, Micros time_max,
           std::function<void(Found)> done)
      : loop_(loop),
        options_(options),
        subject_(std::move(subject)),
        until_(clock_.monotonic() + time_max),
        done_(std::move(done)) {}
  void run();
  Result<void> start(Micros time_max);
  void look();
  void compared();
  void tell_of(const Pair& pair, const Json& said);
  void take_helpers(const Pair& pair, const Json& said, Time at);
  void tell(const std::string& name, const std::string& text);

  Loop& loop_;
  SystemClock clock_;
  Options options_;
  Subject subject_;
  Micros until_;
  Found found_;
  std::function<void(Found)> done_;
  std::optional<Checkout> before_;
  std::unique_ptr<BoundedRun> exporter_, comparison_;
  std::optional<BoundedRun::Ended> exported_, ended_;
  // Notifications that are shown one by one, of all triggers.
  std::size_t shown_ = 0;
  std::unique_ptr<Loop::Handle> later_;
};

}  // namespace hastur
