#pragma once

// Whether a commit may run: trigger-test loads every trigger that it changes, hunts for what is
// unsafe in it and runs its test files, in a process that is bounded in time (DESIGN §12).

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/result.h"
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
  };
  struct Verdict {
    bool passed = false;
    // For people; ends with a line's end.
    std::string report;
    // Nothing was found out about the commit: the tests could not be run at all.
    bool is_void = false;
  };

  // `files` are the commit's, `scripts` the paths of those that it changes. Calls `done` once, on
  // the loop, never from within; not at all if the gate goes before.
  static std::unique_ptr<Gate> begin(Loop& loop, const Options& options,
                                     const std::map<std::string, std::string>& files,
                                     const std::vector<std::string>& scripts,
                                     std::function<void(Verdict)> done);

 private:
  Gate(Loop& loop, std::function<void(Verdict)> done) : loop_(loop), done_(std::move(done)) {}
  Result<void> start(const Options& options, const std::map<std::string, std::string>& files,
                     const std::vector<std::string>& scripts);
  void tested(const BoundedRun::Ended& ended);
  void tell(Verdict verdict);

  Loop& loop_;
  std::function<void(Verdict)> done_;
  std::unique_ptr<Checkout> checkout_;
  std::unique_ptr<BoundedRun> run_;
  std::unique_ptr<Loop::Handle> later_;
};

}  // namespace hastur
