// The whole hostile corpus in one directory with innocent triggers, in the real daemons.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/clock.h"
#include "tests/corpus/corpus.h"
#include "tests/integration/load.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/scripts.h"
#include "tests/integration/waiting.h"
#include "tests/support/datagram_sender.h"

namespace hastur {
namespace {

constexpr int slowdown = is_sanitized ? 20 : 1;
constexpr Micros loading_max = std::chrono::seconds{60 * slowdown};
constexpr Micros settling_max = std::chrono::seconds{180 * slowdown};
const std::set<TriggerName> innocent{"chatty", "chain", "each_second"};

void save_scripts(Platform& platform, const std::vector<HostileScript>& corpus) {
  platform.save_script("chatty", chatty_script);
  platform.save_script("chain", chain_script);
  platform.save_script("each_second", each_second_script);
  std::filesystem::create_directory(platform.scripts() / "lib");
  for (const ScriptFile& library : hostile_libraries()) {
    std::ofstream(platform.scripts() / library.path) << library.text;
  }
  for (const HostileScript& script : corpus) platform.save_script(script.name, script.text);
}

// Every file has been loaded or refused.
bool all_are_judged(Platform& platform, std::size_t count) {
  return wait_until(
      [&] {
        const auto triggers = platform.get("/v1/triggers");
        if (!triggers || (*triggers)["items"].size() != count) return false;
        return std::ranges::all_of((*triggers)["items"], [](const Json& trigger) {
          return trigger["status"] != "waiting" && trigger["status"] != "loading";
        });
      },
      loading_max);
}

// Every trigger that runs has taken all that was numbered before the call, and what was derived has
// been handed on. Those that were never stored are refused.
bool all_have_caught_up(Platform& platform) {
  const auto target = platform.metric("hastur_stream_sequence");
  return wait_until(
      [&] {
        const auto triggers = platform.get("/v1/triggers");
        if (!triggers || !target) return false;
        for (const Json& trigger : (*triggers)["items"]) {
          if (trigger["run"] == 0) continue;
          if (trigger["cursor"].get<std::uint64_t>() < *target) return false;
          const bool touched = innocent.contains(trigger["name"].get<std::string>());
          if (touched && trigger["name"] != "chain" &&
              trigger["state_sequence"].get<std::uint64_t>() < *target) {
            return false;
          }
        }
        return platform.metric("hastur_outbox_messages") == 0;
      },
      settling_max);
}

// Whether this error, as the API shows it, is the one that is due.
bool is_due(const HostileScript& script, const Json& error) {
  if (error.value("text", "").find(script.error) == std::string::npos) return false;
  return !script.line ||
         (error.value("line", 0u) == *script.line && error.value("script", "") == script.script);
}

void expect_verdict(Platform& platform, const HostileScript& script) {
  const auto shown = platform.get("/v1/triggers/" + script.name);
  ASSERT_TRUE(shown) << script.name;
  if (script.is_due("harmless")) {
    EXPECT_EQ((*shown)["errors"], 0) << script.name << ": " << shown->dump();
  } else if (script.is_due("refused")) {
    EXPECT_EQ((*shown)["status"], "refused") << script.name;
    EXPECT_TRUE(is_due(script, (*shown)["refused"])) << script.name << ": " << shown->dump();
  } else {
    EXPECT_TRUE(std::ranges::any_of((*shown)["log"],
                                    [&](const Json& error) { return is_due(script, error); }))
        << script.name << ": " << shown->dump();
  }
}

TEST(HostileCorpus, HarmsNeitherTheSupervisorNorTheTriggersBesideIt) {
  std::vector<HostileScript> corpus = hostile_scripts();
  std::erase_if(corpus, [](const HostileScript& script) { return !script.waits.empty(); });
  if (is_sanitized) {
    // A twentieth; what only the CPU guard stops takes a slow build too long.
    std::size_t place = 0;
    std::erase_if(corpus, [&](const HostileScript& script) {
      return script.is_due("killed") || place++ % slowdown != 0;
    });
  }
  SystemClock clock;
  Platform platform;
  save_scripts(platform, corpus);
  ASSERT_TRUE(platform.start_syndicator());
  const Micros started = clock.monotonic();
  ASSERT_TRUE(platform.start_supervisor());
  const pid_t supervisor = platform.supervisor().pid();
  ASSERT_TRUE(all_are_judged(platform, corpus.size() + innocent.size()));
  const Micros loaded = clock.monotonic();

  constexpr std::uint64_t count = 6'000 / slowdown;
  Sender sender(platform.udp_port());
  DatagramSender hostile(fmt::format("127.0.0.1:{}", platform.udp_port()));
  for (int round = 1; round <= 2; ++round) {
    sender.send(count / 3, 2'000 / slowdown);
    sender.finish();
    // What makes them strike.
    ASSERT_TRUE(hostile.send(fmt::format(
        R"({{"type":"gauge","name":"hostile","value":{},"labels":{{"host":"a"}}}})", round)));
  }
  sender.send(count / 3, 2'000 / slowdown);
  sender.finish();
  // A judgement is due a second of the stream later.
  const auto second_later = platform.metric("hastur_stream_sequence").value_or(0) + 2;
  ASSERT_TRUE(wait_until(
      [&] { return platform.metric("hastur_stream_sequence").value_or(0) >= second_later; },
      loading_max));
  ASSERT_TRUE(all_have_caught_up(platform)) << platform.get("/v1/triggers")->dump();
  const Micros settled = clock.monotonic();

  EXPECT_EQ(platform.supervisor().pid(), supervisor);
  EXPECT_TRUE(platform.supervisor().is_running());
  for (const HostileScript& script : corpus) expect_verdict(platform, script);
  const auto restarts = platform.metric("hastur_worker_restarts_total").value_or(0);
  platform.stop();

  Remains remains(platform);
  const std::uint64_t effects = remains.expect_one_pass_of(innocent);
  EXPECT_GT(effects, 0u);
  fmt::print(
      "{} hostile scripts: judged in {}, settled after {}; {} worker restarts; {} effects "
      "of the innocent compared\n",
      corpus.size(), format_span(loaded - started), format_span(settled - loaded), restarts,
      effects);
}

}  // namespace
}  // namespace hastur
