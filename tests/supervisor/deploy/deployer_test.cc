// Commits pass the gate and are taken, or are refused with a report and nothing changes. In
// trigger-test's place stands a shell script that decides by what is in the files.

#include "supervisor/deploy/deployer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/clock.h"
#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

namespace fs = std::filesystem;

class DeployerTest : public ::testing::Test {
 protected:
  DeployerTest() {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = fs::path(testing::TempDir()) / ("hastur_deployer_" + test);
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    const fs::path program = folder_ / "trigger-test";
    std::ofstream(program) << "#!/bin/sh\n"
                              "if [ \"$1\" = backtest ]; then\n"
                              "  cat \"$2\" > ../../pairs\n"
                              "  cat \"$(dirname \"$2\")/0/a.lua\" > ../../before\n"
                              "  echo \"{\\\"new\\\":\\\"./a.lua\\\",\\\"from\\\":0,"
                              "\\\"to\\\":9000000,\\\"notifications\\\":"
                              "{\\\"appear\\\":$(grep -c emit=15 a.lua)}}\"\n"
                              "  exit 0\n"
                              "fi\n"
                              "[ \"$1\" = --time-max ] || exit 2\n"
                              "shift 2\n"
                              "echo ran >> ../../runs\n"
                              "echo \"tested $*\"\n"
                              "if grep -q emit=14 \"$@\"; then sleep 1000 & wait; fi\n"
                              "bad=$(grep -l emit=13 \"$@\")\n"
                              "[ -z \"$bad\" ] || { echo \"$bad: unlucky\"; exit 1; }\n";
    fs::permissions(program, fs::perms::owner_all);
    options_.trigger_test = program;
    options_.folder = folder_ / "gate";
    make();
  }
  ~DeployerTest() override {
    deployer_.reset();
    fs::remove_all(folder_);
  }

  void make() {
    deployer_ = std::make_unique<Deployer>(loop_, rig_.clock, *rig_.dispatcher, options_);
  }

  static Deployer::Submission commit(const std::string& id,
                                     std::map<std::string, std::string> files) {
    Deployer::Submission submission;
    submission.commit.commit = id;
    submission.commit.author = "Ada";
    submission.commit.subject = "a change";
    submission.commit.files = std::move(files);
    return submission;
  }
  // `pace`: so fast the dispatcher's clock goes while an answer is awaited.
  Deployer::Answer submit(Deployer::Submission submission, Micros pace = Micros{0}) {
    std::optional<Deployer::Answer> answer;
    deployer_->submit(std::move(submission), [&](const auto& given) { answer = given; });
    const Micros start = real_.monotonic();
    while (!answer && real_.monotonic() - start < std::chrono::seconds{60}) {
      loop_.run_some(std::chrono::milliseconds{10});
      rig_.wait(pace);
      for (const Deployed& decided : std::exchange(rig_.deployed, {})) deployer_->deployed(decided);
    }
    EXPECT_TRUE(answer) << "there was no answer";
    return answer.value_or(Deployer::Answer{});
  }
  std::size_t tests_run() {
    std::ifstream file(folder_ / "runs");
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }

  SystemClock real_;
  Loop loop_;
  Rig rig_;
  fs::path folder_;
  Gate::Options options_;
  std::unique_ptr<Deployer> deployer_;
};

TEST_F(DeployerTest, TakesACommitWhoseChangedTriggersPass) {
  const auto first = submit(commit("c1", {{"a.lua", "match=a"}, {"b/c.lua", "match=a"}}));
  ASSERT_TRUE(first.accepted) << first.report;
  EXPECT_EQ(first.report, "tested ./a.lua ./b/c.lua\n");
  ASSERT_TRUE(first.record && first.record->sequence);
  EXPECT_EQ(first.record->author, "Ada");
  EXPECT_EQ(rig_.store->deployments({}).value().front().report, first.report);
  const auto second = submit(commit("c2", {{"a.lua", "match=a emit=2"}, {"b/c.lua", "match=a"}}));
  EXPECT_EQ(second.report, "tested ./a.lua\n");
  EXPECT_EQ(rig_.trigger("b/c").run(), hastur::Run{1});
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{2});
  // Nothing is left of what was tested.
  EXPECT_TRUE(fs::is_empty(folder_ / "gate"));
}

TEST_F(DeployerTest, AChangedLibraryTestsAllThatRequireIt) {
  const std::string with = "match=a require\"lib.x\"";
  (void)submit(commit("c1", {{"a.lua", with}, {"b.lua", "match=a"}, {"lib/x.lua", "1"}}));
  const auto next =
      submit(commit("c2", {{"a.lua", with}, {"b.lua", "match=a"}, {"lib/x.lua", "2"}}));
  EXPECT_EQ(next.report, "tested ./a.lua\n");
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{2});
  EXPECT_EQ(rig_.trigger("b").run(), hastur::Run{1});
}

