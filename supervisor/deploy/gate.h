#pragma once

// Whether a commit may run: trigger-test loads every trigger that it changes, hunts for what is
// unsafe in it and runs its test files, in a process that is bounded in time (DESIGN §12). What is
// left of that time goes to a backtest.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "supervisor/deploy/backtest.h"
#include "supervisor/deploy/bounded_run.h"
#include "trigger-runtime/sources/checkout.h"

namespace hastur {

class Gate {
 public:
  struct Options {
    // The program.
    std::string trigger_test;
    // Where commits are written while they are tested.
    std::string folder;
    Micros time_max = std::chrono::seconds{60};
    // For a program whose time is over to say what it was at.
    Micros last_words = std::chrono::seconds{10};
    // How far back and with which limit; the program and the folder are those above.
    Backtest::Options backtest = {};
  };
  // What is judged.
  struct Subject {
    // All of the commit, by path.
    std::map<std::string, std::string> files;
    // Of the scripts that are tested.
    std::vector<std::string> scripts;
    // Those among them that are to be other than what runs.
    std::vector<Backtest::Pair> pairs;
    // The newest input that is known: asked when the backtest begins, which ends with it.
    std::function<Sequence()> newest = {};
  };
  struct Verdict {
    bool passed = false;
    // For people; ends with a line's end. Empty if nothing was to be tested.
    std::string report;
    // Nothing was found out about the commit: the tests could not be run at all.
    bool is_void = false;
    // What helpers begin with, by path of the script.
    std::map<std::string, WarmStart> warm = {};
  };

  // Calls `done` once, on the loop, never from within; not at all if the gate goes before.
  static std::unique_ptr<Gate> begin(Loop& loop, const Options& options, Subject subject,
                                     std::function<void(Verdict)> done);

 private:
  Gate(Loop& loop, const Options& options, Subject subject, std::function<void(Verdict)> done)
      : loop_(loop),
        options_(options),
        subject_(std::move(subject)),
        began_(clock_.monotonic()),
        done_(std::move(done)) {}
  Result<void> start();
  void tested(const BoundedRun::Ended& ended);
  void backtest(Verdict verdict);
  void tell(Verdict verdict);

  Loop& loop_;
  SystemClock clock_;
  Options options_;
  Subject subject_;
  Micros began_;
  std::function<void(Verdict)> done_;
  std::unique_ptr<Checkout> checkout_;
  std::unique_ptr<BoundedRun> run_;
  std::unique_ptr<Backtest> backtest_;
  std::unique_ptr<Loop::Handle> later_;
};

}  // namespace hastur
