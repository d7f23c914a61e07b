#include "supervisor/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "core/udp_sender.h"
#include "supervisor/http/http_server.h"
#include "syndicator/client/zmq.h"
#include "trigger-runtime/sources/repository.h"

namespace hastur {

Result<std::string> read_token(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!(file >> token) || token.size() < 16) {
    return fail(
        ErrorCode::invalid,
        fmt::format(
            "the token file {} cannot be read or holds less than 16 characters; make one with: "
            "head -c 24 /dev/urandom | base64 > {}",
            path, path));
  }
  return token;
}

void SupervisorConfig::declare(Settings& settings) {
  Section& supervisor = settings.section("supervisor");
  supervisor.text("publish", &publish, "where the syndicator publishes the stream");
  supervisor.text("request", &request, "where the syndicator answers requests");
  supervisor.text("http", &http, "address of the HTTP API");
  supervisor.text("token_file", &token_file,
                  "file with the token that HTTP requests must bear which change something or come "
                  "from elsewhere; made beside the state file if empty");
  supervisor.text("state", &state, "file that keeps the triggers' state");
  supervisor.choice("durability", &durability, {"default", "synced"},
                    "default survives the death of any process, synced a power loss too");
  supervisor.choice("notify", &notify, {"on", "record", "off"}, "what happens to notifications");
  supervisor.span("late_after", &late_after,
                  "how far a trigger may be behind the stream for its notifications to leave as "
                  "they are");
  supervisor.choice("sandbox", &sandbox, {"best", "required"},
                    "required: do not run triggers where a part of the cage cannot be had");
  supervisor.number("workers", &workers, "worker processes; 0 for one a core");
  supervisor.choice("log", &log, {"debug", "info", "warn", "error"},
                    "least level of log lines shown");

  Section& triggers = settings.section("triggers");
  triggers.text("directory", &directory,
                "folder whose *.lua files are the triggers; watched; \"triggers\" if there is no "
                "repo either");
  triggers.text("repo", &repo,
                "git repository whose branch holds the triggers: a folder, or a URL to fetch from");
  triggers.text("branch", &branch, "branch of the repo that is followed");
  triggers.span("fetch_every", &fetch_every, "how often a repo that is a URL is fetched from");
  triggers.span("gate_time_max", &gate_time_max, "how long the tests of a commit may take");
  triggers.span(
      "gate_backtest", &gate_backtest,
      "how much recent History a changed trigger is run on beside what runs; 0s for none");
  triggers.number("gate_new_notifications_max", &gate_new_notifications_max,
                  "new notifications of a trigger on it above which a commit is refused");

  Section& limits = settings.section("limits");
  limits.number("instructions_max", &instructions_max, "instructions of one callback", false);
  limits.number("effects_max", &effects_max, "effects of one callback", false);
  limits.number("notifications_max", &notifications_max, "notifications of one callback", false);
  limits.number("messages_per_minute_max", &messages_per_minute_max,
                "derived messages of a trigger in a minute", false);
  limits.bytes("log_bytes_per_minute_max", &log_bytes_per_minute_max,
               "log of a trigger in a minute", false);
  limits.bytes("state_bytes_max", &state_bytes_max, "state of a trigger that does not ask for more",
               false);
  limits.bytes("state_bytes_ceiling", &state_bytes_ceiling, "the most that a trigger may ask for",
               false);
  limits.span("callback_cpu_max", &callback_cpu_max,
              "CPU time of one callback after which its worker is killed");

  channels.declare(settings);
  Section& platform = settings.section("platform");
  platform.text("notify", &platform_notify, "the channel that tells of the platform's own troubles",
                false);
  platform.text("watchdog_url", &watchdog_url,
                "called with GET each minute as long as all works from datagram to effect", false);
  platform.text("watchdog_udp", &watchdog_udp,
                "the syndicator's UDP address, where the watchdog's heartbeats go in", false);
  settings.allow({"syndicator"});
}

