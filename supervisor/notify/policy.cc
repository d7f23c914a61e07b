#include "supervisor/notify/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "supervisor/notify/notification.h"

namespace hastur {
namespace {

constexpr std::array<std::string_view, 3> mode_names = {"on", "record", "off"};

}  // namespace

std::string_view notify_mode_name(NotifyMode mode) {
  return mode_names[static_cast<std::size_t>(mode)];
}

std::optional<NotifyMode> notify_mode_from_name(std::string_view name) {
  const auto found = std::ranges::find(mode_names, name);
  if (found == mode_names.end()) return std::nullopt;
  return static_cast<NotifyMode>(found - mode_names.begin());
}

void NotifyPolicy::decide(NotificationRecord& record) const {
  const auto content = read_notification(record.payload);
  std::string lacking = content ? "" : content.error().message;
  if (content) {
    const auto channel = channel_for(channels_, content->call, content->to);
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
  NotifyMode mode = mode_;
  std::string whose;
  if (const auto channel = channels_.find(record.channel); channel != channels_.end()) {
    const NotifyMode of_channel =
        notify_mode_from_name(channel->second.mode).value_or(NotifyMode::on);
    if (of_channel > mode) {
      mode = of_channel;
      whose = fmt::format(" of channel {}", record.channel);
    }
  }
  if (mode == NotifyMode::on) {
    record.status = NotificationStatus::waiting;
    record.reason.clear();
    return;
  }
  record.status =
      mode == NotifyMode::off ? NotificationStatus::closed : NotificationStatus::recorded;
  record.reason = fmt::format("mode {}{}", notify_mode_name(mode), whose);
}

}  // namespace hastur
