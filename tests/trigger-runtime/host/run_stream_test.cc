// With the real trigger-worker.

#include "trigger-runtime/host/run_stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "core/json.h"
#include "message/recording.h"
#include "tests/trigger-runtime/host/driver.h"

namespace hastur {
namespace {

// What came out, a line each.
class Lines final : public StreamListener {
 public:
  void effect(std::size_t trigger, Sequence input, const Effect& effect) override {
    lines_.push_back(fmt::format("{} {} {}.{} {}", trigger, input.value, effect.ordinal,
                                 static_cast<int>(effect.kind), effect.payload));
  }
  void error(std::size_t trigger, Sequence input, const CallError& error) override {
    lines_.push_back(fmt::format("{} {} error in {} at line {}: {}", trigger, input.value,
                                 error.callback, error.error.line, error.error.text));
  }
  const std::vector<std::string>& all() const { return lines_; }
  std::size_t count(const std::string& part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }

 private:
  std::vector<std::string> lines_;
};

// Several inputs, and so effects, come between a judgement and what puts a trigger back.
constexpr Micros between_judgements = std::chrono::milliseconds{250};

// One gauge a second unless told otherwise, of values 0 to 9 again and again.
std::string gauges(int count, Micros apart = std::chrono::seconds{1}) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += fmt::format(R"({{"type":"gauge","name":"g","value":{},"timestamp":{}}})", i % 10,
                        1704067200 * us_per_second + i * apart.count());
    text += '\n';
  }
  return text;
}

struct Outcome {
  Lines lines;
  std::vector<Memory> memories;
  std::vector<std::uint64_t> stops;
  StreamCost cost;  // of the first
};

struct How {
  std::uint32_t rows_max = 4096;
  StreamRun::Options options;
  // What of it is given; nothing: all.
  std::optional<Sequence> until;
  // Sets what the first trigger begins with.
  std::function<void(StreamTrigger&)> begin;
};

Outcome run(const std::vector<std::string>& scripts, const std::string& recording, How how = {}) {
  Outcome outcome;
  const auto inputs = std::move(*SharedInputs::make(16u << 20));
  Worker::Options worker_options;
  // Sanitizers are slow, and this guards nothing here.
  worker_options.callback_cpu_max = std::chrono::seconds{60};
  const auto worker = std::move(*Worker::spawn(*inputs, worker_options));
  StreamRun stream(*worker, outcome.lines, how.options);
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    StreamTrigger trigger;
    trigger.name = fmt::format("trigger{}", i);
    trigger.script = {trigger.name + ".lua", scripts[i]};
    if (how.begin && i == 0) how.begin(trigger);
    const auto added = stream.add(std::move(trigger));
    EXPECT_TRUE(added) << added.error().message;
    if (const auto* error = std::get_if<ScriptError>(&*added)) ADD_FAILURE() << error->text;
  }
  std::istringstream in(recording);
  RecordingReader reader(in, "recording", {how.rows_max, {}});
  while (auto batch = std::move(*reader.next())) {
    if (how.until && batch->header.first > *how.until) break;
    if (how.until && *how.until < batch->header.last()) {
      const BatchHeader header = batch->header;
      batch = slice(BatchView::trusted(header, batch->body), 0,
                    static_cast<std::uint32_t>(how.until->value - header.first.value + 1));
    }
    const auto fed = stream.feed(input_of(std::move(*batch)));
    EXPECT_TRUE(fed) << fed.error().message;
    if (!fed) {
      outcome.memories.resize(scripts.size());
      outcome.stops.resize(scripts.size());
      return outcome;
    }
  }
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    outcome.memories.push_back(*stream.finish(i));
    outcome.stops.push_back(stream.stops(i));
  }
  outcome.cost = stream.cost(0);
  return outcome;
}

const char* counting = R"(
local ctx = hastur.trigger{ state = { total = 0 } }
ctx:gauges({ name = "g" }, function(msg) ctx.state.total = ctx.state.total + msg.value end)
ctx:every("minute", function(tick) hastur.gauge("total", ctx.state.total) end)
)";

