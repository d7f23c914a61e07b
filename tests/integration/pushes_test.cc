// Thirty pushes, and deaths of the supervisor over them, while messages flow: what every trigger
// remembers is what one pass with the journal's switch points makes of History.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "tests/integration/load.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/switch_pass.h"
#include "tests/integration/waiting.h"
#include "tests/integration/work_tree.h"

namespace hastur {
namespace {

constexpr Micros soon = std::chrono::seconds{60};

std::string library(int version) {
  return fmt::format(
      "return {{ fold = function(hash, n) return (hash * 31 + n + {}) % 1000003 end }}", version);
}

// Remembers how many gauges it has seen, in which order, and which version has seen how many.
std::string script(int version, const std::string& more = "", const std::string& name = "it.load") {
  return fmt::format(R"(
local lib = require "lib.fold"
local ctx = hastur.trigger{{ state = {{ n = 0, hash = 7, by = {{}} }} }}
{}
ctx:gauges({{ name = "{}" }}, function(msg)
  local state = ctx.state
  state.n = state.n + 1
  state.hash = lib.fold(state.hash, tonumber(msg.labels and msg.labels.n) or 0)
  state.by.v{} = (state.by.v{} or 0) + 1
  if state.n % 500 == 0 then hastur.gauge("it.pushed", state.n) end
end)
)",
                     more, name, version, version);
}

// Where the gauges stand that every trigger here wants.
std::vector<std::uint64_t> gauges_of(History& history) {
  std::vector<std::uint64_t> found;
  std::vector<Label> scratch;
  for (Sequence next{1}; next <= history.last();) {
    const auto batches = history.read(next, {});
    EXPECT_TRUE(batches && !batches->empty());
    if (!batches || batches->empty()) break;
    for (const Batch& batch : *batches) {
      const BatchView view = BatchView::trusted(batch.header, batch.body);
      for (std::uint32_t row = 0; row < view.count(); ++row) {
        const MessageView message = view.message(row, scratch);
        if (message.type == MessageType::gauge && message.name == "it.load")
          found.push_back(view.sequence(row).value);
      }
      next = batch.header.last().next();
    }
  }
  return found;
}

enum class Step { change, lib, add, remove, rename, migrate, bad, bad_lib, mixed, rollback, back };

// Each once among the first, for builds that are slow.
constexpr Step steps[] = {
    Step::change, Step::bad,    Step::lib,      Step::mixed,   Step::rename, Step::rollback,
    Step::add,    Step::change, Step::migrate,  Step::bad_lib, Step::remove, Step::back,
    Step::change, Step::lib,    Step::rename,   Step::mixed,   Step::change, Step::rollback,
    Step::lib,    Step::add,    Step::migrate,  Step::bad,     Step::change, Step::rename,
    Step::remove, Step::change, Step::rollback, Step::lib,     Step::mixed,  Step::change};
constexpr std::size_t fewer_steps = 12;

class Pushes : public testing::Test {
 protected:
  Pushes() {
    platform_.follow_repo();
    platform_.configure("", "gate_backtest = \"5s\"\n");
  }

