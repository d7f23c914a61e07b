#pragma once

// The sender wired to its channels, to the network and to the loop: what is offered here leaves,
// and what became of it is told.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/loop.h"
#include "supervisor/notify/channel.h"
#include "supervisor/notify/sender.h"
#include "supervisor/notify/sink.h"
#include "supervisor/notify/transfers.h"

namespace hastur {

// Belongs to the loop; clock and loop outlive it.
class Notifier final : public NotificationSink {
 public:
  struct Options {
    // OwnerId of the store.
    std::string owner;
    // Of the jitter of retries.
    std::uint64_t seed = 0;
  };
  struct Calls {
    // Each notification that was taken comes here once, unless it is withdrawn.
    std::function<void(const NotificationSettled&)> settled;
    // See NotificationProgress, ReceiverRest and FetchMore.
    std::function<void(const NotificationProgress&)> progressed = {};
    std::function<void(const ReceiverRest&)> rests = {};
    std::function<void(const FetchMore&)> fetch;
    // The receiver's answer to a try().
    std::function<void(const std::string& channel, const Answer&)> tried;
    // Empty: what fires is repeated until it is resolved.
    NotificationSender::MayRepeat may_repeat = {};
  };

  Notifier(Loop& loop, Clock& clock, const std::map<std::string, Channel>& channels,
           Options options, Calls calls);
  ~Notifier() override;

  const Channel& channel(const std::string& name) const { return *channels_.at(name); }
  // These are the channels from now on. What is under way ends as it began; what waits on a channel
  // that is another now is fetched anew, and what waits on one that is gone is forgotten here.
  void configure(const std::map<std::string, Channel>& channels);

  bool offer(const std::string& channel, OutgoingNotification notification) override;
  bool holds(const std::string& channel, std::uint64_t id) const override {
    return sender_.holds(channel, id);
  }
  bool withdraw(const std::string& channel, std::uint64_t id) override;
  void more_from(const std::string& channel, std::uint64_t id) override;
  void restore_firing(const std::string& channel, OutgoingNotification notification) override;
  void restore_rest(const ReceiverRest& rest) override;
  ChannelState state(const std::string& channel) const { return sender_.state(channel); }

  // One attempt past all queues, whose answer comes to Calls::tried: for a test of the channel.
  void try_once(const std::string& channel, const OutgoingNotification& notification);

 private:
  void carry_out();
  void begin(const std::string& channel, std::uint64_t attempt, Result<OutgoingRequest> request);
  void done(std::uint64_t attempt, Answer answer);
  RequestContext context();

  Loop& loop_;
  Clock& clock_;
  // Owned by the attempts that began with it, too: their answers are read with its secrets.
  using ChannelInUse = std::shared_ptr<const Channel>;
  std::map<std::string, ChannelInUse> channels_;
  Options options_;
  Calls calls_;
  NotificationSender sender_;
  std::map<std::uint64_t, ChannelInUse> channel_of_attempt_;
  // try_once() counts down from the top, so that its attempts are never the sender's.
  std::uint64_t next_try_ = UINT64_MAX;
  bool carrying_out_ = false;
  std::unique_ptr<Loop::Handle> timer_;
  // What the transfers' thread posts is forgotten once this is gone. Owned by the calls posted,
  // too.
  std::shared_ptr<bool> alive_;
  // Last: its thread uses what stands above.
  std::unique_ptr<Transfers> transfers_;
};

}  // namespace hastur
