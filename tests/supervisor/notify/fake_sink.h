#pragma once

// What stands for the channels where only what goes to them matters.

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/notify/delivery.h"
#include "supervisor/notify/sink.h"

namespace hastur {

// Keeps what it is offered and settles it when told.
class FakeSink final : public NotificationSink {
 public:
  bool offer(const std::string& channel, OutgoingNotification notification) override {
    if (refused_from_.contains(channel) || offered.size() >= room) {
      refused_from_.try_emplace(channel, notification.id);
      return false;
    }
    channel_of[notification.id] = channel;
    offered.push_back(std::move(notification));
    return true;
  }
  bool holds(const std::string& channel, std::uint64_t id) const override {
    const auto found = channel_of.find(id);
    return found != channel_of.end() && found->second == channel &&
           std::ranges::find(offered, id, &OutgoingNotification::id) != offered.end();
  }
  bool withdraw(const std::string&, std::uint64_t id) override {
    if (under_way.contains(id)) return false;
    return std::erase_if(offered, [&](const auto& each) { return each.id == id; }) > 0;
  }
  void more_from(const std::string& channel, std::uint64_t id) override {
    refused_from_[channel] = id;
  }
  void restore_firing(const std::string&, OutgoingNotification notification) override {
    firing.push_back(std::move(notification));
  }
  void restore_rest(const ReceiverRest& rest) override { rests.push_back(rest); }

  // Fetches what was refused, as the sender does when there is room.
  void refill(Delivery& delivery) {
    for (const auto& [channel, id] : std::exchange(refused_from_, {}))
      delivery.fetch({channel, id});
  }
  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> all;
    for (const auto& each : offered) all.push_back(each.id);
    return all;
  }

  std::size_t room = 1'000;
  std::deque<OutgoingNotification> offered;
  std::map<std::uint64_t, std::string> channel_of;
  std::set<std::uint64_t> under_way;
  std::vector<OutgoingNotification> firing;
  std::vector<ReceiverRest> rests;

 private:
  std::map<std::string, std::uint64_t> refused_from_;
};

}  // namespace hastur