  void start() {
    ASSERT_TRUE(platform_.start_syndicator());
    ASSERT_TRUE(platform_.start_supervisor());
    tree_ = std::make_unique<WorkTree>(platform_.repo(), platform_.folder() / "work");
    sender_ = std::make_unique<Sender>(platform_.udp_port());
    sender_->send(std::nullopt, is_sanitized ? 500 : 5'000);
    tree_->save("lib/fold.lua", library(++version_));
    for (const char* name : {"a", "b", "team/c", "team/d"}) save(name);
    ASSERT_TRUE(tree_->push("begin")) << tree_->said();
    changed_.clear();
    see_all_ = names_;
    begun_ = platform_.get("/v1/deployments?limit=1&trigger=a")
                 ->at("items")[0]["sequence"]
                 .get<std::uint64_t>();
  }

  void save(const std::string& name, const std::string& more = "") {
    tree_->save(name + ".lua", script(++version_, more));
    names_.insert(name);
    changed_.insert(name);
  }
  // The first listens to all gauges, each other one to its own.
  void save_many(std::uint64_t count) {
    save("many/n0");
    for (std::uint64_t i = 1; i < count; ++i)
      tree_->save(fmt::format("many/n{}.lua", i),
                  script(++version_, "", fmt::format("team{}.load", i)));
  }
  // One of those that there are, each in its turn.
  std::string next() {
    auto found = names_.upper_bound(last_);
    if (found == names_.end()) found = names_.begin();
    return last_ = *found;
  }
  // One whose last change was its own.
  std::string next_changed() {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (const std::string name = next(); changed_.contains(name)) return name;
    }
    return "";
  }
  void is_taken(const std::string& what) {
    ASSERT_TRUE(tree_->push(what)) << tree_->said();
    EXPECT_TRUE(tree_->says("live at ")) << tree_->said();
  }
  void is_refused(const std::string& what) {
    EXPECT_FALSE(tree_->push(what)) << tree_->said();
    EXPECT_TRUE(tree_->says("is refused: what runs stays")) << tree_->said();
    tree_->forget();
  }
  void rolls_back(const std::string& flags) {
    const std::string name = next_changed();
    ASSERT_NE(name, "");
    // What was pushed last has come to be.
    ASSERT_TRUE(wait_until(
        [&] {
          const auto all = platform_.get("/v1/deployments?limit=1&trigger=" + name);
          return all && all->dump().find("\"pending\"") == std::string::npos;
        },
        soon));
    const auto said = platform_.run_hastur("rollback " + name + flags);
    EXPECT_EQ(said.exit_code, 0) << said.error;
    changed_.erase(name);
    if (!flags.empty()) see_all_.erase(name);
  }
  void take(Step step);
  // What must hold at the end.
  void expect_all_whole(const Remains& remains);
  void expect_states(const Remains& remains);

