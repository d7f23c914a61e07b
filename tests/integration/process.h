#pragma once

// A child process with verbs: what a test does to a daemon.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/time.h"

namespace hastur {

class Process {
 public:
  // Standard output and error are appended to the file `log`.
  Process(std::vector<std::string> command, std::string log);
  // Killed and reaped if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Not while it runs. It dies with the thread that calls this.
  void start();
  void kill_9();
  // SIGSTOP; returns when it stands.
  void pause();
  void resume();
  // SIGTERM. Its exit code, or nothing if it did not end of itself within `limit`; then it is
  // killed.
  std::optional<int> stop(Micros limit);

  bool is_running();
  pid_t pid() const { return pid_; }
  // Processes that it started and that still run, in the order of their ids.
  std::vector<pid_t> children() const;
  // What it has logged since it was started last, and since the beginning.
  std::string log_since_start() const;
  std::string whole_log() const;

 private:
  std::vector<std::string> command_;
  std::string log_;
  std::size_t log_start_ = 0;
  pid_t pid_ = 0;
  int status_ = 0;
};

// Whether there is such a process, and it is no zombie.
bool is_alive(pid_t pid);

}  // namespace hastur
