// Every script of the corpus in a real worker, beside a trigger that does no harm.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "core/clock.h"
#include "message/recording.h"
#include "tests/corpus/corpus.h"
#include "trigger-runtime/host/run_stream.h"

namespace hastur {
namespace {

#ifdef HASTUR_SANITIZED
constexpr int slowdown = 20;
constexpr std::size_t run_each = 8;
#else
constexpr int slowdown = 1;
constexpr std::size_t run_each = 1;
#endif

constexpr int gauges = 12;
// What one script may take in all: its calls fail one after the other, and run again.
constexpr Micros case_max = std::chrono::seconds{30 * slowdown};

const char* innocent = R"(
local ctx = hastur.trigger{ state = { total = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.total = ctx.state.total + msg.value
  if msg.value % 3 == 0 then hastur.gauge("total", ctx.state.total) end
end)
ctx:every("5s", function(tick) print("at " .. tick.time) end)
)";

std::string recording() {
  std::string text;
  for (int i = 1; i <= gauges; ++i) {
    text += fmt::format(
        R"({{"type":"gauge","name":"hostile","value":{},"labels":{{"host":"a"}},"timestamp":{}}})",
        i, (1704067200 + i) * us_per_second);
    text += '\n';
  }
  return text;
}

struct Seen final : public StreamListener {
  struct Of {
    std::vector<std::string> effects;
    std::vector<CallError> errors;
  };
  void effect(std::size_t trigger, Sequence input, const Effect& effect) override {
    of[trigger].effects.push_back(fmt::format("{} {}", input.value, effect.payload));
  }
  void error(std::size_t trigger, Sequence, const CallError& error) override {
    of[trigger].errors.push_back(error);
  }
  std::map<std::size_t, Of> of;
};

struct Outcome {
  Seen seen;
  // At load.
  std::optional<ScriptError> refused;
  // The worker died: why.
  std::string death;
  // The innocent one is the last that was added.
  std::vector<std::string> states;
};

Outcome run(const HostileScript* hostile) {
  Outcome outcome;
  const auto inputs = std::move(*SharedInputs::make(16u << 20));
  Worker::Options options;
  // A slow build needs longer for what is counted; what only the guard stops reaches it in any.
  if (hostile == nullptr || !hostile->is_due("killed")) options.callback_cpu_max *= slowdown;
  const auto worker = std::move(*Worker::spawn(*inputs, options));
  StreamRun stream(*worker, outcome.seen, {.derived_come_back = true});
  std::size_t added = 0;
  const auto add = [&](const std::string& name, const std::string& text) {
    StreamTrigger trigger;
    trigger.name = name;
    trigger.script = {name + ".lua", text};
    trigger.libraries = hostile_libraries();
    const auto answer = stream.add(std::move(trigger));
    if (!answer) {
      outcome.death = answer.error().message;
    } else if (const auto* error = std::get_if<ScriptError>(&*answer)) {
      outcome.refused = *error;
    } else {
      ++added;
    }
  };
  if (hostile != nullptr) add(hostile->name, hostile->text);
  if (!outcome.death.empty()) return outcome;
  add("innocent", innocent);
  std::istringstream in(recording());
  RecordingReader reader(in, "recording", {4096, {}});
  while (auto batch = std::move(*reader.next())) {
    const auto fed = stream.feed(input_of(std::move(*batch)));
    if (!fed) outcome.death = fed.error().message;
    if (!fed) return outcome;
  }
  for (std::size_t i = 0; i < added; ++i) {
    const auto memory = stream.finish(i);
    if (!memory) outcome.death = memory.error().message;
    if (!memory) return outcome;
    outcome.states.push_back(memory->state);
  }
  return outcome;
}

std::string verdict_of(const Outcome& outcome) {
  if (!outcome.death.empty()) return "killed";
  if (outcome.refused) return "refused";
  const auto hostile = outcome.seen.of.find(0);
  if (hostile == outcome.seen.of.end() || hostile->second.errors.empty()) return "harmless";
  return verdict_of(hostile->second.errors.front().kind);
}

ScriptError error_of(const Outcome& outcome) {
  if (!outcome.death.empty()) return {outcome.death, "", 0};
  if (outcome.refused) return *outcome.refused;
  const auto hostile = outcome.seen.of.find(0);
  if (hostile == outcome.seen.of.end() || hostile->second.errors.empty()) return {};
  return hostile->second.errors.front().error;
}

class Hostile : public ::testing::TestWithParam<HostileScript> {};

TEST_P(Hostile, GetsItsVerdictAndHarmsNobody) {
  const HostileScript& script = GetParam();
  if (!script.waits.empty()) GTEST_SKIP() << "waits for " << script.waits;
  SystemClock clock;
  const Micros began = clock.monotonic();
  const Outcome outcome = run(&script);
  EXPECT_LT(clock.monotonic() - began, case_max);

  const std::string verdict = verdict_of(outcome);
  const ScriptError error = error_of(outcome);
  const std::string said =
      fmt::format("{} at {}:{}: {}", verdict, error.script, error.line, error.text.substr(0, 500));
  EXPECT_TRUE(script.is_due(verdict)) << said;
  EXPECT_NE(error.text.find(script.error), std::string::npos) << said;
  EXPECT_LE(error.text.size(), 8192u);
  if (script.line) {
    EXPECT_EQ(error.line, *script.line) << said;
    EXPECT_EQ(error.script, script.script) << said;
  }
  if (verdict == "killed") return;

  const std::size_t index = verdict == "refused" ? 0 : 1;
  if (index == 1) {
    const auto hostile = outcome.seen.of.find(0);
    const std::size_t effects =
        hostile == outcome.seen.of.end() ? 0 : hostile->second.effects.size();
    EXPECT_EQ(effects, script.effects.value_or(effects));
    EXPECT_EQ(outcome.states[0], script.state.value_or(outcome.states[0]));
  }
  static const Outcome alone = run(nullptr);
  EXPECT_EQ(outcome.states[index], alone.states[0]);
  EXPECT_EQ(outcome.seen.of.at(index).effects, alone.seen.of.at(0).effects);
  EXPECT_TRUE(outcome.seen.of.at(index).errors.empty());
}

// Sanitizer builds run some of them: what is hostile in a script is hostile in any build.
std::vector<HostileScript> scripts_of_this_build() {
  std::vector<HostileScript> scripts = hostile_scripts();
  std::size_t place = 0;
  std::erase_if(scripts, [&](const HostileScript&) { return place++ % run_each != 0; });
  return scripts;
}

INSTANTIATE_TEST_SUITE_P(Corpus, Hostile, ::testing::ValuesIn(scripts_of_this_build()),
                         [](const auto& script) { return script.param.name; });

TEST(Corpus, HoldsAtLeastSixtyScriptsOfEveryVerdict) {
  const auto scripts = hostile_scripts();
  EXPECT_GE(scripts.size(), 60u);
  for (const char* verdict :
       {"refused", "raised", "instructions", "memory", "judgement", "killed", "harmless"}) {
    EXPECT_TRUE(std::ranges::any_of(scripts, [&](const HostileScript& script) {
      return script.is_due(verdict);
    })) << verdict;
  }
}

}  // namespace
}  // namespace hastur