TEST_F(DeployerTest, OneTriggerGoesOnWhileACommitThatLeavesItAsItIsWaits) {
  (void)submit(commit("c1", {{"late.lua", "match=a"}, {"t.lua", "match=a"}}));
  rig_.send("a", 25);
  rig_.holds_judgements = true;
  (void)submit(commit("c2", {{"late.lua", "match=a emit=2"}, {"t.lua", "match=a"}}),
               std::chrono::seconds{1});
  ASSERT_TRUE(rig_.trigger("late").next_switch);
  std::optional<Deployer::Answer> waits;
  deployer_->submit(commit("c3", {{"late.lua", "match=a emit=3"}, {"t.lua", "match=a"}}),
                    [&](const auto& given) { waits = given; });
  Deployer::Submission only = commit("c4", {{"t.lua", "match=a emit=4"}});
  only.only = "t";
  EXPECT_TRUE(submit(only, std::chrono::seconds{1}).accepted);
  EXPECT_FALSE(waits);
  rig_.holds_judgements = false;
  EXPECT_TRUE(submit(commit("c5", {{"late.lua", "match=a"}, {"t.lua", "match=a"}})).accepted);
  ASSERT_TRUE(waits);
  EXPECT_TRUE(waits->accepted);
}

TEST_F(DeployerTest, ACommitThatOnlyRemovesSaysWhat) {
  (void)submit(commit("c1", {{"a.lua", "match=a"}, {"b.lua", "match=a"}}));
  const std::string gone =
      "gone      b                             its file is not there any more: it ends, or goes "
      "on under a name that has ctx:was(\"b\")\n";
  Deployer::Submission trial = commit("c2", {{"a.lua", "match=a"}});
  trial.dry_run = true;
  EXPECT_EQ(submit(trial).report, gone);
  EXPECT_EQ(submit(commit("c2", {{"a.lua", "match=a"}})).report, gone);
  EXPECT_FALSE(rig_.dispatcher->triggers().contains("b"));
}

TEST_F(DeployerTest, ATriggerWhoseTestFileAloneChangesIsTestedAndRunsOn) {
  (void)submit(commit("c1", {{"a.lua", "match=a"}, {"a.test.lua", "1"}, {"b.lua", "match=a"}}));
  const auto files = [](const std::string& test) {
    return std::map<std::string, std::string>{
        {"a.lua", "match=a"}, {"a.test.lua", test}, {"b.lua", "match=a"}};
  };
  EXPECT_EQ(submit(commit("c2", files("2"))).report, "tested ./a.lua\n");
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{1});
  EXPECT_EQ(submit(commit("c3", files("2"))).report, "no trigger changes\n");
  // What a start found: another file that comes is other tests too.
  make();
  EXPECT_EQ(submit(commit("c4", files("3"))).report, "no trigger changes\n");
  make();
  deployer_->runs(commit("c4", files("3")).commit);
  auto more = files("3");
  more["b.test.json"] = "[]";
  EXPECT_EQ(submit(commit("c5", more)).report, "tested ./b.lua\n");
}

TEST_F(DeployerTest, WhatOnlyTestsRestOnIsTestedToo) {
  std::map<std::string, std::string> files{
      {"a.lua", "match=a"},
      {"a.test.lua", R"(require "lib.made" return { recording = "outage.jsonl" })"},
      {"lib/made.lua", "1"},
      {"outage.jsonl", "1"},
      {"b.lua", "match=a"},
      {"b.test.lua", "1"}};
  (void)submit(commit("c1", files));
  files["outage.jsonl"] = "2";
  EXPECT_EQ(submit(commit("c2", files)).report, "tested ./a.lua\n");
  files["lib/made.lua"] = "2";
  EXPECT_EQ(submit(commit("c3", files)).report, "tested ./a.lua\n");
  EXPECT_EQ(submit(commit("c4", files)).report, "no trigger changes\n");
}

TEST_F(DeployerTest, ACommitThatFailsIsStoredAsRefusedAndNothingChanges) {
  (void)submit(commit("c1", {{"a.lua", "match=a"}}));
  const auto bad = submit(commit("c2", {{"a.lua", "match=a emit=13"}, {"b.lua", "match=a"}}));
  EXPECT_FALSE(bad.accepted);
  EXPECT_EQ(bad.report, "tested ./a.lua ./b.lua\n./a.lua: unlucky\n");
  const auto stored = rig_.store->deployments({}).value();
  EXPECT_EQ(stored.front().commit, "c2");
  EXPECT_FALSE(stored.front().sequence);
  EXPECT_EQ(stored.front().report, bad.report);
  EXPECT_EQ(rig_.dispatcher->triggers().size(), 1u);
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{1});
}