// Most of its calls fail; what it does besides stays.
const char* failing = R"(
local ctx = hastur.trigger{ state = { before = 0, after = 0 } }
ctx:gauges({ name = "g" }, function(msg) ctx.state.before = ctx.state.before + 1 end)
ctx:gauges({ name = "g" }, function(msg)
  ctx.state.half = msg.value
  print("value " .. msg.value)
  if msg.value % 4 > 0 then error("no four") end
end)
ctx:gauges({ name = "g" }, function(msg) ctx.state.after = ctx.state.after + 1 end)
)";

TEST(StreamRun, GivesEffectsAndTheFinalMemory) {
  const Outcome outcome = run({counting}, gauges(130));
  EXPECT_EQ(outcome.memories[0].state, "{\"total\":585}");
  EXPECT_EQ(outcome.lines.count("\"name\":\"total\""), 2u);
  EXPECT_EQ(outcome.stops[0], 0u);
}

TEST(StreamRun, LeavesNoTraceOfACallThatRaised) {
  const Outcome outcome = run({failing, counting}, gauges(100, between_judgements));
  EXPECT_EQ(outcome.memories[0].state, "{\"after\":100,\"before\":100,\"half\":8}");
  EXPECT_GE(outcome.stops[0], 1u);
  EXPECT_EQ(outcome.lines.count("error in 1 at line 7: no four"), 70u);
  EXPECT_EQ(outcome.lines.count("value "), 30u);
  // The neighbour does not notice.
  EXPECT_EQ(outcome.memories[1].state, "{\"total\":450}");
}

TEST(StreamRun, TellsOfWhatOneInputRaisedInTheOrderOfItsCallbacks) {
  const char* twice = R"(
local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "g" }, function(msg) ctx.state.n = msg.value error("first") end)
ctx:gauges({ name = "g" }, function(msg) error("second") end)
)";
  const Outcome outcome = run({twice}, gauges(20, between_judgements));
  std::vector<std::string> errors;
  for (const std::string& line : outcome.lines.all()) {
    if (line.find("error in") != std::string::npos) errors.push_back(line);
  }
  ASSERT_EQ(errors.size(), 40u);
  for (std::size_t i = 0; i < errors.size(); i += 2) {
    EXPECT_NE(errors[i].find("first"), std::string::npos) << i;
    EXPECT_NE(errors[i + 1].find("second"), std::string::npos) << i;
  }
}

void expect_same(const Outcome& one, const Outcome& other) {
  for (const char* trigger : {"0 ", "1 "}) {
    const auto ours = [&](const Outcome& outcome) {
      std::vector<std::string> lines;
      std::ranges::copy_if(outcome.lines.all(), std::back_inserter(lines),
                           [&](const std::string& line) { return line.starts_with(trigger); });
      return lines;
    };
    EXPECT_EQ(ours(one), ours(other));
  }
  EXPECT_EQ(one.memories[0].state, other.memories[0].state);
  EXPECT_EQ(one.memories[1].state, other.memories[1].state);
}

TEST(StreamRun, GivesTheSameHoweverTheStreamIsCut) {
  How how;
  how.options.guarded_callbacks = 0;
  const std::string stream = gauges(60, between_judgements);
  const Outcome whole = run({failing, counting}, stream);
  for (const std::uint32_t rows : {1u, 7u, 50u}) {
    how.rows_max = rows;
    const Outcome cut = run({failing, counting}, stream, how);
    expect_same(cut, whole);
    EXPECT_GT(cut.stops[0], whole.stops[0]);
  }
}

// With few, a call that failed guarded fails again when a later one, unguarded, puts the trigger
// back.
TEST(StreamRun, GivesTheSameHoweverManyCallsAreGuarded) {
  const std::string stream = gauges(60, between_judgements);
  const Outcome all = run({failing, counting}, stream);
  for (std::uint32_t guarded = 0; guarded < 12; ++guarded) {
    SCOPED_TRACE(guarded);
    How how;
    how.options.guarded_callbacks = guarded;
    expect_same(run({failing, counting}, stream, how), all);
  }
}

