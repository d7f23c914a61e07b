// A branch is followed, commit by commit, and whatever happens to its repository, what runs stays.
// In trigger-test's place stands a shell script that decides by what is in the files.

#include "supervisor/deploy/branch_follower.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/clock.h"
#include "core/json.h"
#include "supervisor/platform_troubles.h"
#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;

class BranchFollowerTest : public ::testing::Test {
 protected:
  BranchFollowerTest() {
    const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = fs::path(testing::TempDir()) / ("hastur_follower_" + test);
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    const fs::path program = folder_ / "trigger-test";
    std::ofstream(program) << "#!/bin/sh\n"
                              "echo ran >> ../../runs\n"
                              "[ \"$1\" = --time-max ] && shift 2\n"
                              "! grep -q emit=13 \"$@\" || { echo unlucky; exit 1; }\n";
    fs::permissions(program, fs::perms::owner_all);
    gate_.trigger_test = program;
    gate_.folder = folder_ / "gate";
    options_.repo = folder_ / "r.git";
    options_.mirror = folder_ / "mirror.git";
    // Looks when it is told to.
    options_.look_every = std::chrono::hours{1};
    options_.again_after = Micros{0};
    EXPECT_TRUE(GitRepository::init_bare(options_.repo, "main"));
  }
  ~BranchFollowerTest() override {
    follower_.reset();
    deployer_.reset();
    fs::remove_all(folder_);
  }

  // A supervisor (again) on the same store.
  void start(CountedLimits limits = {}) {
    follower_.reset();
    deployer_.reset();
    rig_.start(limits);
    deployer_ = std::make_unique<Deployer>(loop_, rig_.clock, *rig_.dispatcher, gate_);
    follower_ = std::make_unique<BranchFollower>(loop_, clock_, *rig_.store, *rig_.dispatcher,
                                                 *deployer_, options_);
    follower_->start();
    settle();
  }
  std::string commit(const Files& files) {
    auto repository = GitRepository::open(options_.repo);
    const auto made = repository->commit("main", files, "a change", "Ada",
                                         time_from_us(1'704'067'200'000'000 + ++commits_));
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : "";
  }
  void look() {
    follower_->look();
    settle();
  }
  template <class Holds>
  bool until(Holds holds) {
    const Micros start = clock_.monotonic();
    while (!holds() && clock_.monotonic() - start < std::chrono::seconds{60}) {
      loop_.run_some(std::chrono::milliseconds{10});
      rig_.pump();
      for (const Deployed& decided : std::exchange(rig_.deployed, {})) deployer_->deployed(decided);
    }
    return holds();
  }
  // Until nothing is fetched, judged or taken any more.
  void settle() {
    EXPECT_TRUE(until([this] { return follower_->is_idle(); }));
  }
  std::size_t tests_run() {
    std::ifstream file(folder_ / "runs");
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }
  bool runs(const TriggerName& name) { return rig_.dispatcher->triggers().contains(name); }
  const BranchFollower::Standing& standing() { return follower_->standing(); }
  std::string trouble() { return standing().trouble ? standing().trouble->text : ""; }

  SystemClock clock_;
  Loop loop_;
  Rig rig_;
  fs::path folder_;
  int commits_ = 0;
  Gate::Options gate_;
  BranchFollower::Options options_;
  std::unique_ptr<Deployer> deployer_;
  std::unique_ptr<BranchFollower> follower_;
};

TEST_F(BranchFollowerTest, TakesEachTipAndRefusesOneOnlyOnce) {
  const std::string first = commit({{"a.lua", "match=a"}});
  start();
  EXPECT_TRUE(runs("a"));
  EXPECT_EQ(standing().taken, first);
  EXPECT_EQ(standing().tip, first);
  EXPECT_TRUE(standing().read_at);
  const std::string bad = commit({{"a.lua", "match=a emit=13"}});
  look();
  EXPECT_EQ(standing().refused, "unlucky\n");
  EXPECT_EQ(standing().tip, bad);
  EXPECT_EQ(standing().taken, first);
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{1});
  look();
  EXPECT_EQ(tests_run(), 2u);
  const std::string good = commit({{"a.lua", "match=a emit=2"}});
  look();
  EXPECT_EQ(standing().taken, good);
  EXPECT_FALSE(standing().refused);
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{2});
  EXPECT_EQ(trouble(), "");
}

