#include "supervisor/notify/policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "supervisor/notify/notification.h"

namespace hastur {
namespace {

// The strictest that stands over a notification; of two alike the one that ends later, or never.
struct Ruling {
  NotifyMode mode = NotifyMode::on;
  bool ends = false;
  Time until{};  // if it ends
  std::string words;

  void hear(NotifyMode other, const NotifyOrder* order, std::string_view whose) {
    const bool other_ends = order != nullptr && order->until;
    const bool outlasts = ends && (!other_ends || *order->until > until);
    const bool stricter = other > mode || (other == mode && outlasts);
    if (!stricter || other == NotifyMode::on) return;
    mode = other;
    ends = other_ends;
    if (ends) until = *order->until;
    words = order != nullptr && order->scope == OrderScope::silence
                ? fmt::format("silence q-{}", order->number)
                : fmt::format("mode {}{}", notify_mode_name(other), whose);
    if (order == nullptr) return;
    if (order->until) words += " until " + format_time(*order->until);
    if (!order->why.empty()) words += ": " + order->why;
  }
};

// The incidents of alerts have their trigger's name in front of what its script calls them.
bool silences(const NotifyOrder& order, const NotificationRecord& record) {
  return order.key.empty() || record.key == order.key ||
         record.key == fmt::format("{}/{}", record.trigger, order.key);
}

}  // namespace

const NotifyOrder* NotifyPolicy::order(OrderScope scope, std::string_view name) const {
  const auto found = std::ranges::find_if(orders_, [&](const NotifyOrder& order) {
    return order.scope == scope && order.name == name;
  });
  return found == orders_.end() ? nullptr : &*found;
}

NotifyMode NotifyPolicy::supervisor_mode() const {
  const NotifyOrder* order = this->order(OrderScope::supervisor, "");
  return order == nullptr ? mode_ : order->mode;
}

NotifyMode NotifyPolicy::channel_mode(const std::string& channel) const {
  if (const NotifyOrder* order = this->order(OrderScope::channel, channel)) return order->mode;
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return NotifyMode::on;
  return notify_mode_from_name(found->second.mode).value_or(NotifyMode::on);
}

void NotifyPolicy::decide(NotificationRecord& record) const {
  const auto content = read_notification(record.payload);
  std::string lacking = content ? "" : content.error().message;
  if (content && content->call == platform_call && platform_channel_.empty()) {
    lacking = "nobody is told of the platform's own troubles: [platform] notify names no channel";
  } else if (content) {
    const bool is_own = content->call == platform_call;
    const auto channel =
        channel_for(channels_, content->call, is_own ? platform_channel_ : content->to);
    if (channel) {
      record.channel = (*channel)->name;
    } else {
      lacking = channel.error().message;
    }
  }
  decide_again(record);
  if (record.status != NotificationStatus::waiting || lacking.empty()) return;
  record.status = NotificationStatus::closed;
  record.reason = lacking;
}

void NotifyPolicy::decide_again(NotificationRecord& record) const {
  Ruling ruling;
  ruling.hear(supervisor_mode(), order(OrderScope::supervisor, ""), "");
  ruling.hear(channel_mode(record.channel), order(OrderScope::channel, record.channel),
              " of channel " + record.channel);
  if (const NotifyOrder* of_trigger = order(OrderScope::trigger, record.trigger))
    ruling.hear(of_trigger->mode, of_trigger, " of its trigger");
  for (const NotifyOrder& each : orders_) {
    if (each.scope != OrderScope::silence || each.name != record.trigger) continue;
    if (silences(each, record)) ruling.hear(each.mode, &each, "");
  }
  record.reason = std::move(ruling.words);
  if (ruling.mode == NotifyMode::on) {
    record.status = NotificationStatus::waiting;
  } else if (ruling.ends) {
    record.status = NotificationStatus::pending;
    record.reason.insert(0, held_reason);
  } else {
    record.status = ruling.mode == NotifyMode::record ? NotificationStatus::recorded
                                                      : NotificationStatus::closed;
  }
}

}  // namespace hastur
