#pragma once

// History since, run through a trigger that was rolled back (DESIGN §12).
//
// A rollback begins with the state of before. When its run is live, `supervisor replay --into live`
// runs what came since that state through it, in a process of its own, and takes its place
// (docs/replay.md). How that stands is stored with the deployment, and what the replay has done is
// told by the run that it began: a supervisor that starts again goes on with what is not done, and
// nothing is done twice.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/deploy/bounded_run.h"

namespace hastur {

class RollbackReplays {
 public:
  struct Options {
    // The program that replays, with the flags that say what it works on; those that say what is
    // replayed are put behind.
    std::vector<std::string> command;
    Micros time_max = std::chrono::hours{12};
    // A replay that comes to nothing is begun again so often, as another deployment may have been
    // in its way.
    int tries_max = 3;
    Micros again_after = std::chrono::seconds{2};
    Micros look_every = std::chrono::milliseconds{100};
  };

  // All but `options` outlive it. A replay that is under way when it goes is killed, and begun
  // again by the next one on the same store.
  RollbackReplays(Loop& loop, Clock& clock, CheckpointStore& store, Options options)
      : loop_(loop), clock_(clock), store_(store), options_(std::move(options)) {}

  // Whether a decision that was stored asks for a replay.
  void deployed(const DeploymentRecord& record) { may_be_open_ |= record.has_open_replay(); }
  // Begins what is due, one after the other: to be called again and again while triggers run.
  void turn();

 private:
  // Of the deployment whose replay is tried.
  struct Attempt {
    std::uint64_t deployment = 0;
    int tries = 0;
    std::string problem;
  };
  // What is known of a replay from the runs that its trigger has had.
  enum class Standing : std::uint8_t { to_do, done, never };
  struct Known {
    Standing standing = Standing::to_do;
    // Why never.
    std::string why = {};
  };

  Result<void> look();
  Result<void> take(const DeploymentRecord& record);
  Result<Known> known_of(const DeploymentRecord& record) const;
  Result<void> begin(const DeploymentRecord& record);
  void ended(const BoundedRun::Ended& ended);
  Result<void> store(const DeploymentRecord& record, std::string replay);

  Loop& loop_;
  Clock& clock_;
  CheckpointStore& store_;
  Options options_;
  // At the start nobody knows.
  bool may_be_open_ = true;
  Micros look_at_{0};
  Attempt attempt_;
  std::unique_ptr<BoundedRun> run_;
};

}  // namespace hastur
