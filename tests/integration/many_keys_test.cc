// One trigger that knows very many hosts: what a kill leaves of them, and what storing them costs.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "core/clock.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/waiting.h"
#include "tests/support/datagram_sender.h"

namespace hastur {
namespace {

using std::chrono::milliseconds;

constexpr const char* heartbeats = R"(
local ctx   = hastur.trigger{ state_bytes_max = "128MiB" }
local hosts = ctx:keyed("hosts", { forget = "1d" })
local gone  = ctx:alert("no_heartbeat", { again = "1h", burst = 20, stale = "1d" })
ctx:agent_heartbeats({}, function(msg)
  hosts:touch(msg.uuid)
  gone:clear(msg.uuid, "heartbeat is back")
end)
hosts:silent("1h", function(uuid) gone:raise(uuid, "no heartbeat for an hour from " .. uuid) end)
)";

// A heartbeat of each host of [first, end), 40,000 a second.
void send_heartbeats(const Platform& platform, std::uint64_t first, std::uint64_t end) {
  constexpr std::uint64_t each_millisecond = 40;
  DatagramSender sender(fmt::format("127.0.0.1:{}", platform.udp_port()));
  SystemClock clock;
  Micros due = clock.monotonic();
  for (std::uint64_t host = first; host < end; ++host) {
    ASSERT_TRUE(sender.send(
        fmt::format(R"({{"type":"hb_agent","uuid":"{:08x}-708c-012f-e468-64ce8f3a9dc2"}})", host)));
    if (host % each_millisecond != 0) continue;
    due += milliseconds{1};
    std::this_thread::sleep_for(std::max(Micros{0}, due - clock.monotonic()));
  }
}

// HASTUR_KEYS says how many hosts.
TEST(ManyKeys, AKillLosesNoneAndTheirCheckpointsTakeTheirShare) {
  const std::uint64_t hosts = by_hand("HASTUR_KEYS", is_sanitized ? 2'000 : 100'000);
  constexpr double share_max = 0.15;  // three times what is promised
  Platform platform;
  platform.save_script("heartbeats", heartbeats);
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  send_heartbeats(platform, 0, hosts / 2);
  platform.supervisor().kill_9();
  send_heartbeats(platform, hosts / 2, hosts / 2 + hosts / 4);
  SystemClock clock;
  const Micros started = clock.monotonic();
  ASSERT_TRUE(platform.start_supervisor());
  send_heartbeats(platform, hosts / 2 + hosts / 4, hosts);
  // All of them once more: each checkpoint is of all.
  send_heartbeats(platform, 0, hosts);
  ASSERT_TRUE(platform.settle("heartbeats"));
  const Micros ran = clock.monotonic() - started;
  const auto commits = platform.metric("hastur_commit_microseconds_total");
  ASSERT_TRUE(commits);
  const double share = static_cast<double>(*commits) / static_cast<double>(ran.count());
  if (!is_sanitized) {
    EXPECT_LE(share, share_max);
  }
  const auto state = platform.get("/v1/triggers/heartbeats/state");
  ASSERT_TRUE(state);
  fmt::print("{} hosts: a state of {} KiB; commits took {:.1f} % of {}\n", hosts,
             (*state)["state"].dump().size() >> 10, 100 * share, format_span(ran));
  platform.stop();
  Remains remains(platform);
  remains.expect_one_pass();
}

}  // namespace
}  // namespace hastur
