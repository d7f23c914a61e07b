#pragma once

// Turns what the network gives (batches published, some lost; batches read back) into one gapless stream.
//
// A pure state machine: it is told what has come and says what to ask for. The supervisor's main position is one; a
// trigger that is behind, or a replay, reads History with a plain ReadRequest instead.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/result.h"
#include "message/batch.h"
#include "syndicator/client/protocol.h"

namespace hastur {

class StreamFollower {
 public:
  struct Options {
    // Published batches that wait for a gap before them to be filled. More are dropped and read back later.
    std::size_t held_bytes_max = 64u << 20;
    std::uint32_t credit = 16;
  };

  // Will deliver every sequence after `position` of `stream`.
  StreamFollower(const StreamId& stream, Sequence position, const Options& options);

  // In order and without a gap, except where a `lost` range says that the numbers are gone. A batch may begin below the
  // position (its first rows were delivered before); its last row is above it.
  struct Delivery {
    std::optional<Batch> batch;
    std::optional<LostReply> lost;
  };

  // A published batch. `conflict` if it is of another stream: the supervisor must stop, its state is of this one.
  Result<void> published(Batch batch);
  // A reply to a request made by this follower.
  Result<void> replied(const ReplyFrame& frame);
  // The connection to the syndicator is new: what was asked for will not be answered.
  void reconnected();

  // The next piece of the stream, if it is there.
  std::optional<Delivery> next();

  // What to send now, at most one read at a time: called after any of the above, and when `next` has been emptied (credit
  // is only given for what has been taken: a slow consumer holds the read back).
  std::optional<RequestFrame> request();

  // Everything up to here has been handed out.
  Sequence position() const;
  // The highest sequence known to exist.
  Sequence newest() const;
  // Batches dropped from the queue or never heard, that had to be read back.
  std::uint64_t refilled() const;

 private:
  StreamId stream_;
  Options options_;
  Sequence position_;
  Sequence newest_;
  std::deque<Delivery> ready_;
  std::deque<Batch> held_;
  std::size_t held_bytes_ = 0;
  std::uint64_t next_request_ = 1;
  std::optional<RequestId> reading_;
  std::uint32_t credit_owed_ = 0;
  std::uint64_t refilled_ = 0;
};

}  // namespace hastur