TEST(StreamRun, BringsDerivedMessagesBackToThoseWhoAsk) {
  const std::string chain = R"(
    local ctx = hastur.trigger{ state = { seen = 0 }, own = OWN }
    ctx:gauges({ name = "g", value = 5 }, function(msg) hastur.gauge("h", 1) end)
    ctx:gauges({ name = "h" }, function(msg)
      ctx.state.seen = ctx.state.seen + 1
      if msg.value < 3 then hastur.gauge("h", msg.value + 1) end
    end))";
  const auto with = [&](const char* own) {
    std::string script = chain;
    return script.replace(script.find("OWN"), 3, own);
  };
  How how;
  how.options.derived_come_back = true;
  const Outcome outcome = run({with("true"), with("false")}, gauges(20), how);
  EXPECT_EQ(outcome.memories[0].state, "{\"seen\":6}");
  EXPECT_EQ(outcome.memories[1].state, "{\"seen\":0}");
  const auto lines_of = [&](const char* trigger) {
    return std::ranges::count_if(
        outcome.lines.all(), [&](const std::string& line) { return line.starts_with(trigger); });
  };
  EXPECT_EQ(lines_of("0 "), 6);
  EXPECT_EQ(lines_of("1 "), 2);
  // They are told at the place of the message that they come from: the sixth, after a tick for each
  // second.
  EXPECT_EQ(outcome.lines.count("0 12 "), 3u);
}