Result<void> SupervisorConfig::check() const {
  const auto refuse = [](std::string_view key, std::string_view why) {
    return fail(ErrorCode::invalid, fmt::format("{}: {}", key, why));
  };
  const auto where = parse_listen_address(http);
  if (!where) return refuse("[supervisor] http", where.error().message);
  if (!where->loopback && token_file.empty()) {
    return refuse(
        "[supervisor] http",
        fmt::format(
            "{} can be reached from other machines; set token_file, or use a loopback address",
            http));
  }
  for (const auto& [key, address] :
       {std::pair{"publish", publish}, std::pair{"request", request}}) {
    if (const auto right = check_address(address); !right)
      return refuse(fmt::format("[supervisor] {}", key), right.error().message);
  }
  // One that only the daemon's user may read is the daemon's to judge: other commands need none.
  if (!token_file.empty() && (access(token_file.c_str(), R_OK) == 0 || errno != EACCES)) {
    if (const auto token = read_token(token_file); !token)
      return refuse("[supervisor] token_file", token.error().message);
  }
  if (state.empty()) return refuse("[supervisor] state", "it must name a file");
  if (!directory.empty() && !repo.empty()) {
    return refuse("[triggers] repo",
                  fmt::format("the folder {} is named too, and only one of both can say what runs; "
                              "remove directory or repo",
                              directory));
  }
  if (!is_branch_name(branch))
    return refuse("[triggers] branch", fmt::format("'{}' is no name of a branch", branch));
  if (repo.starts_with('-')) return refuse("[triggers] repo", "it begins with '-'");
  if (fetch_every < std::chrono::seconds{1}) return refuse("[triggers] fetch_every", "at least 1s");
  if (gate_time_max < std::chrono::seconds{1} || gate_time_max > std::chrono::hours{1})
    return refuse("[triggers] gate_time_max", "from 1s to 1h");
  if (gate_backtest < Micros{0}) return refuse("[triggers] gate_backtest", "at least 0s");
  if (workers > 1'024) return refuse("[supervisor] workers", "at most 1024");
  if (instructions_max < 1'000) return refuse("[limits] instructions_max", "at least 1000");
  if (effects_max == 0 || effects_max > 1'000'000)
    return refuse("[limits] effects_max", "from 1 to 1000000");
  if (notifications_max == 0 || notifications_max > effects_max) {
    return refuse("[limits] notifications_max", "from 1 to effects_max");
  }
  if (messages_per_minute_max > UINT32_MAX || log_bytes_per_minute_max > UINT32_MAX) {
    return refuse("[limits]", "a limit a minute is below 4294967296");
  }
  if (state_bytes_max == 0 || state_bytes_max > state_bytes_ceiling) {
    return refuse("[limits] state_bytes_max", "from 1 to state_bytes_ceiling");
  }
  if (state_bytes_ceiling > (1ull << 30))
    return refuse("[limits] state_bytes_ceiling", "at most 1GiB");
  if (callback_cpu_max < std::chrono::milliseconds{10})
    return refuse("[limits] callback_cpu_max", "at least 10ms");
  const auto opened = channels.open();
  if (!opened) return fail(opened.error());
  if (!platform_notify.empty()) {
    if (const auto channel = channel_for(*opened, "platform", platform_notify); !channel)
      return refuse("[platform] notify", channel.error().message);
  }
  if (!watchdog_url.empty()) {
    if (const auto url = parse_url(watchdog_url, {"https", "http"}); !url)
      return refuse("[platform] watchdog_url", url.error().message);
    if (const auto sender = UdpSender::connect(watchdog_udp);
        !sender && sender.error().code == ErrorCode::invalid)
      return refuse("[platform] watchdog_udp", sender.error().message);
  }
  return {};
}

CountedLimits SupervisorConfig::limits() const {
  CountedLimits limits;
  limits.instructions_max = instructions_max;
  limits.effects_max = static_cast<std::uint32_t>(effects_max);
  limits.notifications_max = static_cast<std::uint32_t>(notifications_max);
  limits.messages_per_minute_max = static_cast<std::uint32_t>(messages_per_minute_max);
  limits.log_bytes_per_minute_max = static_cast<std::uint32_t>(log_bytes_per_minute_max);
  limits.state_bytes_max = state_bytes_max;
  limits.state_bytes_ceiling = state_bytes_ceiling;
  return limits;
}

}  // namespace hastur
