#pragma once

// One run of a program on the event loop, bounded in time and in what is kept of its words.

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
    // The first is the program's path.
    std::vector<std::string> command;
    // Variables of our environment that are handed on, where they are set; no others are.
    std::vector<std::string> keep;
    // Where it runs.
    std::string folder;
    // Its standard input: a file, or a descriptor of the caller's, if that is not negative.
    std::string input = "/dev/null";
    int input_fd = -1;
    // Its standard output, if it is not to be kept: a descriptor of the caller's.
    int output_fd = -1;
    Micros time_max = std::chrono::seconds{60};
    // Kept of what it writes to either of its outputs: one half from the beginning, one from the
    // end.
    std::size_t output_bytes_max = 64u << 10;
  };
  struct Ended {
    // Nothing if it was ended by a signal or by us.
    std::optional<int> exit_code;
    bool out_of_time = false;
    // "exit code 2", "signal 9", "it did not end in 60s"
    std::string how;
    std::string output = {};
  };

  // Calls `ended` once, on the loop. The program and all that it started are killed when the run
  // goes before that. `loop` outlives it.
  static Result<std::unique_ptr<BoundedRun>> start(Loop& loop, const Request& request,
                                                   std::function<void(Ended)> ended);
  ~BoundedRun();
  BoundedRun(const BoundedRun&) = delete;
  BoundedRun& operator=(const BoundedRun&) = delete;

 private:
  BoundedRun(Loop& loop, pid_t pid, Fd output, const Request& request,
             std::function<void(Ended)> ended);
  void read_output();
  std::string output() const;
  void look();
  void out_of_time();
  void end(Ended how);

  Loop& loop_;
  pid_t pid_;
  Micros time_max_;
  std::size_t half_max_;
  std::function<void(Ended)> ended_;
  Fd process_, output_;
  std::string beginning_, end_;
  std::size_t left_out_ = 0;
  std::unique_ptr<Loop::Handle> watch_, limit_, readable_;
};

}  // namespace hastur