std::vector<std::string> joined(std::vector<std::string> first,
                                const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(StreamRun, GoesOnFromAMemoryAsIfItHadNeverStopped) {
  const std::string recording = gauges(400, between_judgements);
  for (const char* script : {counting, failing}) {
    const Outcome whole = run({script}, recording);
    for (const std::uint64_t place : {1u, 137u, 250u}) {
      How first;
      first.until = Sequence{place};
      const Outcome before = run({script}, recording, first);
      How second;
      second.rows_max = 64;
      second.begin = [&](StreamTrigger& trigger) {
        trigger.memory = before.memories[0];
        trigger.after = Sequence{place};
      };
      const Outcome after = run({script}, recording, second);
      EXPECT_EQ(after.memories[0].state, whole.memories[0].state);
      EXPECT_EQ(joined(before.lines.all(), after.lines.all()), whole.lines.all()) << place;
    }
  }
}

TEST(StreamRun, SkipsWhatWasSkippedAndTellsOfItAsOfACallThatRaised) {
  const std::string recording = gauges(40, between_judgements);
  const Outcome whole = run({failing}, recording);
  // The error of the third gauge, its value is 2. Before each second there is a tick.
  Sequence skipped;
  for (const std::string& line : whole.lines.all()) {
    if (line.find("error in") == std::string::npos) continue;
    skipped = {std::stoull(line.substr(2))};
    break;
  }
  How how;
  how.options.guarded_callbacks = 0;
  how.begin = [&](StreamTrigger& trigger) {
    trigger.skips = {{skipped, 1, {"no four", "trigger0.lua", 7}}};
  };
  const Outcome again = run({failing}, recording, how);
  EXPECT_EQ(again.memories[0].state, whole.memories[0].state);
  const auto first_error = [](const Outcome& outcome) {
    return *std::ranges::find_if(outcome.lines.all(), [](const std::string& line) {
      return line.find("error in") != std::string::npos;
    });
  };
  EXPECT_EQ(first_error(again), first_error(whole));
  EXPECT_EQ(again.lines.all(), whole.lines.all());
}

TEST(StreamRun, TakesNothingInAPauseHoweverTheStreamIsCut) {
  const std::string recording = gauges(60);
  How how;
  how.begin = [](StreamTrigger& trigger) {
    // Rows are a tick and a gauge in turn: gauges 9 to 18 are left out.
    trigger.pauses = {{Sequence{20}, Sequence{40}}, {Sequence{50}, Sequence{50}}};
  };
  const Outcome paused = run({counting}, recording, how);
  EXPECT_EQ(paused.memories[0].state, "{\"total\":225}");
  for (const std::uint32_t rows : {1u, 7u, 20u}) {
    How cut = how;
    cut.rows_max = rows;
    const Outcome parts = run({counting}, recording, cut);
    EXPECT_EQ(parts.memories[0].state, paused.memories[0].state);
    EXPECT_EQ(parts.lines.all(), paused.lines.all());
  }
  How open;
  open.begin = [](StreamTrigger& trigger) { trigger.pauses = {{Sequence{20}, std::nullopt}}; };
  EXPECT_EQ(run({counting}, recording, open).memories[0].state, "{\"total\":36}");
}

TEST(StreamRun, TellsOfAJudgementThatFails) {
  const Outcome outcome = run({R"(
    local ctx = hastur.trigger{ state = { good = 0 } }
    ctx:gauges({ name = "g" }, function(msg)
      ctx.state.good = ctx.state.good + 1
      if msg.value == 9 then ctx.state.bad = 0/0 end
    end))"},
                              gauges(10));
  EXPECT_EQ(outcome.lines.count("state.bad"), 1u);
  EXPECT_EQ(outcome.memories[0].state.find("bad"), std::string::npos);
}

// Hashes of the last 16 bits of what glibc 2.36 computes without FMA; with FMA
// they differ.
TEST(StreamRun, ComputesTheSameOnEveryCpu) {
  const Outcome outcome = run({R"(
    local ctx = hastur.trigger{ state = {} }
    local function hash_of(compute)
      local hash = 0
      for i = 1, 20000 do
        local mantissa = math.frexp(compute(i * 0.0003717))
        hash = (hash * 31 + (mantissa * 2 ^ 53) % 65536) % 4294967296
      end
      return hash
    end
    ctx:gauges({ name = "g" }, function(msg)
      print(("%d %d %d %d %d"):format(hash_of(math.exp), hash_of(math.sin), hash_of(math.cos),
        hash_of(math.tan), hash_of(function(x) return (x * 100) ^ 1.37 end)))
    end))"},
                              gauges(1));
  ASSERT_EQ(outcome.lines.all().size(), 1u);
  EXPECT_EQ(outcome.lines.all()[0],
            "0 2 0.3 {\"text\":\"792219180 982227298 459923382 4126669984 1485718041\"}");
}

// Keeps what it derived itself, and fails now and then.
const char* owning = R"(
local ctx = hastur.trigger{ state = { seen = 0, echoes = 0 }, own = true }
ctx:gauges({ name = "g" }, function(msg)
  ctx.state.seen = ctx.state.seen + 1
  if msg.value == 7 then error("seven") end
  hastur.gauge("echo", msg.value)
end)
ctx:gauges({ name = "echo" }, function(msg) ctx.state.echoes = ctx.state.echoes + 1 end)
)";

TEST(StreamRun, RestoringBetweenInputsShowsNowhere) {
  for (const char* script : {counting, failing, owning}) {
    const std::string recording = gauges(130, between_judgements);
    How plain;
    plain.options.derived_come_back = true;
    const Outcome expected = run({script}, recording, plain);
    for (const Restore restore : {Restore::in_place, Restore::fresh}) {
      for (const std::uint64_t every : {1u, 7u}) {
        How how = plain;
        how.options.restore_after = [&](Sequence input) {
          return input.value % every == 0 ? restore : Restore::no;
        };
        const Outcome outcome = run({script}, recording, how);
        EXPECT_EQ(outcome.lines.all(), expected.lines.all());
        EXPECT_EQ(outcome.memories[0].state, expected.memories[0].state);
      }
    }
  }
}

