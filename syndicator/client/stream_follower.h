#pragma once

// Turns what the network gives (batches published, some lost; batches read back) into one gapless
// stream.
//
// A pure state machine: it is told what has come and says what to ask for. The supervisor's main
// position is one; a trigger that is behind, or a replay, reads History with a plain ReadRequest
// instead.

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
    // Published batches that wait for a gap before them to be filled. More are dropped and read
    // back later.
    std::size_t held_bytes_max = 64u << 20;
    std::uint32_t credit = 16;
  };

  // Will deliver every sequence after `position` of `stream`.
  StreamFollower(const StreamId& stream, Sequence position, const Options& options);

  // In order and without a gap, except where a `lost` range says that the numbers are gone. A batch
  // may begin below the position (its first rows were delivered before); its last row is above it.
  struct Delivery {
    std::optional<Batch> batch;
    std::optional<LostReply> lost;
  };

  // A published batch. `conflict` if it is of another stream: the supervisor must stop, its state
  // is of this one.
  Result<void> published(Batch batch);
  // A reply to a request made by this follower; others are passed over. `conflict` as above. Any
  // other error is why the syndicator could not answer (what is missing is asked for again after
  // the next published batch), or that what it answered is no gapless stream.
  Result<void> replied(const ReplyFrame& frame);
  Result<void> replied(ReplyFrame&& frame);
  // The connection to the syndicator is new: what was asked for will not be answered.
  void reconnected();

  // The next piece of the stream, if it is there.
  std::optional<Delivery> next();

  // What to send now, at most one read at a time: called after any of the above, and when `next`
  // has been emptied (credit is only given for what has been taken: a slow consumer holds the read
  // back). A frame is given once: if it cannot be sent, reconnected() has to follow.
  std::optional<RequestFrame> request();

  // Everything up to here has been handed out.
  Sequence position() const { return position_; }
  // The highest sequence known to exist; the position it began with until more is known.
  Sequence newest() const { return newest_; }
  // Batches that were read back: dropped from the queue, never heard, or older than the connection.
  std::uint64_t refilled() const { return refilled_; }

 private:
  struct Ready {
    Delivery delivery;
    Sequence last;
    std::size_t bytes = 0;
    // It came by the read under way: taking it earns credit.
    std::optional<RequestId> read;
  };

  Result<void> check_stream(const Batch& batch) const;
  Result<void> take_read(Batch batch);
  Result<void> take_lost(const LostReply& lost);
  Result<void> take_refusal(const RefusedReply& refused);
  void append(Ready ready);
  void hold(Batch batch);
  // Moves to ready_ what waited for the gap before it.
  void join_held();
  bool is_missing() const;

  StreamId stream_;
  Options options_;
  Sequence position_;
  // The last sequence in ready_, or the position.
  Sequence end_;
  Sequence newest_;
  // Without a gap, from position_ to end_.
  std::deque<Ready> ready_;
  std::size_t ready_bytes_ = 0;
  // Sorted by first sequence, after a gap.
  std::deque<Batch> held_;
  std::size_t held_bytes_ = 0;
  std::uint64_t next_request_ = 1;
  std::optional<RequestId> reading_;
  // It ends where the stream does, not before something that is held.
  bool reading_to_end_ = false;
  std::uint32_t credit_owed_ = 0;
  // How far the stream goes is not known yet: nothing has been read on this connection.
  bool catch_up_ = true;
  // The last read was refused: the next one waits for a sign of life.
  bool refused_ = false;
  std::uint64_t refilled_ = 0;
};

}  // namespace hastur
