#pragma once

// supervisor replay: what triggers would have done, over History or a file (DESIGN §10).

#include <string>

#include "core/clock.h"
#include "core/time.h"
#include "trigger-runtime/host/worker.h"

namespace hastur {

struct ReplayOptions {
  // One trigger, or all of them.
  std::string trigger;
  bool all = false;
  // Points of the stream (plan.h); `to` empty: where the stream stands now. `to` is the last
  // sequence, or the first time that is not taken.
  std::string from;
  std::string to;
  // A recording instead of History; "-" for standard input.
  std::string input;
  bool accept_loss = false;
  // "scratch" or "live"; for live, what becomes of notifications ("record", "pending"), and whether
  // it is to be done.
  std::string into = "scratch";
  std::string notify = "record";
  bool yes = false;
  // Of the supervisor's configuration: the state file, the syndicator's ROUTER, its own HTTP
  // address and the file with its token (empty: `token` beside the state file).
  std::string state;
  std::string request;
  std::string http;
  std::string token_file;
  Worker::Options worker;
};

// Into scratch: writes what would have come out to standard output, in the lines of `trigger-test
// run` (with `trigger` in each if there are several), and how far it is to standard error. Into
// live: live_replay.h. Returns the exit code: 0 done, 1 it could not be done, 2 wrong usage.
int replay_command(const ReplayOptions& options, Clock& clock);

}  // namespace hastur