TEST_F(BranchFollowerTest, WhatRunsAfterAStartIsWhatWasTakenAndTheTipIsNotJudgedAgain) {
  const std::string first = commit({{"a.lua", "match=a"}});
  start();
  commit({{"a.lua", "match=a emit=13"}});
  look();
  ASSERT_EQ(tests_run(), 2u);
  start();
  EXPECT_EQ(tests_run(), 2u);
  EXPECT_EQ(standing().taken, first);
  EXPECT_TRUE(standing().refused);
  EXPECT_TRUE(runs("a"));
  EXPECT_EQ(rig_.store->deployments({}).value().size(), 2u);
  // Under other limits it is another run of the commit that runs, and another verdict.
  CountedLimits limits;
  limits.effects_max = 7;
  start(limits);
  EXPECT_EQ(rig_.trigger("a").limits().effects_max, 7u);
  EXPECT_EQ(rig_.store->deployments({}).value().at(1).commit, first);
  EXPECT_EQ(tests_run(), 3u);
  EXPECT_EQ(standing().taken, first);
  EXPECT_TRUE(standing().refused);
}

TEST_F(BranchFollowerTest, ADeletedBranchAMissingRepositoryAndABrokenOneChangeNothing) {
  commit({{"a.lua", "match=a"}});
  start();
  fs::rename(folder_ / "r.git/refs/heads/main", folder_ / "main");
  look();
  EXPECT_NE(trouble().find("has no branch main"), std::string::npos) << trouble();
  fs::rename(folder_ / "main", folder_ / "r.git/refs/heads/main");
  look();
  EXPECT_EQ(trouble(), "");
  fs::rename(folder_ / "r.git", folder_ / "gone.git");
  look();
  EXPECT_NE(trouble().find("cannot open the repository"), std::string::npos) << trouble();
  fs::rename(folder_ / "gone.git", folder_ / "r.git");
  const std::string next = commit({{"a.lua", "match=a emit=2"}});
  fs::rename(folder_ / "r.git/objects" / next.substr(0, 2), folder_ / "objects");
  look();
  EXPECT_NE(trouble().find("cannot read the commit " + next), std::string::npos) << trouble();
  EXPECT_TRUE(runs("a"));
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{1});
  fs::rename(folder_ / "objects", folder_ / "r.git/objects" / next.substr(0, 2));
  look();
  EXPECT_EQ(trouble(), "");
  EXPECT_EQ(standing().taken, next);
  EXPECT_EQ(rig_.trigger("a").run(), hastur::Run{2});
}

TEST_F(BranchFollowerTest, AForcedBranchIsTakenAsItIs) {
  const std::string first = commit({{"a.lua", "match=a"}});
  commit({{"a.lua", "match=a emit=2"}, {"b.lua", "match=a"}});
  start();
  std::ofstream(folder_ / "r.git/refs/heads/main") << first << "\n";
  look();
  EXPECT_EQ(standing().taken, first);
  EXPECT_FALSE(runs("b"));
  EXPECT_EQ(trouble(), "");
}

TEST_F(BranchFollowerTest, WhoWaitsForACommitIsToldWithIt) {
  const std::string first = commit({{"a.lua", "match=a"}});
  start();
  std::vector<Result<DeploymentRecord>> told;
  const auto tell = [&](const Result<DeploymentRecord>& decision) { told.push_back(decision); };
  follower_->await(first, tell);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->commit, first);
  // Two pushes: both are live with the second.
  const std::string second = commit({{"a.lua", "match=a emit=2"}});
  const std::string third = commit({{"a.lua", "match=a emit=3"}});
  follower_->await(second, tell);
  follower_->await(third, tell);
  settle();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[1]->commit, third);
  EXPECT_EQ(told[2]->commit, third);
  // One that is on its way is decided before what came after it.
  const std::string fourth = commit({{"a.lua", "match=a emit=4"}});
  follower_->await(fourth, tell);
  const std::string fifth = commit({{"a.lua", "match=a emit=13"}});
  follower_->await(fifth, tell);
  settle();
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[3]->commit, fourth);
  EXPECT_TRUE(told[3]->sequence);
  EXPECT_EQ(told[4]->commit, fifth);
  EXPECT_FALSE(told[4]->sequence);
  follower_->await(std::string(40, '1'), tell);
  ASSERT_EQ(told.size(), 6u);
  EXPECT_NE(told[5].error().message.find("is not on the branch"), std::string::npos);
  fs::rename(folder_ / "r.git", folder_ / "gone.git");
  follower_->await(first, tell);
  ASSERT_EQ(told.size(), 7u);
  EXPECT_FALSE(told[6]);
}

