#pragma once

// The syndicator's logic wired to the world: UDP, Hastur cores, PUB and ROUTER on one loop.
//
// A turn takes everything that has come, has it numbered and appended, then publishes. Turns follow
// one another at a distance, so that a steady trickle becomes a few batches and not a commit for
// each message.

#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "state/history/history.h"
#include "syndicator/client/zmq.h"
#include "syndicator/options.h"
#include "syndicator/syndicator.h"
#include "syndicator/udp_receiver.h"

namespace hastur {

class SyndicatorDaemon {
 public:
  // All but the options outlive the daemon; `clock` may be used by several threads. Errors name the
  // address that could not be had.
  static Result<std::unique_ptr<SyndicatorDaemon>> start(Loop& loop, SharedClock& clock,
                                                         ZmqContext& context, History& history,
                                                         const SyndicatorOptions& options);
  ~SyndicatorDaemon();

  // Where it really listens, for ports left open.
  std::string udp_address() const { return receiver_->address(); }
  std::string publish_address() const { return publisher_.bound_address(); }
  std::string request_address() const { return router_.bound_address(); }
  int kernel_buffer_bytes() const { return receiver_->kernel_buffer_bytes(); }
  const Syndicator& logic() const { return syndicator_; }

  // Takes what has been received, numbers and publishes it. The last thing before the History is
  // closed.
  void stop();

 private:
  struct Core {
    std::string address;
    bool connected = false;
    std::unique_ptr<ZmqSocket> socket;
    std::unique_ptr<SocketWatch> watch;
    std::unique_ptr<ConnectionWatch> connection;
  };

  SyndicatorDaemon(Loop& loop, SharedClock& clock, ZmqContext& context, History& history,
                   const SyndicatorOptions& options);
  Result<void> open(ZmqContext& context, const SyndicatorOptions& options);
  Result<void> open_core(ZmqContext& context, const std::string& address);

  void schedule();
  void turn();
  // False if there is more in the ring.
  bool take_datagrams();
  void take_core_messages(Core& core);
  void take_requests();
  void count_drops();
  void count_lost_cores(Time now);
  void publish(const std::vector<Batch>& batches);
  void send(const Syndicator::Reply& reply);
  void serve();
  void maintain();

  Loop& loop_;
  SharedClock& clock_;
  History& history_;
  Syndicator syndicator_;
  ZmqSocket publisher_;
  ZmqSocket router_;
  std::vector<std::unique_ptr<Core>> cores_;
  std::unique_ptr<UdpReceiver> receiver_;

  Micros turned_at_{0};
  // Up to when the silence of lost cores has been counted.
  Time cores_counted_at_;
  std::uint64_t kernel_dropped_ = 0;
  std::uint64_t ring_dropped_ = 0;
  bool quiet_ = true;
  bool serving_ = false;
  std::unique_ptr<SocketWatch> router_watch_;
  std::unique_ptr<Loop::Handle> wake_watch_;
  std::unique_ptr<Loop::Handle> next_turn_;
  std::unique_ptr<Loop::Handle> clock_timer_;
  std::unique_ptr<Loop::Handle> maintain_timer_;
};

}  // namespace hastur
