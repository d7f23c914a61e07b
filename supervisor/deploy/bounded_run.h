#pragma once

// One run of a program on the event loop, bounded in time and in what it writes.

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/fd.h"
#include "core/loop.h"
#include "core/result.h"

namespace hastur {

class BoundedRun {
 public:
  struct Request {
    // The first is the program's path; nothing of our environment is handed on.
    std::vector<std::string> command;
    // Where it runs.
    std::string folder;
    // Its standard input.
    std::string input = "/dev/null";
    // Both of its outputs: a new file.
    std::string output;
    Micros time_max = std::chrono::seconds{60};
    std::uint64_t output_bytes_max = 64u << 20;
  };
  struct Ended {
    // Nothing if it was ended by a signal or by us.
    std::optional<int> exit_code;
    bool out_of_time = false;
    // "exit code 2", "signal 9", "it did not end in 60s"
    std::string how;
  };

  // Calls `ended` once, on the loop. The program and all that it started are killed when the run
  // goes before that. `loop` outlives it.
  static Result<std::unique_ptr<BoundedRun>> start(Loop& loop, const Request& request,
                                                   std::function<void(Ended)> ended);
  ~BoundedRun();
  BoundedRun(const BoundedRun&) = delete;
  BoundedRun& operator=(const BoundedRun&) = delete;

 private:
  BoundedRun(Loop& loop, pid_t pid, Micros time_max, std::function<void(Ended)> ended);
  void look();
  void out_of_time();
  void end(Ended how);

  Loop& loop_;
  pid_t pid_;
  Micros time_max_;
  std::function<void(Ended)> ended_;
  Fd process_;
  std::unique_ptr<Loop::Handle> watch_, limit_;
};

}  // namespace hastur
