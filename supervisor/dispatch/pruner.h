#pragma once

// Forgets what the state store keeps in vain: decisions, runs and versions that only inputs before
// the oldest one in History would need, and old notifications.
//
// It works in small steps between which the supervisor goes on: a step may delay a tick, a long one
// must not.

#include <optional>

#include "core/clock.h"
#include "core/time.h"
#include "state/checkpoint_store.h"
#include "syndicator/client/protocol.h"

namespace hastur {

class Pruner {
 public:
  struct Options {
    // After the start, when there is enough else to do.
    Micros first_after = std::chrono::minutes{1};
    Micros every = std::chrono::hours{1};
    // As long as the oldest snapshot: how far back people look.
    Micros notifications_kept = std::chrono::hours{24 * 30};
    // Of a step and kind: a step takes a few milliseconds (bench/store_bench.cc).
    std::uint32_t rows_max = 250;
  };

  // Both outlive it. The time of the first round counts from here.
  Pruner(CheckpointStore& store, Clock& clock, Options options);

  // Does one step if one is due. `stream` is where the stream stands as last told, however long
  // ago; nothing is forgotten before that is known. To be called at each turn of the loop.
  void turn(const std::optional<PositionReply>& stream);

 private:
  CheckpointStore& store_;
  Clock& clock_;
  const Options options_;
  Micros due_;
  // In this round.
  std::uint64_t rows_ = 0;
};

}  // namespace hastur
