#include "supervisor/dispatch/pruner.h"

#include "core/log.h"

namespace hastur {

Pruner::Pruner(CheckpointStore& store, Clock& clock, Options options)
    : store_(store),
      clock_(clock),
      options_(options),
      due_(clock.monotonic() + options.first_after) {}

void Pruner::turn(const std::optional<PositionReply>& stream) {
  const Micros begun = clock_.monotonic();
  if (begun < due_ || !stream) return;
  // The stream's time and not the clock's: a clock that is set wrong costs no notification.
  Retention retention{.oldest = stream->oldest, .notifications_before = {}};
  if (stream->stream_time) {
    retention.notifications_before = *stream->stream_time - options_.notifications_kept;
  }
  retention.rows_max = options_.rows_max;
  const auto pruned = store_.prune(retention);
  if (pruned) rows_ += pruned->rows;
  if (pruned && pruned->more) {
    // At most a twentieth of the time goes into it.
    due_ = begun + (clock_.monotonic() - begun) * 20;
    return;
  }
  if (!pruned) {
    log_warn("what the state store keeps in vain stays for now: {}", pruned.error().message);
  }
  if (rows_ > 0) {
    log_info("forgot {} rows of the state store that nothing needs; History begins at {}", rows_,
             stream->oldest.value);
  }
  rows_ = 0;
  due_ = begun + options_.every;
}

}  // namespace hastur
