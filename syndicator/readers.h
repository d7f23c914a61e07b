#pragma once

// Those who read History over the ROUTER, each at its own pace.
//
// A reader is sent what it has credit for, a few batches a turn, each reader in its turn. One that
// gives no credit costs its entry in the table, and after ten minutes not even that.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/result.h"
#include "core/time.h"
#include "state/history/history.h"
#include "syndicator/client/protocol.h"

namespace hastur {

// A connection at the ROUTER. A client that connects anew is another peer.
using Peer = std::string;

class Readers {
 public:
  struct Limits {
    std::size_t readers_max = 1024;
    // Of one peer.
    std::size_t peer_readers_max = 64;
    // More credit than this is not counted: what is sent must fit into the peer's queue.
    std::uint32_t credit_max = 256;
    // Of one reader, before others and reception have their turn.
    std::uint32_t turn_batches_max = 16;
    std::size_t turn_bytes_max = 2u << 20;
    Micros idle_max = std::chrono::minutes{10};
  };

  // `history` outlives this.
  Readers(History& history, const Limits& limits) : history_(history), limits_(limits) {}

  using Send = std::function<void(const Peer&, ReplyFrame)>;

  // A read of the same id replaces the one before.
  void open(const Peer& peer, RequestId id, const ReadRequest& request, Time now, const Send& send);
  void give_credit(const Peer& peer, RequestId id, std::uint32_t credit, Time now);
  void drop(const Peer& peer);

  // Sends a little to the next reader. Returns whether there is more to send now.
  bool step(Time now, const Send& send);
  // Ends the reads that have had no credit for idle_max.
  void expire(Time now, const Send& send);

  std::size_t count() const { return readers_.size(); }

 private:
  using Key = std::pair<Peer, RequestId>;
  struct Reader {
    Sequence cursor;
    std::optional<Sequence> until;
    std::vector<std::string> names;
    std::uint32_t credit = 0;
    Time used_at;
    // It is in turns_.
    bool queued = false;
  };

  void queue(const Key& key, Reader& reader);
  // Returns what comes after it.
  std::map<Key, Reader>::iterator forget(std::map<Key, Reader>::iterator reader);
  // False if the read has ended.
  bool read_on(const Key& key, Reader& reader, const Send& send);
  // Says what of [reader.cursor, before) is gone, and moves the cursor there.
  Result<void> pass_lost(const Key& key, Reader& reader, Sequence before, const Send& send);

  History& history_;
  Limits limits_;
  std::map<Key, Reader> readers_;
  // Those with credit, in the order in which they are served.
  std::deque<Key> turns_;
};

}  // namespace hastur
