#pragma once

// A program that this one started and stops again.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"

namespace hastur {

// Ended and waited for by its destructor, if it still runs then.
class Child {
 public:
  // Runs `arguments` (the first is the program's path) with an empty input and with both outputs in
  // a new file `log`. It is a process group of its own, so that Ctrl-C reaches the parent only, and
  // gets SIGTERM if the parent dies.
  static Result<Child> start(std::string name, const std::vector<std::string>& arguments,
                             std::string log);

  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  const std::string& name() const { return name_; }
  const std::string& log() const { return log_; }
  pid_t pid() const { return pid_; }

  // Nothing while it runs; then how it ended: "ended with exit code 2", "was ended by signal 9
  // (Killed)".
  std::optional<std::string> how_it_ended();
  void signal(int number);

 private:
  Child(std::string name, std::string log, pid_t pid)
      : name_(std::move(name)), log_(std::move(log)), pid_(pid) {}
  std::string name_;
  std::string log_;
  pid_t pid_;
  std::optional<std::string> ended_;
};

// SIGTERM to all, the last started first; SIGKILL to those that still run after `patience`. Returns
// the names of those.
std::vector<std::string> stop_all(std::vector<Child>& children, Loop& loop, Clock& clock,
                                  Micros patience);

// The last lines of a text file, each cut to 500 bytes and made printable.
std::vector<std::string> last_lines(const std::string& path, std::size_t lines_max);

}  // namespace hastur