// What stays behind in the worker would be met by the next run.
TEST(StreamRun, AWorkerServesOneRunAfterAnother) {
  const auto inputs = std::move(*SharedInputs::make(16u << 20));
  const auto worker = std::move(*Worker::spawn(*inputs, {}));
  std::uint32_t last_handle = 0;
  for (int i = 0; i < 3; ++i) {
    Lines lines;
    StreamRun::Options options;
    options.last_handle = last_handle;
    StreamRun stream(*worker, lines, options);
    StreamTrigger trigger;
    trigger.name = "counting";
    trigger.script = {"counting.lua", counting};
    ASSERT_TRUE(stream.add(std::move(trigger)));
    std::istringstream in(gauges(130));
    RecordingReader reader(in, "recording", {});
    while (auto batch = std::move(*reader.next())) {
      ASSERT_TRUE(stream.feed(input_of(std::move(*batch))));
    }
    EXPECT_EQ(stream.finish(0)->state, "{\"total\":585}");
    EXPECT_EQ(stream.cost(0).callbacks, 132u);
    EXPECT_TRUE(stream.unload());
    last_handle = stream.last_handle();
  }
}

// A worker's memory for replies holds far less than such a trigger says in one batch.
TEST(StreamRun, TakesAnswersThatAreLargerThanTheMemoryForThemInPieces) {
  const Outcome outcome = run({R"(
local ctx = hastur.trigger{}
ctx:gauges({ name = "g" }, function(msg)
  local text = ("x"):rep(200000)
  for i = 1, 4 do hastur.compound("large", { text }) end
end)
)"},
                              gauges(400));
  EXPECT_EQ(outcome.lines.count("\"name\":\"large\""), 1600u);
}

// However many slow calls a batch holds, and whether they end well or raise and have others run
// again.
TEST(StreamRun, EndsWithinACallAndASliceOnceItHasCostEnough) {
  constexpr const char* slow = R"(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ OWN }, function(msg)
  for i = 1, 300000 do end
  ctx.state.n = ctx.state.n + 1
  if msg.value == FAILS then error("no") end
end)
)";
  constexpr std::uint64_t enough = 5'000'000;
  for (const char* own : {"", "own = true"}) {
    for (const char* fails : {"-1", "2", "9"}) {
      std::string script = slow;
      script.replace(script.find("OWN"), 3, own);
      script.replace(script.find("FAILS"), 5, fails);
      How how;
      how.options.derived_come_back = true;
      how.options.is_enough = [](std::size_t, const StreamCost& cost) {
        return cost.instructions >= enough;
      };
      how.options.instructions_slice = 600'000;
      const std::string all = gauges(200, std::chrono::milliseconds{1});
      const Outcome cut = run({script}, all, how);
      EXPECT_GE(cut.cost.instructions, enough);
      EXPECT_LT(cut.cost.instructions, enough + 600'000 + 500'000) << own << fails;
      const Outcome again = run({script}, all, how);
      EXPECT_EQ(cut.memories[0], again.memories[0]);
      EXPECT_EQ(cut.lines.all(), again.lines.all());
      EXPECT_LT(cut.lines.count("no"), 20u);
    }
  }
}