TEST_F(DeployerTest, ATestThatNeverEndsIsKilled) {
  options_.time_max = std::chrono::milliseconds{300};
  options_.last_words = Micros{0};
  make();
  const auto endless = submit(commit("c1", {{"a.lua", "match=a emit=14"}}));
  EXPECT_FALSE(endless.accepted);
  EXPECT_NE(endless.report.find("it did not end in 300ms"), std::string::npos) << endless.report;
  EXPECT_TRUE(rig_.dispatcher->triggers().empty());
}

TEST_F(DeployerTest, WhatPassesRunsOnRecentHistoryBesideWhatRuns) {
  options_.backtest.exporter = {"/bin/echo"};
  options_.backtest.new_notifications_max = 0;
  make();
  rig_.send("a", 1);
  const auto before = [this] {
    std::ifstream file(folder_ / "before");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto first = submit(commit("c1", {{"a.lua", "match=a"}}));
  ASSERT_TRUE(first.accepted) << first.report;
  EXPECT_EQ(before(), "");
  const auto second = submit(commit("c2", {{"a.lua", "match=a emit=2"}}));
  ASSERT_TRUE(second.accepted) << second.report;
  EXPECT_EQ(before(), "match=a");
  EXPECT_EQ(
      second.report,
      "tested ./a.lua\n"
      "backtest  a.lua                         9s of the last 10m, 0 messages: no difference\n");
  const auto storm = submit(commit("c3", {{"a.lua", "match=a emit=15"}}));
  EXPECT_FALSE(storm.accepted);
  EXPECT_NE(storm.report.find("FAIL  a.lua: 1 new notifications"), std::string::npos)
      << storm.report;
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{2});
  EXPECT_TRUE(fs::is_empty(folder_ / "gate"));
}

TEST_F(DeployerTest, ADryRunJudgesAndItsVerdictIsUsedWhenTheCommitIsTaken) {
  auto dry = commit("c1", {{"a.lua", "match=a"}});
  dry.dry_run = true;
  const auto judged = submit(dry);
  EXPECT_TRUE(judged.accepted);
  EXPECT_FALSE(judged.record);
  EXPECT_TRUE(rig_.dispatcher->triggers().empty());
  EXPECT_TRUE(rig_.store->deployments({}).value().empty());
  EXPECT_TRUE(submit(commit("c1", {{"a.lua", "match=a"}})).accepted);
  EXPECT_EQ(tests_run(), 1u);
  EXPECT_TRUE(rig_.dispatcher->triggers().contains("a"));
}

TEST_F(DeployerTest, AVerdictIsNotUsedForAnotherPushOfTheSameCommit) {
  const auto quiet = commit("c1", {{"a.lua", "match=a"}});
  const auto loud = commit("c2", {{"a.lua", "match=a emit=2"}});
  for (const auto& each : {quiet, loud}) ASSERT_TRUE(submit(each).accepted);
  EXPECT_EQ(tests_run(), 2u);
  // Beside another run, though it is of the same version as then.
  for (const auto& each : {quiet, loud}) ASSERT_TRUE(submit(each).accepted);
  EXPECT_EQ(tests_run(), 4u);
  // Much later.
  auto dry = quiet;
  dry.dry_run = true;
  ASSERT_TRUE(submit(dry).accepted);
  rig_.clock.advance(Deployer::verdict_good_for + Micros{1});
  ASSERT_TRUE(submit(quiet).accepted);
  EXPECT_EQ(tests_run(), 6u);
}

TEST_F(DeployerTest, ADryRunTriesTheMigrationOfTheStateThatIsThere) {
  (void)submit(commit("c1", {{"a.lua", "match=a"}, {"b.lua", "match=a"}}));
  rig_.send("a", 25);
  auto bad = commit("c2", {{"a.lua", "match=a migrate=13"}, {"b.lua", "match=a emit=2"}});
  bad.dry_run = true;
  const auto judged = submit(bad);
  EXPECT_FALSE(judged.accepted);
  EXPECT_EQ(judged.report, "tested ./a.lua ./b.lua\na is refused: a.lua:3: it cannot migrate\n");
  EXPECT_FALSE(judged.record);
  EXPECT_EQ(rig_.store->deployments({}).value().size(), 1u);
  EXPECT_EQ(rig_.trigger("b").run(), hastur::Run{1});
  auto good = commit("c3", {{"a.lua", "match=a migrate=100"}, {"b.lua", "match=a emit=2"}});
  good.dry_run = true;
  EXPECT_TRUE(submit(good).accepted);
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{1});
  good.dry_run = false;
  EXPECT_TRUE(submit(good).accepted);
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{2});
  // One alone is tried as well.
  bad.only = "a";
  EXPECT_FALSE(submit(bad).accepted);
}

