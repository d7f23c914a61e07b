// The host and the real trigger-worker: what a script does must never look like a breach of the
// protocol, which would cost its neighbours their worker.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "message/json_codec.h"
#include "tests/trigger-runtime/host/driver.h"

namespace hastur::testing {
namespace {

std::shared_ptr<const InputBatch> gauges(std::uint64_t first, int count) {
  BatchBuilder builder;
  JsonDecoder decoder;
  const Time start = time_from_us(1'704'067'200 * us_per_second);
  for (int i = 0; i < count; ++i) {
    JsonDecoder::Defaults defaults;
    defaults.received_at = start;
    defaults.uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";
    const std::string text = fmt::format(R"({{"type":"gauge","name":"g","value":{}}})", i);
    auto decoded = decoder.decode(text, defaults);
    builder.add(std::get<MessageView>(decoded));
    builder.add_tick(start + std::chrono::seconds{i}, start + std::chrono::seconds{i}, Micros{0});
  }
  auto input = std::make_shared<InputBatch>();
  input->batch = builder.finish({}, Sequence{first}, start);
  stream_times(BatchView::trusted(input->batch.header, input->batch.body), input->stream_times);
  return input;
}

class RealWorker : public ::testing::Test {
 protected:
  Driver spawn() {
    Worker::Options options;
    options.callback_cpu_max = std::chrono::seconds{60};
    return Driver(std::move(*Worker::spawn(*inputs_, options)));
  }
  std::unique_ptr<SharedInputs> inputs_ = std::move(*SharedInputs::make(16u << 20));
};

TEST_F(RealWorker, MigratesAStateAndTellsFormerNames) {
  Driver driver = spawn();
  LoadCommand load = load_of(1, R"lua(
local ctx = hastur.trigger{}
ctx:was("old/name")
ctx:migrate(function(state, version) return { n = state.n + 1, from = version } end)
)lua");
  load.memory = Memory{{40}, time_from_us(5'000'000), R"({"n":3})", "{}"};
  load.migrate_from = "v1";
  driver.worker().send(load);
  driver.worker().send(JudgeCommand{{1}});
  driver.run_until(2);
  ASSERT_FALSE(driver.death()) << driver.death()->why;
  const auto& loaded = std::get<Loaded>(driver.replies()[0]);
  EXPECT_EQ(loaded.was, std::vector<std::string>{"old/name"});
  EXPECT_EQ(loaded.migrated, R"({"from":"v1","n":4})");
  const auto& judged = std::get<Judged>(driver.replies()[1]);
  EXPECT_EQ(judged.memory.sequence, Sequence{40});
  EXPECT_EQ(judged.memory.state, R"({"from":"v1","n":4})");
}

TEST_F(RealWorker, TellsOfAMigrationThatFailed) {
  Driver driver = spawn();
  LoadCommand load =
      load_of(1, "local ctx = hastur.trigger{}\nctx:migrate(function(state) error('no') end)");
  load.memory = Memory{{40}, time_from_us(5'000'000), R"({"n":3})", "{}"};
  load.migrate_from = "v1";
  driver.worker().send(load);
  driver.run_until(1);
  ASSERT_FALSE(driver.death());
  EXPECT_EQ(std::get<LoadFailed>(driver.replies()[0]).error, (ScriptError{"no", "test.lua", 2}));
}

TEST_F(RealWorker, SurvivesScriptsThatSayTooMuchWhileTheyAreLoaded) {
  Driver driver = spawn();
  std::size_t replies = 0;
  for (const char* line : {"error(('x'):rep(1e6))", "error(('\\xE2\\x82\\xAC'):rep(1e5))",
                           "ctx:gauges({ name = ('x'):rep(1e5) }, print)",
                           "ctx:gauges({ [('x'):rep(1e5)] = 1 }, print)",
                           "for i = 1, 10001 do ctx:gauges({}, print) end",
                           "ctx:was(('x'):rep(1e5))", "require(('x'):rep(1e5))",
                           "local t = { [('x'):rep(1e5)] = { [print] = 1 } } "
                           "ctx:gauges({}, function() return t end)"}) {
    driver.worker().send(load_of(1, std::string("local ctx = hastur.trigger{}\n") + line));
    driver.run_until(++replies);
    ASSERT_FALSE(driver.death()) << line << ": " << driver.death()->why;
    EXPECT_TRUE(std::holds_alternative<LoadFailed>(driver.replies().back())) << line;
  }
}

TEST_F(RealWorker, SurvivesCallbacksThatSayTooMuch) {
  Driver driver = spawn();
  std::size_t replies = 0;
  std::uint32_t handle = 0;
  for (const char* body :
       {"error(('x'):rep(1e6))", "ctx.state[1] = 1", "ctx.state[('x'):rep(1e5)] = print",
        "ctx.state[('\\n'):rep(1e5)] = print", "ctx.state[1e300] = 1", "ctx.state['\\255'] = 1",
        "for i = 1, 5000 do "
        "print('') end",
        "for i = 1, 5000 do slack(('\\1'):rep(1000)) end", "ctx.state.x = -0.0",
        "hastur.mark('\\255', '\\255')", "slack('\\255')", "error('\\255')", "error(nil)",
        "hastur.gauge('g', -0.0)",
        "hastur.compound('c', { [('x'):rep(1e4)] = { 1e-310, -0.0, 2^53 } })"}) {
    driver.worker().send(load_of(
        ++handle, fmt::format("local ctx = hastur.trigger{{}}\nctx:gauges({{}}, function(msg) "
                              "{} end)",
                              body)));
    const auto input = gauges(1, 20);
    TriggerFeed feed{{handle}, 0, input->batch.header.count, {}, {}};
    for (std::uint32_t row = 0; row < feed.end_row; row += 2) feed.matches.push_back({row, 0});
    driver.worker().send(RestoreCommand{{handle}, {{0}, Time{}, "{}", "{}"}, 1000});
    driver.worker().send(FeedCommand{input, {feed}});
    driver.worker().send(JudgeCommand{{handle}});
    driver.run_until(replies += 4);
    ASSERT_FALSE(driver.death()) << body << ": " << driver.death()->why;
  }
}

}  // namespace
}  // namespace hastur::testing