TEST(StreamRun, ObservesCallsWithTheirLinesLocalsAndStates) {
  const auto inputs = std::move(*SharedInputs::make(16u << 20));
  const auto worker = std::move(*Worker::spawn(*inputs, {}));
  Lines lines;
  StreamRun stream(*worker, lines, {});
  StreamTrigger trigger;
  trigger.name = "spike";
  trigger.script = {"spike.lua", R"(local ctx = hastur.trigger{ state = { total = 0 } }
ctx:gauges({ name = "g" }, function(msg)
  local twice = msg.value * 2
  if twice > 10 then
    slack("high")
    ctx.state.total = ctx.state.total + 1
  end
end))"};
  ASSERT_TRUE(stream.add(std::move(trigger)));
  ASSERT_TRUE(stream.observe(0, ObserveCommand::What::calls));
  std::istringstream in(gauges(7));
  RecordingReader reader(in, "recording", {});
  while (auto batch = std::move(*reader.next())) {
    ASSERT_TRUE(stream.feed(input_of(std::move(*batch))));
  }
  const Result<Json> seen = parse_json(*stream.observe(0, ObserveCommand::What::lines));
  ASSERT_TRUE(seen);
  const Json& calls = (*seen)["calls"];
  ASSERT_EQ(calls.size(), 7u);
  std::vector<int> low;
  for (const Json& step : calls[0]["steps"]) low.push_back(step["line"]);
  EXPECT_EQ(low, (std::vector<int>{3, 4, 8}));
  const Json& high = calls[6];
  EXPECT_EQ(high["steps"][1]["locals"], Json({{"twice", "12"}}));
  EXPECT_EQ(high["steps"][2]["line"], 5);
  EXPECT_EQ(high["steps"][2]["effects"], 1);
  EXPECT_EQ(high["before"], Json({{"total", 0}}));
  EXPECT_EQ(high["after"], Json({{"total", 1}}));
}

TEST(StreamRun, GoesOnObservingATriggerThatHadToBeLoadedAgain) {
  const auto inputs = std::move(*SharedInputs::make(16u << 20));
  const auto worker = std::move(*Worker::spawn(*inputs, {}));
  Lines lines;
  StreamRun stream(*worker, lines, {});
  StreamTrigger trigger;
  trigger.name = "fails";
  trigger.script = {"fails.lua", R"(local ctx = hastur.trigger{ state = { seen = 0 } }
ctx:gauges({ name = "g" }, function(msg)
  ctx.state.seen = ctx.state.seen + 1
  if ctx.state.seen == 1 then error("first") end
end))"};
  ASSERT_TRUE(stream.add(std::move(trigger)));
  ASSERT_TRUE(stream.observe(0, ObserveCommand::What::calls));
  std::istringstream in(gauges(2));
  RecordingReader reader(in, "recording", {});
  while (auto batch = std::move(*reader.next())) {
    ASSERT_TRUE(stream.feed(input_of(std::move(*batch))));
  }
  EXPECT_GT(stream.stops(0), 0u);
  const Result<Json> seen = parse_json(*stream.observe(0, ObserveCommand::What::nothing));
  ASSERT_TRUE(seen);
  const Json& calls = (*seen)["calls"];
  ASSERT_GE(calls.size(), 2u) << *seen;
  EXPECT_EQ(calls.front()["returned"], false);
  EXPECT_EQ(calls.front()["steps"].back()["line"], 4);
}

TEST(StreamRun, OfARecordingDerivedMessagesKeepTheirOrigin) {
  const auto derived = [](const char* trigger, int depth) {
    return fmt::format(
        R"({{"type":"gauge","name":"g","value":1,"timestamp":1704067201,"origin":{{"trigger":"{}","depth":{}}}}})"
        "\n",
        trigger, depth);
  };
  const std::string recording = derived("trigger0", 1) + derived("other", 8);
  const char* counts = R"(
local ctx = hastur.trigger{ state = { seen = 0 } }
ctx:gauges({ name = "g" }, function(msg) ctx.state.seen = ctx.state.seen + 1 end)
)";
  EXPECT_EQ(run({counts}, recording).memories[0].state, "{\"seen\":1}");
  const std::string owns =
      std::string(counts).replace(std::string(counts).find("state ="), 0, "own = true, ");
  EXPECT_EQ(run({owns}, recording).memories[0].state, "{\"seen\":2}");
  // A message derived from one of the greatest depth would be deeper.
  const Outcome deep = run({R"(
local ctx = hastur.trigger{}
ctx:gauges({ name = "g" }, function(msg) hastur.gauge("deeper", 1) end)
)"},
                           recording);
  EXPECT_EQ(deep.lines.count("\"name\":\"deeper\""), 0u);
  EXPECT_EQ(deep.lines.count("error in"), 1u);
}

}  // namespace
}  // namespace hastur
