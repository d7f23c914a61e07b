#pragma once

// The syndicator's logic, without sockets, threads or clock: what has arrived goes in, turn() says
// what goes out.
//
//   take_… take_… take_…  turn ──▶ batches to publish, replies to send
//                        serve ──▶ a few batches for one of those who read back
//
// What they hand out stands in History.

#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "state/history/history.h"
#include "syndicator/client/protocol.h"
#include "syndicator/leases.h"
#include "syndicator/numbering.h"
#include "syndicator/readers.h"

namespace hastur {

class Syndicator {
 public:
  struct Options {
    Numbering::Options numbering;
    Readers::Limits readers;
    // Messages of one append request.
    std::size_t append_messages_max = 10'000;
  };

  // Goes on where `history`, which outlives this, stands.
  Syndicator(History& history, const Options& options, Time now);

  // Everything that arrives between two turns, in the order in which it arrived.
  void take_datagram(std::string_view bytes, Time received_at) {
    numbering_.take_datagram(bytes, received_at);
  }
  void take_core_message(const std::vector<std::string>& parts, Time received_at) {
    numbering_.take_core_message(parts, received_at);
  }
  void take_request(const Peer& peer, const RequestFrame& frame, Time now);
  // Nobody is there any more: its reads end.
  void take_disconnect(const Peer& peer) { readers_.drop(peer); }
  // See Numbering.
  void add_deaf(Micros span) { numbering_.add_deaf(span); }
  void add_lost(const std::string& why, std::uint64_t count) { numbering_.add_lost(why, count); }
  // Of this process only, shown beside the stream's counters.
  void count(const std::string& name, std::uint64_t by = 1) { own_counters_[name] += by; }

  struct Reply {
    Peer peer;
    ReplyFrame frame;
  };
  struct Turn {
    std::vector<Batch> published;
    std::vector<Reply> replies;
  };
  // Numbers and appends what was taken. `quiet`: nothing that has arrived is still to be taken.
  Turn turn(Time now, Micros monotonic, bool quiet);

  struct Service {
    std::vector<Reply> replies;
    // There is more to be sent now.
    bool more = false;
  };
  // Goes on with one read, a little.
  Service serve(Time now);

  // Something is held that History did not take: turn() has to be called again, if nothing arrives.
  bool is_failing() const { return numbering_.is_failing(); }
  const Numbering& numbering() const { return numbering_; }
  std::map<std::string, std::uint64_t> counters() const;

 private:
  struct Waiting {
    Peer peer;
    RequestId id;
    std::vector<TriggerName> triggers;
  };

  void take(const Peer& peer, RequestId id, const PositionRequest& request, Time now);
  void take(const Peer& peer, RequestId id, const ReadRequest& request, Time now);
  void take(const Peer& peer, RequestId id, const CreditRequest& request, Time now);
  void take(const Peer& peer, RequestId id, const AppendRequest& request, Time now);
  void take(const Peer& peer, RequestId id, const LeaseRequest& request, Time now);
  std::vector<AppendReply::Mark> marks_of(const std::vector<TriggerName>& triggers) const;
  void reply(const Peer& peer, ReplyFrame frame) { replies_.push_back({peer, std::move(frame)}); }

  History& history_;
  Options options_;
  Numbering numbering_;
  Leases leases_;
  Readers readers_;
  std::vector<Reply> replies_;
  // Appends that are answered once History has them.
  std::vector<Waiting> waiting_;
  std::map<std::string, std::uint64_t> own_counters_;
  Time expired_at_{};
};

}  // namespace hastur
