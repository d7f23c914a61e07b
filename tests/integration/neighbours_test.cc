// Many triggers in one supervisor, and a slow one among them.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

#include "core/clock.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/waiting.h"
#include "tests/support/datagram_sender.h"

namespace hastur {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Proportional set size of a process, in bytes; 0 if it has gone.
std::uint64_t memory_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
  std::string word;
  std::uint64_t kib = 0;
  while (file >> word) {
    if (word == "Pss:" && file >> kib) return kib * 1024;
  }
  return 0;
}

// Triggers team0 … that each listen to a gauge of their own.
void save_teams(Platform& platform, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    platform.save_script(fmt::format("team{}", i), fmt::format(R"(
local ctx = hastur.trigger{{ state = {{ seen = {{}}, total = 0 }} }}
local limits = {{ warn = {0}, page = {0} * 2 }}
ctx:gauges({{ name = "team{0}.load", value = {{ above = 1 }} }}, function(msg)
  ctx.state.seen[msg.host] = msg.value
  ctx.state.total = ctx.state.total + 1
  if msg.value > limits.page then pager_duty("load/" .. msg.host, "load is " .. msg.value) end
end)
ctx:every("minute", function() hastur.gauge("team{0}.total", ctx.state.total) end)
)",
                                                               i));
  }
}

// One message for each of them.
void send_to_teams(const Platform& platform, std::size_t count) {
  DatagramSender sender(fmt::format("127.0.0.1:{}", platform.udp_port()));
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(
        sender.send(fmt::format(R"({{"type":"gauge","name":"team{}.load","value":5}})", i)));
  }
}

TEST(Neighbours, AThousandTriggersLoadInTimeAndSpace) {
  constexpr std::size_t count = is_sanitized ? 50 : 1'000;
  constexpr Micros load_max = seconds{30};  // three times what is promised
  constexpr std::uint64_t memory_max = 1u << 30;
  Platform platform;
  save_teams(platform, count);
  ASSERT_TRUE(platform.start_syndicator());
  SystemClock clock;
  const Micros started = clock.monotonic();
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  const Micros loaded = clock.monotonic() - started;
  send_to_teams(platform, count);
  ASSERT_TRUE(platform.settle("team0"));
  std::uint64_t memory = memory_of(platform.supervisor().pid());
  for (const pid_t worker : platform.supervisor().children()) memory += memory_of(worker);
  if (!is_sanitized) {
    EXPECT_LE(loaded, load_max);
    EXPECT_LE(memory, memory_max);
  }
  fmt::print("{} triggers loaded in {}; supervisor and workers take {} MiB\n", count,
             format_span(loaded), memory >> 20);
  platform.stop();
}

TEST(Neighbours, AHundredTriggersAreLiveAgainSoonAfterAKill) {
  constexpr std::size_t count = 100;
  constexpr Micros live_max = seconds{3};  // three times what is promised
  Platform platform;
  save_teams(platform, count);
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  send_to_teams(platform, count);
  ASSERT_TRUE(platform.settle("team0"));
  platform.supervisor().kill_9();
  SystemClock clock;
  const Micros started = clock.monotonic();
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(wait_until(
      [&] {
        const auto triggers = platform.get("/v1/triggers");
        return triggers && (*triggers)["items"].size() == count &&
               std::ranges::all_of((*triggers)["items"], [](const Json& trigger) {
                 return trigger["status"] == "running";
               });
      },
      seconds{60}));
  const Micros live = clock.monotonic() - started;
  if (!is_sanitized) {
    EXPECT_LE(live, live_max);
  }
  // They go on with what they had.
  send_to_teams(platform, count);
  EXPECT_TRUE(wait_until(
      [&] {
        const auto state = platform.get("/v1/triggers/team0/state");
        return state && state->value("/state/total"_json_pointer, 0) == 2;
      },
      seconds{60}));
  fmt::print("{} triggers were live {} after the start\n", count, format_span(live));
  platform.stop();
}

constexpr const char* quick = R"(
local ctx = hastur.trigger()
ctx:gauges({ name = "lat.in" }, function(msg)
  hastur.gauge("lat.out", msg.received_at, { round = msg.labels.round })
end)
)";

