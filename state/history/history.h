#pragma once

// History: every numbered message, kept until retention takes it (DESIGN §6).
//
// A batch and whatever must be true together with it (how many datagrams had been received, which
// derived messages have been appended, which host names are known) are one transaction. Nobody may
// see a number before append() has returned: then no restart gives it to something else.
//
// History has a stream id of its own, made with it. Its sequences only grow. Ranges that were
// numbered and are gone (trimmed by retention, or lost with the power) are known and answered as
// such, never skipped in silence.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "message/batch.h"
#include "message/ids.h"

namespace hastur {

// default: survives the death of any process. synced: an append is on the disk before it returns,
// so it survives a power loss too.
enum class Durability : std::uint8_t { standard, synced };

// How far a trigger's derived messages have been appended; (run, sequence, ordinal) only grows.
struct DerivedMark {
  TriggerName trigger;
  Run run;
  Sequence sequence;
  std::uint32_t ordinal = 0;

  bool covers(Run other_run, Sequence other_sequence, std::uint32_t other_ordinal) const;
};

struct HostName {
  std::string uuid;
  std::string hostname;
};

// Who may append for a trigger name. Once granted, an epoch for a name never falls, whoever holds
// it.
struct LeaseRecord {
  TriggerName trigger;
  OwnerId owner;
  Epoch epoch;
};

// Numbers [first, last] that were given out, or may have been, and that History does not hold.
struct LostRange {
  Sequence first;
  Sequence last;
  // "trimmed", "power", "corrupt", "set_back"
  std::string why;
  friend bool operator==(const LostRange&, const LostRange&) = default;
};

// After numbers that are not known any more (a power loss, an older copy), up to this many after
// the last one that is known may have been seen by somebody: far more than can be given out between
// two writes of the disk's own accord, and 2^31 such losses fit a number.
inline constexpr std::uint64_t numbers_skipped = std::uint64_t{1} << 32;
// No stream comes so far: what claims to is wrong.
inline constexpr Sequence sequence_max{std::uint64_t{1} << 62};

// What becomes true with a batch, in its transaction.
struct AppendFacts {
  std::span<const HostName> hosts;
  // At most one a trigger: the newest.
  std::span<const DerivedMark> marks;
  // Counters by name, with their new totals ("received", "refused.not_json", "lost.ring" …).
  std::span<const std::pair<std::string, std::uint64_t>> counters;
};

// Not thread-safe: belongs to the event loop that opened it.
class History {
 public:
  virtual ~History() = default;

  virtual const StreamId& stream() const = 0;
  // Where the stream stands: the last sequence given out (0 before the first), stream time and the
  // newest received_at there. After a power loss `last` has been moved past every number that may
  // have been seen.
  virtual Sequence last() const = 0;
  virtual std::optional<Time> stream_time() const = 0;
  virtual std::optional<Time> received_at() const = 0;
  // The first sequence that can still be read; last().next() when there is none.
  virtual Sequence oldest() const = 0;

  // The batch's header continues the stream: its first sequence is last().next(), its stream id
  // ours. Ends the process otherwise. `full` when the disk is, `failed` for other disk errors; then
  // nothing has changed and the same append may be tried again.
  virtual Result<void> append(const Batch& batch, const AppendFacts& facts) = 0;

  // Somebody has seen numbers of this stream up to `seen`, beyond last(): History was set back to
  // an older copy, or its newest part was cut off. Numbering goes on behind every number that may
  // have been seen, as after a power loss; what lies between is lost ("set_back"). Returns the
  // range that was added; nothing if last() has come to `seen`. Durable when it returns, whatever
  // the durability of appends. An error changes nothing; `invalid` if no stream comes to such a
  // number.
  virtual Result<std::optional<LostRange>> skip_behind(Sequence seen) = 0;

  // Batches in order from the one that holds `from`, or the next after it if `from` is in a lost
  // range. At most `batches_max` (≤ 64, so that a reader's transaction stays short) and about
  // `bytes_max`, but at least one batch if there is any. With `names`, segments in which none of
  // these names occurs are left out; batches that have none of them may still come. Empty at the
  // end of the stream.
  struct ReadLimits {
    std::uint32_t batches_max = 64;
    std::size_t bytes_max = 8u << 20;
    std::span<const std::string> names;
  };
  virtual Result<std::vector<Batch>> read(Sequence from, const ReadLimits& limits) = 0;

  // The first sequence at which stream time is `time` or later; last().next() if it has not come to
  // that. A time before the oldest gives the oldest.
  virtual Result<Sequence> find(Time time) = 0;

  // Lost ranges that touch [first, last], in order.
  virtual Result<std::vector<LostRange>> lost(Sequence first, Sequence last) const = 0;

  virtual std::optional<DerivedMark> mark(const TriggerName& trigger) const = 0;
  virtual std::optional<std::string> hostname(const std::string& uuid) const = 0;
  // Every registered uuid with its host name, for the syndicator's start.
  virtual std::vector<HostName> hosts() const = 0;
  virtual std::map<std::string, std::uint64_t> counters() const = 0;

  // Durable when it returns, whatever the durability of appends.
  virtual Result<void> save_leases(std::span<const LeaseRecord> leases) = 0;
  virtual std::vector<LeaseRecord> leases() const = 0;

  // Housekeeping in small steps: joins small batches that are older than a few seconds into large
  // ones, makes the index of names, unlinks files past retention. Returns whether there is more to
  // do now. `now` is the syndicator's clock. Called whenever the loop is idle.
  virtual Result<bool> maintain(Time now) = 0;

  // What it weighs on disk, and how many files it has.
  struct Size {
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::uint64_t batches = 0;
  };
  virtual Size size() const = 0;
};

}  // namespace hastur