TEST_F(BranchFollowerTest, WhatCouldNotBeJudgedIsTriedAgain) {
  commit({{"a.lua", "match=a"}});
  fs::rename(gate_.trigger_test, folder_ / "away");
  start();
  EXPECT_NE(trouble().find("could not be judged"), std::string::npos) << trouble();
  EXPECT_TRUE(rig_.store->deployments({}).value().empty());
  fs::rename(folder_ / "away", gate_.trigger_test);
  look();
  EXPECT_EQ(trouble(), "");
  EXPECT_TRUE(runs("a"));
}

TEST_F(BranchFollowerTest, TakesTheTipAgainWhenAPinHasGone) {
  commit({{"a.lua", "match=a"}});
  start();
  const std::string second = commit({{"a.lua", "match=a emit=2"}});
  look();
  const auto back = rig_.dispatcher->rollback("a", 0, "worse");
  ASSERT_TRUE(back) << back.error().message;
  rig_.pump();
  ASSERT_EQ(rig_.trigger("a").version().script.text, "match=a");
  look();
  EXPECT_EQ(rig_.trigger("a").version().script.text, "match=a");
  ASSERT_TRUE(rig_.dispatcher->unpin("a"));
  follower_->look_again();
  settle();
  EXPECT_EQ(rig_.trigger("a").version().script.text, "match=a emit=2");
  EXPECT_EQ(standing().taken, second);
}

TEST_F(BranchFollowerTest, WhileTheTipIsRefusedAPinThatGoesGivesBackWhatWasTakenBefore) {
  commit({{"a.lua", "match=a"}, {"b.lua", "match=a"}});
  start();
  const std::string second = commit({{"a.lua", "match=a emit=2"}, {"b.lua", "match=a"}});
  look();
  ASSERT_TRUE(rig_.dispatcher->rollback("a", 0, "worse"));
  rig_.pump();
  const std::string bad = commit({{"a.lua", "match=a emit=2"}, {"b.lua", "match=a emit=13"}});
  look();
  ASSERT_TRUE(standing().refused);
  ASSERT_EQ(rig_.trigger("a").version().script.text, "match=a");
  const auto refused = [this] {
    return std::ranges::count_if(*rig_.store->deployments({}),
                                 [](const auto& each) { return !each.sequence; });
  };
  ASSERT_EQ(refused(), 1);
  ASSERT_TRUE(rig_.dispatcher->unpin("a"));
  follower_->look_again();
  settle();
  EXPECT_EQ(rig_.trigger("a").version().script.text, "match=a emit=2");
  EXPECT_EQ(refused(), 1);
  EXPECT_EQ(standing().taken, second);
  EXPECT_EQ(standing().tip, bad);
  EXPECT_TRUE(standing().refused);
  const std::size_t deployments = rig_.store->deployments({})->size();
  look();
  EXPECT_EQ(rig_.store->deployments({})->size(), deployments);
  // Where the branch goes on from there is taken as ever.
  const std::string good = commit({{"a.lua", "match=a emit=3"}, {"b.lua", "match=a"}});
  look();
  EXPECT_EQ(standing().taken, good);
  EXPECT_FALSE(standing().refused);
}

TEST_F(BranchFollowerTest, FetchesFromAUrlAndSaysWhenItCannot) {
  const std::string first = commit({{"a.lua", "match=a"}});
  const std::string folder = options_.repo;
  options_.repo = "file://" + folder;
  start();
  EXPECT_EQ(standing().taken, first) << trouble();
  EXPECT_EQ(follower_->read("main")->commit, first);
  fs::rename(folder, folder_ / "gone.git");
  look();
  EXPECT_NE(trouble().find("cannot fetch main from file://"), std::string::npos) << trouble();
  EXPECT_TRUE(runs("a"));
  fs::rename(folder_ / "gone.git", folder);
  options_.repo = folder;
  const std::string second = commit({{"a.lua", "match=a emit=2"}});
  std::vector<Result<DeploymentRecord>> told;
  follower_->await(second, [&](const auto& decision) { told.push_back(decision); });
  settle();
  EXPECT_EQ(trouble(), "");
  EXPECT_EQ(standing().taken, second);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->commit, second);
}