TEST_F(DeployerTest, ADryRunSaysWhatTakesNothingOverAndAcceptsIt) {
  auto dry = commit("c1", {{"a.lua", "match=a was=typo"}});
  dry.dry_run = true;
  const auto judged = submit(dry);
  EXPECT_TRUE(judged.accepted);
  EXPECT_NE(judged.report.find("a begins anew: its ctx:was finds nothing to take over (typo has "
                               "left no state)\n"),
            std::string::npos)
      << judged.report;
}

TEST_F(DeployerTest, OneTriggerOfACommitIsTakenAndPinned) {
  (void)submit(commit("c1", {{"a.lua", "match=a"}, {"b.lua", "match=a"}}));
  auto one = commit("c2", {{"a.lua", "match=a emit=2"}, {"b.lua", "match=a emit=13"}});
  one.only = "a";
  one.why = "try it";
  const auto taken = submit(one);
  ASSERT_TRUE(taken.accepted) << taken.report;
  EXPECT_EQ(taken.report, "tested ./a.lua\n");
  EXPECT_EQ(taken.record->kind, DeploymentKind::only);
  EXPECT_EQ(rig_.dispatcher->pins().at("a").why, "try it");
  EXPECT_EQ(rig_.trigger("b").run(), hastur::Run{1});
  // A commit of the branch does not test what stays, and says that it does.
  const std::string stays =
      "pinned    a                             stays as d-2 has it: its own file is as it was; "
      "hastur unpin a\n";
  EXPECT_EQ(submit(commit("c3", {{"a.lua", "match=a"}, {"b.lua", "match=a emit=3"}})).report,
            "tested ./b.lua\n" + stays);
  one.only = "nobody";
  EXPECT_EQ(submit(one).report, "there is no trigger nobody in the commit c2\n");
}

TEST_F(DeployerTest, APinnedTriggerIsLeftAloneWhenOnlyItsLibraryIsAnother) {
  const auto files = [](const std::string& library) {
    return std::map<std::string, std::string>{{"a.lua", "match=a require\"lib.x\""},
                                              {"lib/x.lua", library}};
  };
  (void)submit(commit("c1", files("1")));
  auto one = commit("c2", files("2"));
  one.only = "a";
  ASSERT_TRUE(submit(one).accepted);
  const VersionId kept = rig_.trigger("a").version().id;
  const auto other = submit(commit("c3", files("3")));
  ASSERT_TRUE(other.accepted) << other.report;
  EXPECT_EQ(other.report.find("tested"), std::string::npos) << other.report;
  EXPECT_NE(other.report.find("a                             stays as d-2 has it"),
            std::string::npos)
      << other.report;
  EXPECT_EQ(rig_.trigger("a").version().id, kept);
  EXPECT_TRUE(rig_.dispatcher->pins().contains("a"));
}

TEST_F(DeployerTest, WhatIsNoTreeOfScriptsIsRefusedBeforeItTouchesTheDisk) {
  for (const char* path : {"../out.lua", "/etc/a.lua", "a//b.lua", ".hidden.lua", ""}) {
    const auto odd = submit(commit("c1", {{path, "match=a"}}));
    EXPECT_FALSE(odd.accepted);
    EXPECT_NE(odd.report.find(": is no path of a repository"), std::string::npos) << odd.report;
  }
  EXPECT_FALSE(submit(commit("c1", {{"a b\n.lua", "match=a"}})).accepted);
  auto link = commit("c2", {{"a.lua", "match=a"}});
  link.commit.problems = {"out.lua: a link is not followed; copy what it points at"};
  EXPECT_EQ(submit(link).report, "out.lua: a link is not followed; copy what it points at\n");
  EXPECT_EQ(tests_run(), 0u);
  EXPECT_FALSE(fs::exists(folder_ / "gate"));
  EXPECT_TRUE(rig_.dispatcher->triggers().empty());
}

TEST_F(DeployerTest, TwoThousandTriggersAreOneCommit) {
  std::map<std::string, std::string> files;
  for (int i = 0; i < 2'000; ++i) files["t/n" + std::to_string(i) + ".lua"] = "match=a";
  const auto all = submit(commit("c1", files));
  ASSERT_TRUE(all.accepted) << all.report.substr(0, 500);
  EXPECT_EQ(rig_.dispatcher->triggers().size(), 2'000u);
  EXPECT_EQ(all.record->changes.size(), 2'000u);
}

}  // namespace
}  // namespace hastur::test