  Platform platform_;
  std::unique_ptr<WorkTree> tree_;
  std::unique_ptr<Sender> sender_;
  int version_ = 0;
  // The first input of the first set.
  std::uint64_t begun_ = 0;
  std::set<std::string> names_;
  // Those whose newest version a rollback may take back; those that have seen all since the
  // beginning, under whatever name.
  std::set<std::string> changed_, see_all_;
  std::string last_;
};

void Pushes::take(Step step) {
  switch (step) {
    case Step::change:
      save(next());
      return is_taken("change");
    case Step::lib:
      tree_->save("lib/fold.lua", library(++version_));
      changed_ = names_;
      return is_taken("library");
    case Step::add: {
      const std::string name = fmt::format("new/n{}", version_);
      save(name);
      changed_.erase(name);
      return is_taken("add");
    }
    case Step::remove: {
      const std::string name = next();
      ASSERT_TRUE(tree_->git("rm -q " + name + ".lua")) << tree_->said();
      names_.erase(name);
      see_all_.erase(name);
      return is_taken("remove");
    }
    case Step::rename: {
      const std::string old = next();
      ASSERT_TRUE(tree_->git("rm -q " + old + ".lua")) << tree_->said();
      names_.erase(old);
      const std::string name = fmt::format("moved/m{}", version_);
      save(name, fmt::format("ctx:was(\"{}\")", old));
      changed_.erase(name);
      if (see_all_.erase(old) > 0) see_all_.insert(name);
      return is_taken("rename");
    }
    case Step::migrate:
      save(next(),
           "ctx:migrate(function(state) state.moved = (state.moved or 0) + 1 return state end)");
      return is_taken("migrate");
    case Step::bad:
      tree_->save(next() + ".lua", "count = 1\n");
      return is_refused("bad");
    case Step::bad_lib:
      tree_->save("lib/fold.lua", "this is no Lua");
      return is_refused("bad library");
    case Step::mixed:
      tree_->save(next() + ".lua", script(++version_));
      tree_->save(next() + ".lua", "local ctx = hastur.trigger{}\nos.time()\n");
      return is_refused("one good, one bad");
    case Step::rollback:
      return rolls_back("");
    case Step::back:
      return rolls_back(" --no-replay");
  }
}

// What was taken has come to be, all of it at its one sequence; what was refused, none of it.
void Pushes::expect_all_whole(const Remains& remains) {
  CheckpointStore& store = remains.store();
  const auto all = store.deployments({.max = 1'000});
  ASSERT_TRUE(all);
  for (const DeploymentRecord& record : *all) {
    EXPECT_TRUE(record.sequence || record.changes.empty()) << record.id;
    for (const DeploymentChange& change : record.changes) {
      const bool goes = change.version.empty();
      EXPECT_EQ(change.outcome, goes ? "gone" : "live") << record.id << " " << change.trigger;
      if (goes) continue;
      const auto run = store.run(change.trigger, change.run);
      ASSERT_TRUE(run && *run) << record.id << " " << change.trigger;
      EXPECT_EQ((*run)->after.next(), *record.sequence) << record.id << " " << change.trigger;
      EXPECT_EQ((*run)->version, change.version) << record.id << " " << change.trigger;
    }
  }
}

void Pushes::expect_states(const Remains& remains) {
  SwitchPass pass(remains.history(), remains.store());
  const std::vector<std::uint64_t> gauges = gauges_of(remains.history());
  std::set<std::string> compared;
  std::size_t runs = 0, counted = 0;
  for (const StoredTrigger& stored : remains.triggers()) {
    const TriggerName& name = stored.run.trigger;
    if (!names_.contains(name)) continue;
    const Checkpoint& at = stored.checkpoint;
    compared.insert(name);
    runs += stored.run.run.value;
    // One that began with the last messages has not been judged: nothing is stored of it.
    if (at.state.empty()) {
      EXPECT_EQ(at.state_sequence, stored.run.after) << name;
      continue;
    }
    EXPECT_EQ(at.state, pass.memory_at(name, at.run, at.state_sequence).state) << name;
    if (!see_all_.contains(name)) continue;
    const auto from = std::ranges::lower_bound(gauges, begun_);
    const auto to = std::ranges::upper_bound(gauges, at.state_sequence.value);
    EXPECT_EQ(parse_json(at.state)->at("n"), to - from) << name;
    ++counted;
  }
  EXPECT_GT(counted, 0u);
  EXPECT_EQ(compared, names_);
  // Each derived message once.
  for (const auto& [name, rows] : remains.census().derived) {
    std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>> seen;
    for (const DerivedRow& row : rows) {
      const Origin& origin = *row.message.view().origin;
      EXPECT_TRUE(seen.insert({origin.run.value, origin.sequence.value, origin.ordinal}).second)
          << name << " at " << origin.sequence.value;
    }
  }
  fmt::print("{} triggers, {} runs of those that are left, {} inputs\n", compared.size(), runs,
             remains.history().last().value);
}

TEST_F(Pushes, ThirtyOfThemSkipNothingAndShowNothingTwice) {
  SystemClock clock;
  start();
  ASSERT_FALSE(HasFailure());
  const Micros started = clock.monotonic();
  std::size_t taken = 0;
  for (const Step step : steps) {
    if (is_sanitized && taken == fewer_steps) break;
    take(step);
    ASSERT_FALSE(HasFailure()) << "at step " << taken;
    ++taken;
  }
  fmt::print("{} steps in {}\n", taken, format_span(clock.monotonic() - started));
  sender_->stop();
  ASSERT_TRUE(platform_.settle(*names_.begin()));
  platform_.stop();
  const Remains remains(platform_);
  expect_all_whole(remains);
  expect_states(remains);
}

// Wherever the supervisor dies over a push, it comes back with the old set or the new one.
TEST_F(Pushes, ADeathInTheMiddleLeavesTheOldSetOrTheNewOne) {
  SystemClock clock;
  start();
  ASSERT_FALSE(HasFailure());
  Micros one_push{0};
  const int deaths = is_sanitized ? 3 : 10;
  for (int death = 0; death <= deaths; ++death) {
    // The library changes all; one more of them comes, the one before it goes.
    tree_->save("lib/fold.lua", library(++version_));
    save(fmt::format("come/n{}", death));
    if (death > 0) {
      const std::string gone = fmt::format("come/n{}", death - 1);
      ASSERT_TRUE(tree_->git("rm -q " + gone + ".lua")) << tree_->said();
      names_.erase(gone);
    }
    if (death == 0) {
      const Micros began = clock.monotonic();
      is_taken("the measure");
      one_push = clock.monotonic() - began;
      continue;
    }
    ASSERT_TRUE(tree_->commit("death")) << tree_->said();
    Process push({"/bin/sh", "-c",
                  fmt::format("cd {} && git push -q origin HEAD:main", tree_->folder().string())},
                 (platform_.folder() / "push.log").string());
    push.start();
    const Micros at = clock.monotonic() + one_push * death / deaths;
    (void)wait_until([&] { return clock.monotonic() >= at; }, soon);
    platform_.supervisor().kill_9();
    (void)wait_until([&] { return !push.is_running(); }, soon);
    ASSERT_TRUE(platform_.start_supervisor());
    // The hook may have been left without its judge.
    ASSERT_TRUE(tree_->git("push -q origin HEAD:main")) << tree_->said();
    const std::string head = tree_->head();
    ASSERT_TRUE(wait_until(
        [&] {
          const auto source = platform_.get("/v1/source");
          return source && source->value("taken", Json()) == Json(head);
        },
        soon))
        << "after death " << death;
  }
  sender_->stop();
  ASSERT_TRUE(platform_.settle(*names_.begin()));
  platform_.stop();
  const Remains remains(platform_);
  expect_all_whole(remains);
  expect_states(remains);
}

// A trigger that counts by itself, and in a helper.
std::string counts_twice(bool has_helper) {
  return fmt::format(R"(
local ctx = hastur.trigger{{ state = {{ n = 0 }} }}
{}
ctx:gauges({{ name = "it.load" }}, function(msg)
  ctx.state.n = ctx.state.n + 1
  {}
end)
)",
                     has_helper ? "local seen = ctx:keyed('seen', { forget = '1d' })\n"
                                  "local loads = ctx:window('loads', { span = '1h' })"
                                : "",
                     has_helper ? "local all = seen:at('all')\n"
                                  "all.n = (all.n or 0) + 1\n"
                                  "loads:add('all', 1)"
                                : "");
}

// Of a trigger that is new, and of one that runs: what came within the backtest is in the helper,
// and what one pass with the journal makes of it is the same, byte by byte.
TEST_F(Pushes, AHelperThatIsNewBeginsWithWhatTheBacktestSaw) {
  platform_.configure("", "gate_backtest = \"10m\"\n");
  start();
  ASSERT_FALSE(HasFailure());
  tree_->save("old.lua", counts_twice(false));
  is_taken("without helpers");
  const std::uint64_t sent = sender_->sent();
  ASSERT_TRUE(wait_until([&] { return sender_->sent() > sent + 1'000; }, soon));
  tree_->save("old.lua", counts_twice(true));
  tree_->save("fresh.lua", counts_twice(true));
  is_taken("with helpers");
  EXPECT_TRUE(tree_->says("begins with what @keyed.seen, @window.loads remember of it"))
      << tree_->said();
  ASSERT_TRUE(wait_until(
      [&] { return platform_.get("/v1/triggers/old")->value("run", std::uint64_t{0}) == 2; },
      soon));
  const std::uint64_t more = sender_->sent();
  ASSERT_TRUE(wait_until([&] { return sender_->sent() > more + 1'000; }, soon));
  sender_->stop();
  ASSERT_TRUE(platform_.settle("old") && platform_.settle("fresh"));
  platform_.stop();
  const Remains remains(platform_);
  names_ = {"old", "fresh"};
  SwitchPass pass(remains.history(), remains.store());
  std::size_t compared = 0;
  for (const StoredTrigger& stored : remains.triggers()) {
    const Checkpoint& at = stored.checkpoint;
    if (!names_.contains(stored.run.trigger)) continue;
    ++compared;
    EXPECT_EQ(at.state, pass.memory_at(at.trigger, at.run, at.state_sequence).state) << at.trigger;
    const auto state = parse_json(at.state);
    ASSERT_TRUE(state);
    const std::uint64_t own = state->at("n"),
                        seen = state->at("@keyed.seen").at("all").at("v").at("n");
    // It has seen more than it has been given, or lacks what came while it was judged.
    if (at.trigger == "fresh") {
      EXPECT_GT(seen, own);
    }
    EXPECT_GT(seen, 1'000u);
  }
  EXPECT_EQ(compared, 2u);
}

std::string line_with(const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word);
  if (at == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

// Its figures, beside a push that nobody judges: HASTUR_PUSH_TRIGGERS=500 takes two minutes; with
// HASTUR_PUSH_BACKTEST_S=0 without the backtest.
TEST_F(Pushes, OneChangedTriggerAmongManyIsTestedAndSwitchedAlone) {
  const std::uint64_t many = by_hand("HASTUR_PUSH_TRIGGERS", is_sanitized ? 5 : 30);
  platform_.configure("", fmt::format("gate_time_max = \"10m\"\ngate_backtest = \"{}s\"\n",
                                      by_hand("HASTUR_PUSH_BACKTEST_S", 600)));
  SystemClock clock;
  start();
  ASSERT_FALSE(HasFailure());
  save_many(many);
  is_taken("many");
  std::vector<Micros> aside, judged;
  for (int push = 0; push < 5; ++push) {
    save("many/n0");
    ASSERT_TRUE(tree_->commit("one")) << tree_->said();
    Micros began = clock.monotonic();
    ASSERT_TRUE(tree_->git("push -q -f origin HEAD:side")) << tree_->said();
    aside.push_back(clock.monotonic() - began);
    began = clock.monotonic();
    ASSERT_TRUE(tree_->git("push origin HEAD:main")) << tree_->said();
    judged.push_back(clock.monotonic() - began);
    EXPECT_TRUE(tree_->says("1 trigger,") && tree_->says("live at ")) << tree_->said();
    if (by_hand("HASTUR_PUSH_BACKTEST_S", 600) == 600) {
      EXPECT_TRUE(tree_->says(" of the last 10m, ")) << tree_->said();
    }
    const auto newest = platform_.get("/v1/deployments?limit=1");
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->at("items")[0]["changes"].size(), 1u);
    fmt::print("{}\n{}\n", line_with(tree_->said(), "1 trigger,"),
               line_with(tree_->said(), "backtest"));
  }
  std::ranges::sort(aside);
  std::ranges::sort(judged);
  fmt::print("{} triggers: live after {}, of which a push that nobody judges takes {}\n", many + 4,
             format_span(judged[2]), format_span(aside[2]));
  EXPECT_EQ(platform_.get("/v1/triggers/many/n2")->value("run", 0), 1);
  sender_->stop();
  platform_.stop();
}

// Under the limits of an installation: HASTUR_PUSH_MANY=2000 takes some minutes.
TEST_F(Pushes, ManyTriggersInOneCommitAreJudgedInTimeAndRefusedWhole) {
  const std::uint64_t many = by_hand("HASTUR_PUSH_MANY", is_sanitized ? 10 : 40);
  SystemClock clock;
  start();
  ASSERT_FALSE(HasFailure());
  save_many(many);
  Micros began = clock.monotonic();
  is_taken("many");
  fmt::print("{} new triggers: live after {}\n{}\n", many, format_span(clock.monotonic() - began),
             line_with(tree_->said(), " triggers, "));
  tree_->save("lib/fold.lua", library(++version_));
  began = clock.monotonic();
  is_taken("a library of all");
  fmt::print("{} changed triggers: live after {}\n{}\n{}\n", many,
             format_span(clock.monotonic() - began), line_with(tree_->said(), " triggers, "),
             line_with(tree_->said(), "the hunt came to"));
  fmt::print("{}\n", line_with(tree_->said(), "backtest  "));
  EXPECT_TRUE(tree_->says("backtest  many/n0.lua")) << line_with(tree_->said(), "backtest  ");
  const std::string head = tree_->head();
  tree_->save("lib/fold.lua", library(++version_));
  tree_->save("many/n7.lua", "count = 1\n");
  began = clock.monotonic();
  is_refused("a library of all, and one that is bad");
  fmt::print("one of them bad: refused after {}\n", format_span(clock.monotonic() - began));
  EXPECT_EQ(platform_.get("/v1/source")->at("taken"), head);
  EXPECT_EQ(platform_.get("/v1/triggers/many/n7")->value("run", 0), 2);
  EXPECT_EQ(platform_.get("/v1/triggers/many/n8")->value("run", 0), 2);
  sender_->stop();
  platform_.stop();
}

// It is named, refused and killed; what runs, runs on.
TEST_F(Pushes, ATestThatNeverEndsIsRefusedByNameAndTheNextPushIsJudged) {
  platform_.configure("", "gate_time_max = \"3s\"\n");
  start();
  ASSERT_FALSE(HasFailure());
  tree_->save("slow.lua",
              "local ctx = hastur.trigger{ state = { n = 0 } }\n"
              "ctx:gauges({}, function() for i = 1, 100000 do ctx.state.n = i end end)\n");
  tree_->save(
      "slow.test.lua",
      "return { { name = 'all of it', messages = { { type = 'gauge', name = 'x', value = 1, "
      "every = '1s', times = 1000000 } }, expect = {} } }\n");
  EXPECT_FALSE(tree_->push("never ends"));
  EXPECT_TRUE(tree_->says("is refused: what runs stays")) << tree_->said();
  EXPECT_TRUE(tree_->says("the test 'all of it' at ./slow.test.lua:1 did not end"))
      << tree_->said();
  EXPECT_FALSE(platform_.get("/v1/triggers/slow"));
  EXPECT_TRUE(platform_.get("/v1/triggers/a"));
  tree_->forget();
  save("a");
  is_taken("and on");
  sender_->stop();
  platform_.stop();
}

}  // namespace
}  // namespace hastur
