#pragma once

// One run of a local command: argv without a shell, the notification on its standard input, a bound
// on its time. Exit code 0 means it has arrived, 65 (EX_DATAERR) that it is refused for good, all
// else that it may be tried again.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/fd.h"
#include "core/time.h"
#include "supervisor/notify/request.h"

namespace hastur {

class CommandRun {
 public:
  // `now` is monotonic time; the command is killed, with all of its process group, at `deadline`.
  CommandRun(const CommandRequest& request, Micros deadline);
  // Killed if it still runs.
  ~CommandRun();
  CommandRun(const CommandRun&) = delete;
  CommandRun& operator=(const CommandRun&) = delete;

  // Does what can be done without waiting; the answer, once.
  std::optional<Answer> step(Micros now);
  // What to wait for until the next step: readable, and writable unless -1.
  std::vector<int> readable() const;
  int writable() const { return input_.get(); }
  Micros deadline() const { return deadline_; }

 private:
  Answer ended(int status) const;
  void kill_group();

  Micros deadline_;
  std::string start_error_;
  std::string text_;
  std::string output_;
  pid_t pid_ = 0;
  Fd process_, input_, said_;
};

}  // namespace hastur
