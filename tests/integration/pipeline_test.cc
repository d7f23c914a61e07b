// The real daemons, their files and a generated load: what they leave behind is what one pass over
// the History gives.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "core/clock.h"
#include "core/json.h"
#include "tests/integration/load.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/scripts.h"
#include "tests/integration/waiting.h"

namespace hastur {
namespace {

constexpr std::uint64_t slowdown = is_sanitized ? 20 : 1;
constexpr Micros soon = std::chrono::seconds{30};

void save_scripts(Platform& platform) {
  platform.copy_repo_scripts();
  platform.save_script("chatty", chatty_script);
  platform.save_script("chain", chain_script);
  platform.save_script("each_second", each_second_script);
  platform.save_script("raising", raising_script);
}

std::uint64_t heard(Platform& platform) {
  std::uint64_t sum = 0;
  for (const char* name : {"hastur_received_total", "hastur_kernel_dropped_total",
                           "hastur_syndicator_total{name=\"ring_dropped\"}"}) {
    sum += platform.metric(name).value_or(0);
  }
  return sum;
}

std::uint64_t counter(const Remains& remains, const std::string& name) {
  const auto counters = remains.history().counters();
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

TEST(Pipeline, AMillionMessagesThroughAPausedSupervisorComeOutAsOfOnePass) {
  constexpr std::uint64_t count = 1'000'000 / slowdown;
  constexpr std::uint64_t per_second = 40'000 / slowdown;
  constexpr Micros pause = std::chrono::seconds{is_sanitized ? 4 : 20};
  SystemClock clock;
  Platform platform;
  save_scripts(platform);
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());

  Sender sender(platform.udp_port());
  const Micros started = clock.monotonic();
  sender.send(count, per_second);
  ASSERT_TRUE(wait_until([&] { return sender.sent() > count / 20; }, soon));
  platform.supervisor().pause();
  const Micros paused = clock.monotonic();
  wait_until([&] { return clock.monotonic() - paused >= pause; }, pause * 2);
  platform.supervisor().resume();
  sender.finish();
  const Micros sending = clock.monotonic() - started;

  // What the kernel dropped was never ours; as much is sent again, until the million is complete.
  ASSERT_TRUE(wait_until(
      [&] {
        if (heard(platform) < sender.sent()) return false;
        const auto received = platform.metric("hastur_received_total").value_or(0);
        if (received >= count) return true;
        sender.send(count - received, per_second / 2);
        sender.finish();
        return false;
      },
      soon * 2))
      << heard(platform) << " of " << sender.sent() << " arrived or were counted as dropped";
  ASSERT_TRUE(platform.settle("chatty"));
  const Micros settled = clock.monotonic() - started;
  const auto refilled = platform.metric("hastur_refilled_batches_total").value_or(0);
  // At a twentieth of the load the sockets' queues hold what comes during the pause.
  if (!is_sanitized) {
    EXPECT_GT(refilled, 0u) << "the pause did not make the supervisor read back";
  }
  EXPECT_EQ(platform.metric("hastur_worker_restarts_total"), 0u) << "a worker died unasked";
  EXPECT_GT(platform.metric("hastur_trigger_errors_total{trigger=\"raising\"}"), 0u);
  EXPECT_EQ(platform.supervisor().whole_log().find("was set back"), std::string::npos)
      << "what was on its way is taken for lost";
  platform.stop();

  Remains remains(platform);
  remains.expect_every_datagram_once(sender.sent());
  const Census& census = remains.census();
  EXPECT_GE(census.datagrams, count);
  EXPECT_EQ(
      census.datagrams + counter(remains, "kernel_dropped") + counter(remains, "ring_dropped"),
      sender.sent());
  EXPECT_GT(census.refused, count / 40);
  // Of a hundred: a type that nobody knows, and two that are no JSON.
  EXPECT_EQ(counter(remains, "refused.not_json"), 2 * counter(remains, "refused.unknown_type"));
  EXPECT_EQ(counter(remains, "refused.unknown_type") * 3, census.refused);
  const Micros comparing = clock.monotonic();
  const std::uint64_t effects = remains.expect_one_pass();
  EXPECT_GT(effects, count / 500);
  fmt::print(
      "{} datagrams in {}, settled after {}; kernel dropped {}, refilled {} batches; {} effects "
      "compared in {}\n",
      census.datagrams, format_span(sending), format_span(settled),
      counter(remains, "kernel_dropped"), refilled, effects,
      format_span(clock.monotonic() - comparing));
}

TEST(Pipeline, KillsOfEachProcessInTurnUnderLoadLeaveWhatOnePassGives) {
  constexpr std::uint64_t per_second = 20'000 / (is_sanitized ? 20 : 1);
  // Of five kills each.
  const auto rounds = static_cast<int>(by_hand("HASTUR_KILL_ROUNDS", is_sanitized ? 1 : 4));
  SystemClock clock;
  Platform platform;
  save_scripts(platform);
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  Sender sender(platform.udp_port());
  const Micros started = clock.monotonic();
  sender.send(std::nullopt, per_second);

  // Something is under way whenever a process dies, and it has to be reached again after that.
  const auto go_on = [&] {
    const auto position = platform.metric("hastur_position_sequence").value_or(0);
    const auto sent = sender.sent();
    return wait_until(
        [&] {
          return sender.sent() > sent + per_second &&
                 platform.metric("hastur_position_sequence").value_or(0) > position + per_second;
        },
        soon);
  };
  const auto kill_supervisor = [&] {
    const auto workers = platform.supervisor().children();
    platform.supervisor().kill_9();
    for (const pid_t worker : workers) {
      EXPECT_TRUE(wait_until([worker] { return !is_alive(worker); }, soon)) << "an orphan";
    }
  };
  // The older one: done twice, it is each in its turn.
  const auto kill_worker = [&] {
    const auto workers = platform.supervisor().children();
    ASSERT_EQ(workers.size(), 2u);
    kill(workers.front(), SIGKILL);
    EXPECT_TRUE(wait_until(
        [&] {
          const auto now = platform.supervisor().children();
          return now.size() == 2 && now != workers;
        },
        soon));
  };
  const std::vector<std::pair<const char*, std::function<void()>>> kills = {
      {"syndicator",
       [&] {
         platform.syndicator().kill_9();
         platform.start_syndicator();
       }},
      {"supervisor",
       [&] {
         kill_supervisor();
         platform.start_supervisor();
       }},
      {"a worker", kill_worker},
      {"the other worker", kill_worker},
      {"syndicator and supervisor", [&] {
         platform.syndicator().kill_9();
         kill_supervisor();
         platform.start_syndicator();
         platform.start_supervisor();
       }}};
  for (int round = 0; round < rounds; ++round) {
    for (const auto& [name, strike] : kills) {
      ASSERT_TRUE(go_on()) << "before the death of " << name;
      strike();
      ASSERT_FALSE(HasFailure()) << "after the death of " << name;
    }
  }
  ASSERT_TRUE(go_on());
  sender.stop();
  ASSERT_TRUE(platform.settle("chatty"));
  const auto diverged = platform.get("/v1/triggers");
  ASSERT_TRUE(diverged);
  for (const Json& trigger : (*diverged)["items"]) EXPECT_EQ(trigger["diverged"], 0) << trigger;
  const Micros settled = clock.monotonic() - started;
  platform.stop();

  Remains remains(platform);
  remains.expect_every_datagram_once(sender.sent());
  const std::uint64_t effects = remains.expect_one_pass();
  EXPECT_GT(effects, 100 / slowdown);
  fmt::print("{} kills in {}; {} of {} datagrams were received, {} effects compared\n",
             static_cast<std::size_t>(rounds) * kills.size(), format_span(settled),
             remains.census().datagrams, sender.sent(), effects);
}

// Counts into a field of its version, and says now and then which one it is.
std::string version_script(int version) {
  return fmt::format(R"(
local ctx = hastur.trigger{{ state = {{ v1 = 0, v2 = 0 }} }}
ctx:gauges({{ name = "it.load" }}, function(msg)
  ctx.state.v{0} = ctx.state.v{0} + 1
  if msg.labels.n % 100 == 7 then hastur.gauge("it.version", {0}) end
end)
)",
                     version);
}

TEST(Pipeline, ASavedScriptTakesOverAtOneSequenceAndABrokenOneIsRefused) {
  constexpr std::uint64_t per_second = 10'000 / slowdown;
  Platform platform;
  platform.save_script("versions", version_script(1));
  platform.save_script("chatty", chatty_script);
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  Sender sender(platform.udp_port());
  sender.send(std::nullopt, per_second);
  const auto trigger_has = [&](const std::function<bool(const Json&)>& holds) {
    return wait_until(
        [&] {
          const auto trigger = platform.get("/v1/triggers/versions");
          return trigger && trigger->contains("run") && holds(*trigger);
        },
        soon);
  };
  const auto callbacks_pass = [&](std::uint64_t count) {
    return trigger_has([&](const Json& trigger) { return trigger["callbacks"] > count; });
  };
  ASSERT_TRUE(callbacks_pass(per_second));

  platform.save_script("versions", version_script(2));
  ASSERT_TRUE(trigger_has([](const Json& trigger) { return trigger["run"] == 2; }));
  ASSERT_TRUE(
      wait_until([&, sent = sender.sent()] { return sender.sent() > sent + per_second; }, soon));

  platform.save_script("versions", "local ctx = hastur.trigger{}\nthis is no Lua\n");
  Json refused;
  ASSERT_TRUE(trigger_has([&](const Json& trigger) {
    refused = trigger["refused"];
    return !refused.is_null();
  }));
  EXPECT_EQ(refused["script"], "versions.lua");
  EXPECT_EQ(refused["line"], 2);
  EXPECT_NE(refused["text"], "");
  const std::uint64_t cursor =
      platform.get("/v1/triggers/versions")->at("cursor").get<std::uint64_t>();
  ASSERT_TRUE(trigger_has([&](const Json& trigger) {
    return trigger["run"] == 2 && trigger["status"] == "running" &&
           trigger["cursor"] > cursor + per_second;
  })) << "the old one does not run on";
  sender.stop();
  ASSERT_TRUE(platform.settle("chatty"));
  platform.stop();

  Remains remains(platform);
  remains.expect_every_datagram_once(sender.sent());
  EXPECT_GT(remains.expect_one_pass(), 0u);
  const auto stored = remains.store().load("versions");
  ASSERT_TRUE(stored && *stored);
  ASSERT_EQ((*stored)->run.run.value, 2u);
  const Sequence at = (*stored)->run.after;
  const Sequence state_at = (*stored)->checkpoint.state_sequence;

  // Every gauge up to `at` was counted by the first version, every one after it by the second.
  std::uint64_t before = 0, after = 0;
  for (Sequence next{1}; next <= remains.history().last();) {
    const auto batches = remains.history().read(next, {});
    ASSERT_TRUE(batches && !batches->empty());
    std::vector<Label> scratch;
    for (const Batch& batch : *batches) {
      const auto view = BatchView::trusted(batch.header, batch.body);
      for (std::uint32_t row = 0; row < view.count(); ++row) {
        if (view.message(row, scratch).name != "it.load") continue;
        const Sequence sequence = view.sequence(row);
        if (sequence <= at) ++before;
        if (sequence > at && sequence <= state_at) ++after;
      }
      next = batch.header.last().next();
    }
  }
  EXPECT_GT(before, 0u);
  EXPECT_GT(after, 0u);
  EXPECT_EQ((*stored)->checkpoint.state, fmt::format(R"({{"v1":{},"v2":{}}})", before, after));

  const auto derived = remains.census().derived.find("versions");
  ASSERT_NE(derived, remains.census().derived.end());
  double newest = 1;
  for (const DerivedRow& row : derived->second) {
    const MessageView& message = row.message.view();
    EXPECT_EQ(message.value.number, message.origin->sequence <= at ? 1 : 2);
    EXPECT_EQ(message.origin->run.value, message.origin->sequence <= at ? 1u : 2u);
    newest = message.value.number;
  }
  EXPECT_EQ(newest, 2);
}

}  // namespace
}  // namespace hastur
