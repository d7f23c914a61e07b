#pragma once

// A trigger-worker as a process: started by exec with nothing but what it is handed, killed,
// reaped.

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/result.h"
#include "core/time.h"

namespace hastur {

class ChildProcess {
 public:
  struct Handed {
    int control = -1;
    int inputs = -1;
    int output = -1;
    // Its standard error.
    int last_words = -1;
  };

  // Execs `binary`. Its environment fixes libm's results and the locale, its stack is large enough
  // for LuaJIT's C recursion, signals that a terminal or an operator sends do not reach it, and it
  // dies with the thread that called this.
  static Result<ChildProcess> start(const std::string& binary, const Handed& handed);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // Kills and reaps.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  void kill() const;
  struct End {
    // "killed by signal 9 (Killed)", "ended with status 1"
    std::string text;
    // A fault that it raised itself, or a status that is not 0.
    bool by_own_fault = false;
  };
  // Waits for its end, which must be near: it was killed, or has closed its channel.
  End reap();
  // CPU time it has used; nothing once it has ended.
  std::optional<Micros> cpu() const;

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

// trigger-worker beside the running program.
Result<std::string> worker_binary_beside_us();

}  // namespace hastur
