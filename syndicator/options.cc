#include "syndicator/options.h"

#include <fmt/format.h>

#include <array>

#include "message/message.h"
#include "syndicator/client/zmq.h"
#include "syndicator/udp_receiver.h"

namespace hastur {

void SyndicatorOptions::declare(Settings& settings) {
  Section& section = settings.section("syndicator");
  section.text("udp", &udp, "where JSON datagrams are received");
  section.text("publish", &publish, "where the numbered stream is published (ZeroMQ PUB)");
  section.text("request", &request, "where supervisors read back, append and ask (ZeroMQ ROUTER)");
  section.list("core", &core, "Hastur cores to subscribe to, as tcp://HOST:8128");
  section.text("history", &history, "the folder of the stream's History");
  section.choice("durability", &durability, {"default", "synced"},
                 "what survives: default, the death of any process; synced, a power loss too");
  section.span("keep_for", &keep_for, "how long History is kept");
  section.bytes("keep_bytes", &keep_bytes, "how much History is kept");
  section.text("uuid", &uuid,
               "the sender of messages that name none; made from the stream's id if empty");
  section.bytes("receive_bytes_max", &receive_bytes_max,
                "datagrams received and not yet numbered; more are dropped and counted");
  section.choice("log", &log, {"debug", "info", "warn", "error"},
                 "the lowest level of log lines shown");
  settings.allow({"supervisor", "triggers", "limits", "notify.*", "platform"});
}

Result<void> SyndicatorOptions::check() {
  const auto invalid = [](std::string text) { return fail(ErrorCode::invalid, std::move(text)); };
  if (const auto right = UdpReceiver::check_address(udp); !right)
    return invalid(fmt::format("`udp`: {}", right.error().message));
  for (const auto& [key, address] :
       {std::pair{"publish", &publish}, std::pair{"request", &request}}) {
    if (const auto right = check_address(*address); !right)
      return invalid(fmt::format("`{}`: {}", key, right.error().message));
  }
  for (const std::string& address : core) {
    if (const auto right = check_peer_address(address); !right)
      return invalid(fmt::format("`core`: {}", right.error().message));
  }
  if (publish == request && !publish.ends_with(":*") && !publish.ends_with(":0")) {
    return invalid(
        fmt::format("`publish` and `request` are both {}; give them different ports", publish));
  }
  if (!uuid.empty()) {
    std::array<char, 36> lowered{};
    if (!normalise_uuid(uuid, lowered)) {
      return invalid(
          fmt::format("`uuid` = '{}' is no uuid; it has 36 characters, such as "
                      "8e58af00-708c-012f-e468-64ce8f3a9dc2",
                      uuid));
    }
    uuid.assign(lowered.begin(), lowered.end());
  }
  if (history.empty())
    return invalid("`history` names no folder; set it to where the stream is to be kept");
  // One datagram must always fit.
  constexpr std::uint64_t receive_bytes_min = 1u << 20;
  if (receive_bytes_max < receive_bytes_min || receive_bytes_max > (4ull << 30)) {
    return invalid(
        fmt::format("`receive_bytes_max` = {} is out of range; it goes from 1MiB to 4GiB",
                    format_bytes(receive_bytes_max)));
  }
  return {};
}

LogLevel SyndicatorOptions::log_level() const {
  if (log == "debug") return LogLevel::debug;
  if (log == "warn") return LogLevel::warn;
  if (log == "error") return LogLevel::error;
  return LogLevel::info;
}

}  // namespace hastur