TEST_F(BranchFollowerTest, AMirrorThatIsDamagedIsMadeAnew) {
  const std::string folder = options_.repo;
  const std::string first = commit({{"a.lua", "match=a"}});
  options_.repo = "file://" + folder;
  start();
  ASSERT_EQ(standing().taken, first) << trouble();
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(options_.mirror) / "objects")) {
    if (!entry.is_regular_file()) continue;
    fs::permissions(entry.path(), fs::perms::owner_all);
    std::ofstream(entry.path()) << "no zlib";
  }
  options_.repo = folder;
  const std::string second = commit({{"a.lua", "match=a emit=2"}});
  look();
  EXPECT_TRUE(runs("a"));
  look();
  EXPECT_EQ(standing().taken, second) << trouble();
  EXPECT_EQ(trouble(), "");
}

TEST(WhyOfGit, IsWhatSshSaysToo) {
  EXPECT_EQ(why_of_git("ssh: connect to host git.example.com port 22: Connection refused\r\n"
                       "fatal: Could not read from remote repository.\n\n"
                       "Please make sure you have the correct access rights\n"
                       "and the repository exists.\n"),
            "ssh: connect to host git.example.com port 22: Connection refused; fatal: Could not "
            "read from remote repository.");
  EXPECT_EQ(why_of_git("@@@@@@@@@@@\n@ WARNING: HAS CHANGED! @\n@@@@@@@@@@@\n"
                       "Offending key in /h/.ssh/known_hosts:3\n"
                       "Host key verification failed.\n"
                       "fatal: Could not read from remote repository.\n"),
            "Offending key in /h/.ssh/known_hosts:3; Host key verification failed.; fatal: Could "
            "not read from remote repository.");
  EXPECT_EQ(why_of_git("Counting: 1%\rCounting: 2%\rfatal: \x1b[2Jno\n"), "fatal: ?[2Jno");
  EXPECT_EQ(why_of_git("\n \n"), "");
  const std::string long_one(400, 'x');
  EXPECT_EQ(why_of_git(long_one + "\n" + long_one + "\nfatal: no\n"), long_one + "; fatal: no");
  EXPECT_EQ(why_of_git(std::string(600, 'x')).size(), 500u);
}

TEST(IsRemoteRepo, TellsUrlsFromFolders) {
  for (const char* url : {"https://host/r.git", "file:///srv/r.git", "git@host:r.git", "host:a/b"})
    EXPECT_TRUE(is_remote_repo(url)) << url;
  for (const char* folder : {"/srv/r.git", "r.git", "./a:b", "a/b:c"})
    EXPECT_FALSE(is_remote_repo(folder)) << folder;
}

TEST_F(BranchFollowerTest, ABranchThatCannotBeFollowedIsToldOnceAndThatItCanAgain) {
  commit({{"a.lua", "match=a"}});
  start();
  const std::map<std::string, Channel> channels;
  PlatformTroubles troubles({rig_.clock, *rig_.dispatcher, "tcp://127.0.0.1:4944", channels,
                             [](const std::string&) { return ChannelState{}; }, "",
                             follower_->standing().trouble});
  PlatformWatch watch;
  std::string told;
  Time now = clock_.now();
  const auto look_for = [&](Micros span) {
    told.clear();
    for (const Time end = now + span; now < end; now += std::chrono::seconds{10}) {
      auto all = troubles.look();
      std::erase_if(all, [](const PlatformTrouble& each) { return each.key != "source"; });
      for (const NotificationRecord& record : watch.look(all, now))
        told += parse_json(record.payload).value()["text"].get<std::string>() + "\n";
    }
  };
  look_for(std::chrono::minutes{2});
  EXPECT_EQ(told, "");
  fs::rename(folder_ / "r.git", folder_ / "away.git");
  look();
  now = clock_.now();
  look_for(std::chrono::minutes{10});
  EXPECT_NE(told.find("cannot open the repository"), std::string::npos) << told;
  EXPECT_EQ(std::ranges::count(told, '\n'), 1) << told;
  fs::rename(folder_ / "away.git", folder_ / "r.git");
  look();
  look_for(std::chrono::minutes{10});
  EXPECT_TRUE(told.starts_with("Over: ")) << told;
  EXPECT_EQ(std::ranges::count(told, '\n'), 1) << told;
}

}  // namespace
}  // namespace hastur::test
