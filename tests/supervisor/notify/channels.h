#pragma once

// Channels and notifications as tests write them.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "supervisor/notify/channel.h"
#include "supervisor/notify/notification.h"
#include "supervisor/notify/request.h"

namespace hastur {

// The channels of a configuration; a failed test and none if it is refused.
inline std::map<std::string, Channel> channels_of(const std::string& toml) {
  NotifyConfig config;
  Settings settings;
  config.declare(settings);
  const auto read = settings.read_text(toml, "hastur.toml");
  EXPECT_TRUE(read) << read.error().message;
  if (!read) return {};
  auto opened = config.open();
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? std::move(*opened) : std::map<std::string, Channel>();
}

// Why a configuration is refused; empty if it is not.
inline std::string refusal_of(const std::string& toml) {
  NotifyConfig config;
  Settings settings;
  config.declare(settings);
  if (const auto read = settings.read_text(toml, "hastur.toml"); !read) return read.error().message;
  const auto opened = config.open();
  return opened ? "" : opened.error().message;
}

// A default and another; neither can be written.
inline constexpr const char* two_channels = R"(
[notify.oncall]
kind = "file"
path = "/nowhere/oncall"
default = true
[notify.spare]
kind = "file"
path = "/nowhere/spare"
)";

inline constexpr Time test_time{std::chrono::seconds{1'704'067'200}};  // 2024-01-01T00:00:00Z

// As the supervisor makes one from its store.
inline OutgoingNotification notification_of(std::string payload, std::uint64_t id = 0x4f21) {
  OutgoingNotification notification;
  notification.id = id;
  notification.trigger = "ots/load";
  notification.version = "0123456789abcdef0123456789abcdef";
  notification.sequence = {42};
  notification.time = test_time;
  notification.expires_at = test_time + std::chrono::hours{24};
  if (const auto content = read_notification(payload)) {
    notification.key = content->key;
    notification.action = content->action;
  }
  notification.payload = std::move(payload);
  return notification;
}

inline Result<OutgoingRequest> request_of(const Channel& channel, const std::string& payload) {
  return make_request(channel, notification_of(payload),
                      {"c0ffee", test_time + std::chrono::seconds{7}});
}

inline std::string refusal_of(const Channel& channel, const std::string& payload) {
  const auto request = request_of(channel, payload);
  return request ? "" : request.error().message;
}

}  // namespace hastur