// About 80 ms of arithmetic for every message.
constexpr const char* slow = R"(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "lat.in" }, function(msg)
  local x = 0
  for i = 1, 27000000 do x = x + i end
  ctx.state.n = ctx.state.n + 1
end)
)";

std::int64_t median(std::vector<std::int64_t> numbers) {
  if (numbers.empty()) return 0;
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::ranges::nth_element(numbers, middle);
  return *middle;
}

// From the receipt of a message to the receipt of what was derived from it, by rounds with and
// without a trigger that is never done with a message before the next ones come. HASTUR_ROUNDS says
// how many of each.
TEST(Neighbours, ASlowTriggerDelaysNobody) {
  const char* wanted = std::getenv("HASTUR_ROUNDS");
  const int rounds = wanted == nullptr ? 1 : std::max(1, std::atoi(wanted));
  constexpr int messages = 600;
  Platform platform;
  platform.configure("", "[limits]\ninstructions_max = 1000000000");
  platform.save_script("quick", quick);
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  DatagramSender sender(fmt::format("127.0.0.1:{}", platform.udp_port()));
  std::uint64_t sent = 0;
  const auto send_round = [&](const std::string& round, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(sender.send(fmt::format(
          R"({{"type":"gauge","name":"lat.in","value":{},"labels":{{"round":"{}"}}}})", i, round)));
      ++sent;
      // Ten thousand derived messages a minute are the limit.
      std::this_thread::sleep_for(milliseconds{7});
    }
  };
  std::int64_t slow_call_us = 0;
  for (int round = 0; round < rounds; ++round) {
    send_round(fmt::format("without {}", round), messages);
    if (round == 0) {
      platform.save_script("slow", slow);
      ASSERT_TRUE(platform.wait_for_triggers());
    } else {
      ASSERT_EQ(platform.run_hastur("resume slow").exit_code, 0);
    }
    // It is moved aside after a second of not keeping up.
    send_round("settling", 400);
    send_round(fmt::format("with {}", round), messages);
    if (const auto shown = platform.get("/v1/triggers/slow")) {
      slow_call_us = (*shown)["cpu_us"].get<std::int64_t>() /
                     std::max<std::int64_t>((*shown)["callbacks"].get<std::int64_t>(), 1);
      EXPECT_EQ((*shown)["isolation"], "slow");
    }
    if (round + 1 == rounds) break;
    ASSERT_EQ(platform.run_hastur("pause slow --why 'a round without it'").exit_code, 0);
    ASSERT_TRUE(wait_until(
        [&] {
          const auto shown = platform.get("/v1/triggers/slow");
          return shown && (*shown)["status"] == "paused";
        },
        seconds{30}));
  }
  ASSERT_TRUE(wait_until(
      [&] {
        const auto shown = platform.get("/v1/triggers/quick");
        return shown && (*shown)["effects"] >= sent && (*shown)["lag"] == 0 &&
               platform.metric("hastur_outbox_messages") == 0;
      },
      seconds{30}));
  platform.stop();

  const Remains remains(platform);
  std::map<std::string, std::vector<std::int64_t>> latencies;
  for (const DerivedRow& row : remains.census().derived.at("quick")) {
    const MessageView& message = row.message.view();
    const Value* round = message.label("round");
    ASSERT_NE(round, nullptr);
    latencies[std::string(round->text)].push_back(to_us(message.received_at) -
                                                  static_cast<std::int64_t>(message.value.number));
  }
  std::vector<std::int64_t> with, without;
  for (int round = 0; round < rounds; ++round) {
    const auto& one = latencies[fmt::format("with {}", round)];
    const auto& other = latencies[fmt::format("without {}", round)];
    ASSERT_EQ(one.size(), static_cast<std::size_t>(messages));
    ASSERT_EQ(other.size(), static_cast<std::size_t>(messages));
    with.push_back(median(one));
    without.push_back(median(other));
  }
  fmt::print("median of {} rounds: {} µs without, {} µs with a trigger that takes {} µs a call\n",
             rounds, median(without), median(with), slow_call_us);
  if (!is_sanitized) {
    EXPECT_GE(slow_call_us, 20'000);
    EXPECT_LE(median(with), 3 * median(without));
  }
}

}  // namespace
}  // namespace hastur
