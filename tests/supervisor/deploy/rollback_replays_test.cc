// A rollback's replay is begun, told, tried again, and gone on with after a death. In the replaying
// program's place stands a shell script; what that has done is written to the store by the test.

#include "supervisor/deploy/rollback_replays.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

namespace fs = std::filesystem;

class RollbackReplaysTest : public ::testing::Test {
 protected:
  RollbackReplaysTest() {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = fs::path(testing::TempDir()) / ("hastur_rollback_replays_" + test);
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    program("exit 1");
    options_.command = {folder_ / "replay", "--state", "x"};
    options_.again_after = std::chrono::milliseconds{1};
    options_.look_every = Micros{0};
    make();
    rig_.deploy({{"t", "match=a"}});
    rig_.send("a", 25);
    rig_.deploy({{"t", "match=a emit=2"}}, "bad");
  }
  ~RollbackReplaysTest() override {
    replays_.reset();
    fs::remove_all(folder_);
  }

  // What it does after it has noted its arguments.
  void program(const std::string& then) {
    const fs::path script = folder_ / "replay";
    std::ofstream(script) << fmt::format("#!/bin/sh\necho \"$*\" >> {}/runs\n{}\n",
                                         folder_.string(), then);
    fs::permissions(script, fs::perms::owner_all);
  }
  // It ends when the test says so.
  void program_that_waits() {
    program(fmt::format("until [ -e {}/go ]; do sleep 0.02; done", folder_.string()));
  }
  void make() { replays_ = std::make_unique<RollbackReplays>(loop_, real_, *rig_.store, options_); }
  void roll_back() {
    ASSERT_TRUE(rig_.dispatcher->rollback("t", 0, "worse", Dispatcher::HistorySince::replayed));
    rig_.pump();
    ASSERT_EQ(record().replay, "waiting");
    ASSERT_EQ(record().changes.front().outcome, "live");
    replays_->deployed(record());
  }
  DeploymentRecord record() { return rig_.store->deployments({.max = 1}).value().front(); }
  // The run of the replay is stored, as the supervisor does when it hands over.
  void take_over(std::uint64_t after) {
    CommitBatch batch;
    RunStart start;
    start.run = *rig_.store->run("t", record().changes.front().run).value();
    ++start.run.run.value;
    start.run.why = "replay";
    start.run.after = Sequence{after};
    start.checkpoint = rig_.store->load("t").value()->checkpoint;
    start.checkpoint.run = start.run.run;
    batch.starts.push_back(std::move(start));
    ASSERT_TRUE(rig_.store->commit(batch));
  }
  std::uint64_t snapshot_sequence() {
    return rig_.store->snapshot(record().changes.front().snapshot).value()->record.sequence.value;
  }
  std::vector<std::string> runs() {
    std::ifstream file(folder_ / "runs");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  template <class Holds>
  bool until(Holds holds) {
    const Micros start = real_.monotonic();
    while (!holds()) {
      if (real_.monotonic() - start > std::chrono::seconds{60}) return false;
      replays_->turn();
      loop_.run_some(std::chrono::milliseconds{10});
    }
    return true;
  }
  bool becomes(const std::string& replay) {
    return until([&] { return record().replay == replay; });
  }

  SystemClock real_;
  Loop loop_;
  Rig rig_;
  fs::path folder_;
  RollbackReplays::Options options_;
  std::unique_ptr<RollbackReplays> replays_;
};

TEST_F(RollbackReplaysTest, BeginsWithTheSnapshotOfTheRollbackAndIsDoneWhenItsRunHasTakenOver) {
  rig_.send("a", 5);
  program_that_waits();
  roll_back();
  ASSERT_TRUE(until([&] { return runs().size() == 1; }));
  EXPECT_EQ(runs().front(),
            fmt::format("--state x --trigger t --from s-{} --into live --notify pending --yes",
                        record().changes.front().snapshot));
  EXPECT_EQ(record().replay, "running");
  take_over(snapshot_sequence());
  std::ofstream(folder_ / "go").flush();
  EXPECT_TRUE(becomes("done")) << record().replay;
  EXPECT_EQ(runs().size(), 1u);
}

TEST_F(RollbackReplaysTest, WhatComesToNothingIsTriedAgainAndThenTold) {
  rig_.send("a", 5);
  program("echo working; echo 'supervisor replay: History has lost 7' >&2; exit 1");
  roll_back();
  EXPECT_TRUE(becomes("failed: History has lost 7")) << record().replay;
  EXPECT_EQ(runs().size(), 3u);
}

TEST_F(RollbackReplaysTest, OneThatDoesNotEndIsKilledAndNotTriedAgain) {
  rig_.send("a", 5);
  options_.time_max = std::chrono::milliseconds{100};
  make();
  program_that_waits();
  roll_back();
  EXPECT_TRUE(becomes("failed: it did not end in 100ms")) << record().replay;
  EXPECT_LE(runs().size(), 1u);
}

TEST_F(RollbackReplaysTest, ASupervisorThatStartsAgainGoesOnWithIt) {
  rig_.send("a", 5);
  program_that_waits();
  roll_back();
  ASSERT_TRUE(until([&] { return runs().size() == 1; }));
  make();
  ASSERT_TRUE(until([&] { return runs().size() == 2; }));
  EXPECT_EQ(record().replay, "running");
  // Its run is stored, and the supervisor dies before it has told so.
  take_over(snapshot_sequence());
  make();
  EXPECT_TRUE(becomes("done")) << record().replay;
  EXPECT_EQ(runs().size(), 2u);
}

TEST_F(RollbackReplaysTest, IsNotBegunWhereAnotherRunHasBegunSince) {
  rig_.send("a", 5);
  roll_back();
  rig_.deploy({{"t", "match=a emit=3"}}, "better");
  rig_.send("b", 20);
  EXPECT_TRUE(until(
      [&] { return !rig_.store->deployments({.trigger = "t"}).value()[1].has_open_replay(); }));
  EXPECT_EQ(rig_.store->deployments({.trigger = "t"}).value()[1].replay,
            "failed: another run of the trigger has begun since");
  EXPECT_TRUE(runs().empty());
}

TEST_F(RollbackReplaysTest, NothingIsBegunWhereNothingCameBetween) {
  roll_back();
  EXPECT_TRUE(becomes("done")) << record().replay;
  EXPECT_TRUE(runs().empty());
}

TEST_F(RollbackReplaysTest, ARollbackWithoutOneIsLeftAlone) {
  rig_.send("a", 5);
  ASSERT_TRUE(rig_.dispatcher->rollback("t", 0, "worse"));
  rig_.pump();
  replays_->deployed(record());
  replays_->turn();
  EXPECT_EQ(record().replay, "");
  EXPECT_TRUE(runs().empty());
}

}  // namespace
}  // namespace hastur::test
